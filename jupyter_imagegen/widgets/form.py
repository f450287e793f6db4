"""The form: fields that a model takes, each with its values and its default. What stands in it is a Draft."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import ipywidgets

from .. import config
from ..catalogue import CUSTOM, Catalogue, Model, Provider
from ..draft import Draft, narrowed, whom
from ..errors import KeyInCell, SettingsError
from ..fields import Field, fields
from ..listing import served_by
from ..settings import MODES, Settings, photograph
from ..steps import destination
from .keyless import holds_key, holds_password, names_key
from .looks import check, column, discard, field, flat, fold, grid, heading, show
from .pictures import Pictures
from .subshells import Widget

_FOREMOST: Final = ("size", "quality")
"""Fields that stand beside the model; the rest is folded under "More"."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """A field of the model with the widget that asks for it."""

    field: Field
    widget: Widget


class Form:
    """The widgets of the form. `changed` is called whenever something else stands in it."""

    def __init__(self, changed: Callable[[], None], attempt: Callable[[Callable[[], None]], None]) -> None:
        self._changed = changed
        self._is_filling = False
        self._typed: dict[str, str] = {}
        self._recorded_url = ""
        self._slots: tuple[_Slot, ...] = ()
        self._of: tuple[Model, Provider] | None = None
        self.pictures = Pictures(self._take_pictures, attempt)
        self._prompt = field(ipywidgets.Textarea, "Prompt", "jig-wide", rows=4, continuous_update=False)
        self._provider = field(ipywidgets.Dropdown, "Provider", options=[("", "")])
        self._model = field(ipywidgets.Combobox, "Model", continuous_update=False)
        self._n = field(ipywidgets.Text, "Pictures", placeholder="1", continuous_update=False)
        self._rest = _Rest()
        self._foremost, self._others = flat(), grid()
        self._more = fold("More", "More fields of this model")
        self._folded = column(self._others, self._rest.box, self.pictures.box)
        show(self._folded, when=False)
        self.box: Widget = column(
            heading("Generate"),
            self._prompt,
            grid(self._provider, self._model, self._foremost, self._n),
            self._more,
            self._folded,
        )
        self._more.observe(lambda change: show(self._folded, when=change["new"]), "value")
        for widget in (self._provider, self._model, self._rest.base_url):
            widget.observe(lambda _: None if self._is_filling else attempt(self.choose), "value")
        for widget in (self._prompt, self._n, *self._rest.others):
            widget.observe(lambda _: self._edited(), "value")

    @property
    def draft(self) -> Draft:
        """What stands in it."""
        rest = self._rest
        return Draft(
            prompt=self._prompt.value,
            provider=self._provider.value or "",
            base_url=rest.base_url.value,
            recorded_url=self._recorded_url,
            model=self._model.value,
            n=self._n.value,
            fields=tuple((slot.field.name, slot.widget.value) for slot in self._slots if slot.widget.value),
            images=self.pictures.images,
            mask=self.pictures.mask,
            params=rest.params.value,
            omit=rest.omit.value,
            tags=rest.tags.value,
            note=rest.note.value,
            timeout=rest.timeout.value,
            mode=rest.mode.value,
            max_cost=rest.max_cost.value,
            save=rest.save.value.strip(),
            force=rest.force.value,
        )

    def fill(self, draft: Draft) -> None:
        """Put what is asked in the place of what stands in it; how it is to be asked (mode, limits, save) stays.

        Raises SettingsError for what leads nowhere from here, and leaves everything as it was then.
        """
        destination(whom(draft), photograph())
        self._is_filling = True
        try:
            self._fill(draft)
        finally:
            self._is_filling = False
            self._changed()

    def refuse_keys(self) -> None:
        """Look for a key in everything that was typed, also in what cannot be read. Raises KeyInCell."""
        for widget in self._with_keys():
            message = f"What was typed into {widget.description!r} holds a key. Nothing was sent."
            raise KeyInCell(message)

    def drop_keys(self) -> None:
        """Empty what holds a key: what stands in a field may be saved with the notebook."""
        for widget in tuple(self._with_keys()):
            widget.value = ""

    def _with_keys(self) -> Iterator[Widget]:
        rest, slots = self._rest, (slot.widget for slot in self._slots)
        for widget in (self._prompt, self._model, self._n, self.pictures.path, *rest.texts, *slots):
            if holds_key(widget.value):
                yield widget
        for widget, is_secret in ((rest.params, names_key), (rest.base_url, holds_password)):
            if is_secret(widget.value):
                yield widget

    def _fill(self, draft: Draft) -> None:
        self._prompt.value, self._n.value = draft.prompt, draft.n
        self._rest.fill(draft)
        self._recorded_url = draft.recorded_url
        _choose(self._provider, draft.provider)
        self._model.value = draft.model
        self._typed = {}
        self.choose()
        fitted = narrowed(draft, [slot.field.name for slot in self._slots])
        given = dict(fitted.fields)
        for slot in self._slots:
            _choose(slot.widget, given.pop(slot.field.name, ""))
        self._rest.params.value = fitted.params
        self.pictures.put(draft.images, draft.mask)
        is_more = draft.images or draft.mask or draft.base_url or fitted.params
        self._more.value = self._more.value or bool(is_more)

    def _take_pictures(self) -> None:
        self._more.value = True
        self._edited()

    def _edited(self) -> None:
        if not self._is_filling:
            self._changed()

    def choose(self) -> None:
        """Show the fields of the model that is chosen now. Raises SettingsError where no file of rows can be read."""
        settings = photograph()
        rows = config.rows(settings)
        self._offer(rows, settings)
        model, provider = self._chosen(rows, settings)
        self._model.placeholder = model.name or "any model of this endpoint"
        self._model.options = tuple(_models(rows, provider))
        if self._of != (model, provider):
            self._of = model, provider
            self._show(fields(model, provider))
        self._edited()

    def _chosen(self, rows: Catalogue, settings: Settings) -> tuple[Model, Provider]:
        """The model and the provider, also where they cannot be asked yet: an address may not be set."""
        try:
            endpoint = destination(whom(self.draft), settings)
        except SettingsError:
            name = self._provider.value
            provider = rows.provider(name) if name in rows.names else Provider(name=name or CUSTOM)
            return rows.model(provider, self._model.value.strip() or provider.default_model), provider
        return endpoint.model, endpoint.provider

    def _offer(self, rows: Catalogue, settings: Settings) -> None:
        chosen = self._provider.value or ""
        unknown = () if chosen in ("", *rows.names) else (chosen,)
        names = ((name, name) for name in (*rows.names, *unknown))
        options = [(f"as set ({self._usual(settings)})", ""), *names]
        if list(self._provider.options) != options:
            # New options choose the first for a moment: the fields of another provider would lose what was typed.
            before, self._is_filling = self._is_filling, True
            self._provider.options, self._provider.value = options, chosen
            self._is_filling = before

    def _usual(self, settings: Settings) -> str:
        """Who is asked where no provider is chosen."""
        try:
            return destination(replace(whom(self.draft), provider=None), settings).provider.name
        except SettingsError:
            return "cannot be read"

    def _show(self, wanted: tuple[Field, ...]) -> None:
        """A widget for each of these fields; what was typed into a field is there again when the field is."""
        before = {slot.field: slot for slot in self._slots}
        self._slots = tuple(before.pop(each) if each in before else self._slot(each) for each in wanted)
        for places, is_foremost in ((self._foremost, True), (self._others, False)):
            places.children = tuple(
                slot.widget for slot in self._slots if (slot.field.name in _FOREMOST) is is_foremost
            )
        discard(*(slot.widget for slot in before.values()))

    def _slot(self, wanted: Field) -> _Slot:
        widget, typed = _widget(wanted), self._typed.get(wanted.name, "")
        if typed and (wanted.is_open or not wanted.values or typed in wanted.values):
            _choose(widget, typed)
        widget.observe(lambda change: self._take(wanted.name, change["new"]), "value")
        return _Slot(wanted, widget)

    def _take(self, name: str, typed: str) -> None:
        self._typed[name] = typed
        self._edited()


class _Rest:
    """What is asked of every model alike, or of this package."""

    def __init__(self) -> None:
        self.base_url = _text("Address of an endpoint", "https://…/v1")
        self.params = field(
            ipywidgets.Textarea,
            "Other fields of the request, one KEY=JSON a line",
            "jig-wide",
            rows=3,
            continuous_update=False,
        )
        self.omit = _text("Fields to leave out", "names, separated by blanks")
        self.tags = _text("Tags", "words, separated by commas")
        self.note = _text("Note", "a sentence")
        self.save = _text("Also save to", "a folder, or a pattern with {n}")
        self.max_cost = _text("At most, US$", "0.50")
        self.timeout = _text("Timeout, s", "900")
        self.mode = field(ipywidgets.Dropdown, "Mode", options=[("as set", ""), *((mode, mode) for mode in MODES)])
        self.force = check("Force: send it in any case", "Send it although the model is known to refuse it")
        small = grid(self.base_url, self.tags, self.note, self.save, self.max_cost, self.timeout, self.mode, self.omit)
        self.box: Widget = column(small, self.params, self.force)

    @property
    def texts(self) -> tuple[Widget, ...]:
        """What a person types into."""
        return (self.base_url, self.params, self.omit, self.tags, self.note, self.save, self.max_cost, self.timeout)

    @property
    def others(self) -> tuple[Widget, ...]:
        """All of them but the address, on which the fields of the form depend."""
        return (*self.texts[1:], self.mode, self.force)

    def fill(self, draft: Draft) -> None:
        """Put what is asked in the place of what stands there."""
        self.base_url.value, self.params.value, self.omit.value = draft.base_url, draft.params, draft.omit
        self.tags.value, self.note.value = draft.tags, draft.note


def _text(label: str, placeholder: str) -> Widget:
    return field(ipywidgets.Text, label, placeholder=placeholder, continuous_update=False)


def _widget(wanted: Field) -> Widget:
    """The widget for a field: a choice where all values are known, else a text with what is known to choose from."""
    # A page would look for formulas in a label, and a file that came with the notebook may name any field.
    label = re.sub(r"[^\w.]+", " ", wanted.name.replace("_", " ")).capitalize()
    usual = f"default ({wanted.usual})" if wanted.usual else "default"
    if wanted.is_flag:
        return field(ipywidgets.Dropdown, label, options=[(usual, ""), ("yes", "true"), ("no", "false")])
    if wanted.values and not wanted.is_open:
        return field(ipywidgets.Dropdown, label, options=[(usual, ""), *((each, each) for each in wanted.values)])
    shown: dict[str, Any] = {
        "placeholder": usual if wanted.usual else wanted.hint,
        "tooltip": wanted.hint,
        "continuous_update": False,
    }
    if wanted.values:
        return field(ipywidgets.Combobox, label, options=wanted.values, **shown)
    return field(ipywidgets.Text, label, **shown)


def _choose(widget: Widget, value: str) -> None:
    """Let a field have a value; a choice that lacks it gets it, as a record may be of another catalogue."""
    options = getattr(widget, "options", ())
    if isinstance(widget, ipywidgets.Dropdown) and value not in [each[1] for each in options]:
        widget.options = [*options, (value, value)]
    widget.value = value


def _models(rows: Catalogue, provider: Provider) -> Iterator[str]:
    """The models that can be chosen at a provider; of one that no file names, those that every endpoint may have."""
    try:
        yield from (name for name in served_by(rows, provider.name) if "*" not in name)
    except SettingsError:
        yield from dict.fromkeys(model.name for at, model in rows.rows if at is None and "*" not in model.name)
