"""Options and an endpoint become the requests that are sent."""

from __future__ import annotations

import json
from dataclasses import replace
from email import message_from_bytes
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import picture
from support.properties import held

from jupyter_imagegen.catalogue import Model, Provider
from jupyter_imagegen.endpoint import Endpoint
from jupyter_imagegen.errors import NotTaken, OptionError
from jupyter_imagegen.options import Options
from jupyter_imagegen.references import Reference, of_value
from jupyter_imagegen.request import Requests, fingerprint
from jupyter_imagegen.request import build as whole


def endpoint(max_n: int | None = None, name: str = "m") -> Endpoint:
    """An endpoint whose model takes this many pictures in one call."""
    return Endpoint(
        provider=Provider(name="p", base_url="https://h/v1"),
        base_url="https://h/v1",
        model=Model(name=name, max_n=max_n),
    )


def options(n: int | None = None, omit: tuple[str, ...] = (), **fields: Any) -> Options:
    """Options with these body fields."""
    return Options(
        prompt="a cat", n=n, omit=omit, fields=tuple((name, json.dumps(value)) for name, value in fields.items())
    )


def build(
    asked: Options, where: Endpoint, images: tuple[Reference, ...] = (), mask: Reference | None = None
) -> Requests:
    """The requests of an ask."""
    return whole(asked, where, images, mask)


def test_only_what_was_asked_is_sent() -> None:
    """No default of ours is in the body: not n, not size, not a model that nobody named."""
    (plain,) = build(options(), endpoint(name=""))
    (full,) = build(options(n=2, size="1x1", made_up=[1]), endpoint())

    assert plain.fields == {"prompt": "a cat"}
    assert full.fields == {"model": "m", "prompt": "a cat", "n": 2, "size": "1x1", "made_up": [1]}


def test_a_request_is_posted_to_the_endpoint() -> None:
    """The address comes from the endpoint, and the params are the body without the prompt."""
    (request,) = build(options(n=2), endpoint())

    assert request.url == "https://h/v1/images/generations"
    assert request.params == {"model": "m", "n": 2}


@pytest.mark.parametrize("name", ["n", "model", "size", "prompt"])
def test_a_field_that_is_omitted_is_not_sent(name: str) -> None:
    """--omit takes out what would be sent, and the number of pictures stays known."""
    (request,) = build(options(n=2, omit=(name,), size="1x1"), endpoint())

    assert name not in request.fields
    assert request.n == 2


@held
@given(st.integers(1, 300), st.none() | st.integers(1, 12))
def test_the_calls_together_ask_for_what_was_asked(n: int, most: int | None) -> None:
    """More pictures than the model takes are fanned out: none too many, none too few, each place once."""
    requests = build(options(n=n), endpoint(most))
    places = [place for request in requests for place in range(request.first_index, request.first_index + request.n)]

    assert places == list(range(n))
    assert all(request.fields["n"] == request.n <= (most or n) for request in requests)


def test_a_seed_counts_on_from_call_to_call() -> None:
    """The same seed again would be paid for and give the same picture."""
    requests = build(options(n=5, seed=7), endpoint(2))

    assert [request.fields["seed"] for request in requests] == [7, 9, 11]


@pytest.mark.parametrize("seed", ["random", None, [1]])
def test_a_seed_that_is_no_number_stays_as_it_is(seed: object) -> None:
    """What cannot be counted is passed on."""
    requests = build(options(n=2, seed=seed), endpoint(1))

    assert [request.fields["seed"] for request in requests] == [seed, seed]


def test_the_body_is_canonical_json() -> None:
    """Keys sorted, no blanks, letters as they are: the same request is the same bytes."""
    first, second = options(b=1, a={"y": 2, "x": "é"}), options(a={"x": "é", "y": 2}, b=1)
    (one,), (other,) = build(first, endpoint()), build(second, endpoint())

    assert one.body == '{"a":{"x":"é","y":2},"b":1,"model":"m","prompt":"a cat"}'
    assert one == other


@held
@given(st.text(), st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.booleans()))
def test_the_body_is_what_was_asked(prompt: str, extra: dict[str, Any]) -> None:
    """Every text comes out of the body as it went in, under any name that has no rule of its own."""
    ruled = ("prompt", "model", "n", "size", "stream", "partial_images")
    extra = {name: value for name, value in extra.items() if name not in ruled}
    asked = replace(options(), prompt=prompt, fields=tuple((k, json.dumps(v)) for k, v in extra.items()))
    (request,) = build(asked, endpoint())

    assert json.loads(request.body.encode()) == {"model": "m", "prompt": prompt, **extra}


