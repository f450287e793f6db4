"""Nothing that a server, a record or a prompt says becomes markup or a formula in the panel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import ipywidgets
import pytest
from support.gateway import Gateway, Said
from support.pictures import answer, complaint, picture
from support.studies import EVIL
from widgets.hands import Hands

import jupyter_imagegen as ig
from jupyter_imagegen.widgets.looks import style_sheet

IMG = "<img src=x onerror=alert(1)>"
FORMULA = r"$\href{javascript:alert(1)}{otter}$"
NASTY = f"{IMG} {FORMULA} evilword"

_PICTURE = re.compile(
    r'<img src="data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=]+" alt="[a-z0-9 :,]*" width="\d+" height="\d+">'
)


def check(hands: Hands) -> None:
    """What holds for every panel."""
    for widget in hands.widgets:
        if isinstance(widget, ipywidgets.HTML | ipywidgets.HTMLMath):
            assert "jig-style" in widget._dom_classes or "jig-picture" in widget._dom_classes
            assert widget.value in ("", style_sheet().value) or _PICTURE.fullmatch(widget.value), widget.value
        if isinstance(widget, ipywidgets.Label):
            assert {"mathjax_ignore", "tex2jax_ignore"} <= {*widget._dom_classes}
        if hasattr(widget, "description_allow_html"):
            assert widget.description_allow_html is False
            assert IMG not in widget.description


@pytest.fixture
def full(served: Gateway, open_panel: Callable[[], Hands]) -> Hands:
    """A panel with a job that ended well, one that failed, and an opened and a compared picture, all of them nasty."""
    hands = open_panel()
    colours = iter(("red", "blue"))
    for number in range(2):
        drawn = picture(next(colours))
        served.rule = lambda _, drawn=drawn: Said(  # type: ignore[misc]
            answer(drawn, data_note=NASTY).replace(
                b'"b64_json"', f'"revised_prompt": {_json(NASTY)}, "b64_json"'.encode()
            ),
            headers={"x-request-id": IMG},
        )
        hands.type(tags=NASTY.replace(",", ""), note=NASTY)
        hands.generate(f"{NASTY} {number}", model="m<b>").ends()
    served.rule = lambda _: Said(complaint(NASTY, code=IMG, type=FORMULA), 400, {"x-request-id": IMG})
    hands.generate(NASTY, model="m<b>").ends()
    hands.refresh()
    hands.open(0)
    hands.press("Compare …", "jig-view")
    hands.open(1)
    return hands


def _json(text: str) -> str:
    return json.dumps(text)


def test_only_pictures_and_the_style_sheet_are_html(full: Hands) -> None:
    """Everything else is shown as it is, and none of it as a formula."""
    check(full)
    pictures = [each for each in full.widgets if isinstance(each, ipywidgets.HTML) and "<img" in each.value]
    assert len(pictures) >= 8


def test_words_of_others_are_there_as_words(full: Hands) -> None:
    """They are not cut out: a person sees what was said."""
    texts = "\n".join(each.value for each in full.widgets if isinstance(each, ipywidgets.Label))
    html = "\n".join(each.value for each in full.widgets if isinstance(each, ipywidgets.HTML))

    assert f"revised prompt: {NASTY}" in texts
    assert f"request id: {IMG}" in texts
    assert sum("evilword" in row.head for row in full.rows) == 3
    assert any(IMG in line for line in full.rows[0].lines)
    assert "evilword" not in html
    assert "otter" not in html


def test_an_error_of_the_panel_is_no_markup(hands: Hands) -> None:
    """What was typed is said back."""
    hands.type(prompt="an otter", pictures=NASTY)
    hands.send()
    assert "onerror" in hands.message
    check(hands)


@pytest.mark.parametrize("place", range(len(EVIL)))
def test_a_record_of_somebody_else_is_no_markup(hands: Hands, served: Gateway, place: int) -> None:
    """Its prompt, tags and note in the form, in the gallery and in the view."""
    text = EVIL[place].replace("\x00", "")
    made = ig.generate(f"{text} evilword", user=text)
    ig.tag(made, text)
    ig.note(made, text)
    assert len(served.posts) == 1
    hands.refresh()
    hands.open(0)
    hands.press("Use these settings")
    hands.press("As cell", "jig-view")

    check(hands)
    html = "\n".join(each.value for each in hands.widgets if isinstance(each, ipywidgets.HTML))
    assert "evilword" not in html
