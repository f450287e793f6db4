"""Records, results and stores as a session leaves them, made without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from jupyter_imagegen.blobs import keep_image
from jupyter_imagegen.image import sniff
from jupyter_imagegen.journal import Called, Ended, Kept, Opened
from jupyter_imagegen.records import Record
from jupyter_imagegen.result import Result, result_of


def kept(store: Path, data: bytes, index: int = 0, call_id: str = "call-1", **given: Any) -> Kept:
    """A picture that is in the store."""
    image = sniff(data)
    assert image is not None
    return Kept(
        id=call_id,
        index=index,
        path=keep_image(store, image, "a cat"),
        sha256=image.sha256,
        bytes=len(data),
        format=image.format,
        width=image.width,
        height=image.height,
        **given,
    )


def record(*images: Kept, end: Ended | None = None, call: dict[str, Any] | None = None, **given: Any) -> Record:
    """A record of a call that ended well, unless something else is said."""
    asked: dict[str, Any] = {
        "id": "call-1",
        "at": "2026-11-21T04:15:00.123456Z",
        "n": len(images) or 1,
        "params": msgspec.Raw(b'{"model":"m","size":"64x48"}'),
        "provider": "openai",
        "base_url": "https://api.openai.com/v1",
        "request_hash": "r1:0",
        "prompt": "a cat",
        "model": "m",
    }
    done = end or Ended(id="call-1", at="2026-11-21T04:15:09Z", status="ok", latency_s=8.6, attempts=1)
    whole: dict[str, Any] = {"end": done, "version": "0.1.0", "session": "s-1", "is_running": False, **given}
    return Record(call=Called(**{**asked, **(call or {})}), images=images, **whole)


def result(store: Path, *pictures: bytes, **call: Any) -> Result:
    """A result with these pictures, of one call."""
    return result_of((record(*(kept(store, data, place) for place, data in enumerate(pictures)), call=call),), store)


def long_history(store: Path, calls: int, pictures: tuple[bytes, ...], notebook: str | None = None) -> None:
    """A store with a segment of so many calls; the files of their pictures are fewer, and come round."""
    files = [kept(store, data) for data in pictures]
    lines: list[Any] = [
        Opened(journal=1, at="2026-11-21T04:00:00Z", version="0", python="3", host="h", pid=1, process_started=None)
    ]
    for number in range(calls):
        name, at = f"20261121T000000{number:06}Z-{number:08x}", "2026-11-21T04:15:00.123456Z"
        asked = {"n": 1, "params": msgspec.Raw(b'{"model":"m"}'), "model": "m", "prompt": f"otter {number}"}
        whom = {"provider": "openai", "base_url": "https://api.openai.com/v1", "request_hash": "r1:0"}
        lines.append(Called(id=name, at=at, notebook=notebook, **asked, **whom))  # type: ignore[arg-type]
        lines.append(msgspec.structs.replace(files[number % len(files)], id=name))
        lines.append(Ended(id=name, at=at, status="ok", latency_s=1.0, attempts=1))
    (store / "journal").mkdir(parents=True, exist_ok=True)
    data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    (store / "journal" / "20261121T000000000000Z-00000000.jsonl").write_bytes(data)