def test_the_fingerprint_is_of_the_body_alone() -> None:
    """The same request to another address has the same fingerprint; another body has another."""
    elsewhere = replace(endpoint(), base_url="https://other/v1", provider=Provider(name="q", base_url="https://q"))
    (here,), (there,) = build(options(), endpoint()), build(options(), elsewhere)
    (other,) = build(options(size="1x1"), endpoint())

    assert here.fingerprint == there.fingerprint == fingerprint(here.fields)
    assert here.fingerprint != other.fingerprint


def test_a_fingerprint_never_changes_its_form() -> None:
    """It is what a record is found by, years later: this one is written down."""
    assert (
        fingerprint({"prompt": "a cat", "model": "m", "n": 1})
        == "r1:0da0c38e9ded1ff0862aeb8d53f246e9441f5bac168dc9690eb09524940e4e00"
    )


# --- what the catalogue adds and refuses


def at(row: Model | None = None, dialect: str | None = None, **defaults: Any) -> Endpoint:
    """An endpoint of this dialect, for this model, whose provider needs these fields."""
    provider = Provider(name="p", base_url="https://h/v1", dialect=dialect, defaults=defaults)
    return Endpoint(provider=provider, base_url="https://h/v1", model=row or Model(name="m"))


def test_a_field_that_a_provider_needs_is_sent_unless_it_was_asked_for_otherwise() -> None:
    """QuickRouter documents n and size as required."""
    (usual,) = build(options(), at(n=1, size="auto"))
    (asked,) = build(options(n=2, size="8x8"), at(n=1, size="auto"))
    (without,) = build(options(omit=("size",)), at(n=1, size="auto"))

    assert usual.fields == {"model": "m", "prompt": "a cat", "n": 1, "size": "auto"}
    assert asked.fields == {"model": "m", "prompt": "a cat", "n": 2, "size": "8x8"}
    assert without.fields == {"model": "m", "prompt": "a cat", "n": 1}


def test_what_the_catalogue_adds_is_not_in_the_fingerprint() -> None:
    """A row that changes would make every record of a request one of another."""
    (plain,), (with_defaults,) = build(options(), at()), build(options(), at(n=1, size="auto"))

    assert plain.fingerprint == with_defaults.fingerprint


def test_what_a_model_refuses_is_refused_before_it_is_sent_unless_it_is_forced() -> None:
    """And the message lists what it takes."""
    row = Model(name="m", takes={"quality": ("low", "high")})

    with pytest.raises(NotTaken, match=r"low.*high"):
        build(options(quality="ultra"), at(row))
    (forced,) = build(replace(options(quality="ultra"), force=True), at(row))
    assert forced.fields["quality"] == "ultra"


def test_what_a_provider_refuses_it_refuses_of_every_model() -> None:
    """LiteLLM's images route fails on a stream after its upstream has painted."""
    provider = Provider(name="p", base_url="https://h/v1", refuses=("stream",))
    where = Endpoint(provider=provider, base_url="https://h/v1", model=Model(name="m", refuses=("style",)))

    for asked in (options(stream=True), options(partial_images=1), options(style="vivid")):
        with pytest.raises(NotTaken, match=r"m takes no (stream|style)"):
            build(asked, where)


# --- previews


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"partial_images": 2}, {"partial_images": 2, "stream": True}),
        ({"stream": True}, {"stream": True}),
        ({"stream": False}, {}),
        ({"partial_images": 0}, {"partial_images": 0}),
    ],
)
def test_previews_need_a_stream_and_no_stream_is_not_even_mentioned(
    asked: dict[str, Any], sent: dict[str, Any]
) -> None:
    """Some models refuse the field whatever stands in it."""
    (request,) = build(options(**asked), at())

    assert request.fields == {"model": "m", "prompt": "a cat", **sent}
    assert request.is_stream is ("stream" in sent)


def test_previews_without_a_stream_are_refused() -> None:
    """The one needs the other."""
    with pytest.raises(OptionError, match="--partial-images needs a stream"):
        build(options(partial_images=2, stream=False), at())


@pytest.mark.parametrize("size", ["64×48", "64X48", "64x48"])
def test_a_size_is_sent_as_the_api_writes_it(size: str) -> None:
    """Captions show it with another cross, and people copy it."""
    (request,) = build(options(size=size), at())

    assert request.fields["size"] == "64x48"


