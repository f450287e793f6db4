"""The methods paragraph: what was done, in words that an author can paste, and nothing that is not in the records."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from .. import __version__
from ..bill import Spent, spent
from ..journal import Kept, Opened, read_segment, segments
from ..mismatch import of_picture
from ..plan import dollars
from ..records import Record
from . import beside
from .grades import Group, grade, groups
from .originals import Left, left
from .prose import code, count, line, listed, said, sentences, table, was
from .study import Study
from .varied import settings

_OUTCOMES: Final = (
    ("ok", "succeeded", "succeeded"),
    ("refused", "was refused by moderation", "were refused by moderation"),
    ("failed", "failed", "failed"),
    ("cancelled", "was cancelled", "were cancelled"),
    ("unknown", "has an unknown outcome", "have an unknown outcome"),
    ("running", "is still under way", "are still under way"),
)
"""Each status, of one call and of several."""

_SOURCES: Final = (
    ("gateway", "the provider's own figures"),
    ("usage", "counted tokens at list prices"),
    ("price-list", "list prices"),
)
"""Where a figure is from."""

_HEAD: Final = ("model", "provider", "calls", "pictures", "first call", "last call", "known cost")

_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

_MOST_MODELS: Final = 5
_MOST_PROMPTS: Final = 12
_MOST_PICTURES: Final = 40
_LONGEST_PROMPT: Final = 400


def write(study: Study, target: Path) -> Path:
    """Write the text to a file, in the place of one that is there, and return its path. Raises StoreError."""
    return beside.write(target, text(study).encode("utf-8", "replace"))


def text(study: Study) -> str:
    """The whole text in Markdown, each paragraph on one line. Raises StoreError when the journal cannot be read."""
    title = f"# Image generation in {code(study.title)}"
    foot = (
        f"Written by jupyter-imagegen {__version__} on {study.made_at:%Y-%m-%d} (UTC) from the records of these calls."
    )
    blocks = _blocks(study) if study.records else iter(("No call was made.",))
    return "\n\n".join((title, *(block for block in blocks if block), foot)) + "\n"


def _blocks(study: Study) -> Iterator[str]:
    known = tuple(record for record in study.records if not record.is_forgotten)
    by_model = groups(study.records)
    yield sentences(_what_was_done(study, by_model))
    yield sentences(_what_was_sent(known, len(study.records)))
    yield sentences(_what_is_left(study, known))
    yield table(_HEAD, map(_row, by_model))
    yield "## Reproducibility"
    yield "\n".join(f"- {group.name}: {graded}" for group in by_model if (graded := grade(study, group)))
    yield from _prompts(known)
    yield from _digests(study)


# --- what was done


def _what_was_done(study: Study, by_model: tuple[Group, ...]) -> Iterator[str]:
    calls, records = len(study.records), study.records
    made = f"{count(calls, 'call')} {was(calls)} made to {_models(by_model)}"
    yield f"{_period(records)}, {made}, using {_software(study)}."
    yield _pictures_that_came(records)
    yield study.selection()
    yield _outcomes(records)
    yield "All of these calls are counted, also those whose pictures are not shown." if calls > 1 else ""
    yield _reruns(records)
    yield _forgotten(sum(record.is_forgotten for record in records))


def _period(records: Iterable[Record]) -> str:
    """The days of the first and the last call; a time of another form is none."""
    days = sorted({day for record in records if (day := _day(record))})
    if not days:
        return "In all"
    return f"On {days[0]} (UTC)" if len(days) == 1 else f"From {days[0]} to {days[-1]} (UTC)"


def _day(record: Record) -> str:
    found = _DAY.match(record.call.at)
    return found[0] if found else ""


def _models(by_model: tuple[Group, ...]) -> str:
    if len(by_model) <= _MOST_MODELS:
        return listed([group.name for group in by_model])
    providers = len({group.place for group in by_model})
    return f"{len(by_model)} models at {count(providers, 'provider')}"


def _software(study: Study) -> str:
    versions = sorted({said(record.version) for record in study.records if record.version})
    pythons = sorted(_pythons(study))
    return sentences(("jupyter-imagegen", listed(versions), f"under Python {listed(pythons)}" if pythons else ""))


def _pythons(study: Study) -> set[str]:
    """The versions of Python that made the calls, as the first lines of their segments have them."""
    sessions = {record.session for record in study.records}
    firsts = (next(read_segment(path), None) for path in segments(study.store))
    opened = [first for first in firsts if isinstance(first, Opened) and (first.session or first.at) in sessions]
    # A segment that came out of an export does not say it.
    return {said(first.python) for first in opened if first.python}


def _pictures_that_came(records: tuple[Record, ...]) -> str:
    asked = sum(record.call.n for record in records)
    came = sum(len(record.images) for record in records)
    who = "It" if len(records) == 1 else "They"
    if came == asked:
        result = "which came" if asked == 1 else "all of which came"
        return f"{who} asked for {count(asked, 'picture')}, {result}."
    return f"{who} asked for {count(asked, 'picture')}, and {came or 'none'} came."


def _outcomes(records: tuple[Record, ...]) -> str:
    numbers = Counter(record.status for record in records)
    known = [(numbers.pop(name), one, several) for name, one, several in _OUTCOMES if numbers[name]]
    # Another hand may have written any word as a status.
    known += [(number, *(f"ended as {code(name)}",) * 2) for name, number in sorted(numbers.items()) if number]
    if len(known) > 1:
        return f"Of them, {listed([f'{number} {one if number == 1 else several}' for number, one, several in known])}."
    ((number, one, several),) = known
    return f"It {one}." if number == 1 else f"All of them {several}."


def _reruns(records: Iterable[Record]) -> str:
    number = sum(record.parent_id is not None for record in records)
    if not number:
        return ""
    return (
        f"Of these calls, {number} {'was a rerun of an earlier one' if number == 1 else 'were reruns of earlier ones'}."
    )


def _forgotten(number: int) -> str:
    if not number:
        return ""
    its = "its" if number == 1 else "their"
    return (
        f"Later, the words and pictures of {count(number, 'call')} were removed from the records; {its} time, model, "
        "outcome and cost still count here."
    )


# --- what was sent


def _what_was_sent(known: tuple[Record, ...], calls: int) -> Iterator[str]:
    """The prompts and settings of the calls of which they are still known."""
    if not known:
        return
    found = settings(known)
    who = "The call" if len(known) == 1 else "Every call"
    whose = f"{who} whose settings are still recorded" if len(known) < calls else who
    constant = [f"{code(setting.name)} = {setting.values}" for setting in found if setting.is_constant]
    varied = [f"{code(setting.name)} ({setting.values})" for setting in found if not setting.is_constant]
    yield _of_prompts(known)
    yield f"{whose} was made with {listed(constant)}." if constant else ""
    yield f"Varied from call to call {was(len(varied))} {listed(varied)}." if varied else ""
    yield "" if found else f"{whose} left all settings to the endpoint."
    yield _of_references(known)
    yield _of_revisions(known)


def _of_prompts(known: tuple[Record, ...]) -> str:
    number = len({record.prompt for record in known})
    if number == 1:
        sent = "One prompt was sent" if len(known) == 1 else "The same prompt was sent with every call"
        return f"{sent}{_of_templates(known)}."
    return f"In all, {number} different prompts were sent{_of_templates(known)}."


def _of_templates(known: tuple[Record, ...]) -> str:
    filled = [record for record in known if record.variables]
    if not filled:
        return ""
    templates = count(len({record.call.template for record in filled}), "template")
    return f", {'' if len(filled) == len(known) else 'some of them '}made from {templates} with variables"


def _of_references(known: tuple[Record, ...]) -> str:
    calls = sum(bool(record.call.inputs) for record in known)
    files = len({given.sha256 for record in known for given in record.call.inputs})
    if not calls:
        return ""
    return f"With {count(calls, 'call')}, reference pictures or masks were sent ({count(files, 'file')})."


def _of_revisions(known: tuple[Record, ...]) -> str:
    number = sum(bool(kept.revised_prompt) for record in known for kept in record.images)
    if not number:
        return ""
    return f"For {count(number, 'picture')}, the endpoint reported a prompt that it had rewritten."


# --- what it cost, and what is left


def _what_is_left(study: Study, known: tuple[Record, ...]) -> Iterator[str]:
    differing = sum(bool(of_picture(record, kept)) for record in known for kept in record.images)
    yield _cost(study.records)
    yield _stored(study, left(picture for record in known for picture in study.came(record)))
    if differing:
        verb = "differs" if differing == 1 else "differ"
        yield f"Of the pictures, {differing} {verb} from what was asked in size or format."
    if study.license:
        yield f"The stated license is {said(study.license).removesuffix('.')}."


def _stored(study: Study, found: Left) -> str:
    """Where the journal and the pictures are, of which only those are promised that were found as they came."""
    folder, total = code(f"{study.store.name}/"), found.intact + found.altered + found.gone
    if not total:
        return f"The journal of all calls is in the folder {folder}."
    if found.intact == total:
        return (
            f"The journal of all calls and the pictures, byte for byte as they were received, are in the folder "
            f"{folder}."
        )
    parts = [f"{found.intact or 'none'} {_is(max(1, found.intact))} there byte for byte as received"]
    parts += [f"{found.altered} {was(found.altered)} altered"] if found.altered else []
    parts += [f"{found.gone} {_is(found.gone)} gone"] if found.gone else []
    return f"The journal of all calls is in the folder {folder}. Of {count(total, 'picture')}, {listed(parts)}."


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _cost(records: tuple[Record, ...]) -> str:
    found = spent(records)
    known = found.calls - found.unknown
    if not found.calls:
        return "No call is known to have cost anything."
    if not known:
        return f"What the {'call' if found.calls == 1 else 'calls'} cost is not known{_doubt(found)}."
    rest = f"; what {count(found.unknown, 'call')} cost is not known{_doubt(found)}" if found.unknown else ""
    return f"The known cost is {_usd(found.usd)} for {count(known, 'call')}{_sources(records)}{rest}."


def _doubt(found: Spent) -> str:
    """Of the calls of unknown cost, those that may have been paid for without a picture."""
    doubtful = found.may_have_been_charged
    if not doubtful:
        return ""
    which = "it" if found.unknown == 1 else f"{doubtful} of them"
    return f", and {which} may have been charged without giving a picture"


def _sources(records: Iterable[Record]) -> str:
    """Where the known figures are from; what is free needs no source."""
    used = {record.end.cost_source for record in records if record.end is not None and record.cost_usd}
    found = [words for name, words in _SOURCES if name in used]
    return f" ({listed(found)})" if found else ""


def _usd(amount: float) -> str:
    # A dollar sign begins a formula in the Markdown of notebooks.
    return f"USD {dollars(amount).removeprefix('$')}" if amount else "USD 0"


# --- tables and lists


def _row(group: Group) -> tuple[str, ...]:
    days = sorted(day for record in group.records if (day := _day(record)))
    found = spent(group.records)
    return (
        "not named" if group.model is None else code(group.model),
        group.place,
        str(len(group.records)),
        str(sum(len(record.images) for record in group.records)),
        days[0] if days else "",
        days[-1] if days else "",
        _usd(found.usd) if found.calls > found.unknown else "not known" if found.unknown else "none",
    )


def _prompts(known: tuple[Record, ...]) -> Iterator[str]:
    prompts = tuple(dict.fromkeys(record.prompt for record in known))
    if not 0 < len(prompts) <= _MOST_PROMPTS:
        return
    shown = [_cut(prompt) for prompt in prompts]
    yield "## Prompts"
    yield "\n".join(f"{place}. {code(prompt)}" for place, prompt in enumerate(shown, 1))
    if any(prompt != one for prompt, one in zip(prompts, shown, strict=True)):
        yield "Line breaks are shown as spaces here, and long prompts are cut; the records have them whole."


def _cut(prompt: str) -> str:
    whole = line(prompt)
    return whole if len(whole) <= _LONGEST_PROMPT else f"{whole[: _LONGEST_PROMPT - 1]}…"


def _digests(study: Study) -> Iterator[str]:
    """Those of the pictures that are shown."""
    kept = [picture.kept for picture in study.pictures()]
    if not kept:
        return
    digests = sorted({each.sha256 for each in kept})
    whole = hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()
    yield "## Digests"
    if len(digests) > 1:
        yield (
            f"The list of the {len(digests)} different sha256 of these pictures, sorted, in hex and one on each line, "
            f"has itself the sha256 {code(whole)}."
        )
    if len(digests) <= _MOST_PICTURES:
        yield table(("picture", "sha256"), dict.fromkeys((code(_name(each)), code(each.sha256)) for each in kept))


def _name(kept: Kept) -> str:
    """The file name alone: a path that another hand wrote may lead anywhere."""
    return kept.path.replace("\\", "/").rpartition("/")[2]
