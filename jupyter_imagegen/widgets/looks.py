"""How the parts of the panel look: plain text that is no markup, pictures of our own, and one style sheet.

Only two widgets here interpret HTML, the style sheet and the pictures, and neither holds a word that came from outside.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, Final

import ipywidgets

from .subshells import Widget, heard_at_once

if TYPE_CHECKING:
    from ..preview import Preview

HIDDEN: Final = "none"

# MathJax would read the dollars of two prices as a formula, and follow the links in one that a server sent.
_NO_MATH: Final = ("mathjax_ignore", "tex2jax_ignore")

_STYLE: Final = """<style>
.jig-panel { container-type: inline-size; max-width: 1600px; overflow: hidden; }
.jig-panel .widget-label { white-space: normal; }
.jig-panel .jig-style { display: none; }
.jig-panel .jig-row { display: flex; flex-flow: row wrap; gap: 4px 10px; align-items: flex-end; overflow: visible; }
.jig-panel .jig-field { display: flex; flex-direction: column; align-items: stretch; height: auto; width: auto;
  flex: none; min-width: 0; }
.jig-panel .jig-row > .jig-field { flex: 1 1 128px; max-width: 420px; }
.jig-panel .jig-field > .widget-label { text-align: left; width: auto; height: auto; line-height: 1.5;
  margin: 0; overflow: visible; flex: none; }
.jig-panel .jig-field > input, .jig-panel .jig-field > select { width: 100%; height: 28px; flex: none; }
.jig-panel .jig-field > textarea { width: 100%; flex: none; }
.jig-panel .jig-row > .jig-narrow { flex: 0 1 90px; }
.jig-panel .jig-top { align-items: flex-start; }
body[data-jp-theme-light="false"] .jig-panel .jig-field > select { background-image: url('data:image/svg+xml,\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 18 18"><path fill="silver" d="M5 7l4 4 4-4z"/></svg>'); }
.jig-panel .jig-wide textarea { resize: vertical; }
.jig-panel .jig-text { white-space: pre-wrap; overflow-wrap: anywhere; height: auto; line-height: 1.45;
  flex: 1 1 auto; min-width: 0; }
