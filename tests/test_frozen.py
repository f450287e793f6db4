"""JSON values that cannot be changed are like any others but for that."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import msgspec
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.frozen import FrozenDict, FrozenList, frozen

JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def kinds(value: object) -> set[type]:
    """The types of a value and of all in it."""
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {type(value)}.union(*map(kinds, within))


@held
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_it_is_the_same_value(value: dict[str, Any]) -> None:
    """Equal, written alike by whatever writes JSON, and frozen all through."""
    made = frozen(value)

    assert made == value
    assert repr(made) == repr(value)
    assert json.dumps(made) == json.dumps(value)
    assert msgspec.json.encode(made) == msgspec.json.encode(value)
    assert not kinds(made) & {dict, list}


@held
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_is_made_of_it_can_be_changed(value: dict[str, Any]) -> None:
    """A deepcopy and what comes out of a pickle are dicts and lists like any other."""
    for made in (copy.deepcopy(frozen(value)), pickle.loads(pickle.dumps(frozen(value)))):  # noqa: S301  (our own)
        assert made == value
        assert not kinds(made) & {FrozenDict, FrozenList}


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.update(a=2),
        lambda cell: cell.pop("a"),
        lambda cell: cell.clear(),
        lambda cell: cell.setdefault("b", 1),
        lambda cell: cell.popitem(),
        lambda cell: cell.__setitem__("a", 2),
        lambda cell: cell.__delitem__("a"),
        lambda cell: cell.__ior__({"a": 2}),
        lambda cell: cell["l"].append(1),
        lambda cell: cell["l"].extend([1]),
        lambda cell: cell["l"].insert(0, 1),
        lambda cell: cell["l"].pop(),
        lambda cell: cell["l"].remove(2),
        lambda cell: cell["l"].sort(),
        lambda cell: cell["l"].reverse(),
        lambda cell: cell["l"].clear(),
        lambda cell: cell["l"].__setitem__(0, 1),
        lambda cell: cell["l"].__delitem__(0),
        lambda cell: cell["l"].__iadd__([1]),
        lambda cell: cell["l"].__imul__(2),
        lambda cell: cell["l"][1].update(x=1),
    ],
)
def test_it_cannot_be_changed(change: Callable[[Any], object]) -> None:
    """The error says what to change instead."""
    made = frozen({"a": 1, "l": [2, {"x": 0}]})

    with pytest.raises(TypeError, match="deepcopy"):
        change(made)
    assert made == {"a": 1, "l": [2, {"x": 0}]}


def test_every_way_to_change_a_dict_or_a_list_is_closed() -> None:
    """Whatever method Python adds to them is looked at here."""
    harmless = {"copy", "count", "fromkeys", "get", "index", "items", "keys", "values"}
    for kind, plain in ((FrozenDict, dict), (FrozenList, list)):
        own = {name for name in vars(plain) if not name.startswith("_")} - harmless
        assert own <= vars(kind).keys()


def test_one_that_is_joined_with_another_is_a_dict() -> None:
    """And a copy of it, one level deep."""
    made = frozen({"a": 1})

    assert {type(each) for each in (made | {"b": 2}, {"b": 2} | made, made.copy(), copy.copy(made), {**made})} == {dict}


def test_parquet_takes_it() -> None:
    """As it takes a dict."""
    cells = [frozen({"a": 1, "b": [1, 2], "c": {"d": "e"}})] * 2
    file = BytesIO()
    pd.DataFrame({"cell": cells}).to_parquet(file)

    assert pd.read_parquet(file)["cell"][0]["c"] == {"d": "e"}
