"""What was made small lately."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.lately import Lately

MOST = 100


@held
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 150))))
def test_what_is_kept_is_never_heavier_than_it_may_be(made: list[tuple[int, int]]) -> None:
    """However many are made: those that are still found fit, the newest among them if it fits at all."""
    lately: Lately[int] = Lately(MOST)
    weights: dict[int, int] = {}
    for name, weight in made:
        lately.keep((name,), name, weight)
        weights[name] = weight
        assert (lately.find((name,)) == name) == (weight <= MOST)

    assert sum(weight for name, weight in weights.items() if lately.find((name,)) is not None) <= MOST


def test_what_was_not_looked_at_for_longest_goes_first() -> None:
    """A picture that is shown again and again stays."""
    lately: Lately[str] = Lately(MOST)
    for name in "abcdef":
        lately.keep((name,), name, 30)
        lately.find(("a",))

    assert [name for name in "abcdef" if lately.find((name,)) is not None] == ["a", "e", "f"]


def test_another_shape_of_a_picture_is_another_thing() -> None:
    """A thumbnail is not shown where a preview was asked for."""
    lately: Lately[str] = Lately(MOST)
    lately.keep(("digest", 512), "preview", 1)

    assert lately.find(("digest", 256)) is None
