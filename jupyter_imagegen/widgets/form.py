"""The form: fields that a model takes, each with its values and its default. What stands in it is a Draft."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import ipywidgets

from .. import config
from ..catalogue import Catalogue, Model, Provider
from ..draft import Draft, narrowed
from ..errors import KeyInCell, SettingsError
from ..fields import Field, fields
from ..foresee import destination
from ..listing import served_by
from ..settings import MODES, Where, photograph
from .keyless import holds_key, holds_password, names_key
from .looks import Widget, check, column, discard, field, flat, fold, heading, row, show
from .pictures import Pictures

_FOREMOST: Final = ("size", "quality")
"""Fields that stand beside the model; the rest is folded under "More"."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """A field of the model with the widget that asks for it."""

    field: Field
    widget: Widget


class Form:
    """The widgets of the form. `changed` is called whenever something else stands in it."""

    def __init__(self, changed: Callable[[], None], tell: Callable[[Callable[[], None]], None]) -> None:
        self._changed = changed
        self._is_filling = False
        self._is_offering = False
        self._recorded_url = ""
        self._slots: tuple[_Slot, ...] = ()
        self._of: tuple[Model, Provider] | None = None
        self.pictures = Pictures(self._take_pictures, tell)
        self._prompt = field(ipywidgets.Textarea, "Prompt", "jig-wide", rows=4, continuous_update=False)
        self._provider = field(ipywidgets.Dropdown, "Provider", options=[("", "")])
        self._model = field(ipywidgets.Combobox, "Model", continuous_update=False)
        self._n = field(ipywidgets.Text, "Pictures", "jig-narrow", placeholder="1", continuous_update=False)
        self._rest = _Rest()
        self._foremost, self._others = flat(), row()
        self._more = fold("More", "More fields of this model")
        self._folded = column(self._others, self._rest.box, self.pictures.box)
        show(self._folded, when=False)
        self.box: Widget = column(
            heading("Generate"),
            self._prompt,
            row(self._provider, self._model, self._foremost, self._n),
            self._more,
            self._folded,
        )
        self._more.observe(lambda change: show(self._folded, when=change["new"]), "value")
        self._provider.observe(lambda _: None if self._is_offering else tell(self.choose), "value")
        self._model.observe(lambda _: tell(self.choose), "value")
        for widget in (self._prompt, self._n, *self._rest.others):
            widget.observe(lambda _: self._edited(), "value")
        self._rest.base_url.observe(lambda _: tell(self.choose), "value")

    @property
    def draft(self) -> Draft:
        """What stands in it."""
        rest = self._rest
        return Draft(
            prompt=self._prompt.value,
            provider=self._provider.value or "",
            base_url=rest.base_url.value.strip(),
            recorded_url=self._recorded_url,
            model=self._model.value.strip(),
            n=self._n.value.strip(),
            fields=tuple((slot.field.name, slot.widget.value.strip()) for slot in self._slots if slot.widget.value),
            images=self.pictures.images,
            mask=self.pictures.mask,
            params=rest.params.value,
            omit=rest.omit.value,
            tags=rest.tags.value,
            note=rest.note.value,
            timeout=rest.timeout.value.strip(),
            mode=rest.mode.value,
            max_cost=rest.max_cost.value.strip(),
            save=rest.save.value.strip(),
            force=rest.force.value,
        )

    def fill(self, draft: Draft) -> None:
        """Put this in the place of what stands in it. Raises SettingsError for a provider that is not known here."""
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
        self.choose()
        fitted = narrowed(draft, [slot.field.name for slot in self._slots])
        given = dict(fitted.fields)
        for slot in self._slots:
            _choose(slot.widget, given.pop(slot.field.name, ""))
        self._rest.params.value = fitted.params
        self.pictures.put(draft.images, draft.mask)
        self._more.value = self._more.value or bool(draft.images or draft.mask or draft.base_url or fitted.params)

    def _take_pictures(self) -> None:
        self._more.value = True
        self._edited()

    def _edited(self) -> None:
        if not self._is_filling:
            self._changed()

    def choose(self) -> None:
        """Show the fields of the model that is chosen now. Raises SettingsError."""
        settings = photograph()
        rows = config.rows(settings)
        typed = Where(
            provider=self._provider.value or None,
            base_url=self._rest.base_url.value.strip() or None,
            model=self._model.value.strip() or None,
        )
        self._offer(rows, destination(Where(), settings).provider.name)
        endpoint = destination(typed, settings)
        self._model.placeholder = endpoint.model.name or "any model of this endpoint"
        self._model.options = tuple(_models(rows, endpoint.provider))
        if self._of != (endpoint.model, endpoint.provider):
            self._of = endpoint.model, endpoint.provider
            self._show(fields(endpoint.model, endpoint.provider))
        self._edited()

    def _offer(self, rows: Catalogue, usual: str) -> None:
        chosen = self._provider.value or ""
        unknown = () if chosen in ("", *rows.names) else (chosen,)
        options = [(f"as set ({usual})", ""), *((name, name) for name in (*rows.names, *unknown))]
        if list(self._provider.options) != options:
            # New options choose the first for a moment: the fields of another provider would lose what was typed.
            self._is_offering = True
            self._provider.options, self._provider.value = options, chosen
            self._is_offering = False

    def _show(self, wanted: tuple[Field, ...]) -> None:
        """A widget for each of these fields; one that stays the same keeps its widget and what was typed."""
        before = {slot.field: slot for slot in self._slots}
        typed = {slot.field.name: slot.widget.value for slot in self._slots if slot.field not in wanted}
        self._slots = tuple(
            before.pop(each) if each in before else self._slot(each, typed.get(each.name, "")) for each in wanted
        )
        for places, is_foremost in ((self._foremost, True), (self._others, False)):
            places.children = tuple(
                slot.widget for slot in self._slots if (slot.field.name in _FOREMOST) is is_foremost
            )
        discard(*(slot.widget for slot in before.values()))

    def _slot(self, wanted: Field, typed: str) -> _Slot:
        widget = _widget(wanted)
        if typed and (wanted.is_open or not wanted.values or typed in wanted.values):
            _choose(widget, typed)
        widget.observe(lambda _: self._edited(), "value")
        return _Slot(wanted, widget)


class _Rest:
    """What is asked of every model alike, or of this package."""

    def __init__(self) -> None:
        self.base_url = _text("Address of an endpoint", placeholder="https://…/v1")
        self.params = field(
            ipywidgets.Textarea,
            "Other fields of the request, one KEY=JSON a line",
            "jig-wide",
            rows=2,
            continuous_update=False,
        )
        self.omit = _text("Fields to leave out", placeholder="names, separated by blanks")
        self.tags = _text("Tags", placeholder="words, separated by commas")
        self.note = _text("Note")
        self.save = _text("Also save to", placeholder="a folder, or a pattern with {n}")
        self.max_cost = _text("At most, US$", "jig-narrow", placeholder="0.50")
        self.timeout = _text("Timeout, s", "jig-narrow", placeholder="900")
        self.mode = field(
            ipywidgets.Dropdown, "Mode", "jig-narrow", options=[("as set", ""), *((mode, mode) for mode in MODES)]
        )
        self.force = check("Send it although the model is known to refuse it")
        small = row(self.base_url, self.tags, self.note, self.save, self.max_cost, self.timeout, self.mode, self.omit)
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
        """Put this in the place of what stands there."""
        for widget, value in zip(self.texts, _texts(draft), strict=True):
            widget.value = value
        self.mode.value, self.force.value = draft.mode, draft.force


def _texts(draft: Draft) -> tuple[str, ...]:
    return (
        *(draft.base_url, draft.params, draft.omit, draft.tags, draft.note, draft.save),
        *(draft.max_cost, draft.timeout),
    )


def _text(label: str, *classes: str, placeholder: str = "") -> Widget:
    return field(ipywidgets.Text, label, *classes, placeholder=placeholder, continuous_update=False)


def _widget(wanted: Field) -> Widget:
    """The widget for a field: a choice where all values are known, else a text with what is known to choose from."""
    label = wanted.name.replace("_", " ").capitalize()
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
