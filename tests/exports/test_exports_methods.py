"""The methods paragraph: correct English for none, one and many, and nothing that is not in the records."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from support.pictures import picture
from support.properties import held
from support.studies import EVIL, call, forgotten, study

import jupyter_imagegen as ig
from jupyter_imagegen import __version__
from jupyter_imagegen.catalogue import load, over
from jupyter_imagegen.errors import StoreError
from jupyter_imagegen.exports import methods
from jupyter_imagegen.exports.snapshots import dated
from jupyter_imagegen.journal import Input, Opened, Segment
from jupyter_imagegen.records import Record, read

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'></svg>"

ONE = """\
# Image generation in `otters.ipynb`

On 2026-11-21 (UTC), 1 call was made to `gpt-image-2` at `openai`, using jupyter-imagegen 0.1.0. It asked for 1 \
picture, which came. It succeeded.

One prompt was sent. The call was made with `quality` = `high`.

The known cost is USD 0.0400 for 1 call (list prices). The journal of all calls and the pictures, byte for byte as \
they were received, are in the folder `imagegen/`.

| model | provider | calls | pictures | first call | last call | known cost |
| --- | --- | --- | --- | --- | --- | --- |
| `gpt-image-2` | `openai` | 1 | 1 | 2026-11-21 | 2026-11-21 | USD 0.0400 |

## Reproducibility

- `gpt-image-2` at `openai`: The model takes no seed ({source}), so the same request can give another picture. Its \
name carries no date, so another version can be put behind it at any time.

## Prompts

1. `a cat`

## Digests

| picture | sha256 |
| --- | --- |
| `{name}` | `{sha256}` |

Written by jupyter-imagegen {version} on 2026-11-22 (UTC) from the records of these calls.
"""

MANY = """\
From 2026-11-20 to 2026-11-21 (UTC), 5 calls were made to `gpt-image-2` at `openai` and `my model` at \
`https://gpu7.example/v1`, using jupyter-imagegen 0.1.0 and 0.2.0. They asked for 7 pictures, and 4 came. Of them, 3 \
succeeded, 1 was refused by moderation and 1 has an unknown outcome. All of these calls are counted, also those whose \
pictures are not shown. Of these calls, 1 was a rerun of an earlier one.

In all, 3 different prompts were sent. Every call was made with `quality` = `high`. Varied from call to call were \
`seed` (not sent in 3 calls, `3` in 1 call and `4` in 1 call) and `size` (`64x48` in 4 calls and `512x512` in 1 call). \
With 1 call, reference pictures or masks were sent (1 file). For 2 pictures, the endpoint reported a prompt that it \
had rewritten.

