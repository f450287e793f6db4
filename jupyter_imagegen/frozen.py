"""JSON values that cannot be changed, so that many can hold the same one. Pure."""

from __future__ import annotations

from typing import Any, Final, NoReturn


def frozen(value: dict[str, Any]) -> FrozenDict:
    """The same object, and all in it, as nobody can change it."""
    if _PARTS.isdisjoint(map(type, value.values())):
        return FrozenDict(value)
    return FrozenDict({name: _frozen(each) for name, each in value.items()})


def _frozen(value: object) -> object:
    match value:
        case dict():
            return frozen(value)
        case list():
            return FrozenList(map(_frozen, value))
        case _:
            return value


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    kind = "dict" if isinstance(self, dict) else "list"
    message = f"Other histories hold this {kind}, too. What copy.deepcopy makes of the cell can be changed."
    raise TypeError(message)


class FrozenDict(dict[str, Any]):
    """A dict but for this; what copy, deepcopy and pickle make of it is a dict like any other."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


class FrozenList(list[Any]):
    """The same of a list."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (list(self),)


_PARTS: Final[frozenset[type]] = frozenset({dict, list})
