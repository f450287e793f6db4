"""The catalogue as a table, for people: every row, in text and in a page."""

from __future__ import annotations

import pytest

from jupyter_imagegen.catalogue import load, over
from jupyter_imagegen.errors import SettingsError
from jupyter_imagegen.listing import models


def test_every_row_of_the_catalogue_is_listed() -> None:
    """With where it holds, and when it was read."""
    listed = models(load(), None)

    assert [(row[0], row[1]) for row in listed.rows] == [(model.name, at or "any") for at, model in load().rows]
    assert all(len(row) == len(listed.columns) for row in listed.rows)
    assert all(row[-1] >= "2024" for row in listed.rows)


def test_a_provider_lists_what_it_is_known_to_serve_with_its_own_limits() -> None:
    """Zenlayer's gpt-image-2 takes one picture in a call; ark serves its own family and no other."""
    zenlayer = {row[0]: row for row in models(load(), "zenlayer").rows}
    ark = [row[0] for row in models(load(), "ark").rows]

    assert zenlayer["gpt-image-2"][2] == "1"
    assert ark
    assert not any(name.startswith(("gpt", "grok", "dall")) for name in ark)


def test_a_server_that_serves_what_it_was_set_up_with_lists_everything() -> None:
    """Nothing of it is known beforehand."""
    assert len(models(load(), "litellm").rows) > 10


def test_an_unknown_provider_is_refused_with_the_nearest() -> None:
    """A misspelt name lists nothing by mistake."""
    with pytest.raises(SettingsError, match="Did you mean 'zenlayer'"):
        models(load(), "zenlayr")


def test_a_row_of_a_file_is_text_and_never_markup() -> None:
    """It may have come with a notebook."""
    rows = over(load(), '[[models]]\nname = "<b>&"\nsource = "<script>"\n', "a file", is_trusted=False)

    html = models(rows, None)._repr_html_()

    assert "&lt;b&gt;&amp;" in html
    assert "<script>" not in html
    assert "<b>&" in repr(models(rows, None))
    assert 'class="dataframe mathjax_ignore tex2jax_ignore"' in html  # nor is it a formula


def test_the_table_has_a_row_for_each_line() -> None:
    """In a terminal it is read by people, too."""
    listed = models(load(), None)

    assert len(repr(listed).splitlines()) == len(listed.rows) + 1
    assert listed._repr_html_().count("<tr>") == len(listed.rows) + 1


def test_a_model_that_is_gone_says_since_when() -> None:
    """A day of the past or of the future."""
    rows = {row[0]: row for row in models(load(), None).rows}
    gone = models(load(), None).columns.index("until")

    assert rows["dall-e-3"][gone] == "2026-05-12"