The known cost is USD 1.25 for 2 calls (the provider's own figures and counted tokens at list prices); what 2 calls \
cost is not known, and 1 of them may have been charged without giving a picture. The journal of all calls is \
in the folder `imagegen/`. Of 4 pictures, 2 are there byte for byte as received, 1 was altered and 1 is gone. Of the \
pictures, 1 differs from what was asked in size or format.
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the pictures are."""
    return tmp_path / "imagegen"


def text_of(store: Path, *records: Record, **given: Any) -> str:
    """The whole text."""
    return methods.text(study(store, *records, **given))


def graded(text: str) -> str:
    """What is said of how reproducible the models are."""
    return text.partition("## Reproducibility\n\n")[2].partition("\n\n")[0]


def test_one_call_is_told_in_the_singular(store: Path) -> None:
    """The whole text, as an author would paste it."""
    made = call(
        1, store, picture(), model="gpt-image-2", cost_usd=0.04, cost_source="price-list", fields={"quality": "high"}
    )
    row = load().model(load().provider("openai"), "gpt-image-2")

    assert text_of(store, made) == ONE.format(
        source=f"{row.source}, read {row.date}",
        name=Path(made.images[0].path).name,
        sha256=made.images[0].sha256,
        version=__version__,
    )


def test_many_calls_are_told_in_the_plural(store: Path) -> None:
    """Models, days, outcomes, constants, what was varied, cost and what is missing, each where there is any."""
    high = {"quality": "high", "size": "64x48"}
    reference = Input(role="image", path="inputs/x.png", sha256="0" * 64, bytes=1, format="png", name="x")
    first = call(
        1, store, picture("red"), picture("blue", (60, 48)), n=3, model="gpt-image-2", prompt="a", cost_usd=1.0,
        cost_source="usage", fields={**high, "seed": 3}, at="2026-11-20T23:59:59Z", picture={"revised_prompt": "b"},
    )  # fmt: skip
    later = call(4, store, model="gpt-image-2", status="unknown", fields=high, inputs=(reference,))
    records = (
        first,
        call(2, store, picture("green"), model="gpt-image-2", cost_usd=0.25, cost_source="gateway", prompt="b",
             fields={**high, "seed": 4}, parent_id=first.id),
        call(3, store, model="gpt-image-2", status="refused", fields=high),
        msgspec.structs.replace(later, version="0.2.0"),
        call(5, store, picture("pink", (512, 512)), model="my model", provider="custom",
             base_url="https://gpu7.example/v1", fields={**high, "size": "512x512"}),
    )  # fmt: skip
    (store / records[1].images[0].path).unlink()
    (store / records[4].images[0].path).write_bytes(picture("white"))

    assert MANY in text_of(store, *records)


def test_only_what_is_there_is_said_to_be_there(store: Path) -> None:
    """A picture that was altered is not byte for byte what was received; and where none came, none is promised."""
    (made, none) = call(1, store, picture()), call(2, store, status="refused")
    journal = "The journal of all calls is in the folder `imagegen/`."
    assert f"{journal}\n" in text_of(store, none)
    (store / made.images[0].path).write_bytes(picture("red"))

    assert f"{journal} Of 1 picture, none is there byte for byte as received and 1 was altered." in text_of(store, made)


def test_no_call_is_told_too(store: Path) -> None:
    """A study of nothing says so."""
    assert "\n\nNo call was made.\n\n" in text_of(store)
    assert "|" not in text_of(store)


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ("ok", "It succeeded."),
        ("refused", "It was refused by moderation."),
        ("cancelled", "It was cancelled."),
        ("unknown", "It has an unknown outcome."),
        ("running", "It is still under way."),
        ("odd", "It ended as `odd`."),
        ("ok ok", "All of them succeeded."),
        ("refused refused", "All of them were refused by moderation."),
        ("failed ok", "Of them, 1 succeeded and 1 failed."),
        ("running cancelled cancelled", "Of them, 2 were cancelled and 1 is still under way."),
        ("unknown unknown odd", "Of them, 2 have an unknown outcome and 1 ended as `odd`."),
    ],
)
def test_every_outcome_is_counted(store: Path, statuses: str, sentence: str) -> None:
    """In the singular or the plural, also one that this version does not know."""
    records = [call(place, store, status=status) for place, status in enumerate(statuses.split())]

    paragraph = text_of(store, *records).split("\n\n")[1]

    assert paragraph.removesuffix(" All of these calls are counted, also those whose pictures are not shown.").endswith(
        f" {sentence}"
    )


@pytest.mark.parametrize(
    ("asked", "came", "sentence"),
    [
        ((1,), (1,), "It asked for 1 picture, which came."),
        ((2,), (2,), "It asked for 2 pictures, all of which came."),
        ((1,), (0,), "It asked for 1 picture, and none came."),
        ((2, 2), (2, 1), "They asked for 4 pictures, and 3 came."),
    ],
)
def test_pictures_are_counted(store: Path, asked: tuple[int, ...], came: tuple[int, ...], sentence: str) -> None:
    """Those that were asked for and those that came."""
    pairs = zip(asked, came, strict=True)
    records = [call(place, store, *(picture(),) * number, n=n) for place, (n, number) in enumerate(pairs)]

    assert sentence in text_of(store, *records)


@pytest.mark.parametrize(
    ("costs", "sentence"),
    [
        ((0.0,), "The known cost is USD 0 for 1 call."),
        ((0.5, 1.0), "The known cost is USD 1.50 for 2 calls (list prices)."),
        ((0.5, None), "The known cost is USD 0.5000 for 1 call (list prices); what 1 call cost is not known."),
        ((None,), "What the call cost is not known."),
        ((None, None), "What the calls cost is not known."),
    ],
)
def test_what_is_known_of_the_cost_is_said(store: Path, costs: tuple[float | None, ...], sentence: str) -> None:
    """An unknown cost is never nothing."""
    records = [
        call(place, store, picture(), cost_usd=usd, cost_source="unknown" if usd is None else "price-list")
        for place, usd in enumerate(costs)
    ]

    assert sentence in text_of(store, *records)


def test_a_call_that_may_have_been_charged_is_said(store: Path) -> None:
    """It counts, and a refusal does not."""
    assert "cost is not known, and it may have been charged" in text_of(store, call(1, store, status="unknown"))
    assert "No call is known to have cost anything." in text_of(store, call(1, store, status="refused"))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([3, 3], "Every call was made with `seed` = `3`."),
        ([3, 4], "Varied from call to call was `seed` (`3` in 1 call and `4` in 1 call)."),
        ([3, None], "Varied from call to call was `seed` (`3` in 1 call and not sent in 1 call)."),
        (list(range(2, 12)), "Varied from call to call was `seed` (10 values from 2 to 11)."),
        (["a", "b", "c", "d", "e", "f", "g", "h"], "`f` in 1 call and 2 more values)."),
        ([True, 2, 3, 4, 5, 6, 7], "(`true` in 1 call, `2` in 1 call, "),
        ([None], "The call left all settings to the endpoint."),
        ([{"x": [1]}], 'The call was made with `seed` = `{"x": [1]}`.'),
        (["y" * 90], f"The call was made with `seed` = `{'y' * 59}…`."),
    ],
)
def test_settings_are_constant_or_varied(store: Path, values: list[Any], sentence: str) -> None:
    """Few values are listed with their calls, many numbers are a range."""
    fields: list[dict[str, Any]] = [{} if value is None else {"seed": value} for value in values]
    records = [call(place, store, fields=each) for place, each in enumerate(fields)]

    assert sentence in text_of(store, *records)


def test_who_asked_and_how_the_answer_came_are_no_settings(store: Path) -> None:
    """The name of a person above all."""
    fields = {"user": "alice", "stream": True, "partial_images": 2, "response_format": "url", "model": "m"}
    text = text_of(store, call(1, store, fields=fields))

    assert "left all settings to the endpoint" in text
    assert "alice" not in text


@pytest.mark.parametrize("license", ["CC-BY-4.0", "Free to use."])
def test_a_license_is_said_where_it_was_stated(store: Path, license: str) -> None:  # noqa: A002  (as Study says it)
    """And nothing of one where it was not."""
    assert f" The stated license is {license.rstrip('.')}.\n" in text_of(store, call(1, store), license=license)
    assert "license" not in text_of(store, call(1, store))


def test_prompts_from_a_template_are_said_to_be(store: Path) -> None:
    """With how many templates there were."""
    filled: dict[str, Any] = {"template": "a {{x}}", "variables": msgspec.Raw(b'{"x":"cat"}')}
    one = text_of(store, call(1, store, prompt="a cat", **filled))
    some = text_of(store, call(1, store, prompt="a cat", **filled), call(2, store, prompt="b"))

    all_of_them = text_of(store, *(call(n, store, prompt=f"a cat {n}", **filled) for n in range(3)))

    assert "One prompt was sent, made from 1 template with variables." in one
    assert "3 different prompts were sent, made from 1 template with variables." in all_of_them
    assert "2 different prompts were sent, some of them made from 1 template with variables." in some


# --- how reproducible


@pytest.mark.parametrize(
    ("provider", "model", "seeds", "sentence"),
    [
        ("openai", "gpt-image-2", [None], "The model takes no seed ("),
        (
            "openai",
            "gpt-image-2",
            [3],
            "A seed was sent with the call, although the model is documented to refuse one (",
        ),
        ("ark", "doubao-seedream-3-0-t2i-250415", [3], "A seed was sent with the call, and the model takes one ("),
        ("ark", "doubao-seedream-3-0-t2i-250415", [3, 4], "A seed was sent with every call, and the model takes one ("),
        (
            "ark",
            "doubao-seedream-3-0-t2i-250415",
            [3, -1],
            "A seed was sent with 1 of 2 calls, and the model takes one (",
        ),
        ("ark", "doubao-seedream-3-0-t2i-250415", [None], "The model takes a seed ("),
        ("ark", "doubao-seedream-4-0-250828", [None], "The model takes no seed ("),
        ("custom", "some-model", [3], "A seed was sent with the call; whether it has an effect is not known."),
        ("custom", "some-model", [None], "No seed was sent; whether the model takes one is not known."),
        ("gone-provider", "some-model", [None], "No seed was sent; whether the model takes one is not known."),
    ],
)
def test_seeds_are_told_as_far_as_they_are_known(
    store: Path, provider: str, model: str, seeds: list[int | None], sentence: str
) -> None:
    """Sent or not, taken, refused or unknown; a seed below zero asks for any."""
    records = [
        call(place, store, provider=provider, model=model, fields={} if seed is None else {"seed": seed})
        for place, seed in enumerate(seeds)
    ]

    assert f": {sentence}" in graded(text_of(store, *records))


@pytest.mark.parametrize(
    ("model", "date"),
    [
        ("gpt-image-2-2026-04-21", "2026-04-21"),
        ("doubao-seedream-4-0-250828", "2025-08-28"),
        ("grok-imagine-image-20251120", "2025-11-20"),
        ("gpt-image-2", None),
        ("model-2026-13-41", None),
        ("flux-1024x1024", None),
        ("model-991332", None),
        ("black-forest-labs/FLUX.1-schnell", None),
    ],
)
def test_a_dated_name_is_told_from_one_that_can_change_its_meaning(store: Path, model: str, date: str | None) -> None:
    """A snapshot stays what it is; an alias is whatever is behind it."""
    said = graded(text_of(store, call(1, store, model=model)))

    assert dated(model) == date
    assert (f"Its name carries the date {date}" if date else "Its name carries no date") in said


def test_a_model_without_a_name_is_the_endpoints_choice(store: Path) -> None:
    """There is nothing to reproduce by."""
    text = text_of(store, call(1, store, model=None))

    assert "- an unnamed model at `openai`: " in text
    assert "No model was named, so the endpoint chose one." in text


@pytest.mark.parametrize(("day", "verb"), [(1, "openai serves it until"), (30, "openai stopped serving it on")])
def test_a_model_that_its_vendor_retires_is_said(store: Path, day: int, verb: str) -> None:
    """Before the day and after it; what others serve under its name is not known."""
    rows = '[[models]]\nname = "m"\nretired = "2026-11-15"\nprices_at = ["openai"]\n'
    given = {"catalogue": over(load(), rows, "a file", is_trusted=True), "made_at": datetime(2026, 11, day, tzinfo=UTC)}

    assert f"According to the catalogue, {verb} 2026-11-15." in text_of(store, call(1, store), **given)
    assert "According" not in text_of(store, call(1, store, provider="zenlayer"), **given)


def test_the_embedded_endpoint_is_told_apart(tmp_path: Path) -> None:
    """It is no model; a server elsewhere that has its name is any server. The Python that called is in the journal."""
    made = ig.generate("a cat", provider="sketch", size="64x64", quiet=True)
    ig.generate("a cat", provider="sketch", size="64x64", quiet=True)
    store = tmp_path / "imagegen"
    text = text_of(store, *read(store))
    elsewhere = text_of(store, call(1, store, provider="sketch", model="sketch", base_url="https://a.example/v1"))

    assert f"using jupyter-imagegen {made.record.version} under Python 3." in text
    assert "paints without a model" in graded(text)
    assert "paints without a model" not in graded(elsewhere)
    assert "The model takes a seed" in graded(elsewhere)


@pytest.mark.parametrize(
    ("python", "sentence"), [("3.12.4", "jupyter-imagegen 0.1.0 under Python 3.12.4."), ("", "jupyter-imagegen 0.1.0.")]
)
def test_the_python_of_each_session_is_read_from_its_segment(store: Path, python: str, sentence: str) -> None:
    """Of the sessions of these calls alone; one that was exported before does not say it."""
    for session, version in (("s-1", python), ("s-2", "2.7.18")):
        opened = Opened(
            journal=1, at="t", version="0.1.0", python=version, host="h", pid=1, process_started=None, session=session
        )
        segment = Segment(store, opened)
        segment.append(call(1, store).call)
        segment.close()

    assert f", using {sentence}" in text_of(store, call(1, store))


def recoded() -> bytes:
    """The picture in red, in other bytes."""
    return picture("red", name="BMP")


@pytest.mark.parametrize(
    ("again", "kinds"),
    [
        (picture("red"), "with the same bytes"),
        (recoded(), "with the same pixels in other bytes"),
        (picture("blue"), "with other pixels"),
        (picture("red", (30, 30)), "with other pixels"),
        (SVG, "with other bytes, with pixels that could not be compared"),
    ],
)
def test_a_rerun_is_a_measurement(store: Path, again: bytes, kinds: str) -> None:
    """What it gave is compared with what the first call gave."""
    first = call(1, store, picture("red"))

    said = graded(text_of(store, first, call(2, store, again, parent_id=first.id)))

    assert said.endswith(f"Measured: 1 rerun of the same request gave 1 picture to compare, {kinds}.")


@pytest.mark.parametrize(
    ("colours", "sentence"),
    [
        (
            ("red", "green"),
            "2 reruns of the same request gave 4 pictures to compare, 2 with the same bytes and 2 with other pixels.",
        ),
        (("red", "blue"), "2 reruns of the same request gave 4 pictures to compare, all with the same bytes."),
        ((), "2 reruns of the same request gave no picture to compare."),
    ],
)
def test_several_reruns_are_counted_by_what_they_gave(store: Path, colours: tuple[str, ...], sentence: str) -> None:
    """Picture by picture, at the same place."""
    first = call(1, store, picture("red"), picture("blue"))
    again = [call(n, store, *map(picture, colours), parent_id=first.id) for n in (2, 3)]

    assert graded(text_of(store, first, *again)).endswith(f"Measured: {sentence}")


def test_only_pictures_at_the_same_place_are_compared(store: Path) -> None:
    """A rerun that gave more than the first call has nothing to compare the rest with."""
    first = call(1, store, picture("red"))
    again = call(2, store, picture("red"), picture("blue"), parent_id=first.id)

    assert "gave 1 picture to compare, with the same bytes." in graded(text_of(store, first, again))


def test_a_provider_that_takes_no_seed_is_said_whatever_the_model(store: Path) -> None:
    """Its row in the catalogue counts as that of the model does."""
    rows = over(load(), '[providers.mine]\nbase_url = "https://a.example/v1"\nrefuses = ["seed"]', "a", is_trusted=True)

    assert "The model takes no seed" in graded(text_of(store, call(1, store, provider="mine"), catalogue=rows))


@pytest.mark.parametrize(
    "changes", [{"request_hash": "r1:1"}, {"base_url": "https://b.example/v1"}, {"parent_id": "elsewhere"}]
)
def test_what_is_no_rerun_of_the_same_request_measures_nothing(store: Path, changes: dict[str, str]) -> None:
    """A changed request, another address, a first call that is not here: other pictures are no wonder then."""
    first = call(1, store, picture("red"))
    given: dict[str, Any] = {"parent_id": first.id, **changes}
    said = graded(text_of(store, first, call(2, store, picture("blue"), **given)))

    assert "Measured" not in said
    assert said.endswith(
        "Not compared: 1 rerun whose request was changed, or whose first call is not in these records."
    )


# --- what is never said


def test_a_forgotten_call_is_counted_without_words(store: Path) -> None:
    """Its time, model, outcome and cost count; what was asked is nowhere."""
    gone = call(1, store, picture(), prompt="a secret", fields={"size": "64x48", "seed": 77}, cost_usd=0.5)
    text = text_of(store, forgotten(gone), call(2, store, prompt="a cat"))

    assert "2 calls were made" in text
    assert "Later, the words and pictures of 1 call were removed from the records; its time" in text
    assert "The call whose settings are still recorded left all settings to the endpoint." in text
    assert "USD 0.5000" in text
    for word in ("secret", "77", gone.images[0].sha256):
        assert word not in text
    assert "2 calls were removed from the records; their time" in text_of(store, *(forgotten(gone),) * 2)


def test_a_text_says_nothing_of_this_machine(tmp_path: Path) -> None:
    """No folder, no password of an address."""
    store = tmp_path / "imagegen"
    odd = call(1, store, picture(), provider="custom", base_url="https://me:pw@gpu7.example/v1?key=1")
    moved = msgspec.structs.replace(odd.images[0], path=f"{tmp_path}/x.png")
    text = text_of(store, odd, msgspec.structs.replace(odd, images=(moved,)))

    assert "`https://gpu7.example/v1`" in text
    for word in (str(tmp_path), "me:pw", "key=1"):
        assert word not in text


class Tags(HTMLParser):
    """The elements of a page but for the anchors of its headings, the text in its code spans, and all other text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.codes: list[str] = []
        self.plain = ""
        self._is_code = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        if ("class", "anchor-link") not in attrs:
            self.found.append(tag)
        self._is_code = tag == "code"
        self.codes += [""] if self._is_code else []

    def handle_endtag(self, tag: str) -> None:
        """A code span holds no other element."""
        assert not self._is_code or tag == "code"
        self._is_code = False

    def handle_data(self, data: str) -> None:
        """Keep it with its like."""
        if self._is_code:
            self.codes[-1] += data
        else:
            self.plain += data


def rendered(text: str) -> Tags:
    """The text as a notebook and its exports show it."""
    return Tags(markdown2html_mistune(text))


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_becomes_markup(store: Path, evil: str) -> None:
    """Whoever wrote it and wherever it stands: no element but the text's own, no link, no formula."""

    def tags(word: str) -> Tags:
        whole: dict[str, Any] = {"prompt": f"{word}\n", "model": word, "provider": word}
        first = call(1, store, picture(), fields={"x": word, f"-{word}": 1}, base_url=word, **whole)
        odd = msgspec.structs.replace(first.images[0], path=word, sha256=word)
        source = msgspec.json.encode(word).decode().replace("\x7f", "\\u007f")
        file = f"[[models]]\nname = '*'\nsource = {source}\nrefuses = ['seed']"
        records = (
            msgspec.structs.replace(first, images=(odd,), version=word),
            call(2, store, status=word, provider="custom", base_url=word),
        )
        return rendered(
            text_of(store, *records, title=word, license=word, catalogue=over(load(), file, "a file", is_trusted=True))
        )

    harmless, found = tags("harmless"), tags(evil)

    assert [tag for tag in found.found if tag != "code"] == [tag for tag in harmless.found if tag != "code"]
    assert not {"a", "img", "script", "b", "hr", "pre", "em", "strong"} & set(found.found)
    assert "$" not in found.plain


@held
@given(
    prompt=st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("`|\\*_$<>[]()\n#-"), max_size=60)
)
def test_any_prompt_is_read_back(tmp_path: Path, prompt: str) -> None:
    """It is one code span, whatever is in it; blanks and line breaks are single blanks."""
    found = rendered(text_of(tmp_path / "imagegen", call(1, tmp_path, prompt=prompt, status="failed")))
    shown = " ".join(re.sub("[\ufffe\uffff]", "\ufffd", prompt).split())

    assert (shown in found.codes) == bool(shown)
    assert not {"a", "img", "em", "strong", "del"} & set(found.found)


