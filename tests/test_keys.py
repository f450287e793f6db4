"""A key never prints, and texts that may echo one are scrubbed."""

from __future__ import annotations

import copy
import html
import json
import logging
import pickle
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.properties import held

from jupyter_imagegen.keys import (
    SHORTEST,
    SHOWN,
    Discreet,
    Secret,
    cleaned,
    in_use,
    looks_like_key,
    quieten,
    scrub,
    scrub_bytes,
)

KEY = "canary-5f1c9e77d0"
AWKWARD = "can+ary/5f'1c<9e&77d0=="

PRINTABLE = st.text(string.printable.strip() + " ", min_size=SHORTEST, max_size=40)
"""Any key that a header can carry."""

PLAIN = st.text(string.ascii_letters + string.digits + "-_.~+/=:", min_size=12, max_size=60)
"""Keys as providers issue them, and a little beyond."""


def test_a_key_shows_as_nothing() -> None:
    """Neither repr, str, format nor a log line holds it; the variable that it came from is said."""
    secret = Secret(KEY, "OPENAI_API_KEY")
    said = f"{secret!r} {secret} {secret:>40} {[secret]}"
    said += logging.LogRecord("n", 10, "p", 1, "%s %r", (secret, secret), None).getMessage()

    assert KEY not in said
    assert "OPENAI_API_KEY" in repr(secret)


def test_a_key_is_never_pickled_or_copied() -> None:
    """What leaves the process leaves without it."""
    secret = Secret(KEY, "X")

    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)


@dataclass(frozen=True)
class Holder:
    """Something that has a key."""

    key: Secret


def test_what_holds_a_key_shows_as_little() -> None:
    """A collection, a dataclass, an exception and a context say no more of it than the key itself."""
    holder = Holder(Secret(KEY, "X"))
    context = copy_context()
    context.run(in_use.set, holder.key)
    said = f"{holder} {[holder.key]!r} {vars(holder)} {ValueError(holder.key)!r} {dir(holder.key)} {dict(context)}"

    assert KEY not in said
    with pytest.raises(TypeError):
        asdict(holder)
    with pytest.raises(TypeError):
        pickle.dumps(holder)


def test_a_key_is_revealed_on_request() -> None:
    """For the one header that carries it."""
    assert Secret(KEY, "X").reveal() == KEY


@held
@given(st.text(), st.text("abcdef0123456789-_", min_size=8), st.text())
def test_the_key_that_was_used_is_scrubbed(before: str, key: str, after: str) -> None:
    """Wherever a server echoes it, whatever its shape."""
    text = f"{before}{key}{after}{key}"

    assert key not in scrub(text, Secret(key, "X"))
    assert key.encode() not in scrub_bytes(text.encode(), Secret(key, "X"))


@held
@given(st.text(), PRINTABLE | st.text(min_size=SHORTEST), st.text())
def test_no_key_is_left_in_any_text(before: str, key: str, after: str) -> None:
    """Not even where taking one out puts another together."""
    text = before + key[:3] + key + key[3:] + after

    assert key not in scrub(text, Secret(key, "X"))
    assert key.encode("utf-8", "replace") not in scrub_bytes(text.encode("utf-8", "replace"), Secret(key, "X"))


@pytest.mark.parametrize("key", ["******", "a***bc", "***/abc"])
def test_what_is_shown_instead_makes_no_key(key: str) -> None:
    """Also for a key that has asterisks in it: the scrubbed text is looked at again."""
    text = f"a{key}bc {key}{key} sk-abcdefgh/abc Bearer abcdefgh/abc"

    assert key not in scrub(text, Secret(key, "X"))
    assert key.encode() not in scrub_bytes(text.encode(), Secret(key, "X"))


def escaped(text: str) -> str:
    """As a JSON writer that trusts no letter spells it."""
    return "".join(f"\\u{ord(letter):04X}" for letter in text)


SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda key: quote(key, safe=""),
    lambda key: quote(quote(key, safe=""), safe=""),
    lambda key: "".join(f"%{ord(letter):02x}" for letter in key),
    lambda key: json.dumps(key)[1:-1],
    lambda key: json.dumps(json.dumps(key)[1:-1])[1:-1],
    lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    escaped,
    lambda key: json.dumps(escaped(key))[1:-1],
    html.escape,
    lambda key: html.escape(html.escape(key)),
    lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    lambda key: "".join(f"&#x{ord(letter):04x};" for letter in key),
)


@held
@given(PRINTABLE, st.sampled_from(SPELLINGS))
@example(AWKWARD, html.escape)
@example("ends in %25&", SPELLINGS[0])
def test_a_key_is_scrubbed_in_every_spelling(key: str, spell: Callable[[str], str]) -> None:
    """Escaped for a URL, for JSON or for HTML, once or twice, as servers quote what they were sent."""
    text = f"<{spell(key)}>"

    assert scrub(text, Secret(key, "X")) == f"<{SHOWN}>"
    assert scrub_bytes(text.encode(), Secret(key, "X")) == f"<{SHOWN}>".encode()


@held
@given(st.binary(max_size=9), PLAIN, st.binary(max_size=9), st.sampled_from([b64encode, urlsafe_b64encode]))
def test_a_key_is_scrubbed_in_base64(before: bytes, key: str, after: bytes, code: Callable[[bytes], bytes]) -> None:
    """Wherever it stands in what was encoded: alone, after `Bearer `, after `user:`."""
    coded = code(before + key.encode() + after)
    clean = scrub_bytes(coded, Secret(key, "X"))
    left = clean.replace(SHOWN.encode(), b"")

    assert SHOWN.encode() in clean
    # What is left stands for what is around the key: a letter of it at most at each side, and the padding.
    assert len(left) <= len(code(before)) + len(code(after)) + 4
    assert scrub(coded.decode(), Secret(key, "X")) == clean.decode()


def test_base64_is_scrubbed_with_slashes_escaped() -> None:
    """As PHP writes it into JSON."""
    coded = b64encode(b"\xff\xff" + AWKWARD.encode()).decode()

    assert SHOWN in scrub(coded.replace("/", "\\/"), Secret(AWKWARD, "X"))


@pytest.mark.parametrize("piece", ["\\", "%25", "&amp;", "&#00", "c", "\\u00"])
def test_no_text_keeps_the_scrubbing_busy(piece: str) -> None:
    """Escapes over and over are gone through once; once for each of their beginnings would take for ever."""
    text = piece * 200_000

    assert scrub_bytes(text.encode(), Secret("\\\\\\" + AWKWARD, "X")) == text.encode()


@pytest.mark.parametrize("key", ["", "x", "none", "EMPTY"])
def test_a_word_that_stands_for_a_key_is_left_in_texts(key: str) -> None:
    """Servers at home are given one; it is no secret, and every text has it."""
    assert scrub(f"none of EMPTY x {key}", Secret(key, "X")) == f"none of EMPTY x {key}"
    assert scrub_bytes(b"x none EMPTY", Secret(key, "X")) == b"x none EMPTY"
    assert cleaned(b' {"m": "x none EMPTY"}', Secret(key, "X")) == b' {"m": "x none EMPTY"}'


# --- bodies


