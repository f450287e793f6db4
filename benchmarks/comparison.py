"""What this project is compared on: every goal, each with its runs; and how cost grows."""

from __future__ import annotations

from typing import Final

from .answers import sizes
from .rows import Argument, Goal, Growth, Row, Run, Scale, Source, Subject

_OURS: Final = Subject(name="ours", module="ours")
_SDK: Final = Subject(name="openai", module="sdk", environment="openai")
_LITE: Final = Subject(name="litellm", module="lite", environment="litellm")
_RAW: Final = Subject(name="raw", module="raw")
_OURS_ANEW: Final = Subject(name="ours, anew", module="ours", is_fresh=True)
_SDK_ANEW: Final = Subject(name="openai, anew", module="sdk", environment="openai", is_fresh=True)
_LITE_ANEW: Final = Subject(name="litellm, anew", module="lite", environment="litellm", is_fresh=True)
_NOTEBOOK: Final = Subject(name="notebook", module="notebook")
_HISTORY: Final = Subject(name="history", module="history", is_fresh=True)
_JOURNAL: Final = Subject(name="journal", module="journal")
_PIXELS: Final = Subject(name="pixels", module="pixels")

_SDKS: Final = (Source("openai, sync"), Source("openai, async"))
_LITES: Final = (Source("litellm"),)