def test_long_prompts_are_cut_and_many_are_not_listed(store: Path) -> None:
    """The records have them whole, and that is said."""
    long = text_of(store, call(1, store, prompt="x" * 500))
    many = text_of(store, *(call(n, store, prompt=f"p{n}") for n in range(20)))

    assert f"1. `{'x' * 399}…`" in long
    assert "long prompts are cut" in long
    assert "In all, 20 different prompts were sent." in many
    assert "## Prompts" not in many


def test_the_digests_of_all_pictures_have_one_digest(store: Path) -> None:
    """So that one line of a paper says which pictures are meant; it is told how to compute it."""
    records = [call(n, store, picture(colour)) for n, colour in enumerate(("red", "blue", "red"))]
    digests = sorted({record.images[0].sha256 for record in records})
    whole = hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()

    assert (
        f"2 different sha256 of these pictures, sorted, in hex and one on each line, has itself the sha256 `{whole}`"
        in (text_of(store, *records))
    )


def test_many_models_and_pictures_are_counted_and_not_listed(store: Path) -> None:
    """A paragraph stays one; the table has the models."""
    records = [call(n, store, picture(size=(64 + n, 48)), model=f"m-{n}") for n in range(45)]
    text = text_of(store, *records)

    assert "45 calls were made to 45 models at 1 provider, using" in text
    assert "| `m-44` |" in text
    assert records[0].images[0].sha256 not in text


