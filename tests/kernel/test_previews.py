"""Previews while it paints, in a real kernel and in the notebook that is saved."""

from __future__ import annotations

import base64
import json
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image
from support.gateway import Gateway, Parts
from support.kernels import Kernel
from support.pictures import picture

GREY, BLUE, RED = picture("grey"), picture("blue"), picture("red")


def event(kind: str, image: bytes) -> bytes:
    """One event in OpenAI's form."""
    payload = {"type": f"image_generation.{kind}", "b64_json": base64.b64encode(image).decode()}
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()


def colours(messages: tuple[dict[str, Any], ...]) -> list[tuple[str, tuple[int, ...] | None]]:
    """What each display message showed, in order: its kind, and the colour of its picture (None for a text)."""
    found = []
    for message in messages:
        data = message["content"].get("data") if "display_data" in message["msg_type"] else None
        if data is not None:
            image = next((value for mime, value in data.items() if mime.startswith("image/")), None)
            found.append((message["msg_type"], None if image is None else colour(image)))
    return found


def colour(image: str) -> tuple[int, ...]:
    """The colour in the middle of a picture; a JPEG is not exact."""
    with Image.open(BytesIO(base64.b64decode(image))) as opened:
        pixel = opened.convert("RGB").getpixel((opened.width // 2, opened.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(round(level / 32) * 32 for level in pixel)


def test_a_preview_is_shown_in_place_until_the_picture_is_there(kernel: Kernel, gateway: Gateway) -> None:
    """One display of its own, updated with each preview and empty at the end; then the picture."""
    first, second = threading.Event(), threading.Event()
    gateway.rule = lambda _: Parts(
        (event("partial_image", GREY), first, event("partial_image", BLUE), second, event("completed", RED))
    )
    sent = kernel.send(f"%%imagegen --base-url {gateway.url} -m m --partial-images 2\nan otter")

    shown = kernel.wait_for_message(sent, "display_data")
    assert colours((shown,)) == [("display_data", (128, 128, 128))]
    first.set()
    while "image/jpeg" not in (updated := kernel.wait_for_message(sent, "update_display_data"))["content"]["data"]:
        pass
    assert colours((updated,)) == [("update_display_data", (0, 0, 256))]
    assert updated["content"]["transient"] == shown["content"]["transient"]
    second.set()
    done = kernel.finish(sent)

    assert done.status == "ok"
    assert [seen for _, seen in colours(done.all_messages) if seen is not None] == [(256, 0, 0)]
    assert [seen for kind, seen in colours(done.all_messages) if kind == "update_display_data"][-1] is None


def test_the_saved_notebook_holds_only_the_final_picture(gateway: Gateway, tmp_path: Path) -> None:
    """What was painted on the way there is nobody's result."""
    gateway.rule = lambda _: Parts((event("partial_image", GREY), Late(), event("completed", RED)))
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("%load_ext jupyter_imagegen"),
        nbformat.v4.new_code_cell(f"%%imagegen --base-url {gateway.url} -m m --partial-images 2\nan otter"),
    ]

    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()

    images = [
        value
        for output in notebook.cells[1].outputs
        for mime, value in output.get("data", {}).items()
        if mime.startswith("image/")
    ]
    assert [colour(image) for image in images] == [(256, 0, 0)]


class Late(threading.Event):
    """Gives the kernel the time to show what came before."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait a moment, whatever is set."""
        return super().wait(min(timeout or 1.0, 1.0))


def test_a_variable_is_a_picture_to_work_from(kernel: Kernel, gateway: Gateway) -> None:
    """A Result, one of its pictures, an array and a path, by the names that they have in the notebook."""
    kernel.run("otter = %imagegen -p sketch --size 64x64 an otter")
    kernel.run("import numpy as np\nred = np.full((8, 8, 3), (255, 0, 0), dtype='uint8')\nwhere = otter[0].path")
    for given in ("otter", "otter[0]", "red", "where"):
        done = kernel.run(f"%%imagegen --base-url {gateway.url} -m m -i {given} --quiet\na red hat")
        assert done.status == "ok", done

    bodies = [asked.body for asked in gateway.posts]
    original = bytes(kernel.value("list(otter[0].bytes)"))
    assert [original in body for body in bodies] == [True, True, False, True]
    assert all(b"\x89PNG" in body for body in bodies)