@pytest.mark.parametrize("seed", [-1, True])
def test_a_seed_that_asks_for_any_is_not_counted_on(seed: object) -> None:
    """Seedream 3.0 has -1 for it."""
    assert [each.fields["seed"] for each in build(options(n=2, seed=seed), endpoint(1))] == [seed, seed]


def test_a_field_that_a_dialect_made_is_checked_too() -> None:
    """1600x1600 would be 1.5k, which this model does not have."""
    row = Model(name="m", takes={"resolution": ("1k", "2k")})

    with pytest.raises(NotTaken, match=r"resolution 1k or 2k"):
        build(options(size="1600x1600"), at(row, "xai"))


def test_what_was_typed_is_never_replaced_by_a_file() -> None:
    """A default may add a field, and not another prompt."""
    (request,) = build(options(), at(prompt="another", model="x"))

    assert request.fields == {"model": "m", "prompt": "a cat"}


def test_nothing_is_sent_for_null_in_a_form() -> None:
    """A form has no null, only four letters."""
    (request,) = build(options(size=None), at(), (CAT,))

    assert b'name="size"' not in request.content


def test_a_request_with_previews_is_the_same_request() -> None:
    """How the answer comes is not what is asked for."""
    (plain,), (live,) = build(options(), at()), build(options(partial_images=3), at())

    assert plain.fingerprint == live.fingerprint


# --- reference pictures


CAT = of_value(picture(), "cat")
DOG = of_value(picture("red"), "dog")


def test_a_picture_is_sent_as_its_bytes_and_shown_as_its_digest() -> None:
    """Neither a dry run nor a record holds megabytes of base64."""
    (form,) = build(options(size="8x8"), at(), (CAT,), DOG)
    (inline,) = build(options(), at(dialect="seedream"), (CAT, DOG))

    digest, other = f"sha256:{CAT.image.sha256}", f"sha256:{DOG.image.sha256}"
    assert form.url == "https://h/v1/images/edits"
    assert form.content_type.startswith("multipart/form-data; boundary=")
    assert CAT.image.data in form.content
    assert DOG.image.data in form.content
    assert form.params == {"model": "m", "size": "8x8", "image": digest, "mask": other}
    assert inline.url == "https://h/v1/images/generations"
    assert json.loads(inline.content)["image"] == [CAT.data_uri, DOG.data_uri]
    assert inline.params == {"model": "m", "image": [digest, other]}
    assert form.references == (("image", CAT), ("mask", DOG))


def test_the_fingerprint_is_the_same_in_every_dialect_and_differs_with_the_pictures() -> None:
    """It is of what was asked, with the digests of what was asked about."""
    spelt = [
        build(options(size="1024x1024"), at(dialect=name), (CAT, DOG))[0] for name in ("openai", "seedream", "xai")
    ]
    (other,) = build(options(size="1024x1024"), at(), (DOG,))

    assert len({request.fingerprint for request in spelt}) == 1
    assert len({request.body for request in spelt}) == 3
    assert other.fingerprint not in {request.fingerprint for request in spelt}


def test_what_was_asked_is_kept_beside_what_was_sent() -> None:
    """In the words of OpenAI's API, which are those of the options."""
    (request,) = build(options(size="1536x1024"), at(dialect="xai"))

    assert request.params == {"model": "m", "aspect_ratio": "3:2", "resolution": "1k"}
    assert request.wanted == {"model": "m", "prompt": "a cat", "size": "1536x1024"}


def test_a_form_has_each_field_as_a_part() -> None:
    """Flags and numbers as JSON writes them, objects with their keys in brackets, lists as repeated parts."""
    (request,) = build(options(n=2, stream=True, svg={"model": "x", "r": {"e": 1}}, tags=["a", "b"]), at(), (CAT, DOG))

    message = message_from_bytes(f"Content-Type: {request.content_type}\r\n\r\n".encode() + request.content)
    parts = [
        (part.get_param("name", header="content-disposition"), part.get_payload(decode=True)) for part in message.walk()
    ]
    assert sorted((name, data) for name, data in parts[1:] if name != "image[]") == [
        ("model", b"m"),
        ("n", b"2"),
        ("prompt", b"a cat"),
        ("stream", b"true"),
        ("svg[model]", b"x"),
        ("svg[r][e]", b"1"),
        ("tags[]", b"a"),
        ("tags[]", b"b"),
    ]
    assert [data for name, data in parts if name == "image[]"] == [CAT.image.data, DOG.image.data]


def test_a_mask_without_a_picture_is_refused() -> None:
    """There is nothing to change."""
    with pytest.raises(OptionError, match="mask"):
        build(options(), at(), (), CAT)