def test_the_same_study_gives_the_same_text(tmp_path: Path, store: Path) -> None:
    """Byte for byte, and in UTF-8."""
    whole = study(store, call(1, store, picture(), prompt="ein Wald 🌲"), title="Wälder")
    written = methods.write(whole, tmp_path / "methods.md").read_bytes()

    assert written == methods.write(whole, tmp_path / "again.txt").read_bytes() == methods.text(whole).encode()


def test_a_text_that_cannot_be_written_leaves_nothing(tmp_path: Path, store: Path) -> None:
    """A folder has its name."""
    (tmp_path / "methods.md").mkdir()
    (tmp_path / "methods.md" / "mine").touch()

    with pytest.raises(StoreError, match="Cannot write"):
        methods.write(study(store), tmp_path / "methods.md")

    assert [path.name for path in tmp_path.iterdir()] == ["methods.md"]


def test_reruns_are_compared_by_all_that_came(store: Path) -> None:
    """What a model gives twice is a fact of the calls, whichever picture of them is shown."""
    first = call(1, store, picture("red"), picture("blue"), request_hash="r1:1")
    again = call(2, store, picture("red"), picture("blue"), request_hash="r1:1", parent_id=first.id)
    text = text_of(store, first, again, picked=frozenset({(again.id, 1)}))

    assert "Measured: 1 rerun of the same request gave 2 pictures to compare, all with the same bytes." in text
    assert "They asked for 4 pictures, all of which came. 1 of these pictures is shown here." in text
    assert text.count(first.images[1].sha256) == 1
    assert first.images[0].sha256 not in text
