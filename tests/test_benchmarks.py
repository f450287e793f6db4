"""The comparison with the peers still runs, all of it, and judges its figures as it says. Nothing here is timed."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.interpreters import ROOT

from benchmarks import tables
from benchmarks.answers import PREVIEWS, SIDE, picture, response, sizes
from benchmarks.comparison import growths, rows
from benchmarks.peers import PeersMissing, interpreter
from benchmarks.report import judged, lines, told
from benchmarks.rounds import Measured, Rounds
from benchmarks.rows import FULL, TINY, Goal, Row, Source
from benchmarks.spread import Spread, Verdict, ratios, spread, verdict
from jupyter_imagegen.image import sniff

_SOME: Final = st.lists(st.integers(min_value=1, max_value=10**6).map(float), min_size=1, max_size=30)


@dataclass(frozen=True, slots=True)
class Ran:
    """What the command left behind."""

    status: int
    printed: str
    told: str
    folder: Path

    @property
    def results(self) -> dict[str, Any]:
        """results.json."""
        found: dict[str, Any] = json.loads((self.folder / "results.json").read_text())
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The whole comparison, with the smallest sizes. On a machine of CI the peers must be there."""
    try:
        for peer in ("openai", "litellm"):
            interpreter(peer)
    except PeersMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    folder = tmp_path_factory.mktemp("benchmarks")
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--into", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return Ran(done.returncode, done.stdout, done.stderr, folder)


def test_every_run_of_every_row_gives_figures(ran: Ran) -> None:
    """Of each subject, in each row and at each step of growth."""
    assert ran.status == 0, ran.told
    found = {row["name"]: row for row in ran.results["rows"]}
    for row in rows(TINY):
        runs = {name.partition(":")[0] for name in found[row.name]["figures"]}
        assert runs == {run.name for run in row.runs}, row.name
        assert [goal["what"] for goal in found[row.name]["goals"]] == [goal.what for goal in row.goals]
    for growth, grown in zip(growths(TINY), ran.results["growth"], strict=True):
        assert [step["size"] for step in grown["steps"]] == [size for size, _ in growth.steps]
        assert all(cost is not None for step in grown["steps"] for cost in step["cost_of_one_s"])


def test_every_goal_is_printed_and_drawn(ran: Ran) -> None:
    """In the terminal, as Markdown and in the plot."""
    written = (ran.folder / "results.md").read_text()
    for row in rows(TINY):
        assert f"[{row.name}]" in ran.printed
        assert f"[{row.name}]" in written
    assert (ran.folder / "results.svg").read_text().rstrip().endswith("</svg>")


def test_what_was_measured_with_is_written_down(ran: Ran) -> None:
    """A figure without its versions and its machine says nothing."""
    about = ran.results["about"]

    assert about["peers"]["openai"]["openai"].startswith("3.")
    assert set(about["peers"]["litellm"]) == {"litellm", "openai", "httpx", "aiohttp"}
    assert {"at", "processor", "python", "file_system", "versions"} <= set(about)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--only", "speed"], "nothing is called speed: there is loading"),
        (["--only", "preview", "previwe", "--tiny"], "nothing is called previwe"),
        (["--only", "preview", "--rounds", "0"], "at least one round"),
    ],
    ids=str,
)
def test_what_cannot_be_measured_is_said_and_nothing_is_started(tmp_path: Path, asked: list[str], said: str) -> None:
    """With the names of those rows that are there."""
    command = [sys.executable, "-m", "benchmarks", *asked, "--into", str(tmp_path / "results")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "results").exists()


@given(_SOME)
def test_the_quartiles_lie_around_the_median(values: list[float]) -> None:
    """And all of them within what was measured."""
    found = spread(values)

    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_of_no_rounds_there_is_no_median() -> None:
    """It is an error of the caller."""
    with pytest.raises(ValueError, match="no figures"):
        spread([])


@given(_SOME, st.floats(min_value=0.1, max_value=10))
def test_what_slows_a_whole_round_down_cancels_out(values: list[float], share: float) -> None:
    """Ratios are taken round by round."""
    assert ratios([share * value for value in values], values) == pytest.approx([share] * len(values))


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Spread(0.4, 0.5, 0.6), Verdict.HOLDS),
        (Spread(0.4, 0.5, 0.7), Verdict.HOLDS_CLOSELY),
        (Spread(0.5, 0.7, 0.8), Verdict.FAILS_CLOSELY),
        (Spread(0.7, 0.8, 0.9), Verdict.FAILS),
        (Spread(0.6, 0.6, 0.6), Verdict.HOLDS),
    ],
)
def test_the_median_decides(measured: Spread, expected: Verdict) -> None:
    """A goal between the quartiles is said to be close."""
    assert verdict(measured, 0.6) is expected


