"""The garbage collector is held off for as long as something is made, and no longer."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from jupyter_imagegen.collector import held_off


@pytest.fixture(autouse=True)
def on() -> Iterator[None]:
    """It is on before and after each test."""
    gc.enable()
    yield
    gc.enable()


def test_it_is_off_within_and_on_afterwards() -> None:
    """Also where one is within another."""
    with held_off():
        with held_off():
            assert not gc.isenabled()
        assert not gc.isenabled()

    assert gc.isenabled()


def test_it_is_on_after_an_interrupt() -> None:
    """Whatever ends it."""
    with pytest.raises(KeyboardInterrupt), held_off():
        raise KeyboardInterrupt

    assert gc.isenabled()


def test_one_that_a_person_has_turned_off_stays_off() -> None:
    """It is theirs."""
    gc.disable()
    with held_off():
        pass

    assert not gc.isenabled()
