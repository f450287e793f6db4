"""What a model is documented to refuse, said before it costs anything: one pure decision over a row of the catalogue.

A field that nothing is known of passes, and so does one that is null, which counts as not given, as in the API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .catalogue import Model, SizeRule
from .errors import NotTaken
from .switches import shown

Sides = tuple[int, int]

_WIDTH_HEIGHT: Final = re.compile(r"([1-9][0-9]{0,5})x([1-9][0-9]{0,5})")
_NO_CONDITION: Final = ("field", "value")


def refuse(asked: Mapping[str, Any], *, prompt: str, images: int, has_mask: bool, model: Model) -> None:
    """Raises NotTaken with everything that the model is documented to refuse, so that it can be changed at once."""
    found = objections(asked, prompt=prompt, images=images, has_mask=has_mask, model=model)
    if found:
        raise NotTaken(" ".join(found))


def objections(asked: Mapping[str, Any], *, prompt: str, images: int, has_mask: bool, model: Model) -> tuple[str, ...]:
    """One sentence for each thing that is not taken, with what is; none where nothing is known against it.

    `asked` has the fields of the body in the names of OpenAI's API, without model, prompt and n; `images` counts the
    reference pictures.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    found = (
        *_of_prompt(prompt, model),
        *(sentence for name, value in given.items() for sentence in _of_field(name, value, model)),
        *(sentence for need in model.needs for sentence in _of_need(need, given, model)),
        *_of_pictures(images, model),
        *(("takes no mask",) if has_mask and model.mask is False else ()),
    )
    return tuple(f"{model.name or 'This model'} {sentence}." for sentence in found)


def sides(size: object) -> Sides | None:
    """Width and height of a size such as 1536x1024 (also with ×); None for a tier, `auto` and anything else."""
    match = _WIDTH_HEIGHT.fullmatch(spelt(size)) if isinstance(size, str) else None
    return (int(match[1]), int(match[2])) if match else None


def spelt(size: str) -> str:
    """A size with the letter x, where somebody wrote a ×."""
    return size.replace("×", "x")


def among(value: object, expected: object) -> bool:
    """Whether a value is the expected one, or one of them; true is not 1."""
    each = expected if isinstance(expected, list | tuple) else (expected,)
    return any(value == one and isinstance(value, bool) is isinstance(one, bool) for one in each)


def _of_prompt(prompt: str, model: Model) -> Iterator[str]:
    most = model.prompt_chars
    if most is not None and len(prompt) > most:
        yield f"takes a prompt of at most {most:,} characters, not {len(prompt):,}"


def _of_pictures(images: int, model: Model) -> Iterator[str]:
    most = model.images
    if most is not None and images > most:
        count = f"at most {most} reference picture{'' if most == 1 else 's'}, not {images}"
        yield f"takes {count if most else 'no reference pictures'}"


def _of_field(name: str, value: object, model: Model) -> Iterator[str]:
    listed = model.takes.get(name, ())
    if name in model.refuses:
        yield f"takes no {name}"
    elif name == "size":
        yield from _of_size(value, listed, model.size_rule)
    elif listed and not among(value, listed):
        yield f"takes {name} {_either(listed)}, not {_short(value)}"
    elif name in model.ranges and not _is_within(value, *model.ranges[name]):
        low, high = model.ranges[name]
        yield f"takes {name} from {low:,.10g} to {high:,.10g}, not {_short(value)}"


def _of_size(value: object, listed: tuple[str, ...], rule: SizeRule | None) -> Iterator[str]:
    found = sides(value)
    is_listed = isinstance(value, str) and spelt(value) in listed
    is_allowed = rule is not None and found is not None and _fits(found, rule)
    if (listed or rule is not None) and not is_listed and not is_allowed:
        every = (*listed, *(() if rule is None else (_in_words(rule),)))
        yield f"takes size {_either(every)}, not {_short(value)}"


def _fits(found: Sides, rule: SizeRule) -> bool:
    short, long = sorted(found)
    pixels = short * long
    return (
        all(side % max(rule.multiple_of, 1) == 0 for side in found)
        and pixels >= rule.least_pixels
        and (rule.most_pixels is None or pixels <= rule.most_pixels)
        and (rule.longest_edge is None or long <= rule.longest_edge)
        and (rule.widest_ratio is None or long <= short * rule.widest_ratio)
    )


def _in_words(rule: SizeRule) -> str:
    conditions = tuple(_conditions(rule))
    return f"any WxH with {_joined(conditions, 'and')}" if conditions else "any WxH"


def _conditions(rule: SizeRule) -> Iterator[str]:
    if rule.multiple_of > 1:
        yield f"both sides divisible by {rule.multiple_of}"
    if rule.least_pixels > 1:
        yield f"at least {rule.least_pixels:,} pixels"
    if rule.most_pixels is not None:
        yield f"at most {rule.most_pixels:,} pixels"
    if rule.longest_edge is not None:
        yield f"no side above {rule.longest_edge:,}"
    if rule.widest_ratio is not None:
        yield f"no side more than {rule.widest_ratio:g} times the other"


def _is_within(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _of_need(need: Mapping[str, Any], given: Mapping[str, Any], model: Model) -> Iterator[str]:
    field = str(need.get("field"))
    if field not in given or ("value" in need and not among(given[field], need["value"])):
        return
    what = f"{field} {_short(given[field])}" if "value" in need else field
    for other, expected in need.items():
        said = given.get(other, model.unsaid.get(other))
        if other not in _NO_CONDITION and not among(said, expected):
            every = expected if isinstance(expected, list | tuple) else (expected,)
            yield f"takes {what} only with {other} {_either(map(_plain, every))}{_instead(other, given, model)}"


def _instead(other: str, given: Mapping[str, Any], model: Model) -> str:
    if other in given:
        return f", not {_short(given[other])}"
    usual = model.unsaid.get(other)
    return ", and none is given" if usual is None else f", and it is {_plain(usual)} where none is given"


def _either(values: Iterable[str]) -> str:
    return _joined(tuple(values) or ("nothing",), "or")


def _joined(values: tuple[str, ...], word: str) -> str:
    *before, last = values
    return f"{', '.join(before)} {word} {last}" if before else last


def _plain(value: object) -> str:
    return value if isinstance(value, str) else _short(value)


def _short(value: object) -> str:
    """A value as a message shows it: what was typed in quotes, nothing longer than a line."""
    match value:
        case str():
            return shown(value)
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > 64:
            return "a larger number"
        case int() | float():
            return str(value)
        case Mapping():
            return "an object"
        case _:
            return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"