def rows(scale: Scale) -> tuple[Row, ...]:
    """Every row of the comparison."""
    return (
        _loading(),
        _first(),
        _one("one-call", 1, scale.picture, _goals(f"one call, {scale.picture}", sdk=0.6, lite=None), scale),
        _one("large-call", 1, scale.large, _goals(f"one call, {scale.large}", sdk=0.45, lite=0.3), scale),
        _one("ten-pictures", scale.ten, scale.picture, _goals("ten pictures in one answer", sdk=0.45, lite=0.3), scale),
        _memory(scale),
        _many(scale),
        _stream(scale),
        _history("history", "100 segments", max(1, scale.history // 100), scale),
        _history("history-one-segment", "one segment", scale.history, scale),
        _journal(scale),
        _replay(),
        _weight(),
        _preview(scale),
        _stall(scale),
    )


def growths(scale: Scale) -> tuple[Growth, ...]:
    """How cost grows with the calls in flight, and with the rows of the history."""
    return (
        Growth(
            name="in-flight",
            what=f"processor time of one call, by calls in flight ({scale.small}, {scale.latency_ms} ms latency)",
            steps=tuple((at_once, _in_flight(at_once, calls, scale)) for at_once, calls in scale.in_flight),
            figures=tuple(Source(name, "cpu_per_call_s") for name in ("ours", "openai, async", "raw")),
            is_of_one=True,
            beside=tuple(
                Source(name, "of_ideal", f"{name}: wall, × least") for name in ("ours", "openai, async", "raw")
            ),
        ),
        Growth(
            name="history-rows",
            what="a look at the history, for one row, by rows (segments of at most 1,000 calls)",
            steps=tuple((calls, _rows_of(calls, scale)) for calls in scale.histories),
            figures=(
                Source("ours", "first_s", "first"),
                Source("ours", "again_s", "unchanged"),
                Source("ours", "after_s", "after one more"),
                Source("read_sql"),
            ),
            is_of_one=False,
        ),
    )


def _run(name: str, subject: Subject, task: str, **arguments: Argument) -> Run:
    return Run(name=name, subject=subject, task=task, arguments=tuple(arguments.items()))


def _url(answer: str, latency_ms: int = 0) -> str:
    return f"{{endpoint}}/{answer}/{latency_ms}ms/v1"


def _loading() -> Row:
    return Row(
        name="loading",
        runs=(
            _run("ours", _NOTEBOOK, "load_extension"),
            _run("openai", _NOTEBOOK, "import_sdk", python="{openai}"),
        ),
        goals=(
            Goal(
                what="%load_ext in a running kernel, against import openai",
                ours=Source("ours"),
                against=(Source("openai"),),
                at_most=1 / 40,
            ),
            Goal(
                what="heavy libraries that %load_ext loads (httpx2, pandas, ipywidgets, PIL, numpy, msgspec)",
                ours=Source("ours", "heavy"),
                at_most=0,
            ),
        ),
        rounds=7,
    )


def _first() -> Row:
    return Row(
        name="first-cell",
        runs=(
            _run("ours", _NOTEBOOK, "first_cell"),
            _run("openai", _NOTEBOOK, "first_call", python="{openai}", url="{sketch}"),
        ),
        goals=(
            Goal(
                what="first %%imagegen on the embedded endpoint, against import openai + first call to it",
                ours=Source("ours"),
                against=(Source("openai"),),
                at_most=1,
            ),
        ),
        rounds=7,
    )


def _goals(what: str, *, sdk: float, lite: float | None) -> tuple[Goal, ...]:
    ours = Source("ours")
    against_sdk = Goal(what=f"{what}, against the openai SDK", ours=ours, against=_SDKS, at_most=sdk)
    if lite is None:
        return (against_sdk,)
    return (against_sdk, Goal(what=f"{what}, against litellm", ours=ours, against=_LITES, at_most=lite))


def _one(name: str, pictures: int, size: str, goals: tuple[Goal, ...], scale: Scale) -> Row:
    url = _url(f"{pictures}x{size}")
    runs = (
        ("ours", _OURS, "call"),
        ("ours, awaited", _OURS, "call_async"),
        ("openai, sync", _SDK, "call"),
        ("openai, async", _SDK, "call_async"),
        ("litellm", _LITE, "call"),
        ("raw", _RAW, "call"),
    )
    return Row(
        name=name,
        runs=tuple(_run(*who, url=url, pictures=pictures, times=scale.times) for who in runs),
        goals=goals,
        rounds=9,
        shown=(Source("ours, awaited"), *_LITES, Source("raw")),
        ceiling=Source("raw", "received_s"),
    )


def _memory(scale: Scale) -> Row:
    answer = f"{scale.ten}x{scale.huge}"
    count, size = sizes(answer)
    subjects = (("ours", _OURS_ANEW), ("openai", _SDK_ANEW), ("litellm", _LITE_ANEW))
    small, url = _url(f"1x{scale.small}"), _url(answer)
    return Row(
        name="memory",
        runs=tuple(
            _run(name, subject, "memory", small=small, url=url, pictures=count, pictures_bytes=count * size)
            for name, subject in subjects
        ),
        goals=(
            Goal(
                what=f"growth of the peak memory, {count} pictures of {scale.huge} in one answer, × their bytes",
                ours=Source("ours", "growth"),
                at_most=0.5,
            ),
        ),
        rounds=3,
        shown=(Source("openai", "growth"), Source("litellm", "growth")),
    )


def _many(scale: Scale) -> Row:
    row = _in_flight(scale.at_once, scale.calls, scale)
    arguments = {"calls": scale.calls, "at_once": scale.at_once, "latency_s": 0.0}
    ceiling = _run("endpoint", _RAW, "calls", url=_url(f"1x{scale.small}"), **arguments)
    what = f"{scale.calls} calls of {scale.small}, {scale.at_once} at once, {scale.latency_ms} ms latency"
    return Row(
        name="many-calls",
        runs=(*row.runs, ceiling),
        goals=(
            Goal(
                what=f"{what}: wall, × the least that the latency allows", ours=Source("ours", "of_ideal"), at_most=1.5
            ),
            Goal(
                what=f"{what}: processor time of a call, against AsyncOpenAI",
                ours=Source("ours", "cpu_per_call_s"),
                against=(Source("openai, async", "cpu_per_call_s"),),
                at_most=0.6,
            ),
        ),
        rounds=5,
        shown=(*(Source(name, "of_ideal") for name in ("openai, async", "raw")), Source("raw", "cpu_per_call_s")),
        ceiling=Source("endpoint"),
    )


def _in_flight(at_once: int, calls: int, scale: Scale) -> Row:
    arguments = {"calls": calls, "at_once": at_once, "latency_s": scale.latency_ms / 1000}
    url = _url(f"1x{scale.small}", scale.latency_ms)
    runs = (("ours", _OURS), ("openai, async", _SDK), ("raw", _RAW))
    return Row(
        name=f"in-flight-{at_once}",
        runs=tuple(_run(name, subject, "calls", url=url, **arguments) for name, subject in runs),
        goals=(),
        rounds=3,
    )


def _stream(scale: Scale) -> Row:
    arguments: dict[str, Argument] = {"url": _url(f"stream-1x{scale.picture}"), "times": scale.times}
    runs = (("ours", _OURS), ("openai, sync", _SDK), ("raw", _RAW))
    return Row(
        name="stream",
        runs=tuple(_run(name, subject, "stream", **arguments) for name, subject in runs),
        goals=(
            Goal(
                what=f"stream, final event sent → picture durable, {scale.picture}, against the SDK → bytes",
                ours=Source("ours"),
                against=(Source("openai, sync"),),
                at_most=0.7,
            ),
        ),
        rounds=9,
        shown=(Source("raw"),),
    )


def _history(name: str, layout: str, in_segment: int, scale: Scale) -> Row:
    looks = _looks(name, scale.history, in_segment)
    against = (Source("read_sql"),)
    asked = (("first", "first_s", 0.6), ("unchanged again", "again_s", 0.02), ("after one more call", "after_s", 0.03))
    return Row(
        name=name,
        runs=looks.runs,
        goals=tuple(
            Goal(
                what=f"ig.history() over {scale.history:,} calls in {layout}, {when}, against pandas.read_sql",
                ours=Source("ours", figure),
                against=against,
                at_most=at_most,
            )
            for when, figure, at_most in asked
        ),
        rounds=5,
        before=looks.before,
    )


def _rows_of(calls: int, scale: Scale) -> Row:
    return _looks(f"history-{calls}", calls, min(1000, scale.history))


def _looks(name: str, calls: int, in_segment: int) -> Row:
    """Of very many rows one round is enough: noise does not hide a cost that grows."""
    store, database = f"{{scratch}}/{name}/store", f"{{scratch}}/{name}/history.sqlite"
    return Row(
        name=name,
        runs=(
            _run("ours", _HISTORY, "looks", store=store, url=_url("1x64KiB")),
            _run("read_sql", _HISTORY, "read_sql", database=database),
        ),
        goals=(),
        rounds=3 if calls <= 100_000 else 1,
        before=(
            _run("store", _HISTORY, "make", store=store, calls=calls, in_segment=in_segment),
            _run("table", _HISTORY, "make_table", store=store, database=database),
        ),
    )


def _journal(scale: Scale) -> Row:
    return Row(
        name="journal-line",
        runs=(_run("disk", _JOURNAL, "lines", times=scale.lines),),
        goals=(
            Goal(
                what="one journal line, durable, against write + fsync of the same bytes",
                ours=Source("disk", "line_s"),
                against=(Source("disk", "fsync_s", "write + fsync"),),
                at_most=1.5,
            ),
        ),
        rounds=9,
    )


def _replay() -> Row:
    asked = (("a later kernel", "later_s"), ("the same kernel", "same_s"))
    return Row(
        name="replay",
        runs=(_run("cells", _NOTEBOOK, "replays"),),
        goals=tuple(
            Goal(
                what=f"replay of a cell in {where}, against the same cell on the embedded endpoint",
                ours=Source("cells", figure),
                against=(Source("cells", "live_s", "painted"),),
                at_most=0.15,
            )
            for where, figure in asked
        ),
        rounds=7,
    )


def _weight() -> Row:
    return Row(
        name="notebook-weight",
        runs=(_run("notebook", _NOTEBOOK, "weight", url=_url("photograph")),),
        goals=(
            Goal(
                what="what a notebook saves for a 1024×1024 photograph, against the PNG inline",
                ours=Source("notebook", "saved_B"),
                against=(Source("notebook", "inline_B", "inline"),),
                at_most=1 / 40,
            ),
        ),
        rounds=1,
    )


def _preview(scale: Scale) -> Row:
    return Row(
        name="preview",
        runs=(_run("pixels", _PIXELS, "photographs", times=scale.times),),
        goals=(
            Goal(
                what="preview of a 1024×1024 photograph, against Pillow decoding it",
                ours=Source("pixels", "preview_s"),
                against=(Source("pixels", "decode_s", "decoded"),),
                at_most=1.6,
            ),
        ),
        rounds=9,
    )


def _stall(scale: Scale) -> Row:
    return Row(
        name="stall",
        runs=(_run("ours", _OURS, "stall", url=_url(f"1x{scale.large}"), at_once=scale.ten),),
        goals=(
            Goal(
                what=f"longest stall of the HTTP loop, {scale.ten} answers of {scale.large} in flight",
                ours=Source("ours", "stall_s"),
                at_most=0.020,
            ),
        ),
        rounds=9,
    )
