"""How reproducible each model is, as far as records and catalogue tell: seeds, names, and what reruns gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..catalogue import CUSTOM, Model, Provider
from ..records import Record
from ..result import Picture
from . import portable
from .originals import original
from .prose import code, count, listed, said, sentences
from .snapshots import dated
from .study import Study

_CAN_DIFFER: Final = "the same request can give another picture"

_SAME_BYTES: Final = "the same bytes"
_SAME_PIXELS: Final = "the same pixels in other bytes"
_OTHER_PIXELS: Final = "other pixels"
_OTHER_BYTES: Final = "other bytes, with pixels that could not be compared"
_KINDS: Final = (_SAME_BYTES, _SAME_PIXELS, _OTHER_PIXELS, _OTHER_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The calls that were made to one model at one provider; the address only where the provider is no name."""

    provider: str
    model: str | None
    address: str
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """Model and provider, in Markdown."""
        model = "an unnamed model" if self.model is None else code(self.model)
        return f"{model} at {self.place}"

    @property
    def place(self) -> str:
        """The provider, or the address that was typed, in Markdown."""
        return code(self.address or self.provider)

    @property
    def known(self) -> tuple[Record, ...]:
        """The calls of which it is still known what was asked."""
        return tuple(record for record in self.records if not record.is_forgotten)


def groups(records: tuple[Record, ...]) -> tuple[Group, ...]:
    """The calls by model and provider, in the order in which these were first asked."""
    found: dict[tuple[str, str | None, str], list[Record]] = {}
    for record in records:
        address = portable.address(record.call.base_url) if record.provider == CUSTOM else ""
        found.setdefault((record.provider, record.model, address), []).append(record)
    return tuple(
        Group(provider=provider, model=model, address=address, records=tuple(its))
        for (provider, model, address), its in found.items()
    )


def grade(study: Study, group: Group) -> str:
    """How reproducible the pictures of one model are, in sentences that say no more than is known."""
    provider, model = _rows(study, group)
    if _is_embedded(group, provider):
        return sentences((_of_embedded(group), _measured(study, group)))
    return sentences(
        (
            _of_seed(group, provider, model),
            _of_name(group),
            _of_retirement(study, provider, model),
            _measured(study, group),
        )
    )


def _rows(study: Study, group: Group) -> tuple[Provider, Model]:
    """What the catalogue says of both; nothing of a provider whose row is no longer there."""
    is_known = group.provider in study.catalogue.names
    provider = study.catalogue.provider(group.provider) if is_known else Provider(name=group.provider)
    return provider, study.catalogue.model(provider, group.model)


def _is_embedded(group: Group, provider: Provider) -> bool:
    """Whether no call left its process: a variable can give the embedded endpoint an address of its own."""
    return provider.embedded and all(record.call.base_url == provider.base_url for record in group.records)


# --- seeds


def _of_embedded(group: Group) -> str:
    versions = sorted({said(record.version) for record in group.records if record.version})
    return (
        f"This is the endpoint inside {sentences(('jupyter-imagegen', listed(versions)))}, which paints without a "
        "model: with the same version of it and of Pillow, the same request gives the same bytes."
    )


def _of_seed(group: Group, provider: Provider, model: Model) -> str:
    calls = len(group.known)
    sent = sum(has_seed(record) for record in group.known)
    if not calls:
        return ""
    if "seed" in (*model.refuses, *provider.refuses):
        if sent:
            return (
                f"A seed was sent {_share(sent, calls)}, although the model is documented to refuse one{_cited(model)}."
            )
        return f"The model takes no seed{_cited(model)}, so {_CAN_DIFFER}."
    if "seed" in model.ranges or "seed" in model.takes:
        return _of_seed_taker(sent, calls, model)
    if sent:
        return f"A seed was sent {_share(sent, calls)}; whether it has an effect is not known."
    return "No seed was sent; whether the model takes one is not known."


def _of_seed_taker(sent: int, calls: int, model: Model) -> str:
    if not sent:
        return f"The model takes a seed{_cited(model)} and none was sent, so {_CAN_DIFFER}."
    without = f"; without one, {_CAN_DIFFER}" if sent < calls else ""
    return f"A seed was sent {_share(sent, calls)}, and the model takes one{_cited(model)}{without}."