@pytest.mark.parametrize(("warming", "turns"), [(0, [1, 2]), (1, [0, 1, 2])])
def test_rounds_that_warm_do_not_count(warming: int, turns: list[int]) -> None:
    """They are numbered from zero down."""
    assert list(Rounds(2, warming).turns) == turns


def test_the_fastest_peer_counts() -> None:
    """Where a goal names several."""
    (found,) = judged(_measured(ours=(2.0, 2.0), slow=(9.0, 9.0), fast=(4.0, 8.0)))

    assert found.against == Source("fast")
    assert found.ratio == Spread(0.3125, 0.375, 0.4375)
    assert found.verdict is Verdict.HOLDS


@pytest.mark.parametrize(("endpoint", "is_slow"), [(0.9, False), (1.1, True)])
def test_a_slow_endpoint_marks_the_row(endpoint: float, is_slow: bool) -> None:  # noqa: FBT001  (what is expected)
    """It is slow where it alone takes more than half of what the fastest takes."""
    measured = _measured(ours=(2.0,), slow=(9.0,), fast=(4.0,), endpoint=(endpoint,))
    (found,) = judged(replace(measured, row=replace(measured.row, ceiling=Source("endpoint"))))

    assert found.is_endpoint_slow is is_slow


def test_a_row_that_could_not_be_measured_is_in_the_table() -> None:
    """With the last line of what went wrong."""
    ((what, *_, holds),) = lines(Measured(_measured(ours=()).row, problem="Traceback\nOSError: no room"))

    assert what == "[made-up] OSError: no room"
    assert holds == "no figures"


@pytest.mark.parametrize(
    ("figure", "value", "expected"),
    [
        ("wall_s", 1.5, "1.5 s"),
        ("wall_s", 0.0123, "12.3 ms"),
        ("saved_B", 1500, "1.5 kB"),
        ("ratio", 0.123456, "0.123"),
    ],
)
def test_the_name_of_a_figure_says_its_unit(figure: str, value: float, expected: str) -> None:
    """Seconds, bytes, or none."""
    assert told(spread([value]), figure) == expected


def test_a_table_of_markdown_keeps_its_columns() -> None:
    """Whatever stands in the cells."""
    head, rule, row = tables.markdown((("what", "ours"), ("a|b\nc", "1"))).splitlines()

    assert (head, rule, row) == ("| what | ours |", "| --- | --- |", "| a\\|b<br>c | 1 |")


def test_full_and_tiny_compare_the_same() -> None:
    """Only sizes differ."""
    assert [row.name for row in rows(TINY)] == [row.name for row in rows(FULL)]
    assert [growth.name for growth in growths(TINY)] == [growth.name for growth in growths(FULL)]


@given(st.integers(min_value=60, max_value=5000))
def test_noise_passes_for_a_png_of_the_size_that_is_asked_for(size: int) -> None:
    """By its head, and in just so many bytes."""
    data = picture(size)
    image = sniff(data)

    assert image is not None
    assert (image.format, image.width, image.height, len(data)) == ("png", SIDE, SIDE, size)


@pytest.mark.parametrize(("name", "count", "size"), [("1x100B", 1, 100), ("10x2KiB", 10, 2048)])
def test_an_answer_holds_what_its_name_says(name: str, count: int, size: int) -> None:
    """As JSON with a length that is right, each picture another one."""
    (whole,) = response(name)
    head, _, body = whole.data.partition(b"\r\n\r\n")
    pictures = {base64.b64decode(each["b64_json"]) for each in json.loads(body)["data"]}

    assert f"Content-Length: {len(body)}".encode() in head
    assert [len(data) for data in pictures] == [size] * count
    assert sizes(name) == (count, size)


def test_a_stream_sends_its_picture_last() -> None:
    """After its previews, each part by itself, in the events that OpenAI names."""
    head, *previews, final = response("stream-1x1KiB")

    assert b"text/event-stream" in head.data
    assert [b"image_generation.partial_image" in part.data for part in previews] == [True] * PREVIEWS
    assert b"image_generation.completed" in final.data
    assert final.data.endswith(b"0\r\n\r\n")


def test_a_name_that_says_nothing_is_no_answer() -> None:
    """It is an error of the caller."""
    with pytest.raises(ValueError, match="no answer is called"):
        response("large")


def _measured(**figures: tuple[float, ...]) -> Measured:
    """A row of these runs, whose goal is at most half of the others."""
    against = tuple(Source(name) for name in figures if name not in ("ours", "endpoint"))
    goal = Goal(what="made up", ours=Source("ours"), against=against, at_most=0.5)
    row = Row(name="made-up", runs=(), goals=(goal,), rounds=1)
    return Measured(row, tuple((Source(name), values) for name, values in figures.items()))