def texts(value: Any) -> Iterator[str]:
    """Every text and name in a JSON value."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from texts(item)
        case dict():
            for name, item in value.items():
                yield name
                yield from texts(item)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@held
@given(JSON, st.text(), PLAIN, st.sampled_from(["utf-8", "utf-16", "utf-32"]), st.booleans())
def test_a_json_body_is_cleaned_and_stays_json(value: Any, around: str, key: str, code: str, ascii_only: bool) -> None:  # noqa: FBT001  (hypothesis hands it on)
    """In names and values, in any encoding of the whole; what does not hold the key is as it was."""
    assume(key not in json.dumps(value, ensure_ascii=False))
    body = [value, around + key + around, {key: 1}]
    data = json.dumps(body, ensure_ascii=ascii_only).encode(code, "surrogatepass")
    clean = json.loads(cleaned(data, Secret(key, "X")))

    assert key not in "\n".join(texts(clean))
    assert clean[0] == value
    assert clean[2] == {SHOWN: 1}


def test_a_key_that_every_letter_of_is_escaped_is_found_in_json() -> None:
    """What a reader of the body would see is what counts."""
    data = f'{{"error": {{"message": "Bad key {escaped(KEY)}."}}}}'.encode()

    assert json.loads(cleaned(data, Secret(KEY, "X"))) == {"error": {"message": "Bad key ***."}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"a": 1.50, "b": "sk-looks-like-a-key-1", "c": [NaN]}',
        b'\n {"a" : "x"} ',
        b"\xff\xfe\x00",
        b'{"a": 1',
        b"[" * 100_000,
        b"9" * 10_000,
        b'"\\ud800"',
    ],
)
def test_a_body_without_the_key_stays_as_it_is(data: bytes) -> None:
    """Byte for byte, JSON or not, whatever it looks like."""
    assert cleaned(data, Secret(KEY, "X")) == data
    assert cleaned(data, None) == data


@pytest.mark.parametrize("body", ["Bad key {}", "<p>{}</p>", '{{"cut": "{}', "[" * 5000 + '"{}"' + "]" * 5000])
def test_a_body_that_is_no_json_is_cleaned(body: str) -> None:
    """A page, a cut answer, one that is nested too deeply."""
    assert cleaned(body.format(KEY).encode(), Secret(KEY, "X")) == body.format(SHOWN).encode()


@held
@given(st.binary(), PRINTABLE, st.binary())
def test_no_body_makes_the_cleaning_fail(before: bytes, key: str, after: bytes) -> None:
    """Whatever a server sends, the key is not in what is kept."""
    assert key.encode() not in cleaned(before + key.encode() + after, Secret(key, "X"))
    assert key.encode() not in cleaned(json.dumps([key, key + key]).encode(), Secret(key, "X"))


# --- logs


class Kept(logging.Handler):
    """Keeps the records that it is given, and what a log file would say."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.said += self.format(record) + "\n"
        self.records.append(record)


@pytest.fixture
def log(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, Kept]]:
    """A quiet logger of its own for each test, and what it wrote."""
    logger, kept = logging.getLogger(f"quiet.{request.node.name}"), Kept()
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(kept)
    quieten([logger.name])
    token = in_use.set(Secret(KEY, "X"))
    yield logger, kept
    in_use.reset(token)


def test_a_log_line_around_a_request_holds_no_key(log: tuple[logging.Logger, Kept]) -> None:
    """Neither in the line nor in the arguments that a handler may look at."""
    logger, kept = log
    logger.debug("response headers=%r %s", [(b"set-cookie", KEY.encode())], {"echo": quote(KEY)})
    logger.debug("%.3s only", KEY)
    logger.info(f"already whole: {KEY} at 100%")  # noqa: G004  (as the HTTP library does)

    assert KEY not in kept.said + repr([vars(record) for record in kept.records])
    assert kept.said.splitlines()[1:] == ["can only", f"already whole: {SHOWN} at 100%"]


def test_a_traceback_in_a_log_holds_no_key(log: tuple[logging.Logger, Kept]) -> None:
    """It is written out and scrubbed, and the exception is let go; one without the key stays an exception."""
    logger, kept = log
    for said in (KEY, "1"):
        try:
            int(f"rejected {said}")
        except ValueError:
            logger.exception("failed", stack_info=True)

    assert KEY not in kept.said
    assert "Traceback" in kept.said
    assert f"rejected {SHOWN}" in kept.said
    assert [record.exc_info is None for record in kept.records] == [True, False]