def has_seed(record: Record) -> bool:
    """Whether a call had a seed of its own; one below zero asks for any."""
    seed = record.asked.get("seed")
    return seed is not None and not (isinstance(seed, int | float) and seed < 0)


def _share(part: int, whole: int) -> str:
    if part == whole:
        return "with the call" if whole == 1 else "with every call"
    return f"with {part} of {whole} calls"


def _cited(model: Model) -> str:
    """The source of a row, as the catalogue has it."""
    if not model.source:
        return ""
    read = f", read {said(model.date)}" if model.date else ""
    return f" ({said(model.source)}{read})"


# --- names


def _of_name(group: Group) -> str:
    if group.model is None:
        return "No model was named, so the endpoint chose one."
    found = dated(group.model)
    if found is not None:
        return f"Its name carries the date {found}, which stands for one version of it."
    return "Its name carries no date, so another version can be put behind it at any time."


def _of_retirement(study: Study, provider: Provider, model: Model) -> str:
    """Until when the vendor serves the model; what others serve under its name is their affair."""
    if not model.retired or provider.name not in model.prices_at:
        return ""
    is_past = model.retired <= f"{study.made_at:%Y-%m-%d}"
    when = f"stopped serving it on {said(model.retired)}" if is_past else f"serves it until {said(model.retired)}"
    return f"According to the catalogue, {said(provider.name)} {when}."


# --- reruns


def _measured(study: Study, group: Group) -> str:
    """What reruns of the very same request gave, picture by picture at the same place."""
    earlier = {record.id: record for record in study.records}
    reruns = [record for record in group.known if record.parent_id is not None]
    pairs = [(earlier[each.parent_id], each) for each in reruns if each.parent_id in earlier]
    same = [(first, again) for first, again in pairs if _is_same_request(first, again)]
    kinds = Counter(kind for first, again in same for kind in _compared(study, first, again))
    return sentences((_results(len(same), kinds), _not_compared(len(reruns) - len(same))))


def _is_same_request(first: Record, again: Record) -> bool:
    """The same words to the same address; the hash alone is also that of the same words to another one."""
    hashes = first.call.request_hash, again.call.request_hash
    return bool(hashes[0]) and hashes[0] == hashes[1] and first.call.base_url == again.call.base_url


def _compared(study: Study, first: Record, again: Record) -> Iterator[str]:
    before = {picture.index: picture for picture in study.came(first)}
    for after in study.came(again):
        if after.index in before:
            yield _kind(before[after.index], after)


def _kind(first: Picture, again: Picture) -> str:
    if first.sha256 == again.sha256:
        return _SAME_BYTES
    from ..drift import Side, drift  # noqa: PLC0415  (pixels are looked at only where there are reruns that differ)

    a, b = original(first), original(again)
    if not a.data or not b.data:
        return _OTHER_BYTES
    is_same = drift(Side("", a.data), Side("", b.data)).same_pixels
    return _OTHER_BYTES if is_same is None else _SAME_PIXELS if is_same else _OTHER_PIXELS


def _results(reruns: int, kinds: Counter[str]) -> str:
    if not reruns:
        return ""
    compared = kinds.total()
    if not compared:
        return f"Measured: {count(reruns, 'rerun')} of the same request gave no picture to compare."
    parts = [f"{kinds[kind]} with {kind}" for kind in _KINDS if kinds[kind]]
    if len(parts) == 1:
        parts = [f"{'all ' if compared > 1 else ''}with {next(iter(kinds))}"]
    gave = f"{count(reruns, 'rerun')} of the same request gave {count(compared, 'picture')} to compare"
    return f"Measured: {gave}, {listed(parts)}."


def _not_compared(reruns: int) -> str:
    if not reruns:
        return ""
    whose = (
        "request was changed, or whose first call is"
        if reruns == 1
        else "requests were changed, or whose first calls are"
    )
    return f"Not compared: {count(reruns, 'rerun')} whose {whose} not in these records."