.jig-panel .jig-error { border-left: 3px solid var(--jp-error-color1, #d32f2f); padding-left: 8px; }
.jig-panel .jig-grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 4px 10px;
  align-items: end; overflow: visible; }
.jig-panel .jig-flat { display: contents; }
.jig-panel .jig-pager { align-items: center; justify-content: center; }
.jig-panel .jig-pager .jig-text { flex: none; }
.jig-panel .jig-check, .jig-panel .jig-check label { width: auto; overflow: visible; }
.jig-panel .jig-check .widget-label-basic { white-space: normal; overflow: visible; height: auto; }
.jig-panel .jig-title { font-weight: 600; }
.jig-panel .jupyter-button { width: auto; min-width: 44px; max-width: 100%; flex: none; align-self: flex-end; }
.jig-panel .jig-fold { align-self: flex-start; }
.jig-panel .jig-tile .jupyter-button { align-self: stretch; }
.jig-panel .jig-picture { line-height: 0; overflow: hidden; height: auto; }
.jig-panel .jig-picture img { max-width: 100%; height: auto; }
.jig-panel .jig-large img { max-height: 70vh; width: auto; }
.jig-panel .jig-job { border-top: 1px solid var(--jp-border-color2, #8884); padding: 6px 0; }
.jig-panel .jig-job img { max-height: 260px; width: auto; }
.jig-panel .jig-tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 8px;
  overflow: visible; }
.jig-panel .jig-tile { overflow: hidden; align-items: stretch; }
.jig-panel .jig-tile .jig-picture { height: 132px; background: var(--jp-layout-color2, #8882); }
.jig-panel .jig-tile .widget-html-content { height: 100%; display: flex; align-items: center; justify-content: center; }
.jig-panel .jig-tile .jig-picture img { max-height: 132px; width: auto; }
.jig-panel .jig-tile .jupyter-button { width: auto; overflow: hidden; text-overflow: ellipsis; margin: 2px 0;
  font-size: 85%; padding: 0 4px; }
.jig-panel .jig-view { border: 1px solid var(--jp-border-color2, #8884); padding: 8px; }
.jig-panel .jig-columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 12px;
  overflow: visible; }
.jig-panel button:focus-visible, .jig-panel input:focus-visible, .jig-panel textarea:focus-visible,
.jig-panel select:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
@container (max-width: 620px) {
  .jig-panel .jig-columns { grid-template-columns: minmax(0, 1fr); }
  .jig-panel .jig-row > .jig-field { max-width: none; flex: 1 1 120px; }
  .jig-panel .jig-grid { grid-template-columns: repeat(auto-fill, minmax(120px, 1fr)); }
  .jig-panel .jig-tiles { grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); }
  .jig-panel .jig-tile .jig-picture, .jig-panel .jig-tile .jig-picture img { max-height: 96px; height: 96px; }
  .jig-panel .jig-tile .jig-picture img { height: auto; }
}
</style>"""


def style_sheet() -> Widget:
    """The style sheet of the panel; it holds for what stands in a box of the class jig-panel."""
    return _classed(ipywidgets.HTML(_STYLE), "jig-style")


def text(value: str = "", *classes: str) -> Widget:
    """Words that are shown as they are: no markup, no formulas, with their line breaks."""
    return _classed(ipywidgets.Label(value), "jig-text", *_NO_MATH, *classes)


def heading(value: str) -> Widget:
    """The name of a part of the panel."""
    return text(value, "jig-title")


def picture(*classes: str) -> Widget:
    """A place for a picture, empty until `paint` puts one there."""
    return _classed(ipywidgets.HTML(), "jig-picture", *classes)


def paint(place: Widget, preview: Preview | None, alt: str) -> None:
    """Put a picture into its place, or take it away; `alt` is what a screen reader says, in words of ours alone.

    An Image of ipywidgets has no alternative text, and none can be given to it.
    """
    if preview is None:
        place.value = ""
        return
    data = b64encode(preview.data).decode("ascii")
    size = f'width="{preview.width}" height="{preview.height}"'
    place.value = f'<img src="data:{preview.mime};base64,{data}" alt="{escape(alt)}" {size}>'


def button(label: str, act: Callable[[], None], tooltip: str = "") -> Widget:
    """A button; `act` is called in whatever thread the front end's click is handled."""
    made = ipywidgets.Button(description=label, tooltip=tooltip or label)
    made.on_click(lambda _: act())
    return heard_at_once(made)


def field(kind: type[Any], label: str, *classes: str, **traits: Any) -> Widget:  # noqa: ANN401  (any trait)
    """A field with its label above it, which it is also known by to a screen reader."""
    return heard_at_once(_classed(kind(description=label, **traits), "jig-field", *classes))


def row(*children: Widget) -> Widget:
    """Side by side, as far as there is room."""
    return _classed(ipywidgets.Box(list(children)), "jig-row")


def beside(*children: Widget) -> Widget:
    """Side by side, from the same height on."""
    return _classed(ipywidgets.Box(list(children)), "jig-row", "jig-top")


def grid(*children: Widget) -> Widget:
    """Fields in columns of one width."""
    return _classed(ipywidgets.Box(list(children)), "jig-grid")


def pager(*children: Widget) -> Widget:
    """Side by side in the middle."""
    return _classed(ipywidgets.Box(list(children)), "jig-row", "jig-pager")


def flat(*children: Widget) -> Widget:
    """Members of the row around it, which come and go together."""
    return _classed(ipywidgets.Box(list(children)), "jig-flat")


def columns(*children: Widget) -> Widget:
    """Two columns, which stand one below the other where there is little room."""
    return _classed(ipywidgets.Box(list(children)), "jig-columns")


def tiles(*children: Widget) -> Widget:
    """As many in a row as there is room for, all of one width."""
    return _classed(ipywidgets.Box(list(children)), "jig-tiles")


def check(label: str, tooltip: str) -> Widget:
    """A box to tick, with its label beside it."""
    made = ipywidgets.Checkbox(value=False, description=label, tooltip=tooltip, indent=False)
    return heard_at_once(_classed(made, "jig-check"))


def fold(label: str, tooltip: str) -> Widget:
    """A button that stays pressed while something is unfolded."""
    return heard_at_once(_classed(ipywidgets.ToggleButton(value=False, description=label, tooltip=tooltip), "jig-fold"))


def column(*children: Widget, name: str = "jig-column") -> Widget:
    """One below the other."""
    return _classed(ipywidgets.VBox(list(children)), name)


def show(widget: Widget, *, when: bool) -> None:
    """Show a widget or leave it out."""
    widget.layout.display = None if when else HIDDEN


def discard(*widgets: Widget) -> None:
    """Close widgets with all that stands in them: a page and a saved notebook hold each one until it is closed."""
    for widget in widgets:
        discard(*getattr(widget, "children", ()))
        for part in ("layout", "style"):
            if hasattr(widget, part):
                getattr(widget, part).close()
        widget.close()


def _classed(widget: Widget, *classes: str) -> Widget:
    widget._dom_classes = classes  # noqa: SLF001  (add_class sends a message for each)
    return widget