def test_a_traceback_that_was_written_out_before_is_scrubbed() -> None:
    """Another handler may have had the record first."""
    record = logging.LogRecord("n", 10, "p", 1, "m", (), None)
    record.exc_text, record.stack_info = f"ValueError: {KEY}", f"Stack: {KEY}"
    token = in_use.set(Secret(KEY, "X"))
    let_through = Discreet().filter(record)
    in_use.reset(token)

    assert let_through
    assert (record.exc_text, record.stack_info) == (f"ValueError: {SHOWN}", f"Stack: {SHOWN}")


@pytest.mark.parametrize("arguments", [("a", KEY), (KEY,), ({"x": KEY},)])
def test_a_log_line_that_cannot_be_put_together_holds_no_key(
    log: tuple[logging.Logger, Kept], arguments: tuple[Any, ...]
) -> None:
    """Logging would print the arguments as they are; so the request goes on and the line is scrubbed."""
    logger, kept = log
    logger.debug("%(name)d %d %d %d", *arguments)

    assert KEY not in kept.said
    assert SHOWN in kept.said


def test_a_log_line_of_someone_else_stays_as_it_is(log: tuple[logging.Logger, Kept]) -> None:
    """Where no key is in use, the record is the one that was made."""
    logger, kept = log
    token = in_use.set(None)
    logger.debug("%s and %s", "sk-abcdefghijk", 2)
    in_use.reset(token)

    assert kept.said == "sk-abcdefghijk and 2\n"
    assert kept.records[0].args == ("sk-abcdefghijk", 2)


def test_a_logger_is_quietened_once() -> None:
    """However often a client is made."""
    for _ in range(3):
        quieten(["quiet.once", "quiet.twice"])

    assert [len(logging.getLogger(name).filters) for name in ("quiet.once", "quiet.twice")] == [1, 1]


# --- shapes


@pytest.mark.parametrize(
    "echoed",
    [
        "sk-proj-abc1234567890abcdefghij",
        "sk-pr********************wxyz",
        "sk-ant-api03-AAAA",
        "xai-abcdefgh",
        "hf_abcdefgh",
        "ghp_abcdefgh",
        "Bearer abcdefgh.ijk+l/m==",
        "bearer  abcdefgh",
    ],
)
def test_what_has_the_shape_of_a_key_is_scrubbed(echoed: str) -> None:
    """Also one that is not ours, or only a part of it."""
    said = scrub(f"Incorrect API key provided: {echoed}, try again", None)

    assert echoed.rsplit(maxsplit=1)[-1] not in said
    assert SHOWN in said
    assert said.endswith(", try again")


@pytest.mark.parametrize("text", ["", "a risk-averse otter", "task-42", "a desk-lamp", "the bearer of news", "hf_x"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    """A message is not mutilated by the scrubbing."""
    assert scrub(text, Secret(KEY, "X")) == text


@held
@given(st.binary())
def test_bytes_without_the_key_stay_as_they_are(data: bytes) -> None:
    """An answer that is kept is the answer that came."""
    assume(KEY.encode() not in data)

    assert scrub_bytes(data, Secret(KEY, "X")) == data
    assert scrub_bytes(data, None) == data


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-abc1234567890abcdefghij",
        "sk-" + "a1" * 20,
        "xai-" + "b2" * 20,
        "hf_" + "c3" * 12,
        "https://h/sk-" + "a1" * 20,
    ],
)
def test_a_whole_key_is_recognised(text: str) -> None:
    """A word that was typed and is one must not be kept."""
    assert looks_like_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn",
        "sk-a-very-long-word-without-any-digits",
        "task-20261121-otter-at-dusk-17",
        "",
        "gpt-image-2.6-flare",
        "sk-1",
    ],
)
def test_a_word_that_a_person_writes_is_no_key(text: str) -> None:
    """Tags, notes and models are not refused by mistake."""
    assert not looks_like_key(text)
