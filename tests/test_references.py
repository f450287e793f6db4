"""What --image and --mask are given becomes the exact bytes of one picture, or one sentence."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import Image as Displayed
from PIL import Image as Pillow
from support.made import result
from support.pictures import picture
from support.properties import held

from jupyter_imagegen import references
from jupyter_imagegen.errors import ReferenceUnreadable
from jupyter_imagegen.image import Image, sniff
from jupyter_imagegen.journal import new_id
from jupyter_imagegen.references import LARGEST, Reference, is_record, of_file, of_name, of_value, split_record

PNG: Final = picture()
SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
RECORD: Final = "20261121T041500123456Z-9f3a2c1b"


def decoded(reference: Reference) -> Pillow.Image:
    """The pixels of a reference, which is a PNG."""
    assert reference.image.format == "png"
    opened = Pillow.open(BytesIO(reference.image.data))
    opened.load()
    return opened


def refused(value: object, name: str = "otter") -> ReferenceUnreadable:
    """The error that a value is refused with."""
    with pytest.raises(ReferenceUnreadable) as caught:
        of_value(value, name)
    return caught.value


# --- a reference


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (PNG, "image/png"),
        (picture(name="JPEG"), "image/jpeg"),
        (picture(name="WEBP"), "image/webp"),
        (picture(name="GIF"), "image/gif"),
        (SVG, "image/svg+xml"),
    ],
)
def test_a_reference_says_what_its_bytes_are(data: bytes, mime: str) -> None:
    """The media type of a form and the data URI of a JSON body, in small letters as Seedream asks for."""
    reference = of_value(data, "x")

    assert reference.mime == mime
    assert reference.data_uri == f"data:{mime};base64,{base64.b64encode(data).decode()}"


def test_a_reference_never_prints_its_bytes() -> None:
    """A log or a traceback with megabytes of them helps nobody."""
    reference = of_value(PNG + b"trailing secret", "otter.png")

    assert "secret" not in f"{reference!r} {reference}"
    assert "otter.png" in repr(reference)
    assert len(repr(reference)) < 200


# --- values


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_sent_as_they_are(kind: Callable[[bytes], object]) -> None:
    """Nothing is decoded or written again."""
    data = picture(name="JPEG") + b"caBX"
    image = of_value(kind(data), "x").image

    assert (image.data, image.format, image.sha256) == (data, "jpeg", hashlib.sha256(data).hexdigest())


def test_a_picture_of_a_result_is_its_exact_bytes(tmp_path: Path) -> None:
    """As they were received; a result of one picture is that picture."""
    made = result(tmp_path, PNG + b"caBX")

    assert of_value(made[0], "r[0]").image.data == PNG + b"caBX"
    assert of_value(made, "r").image.data == PNG + b"caBX"
    assert of_value(made.pictures, "r").image.data == PNG + b"caBX"


def test_what_has_bytes_and_a_digest_is_a_picture() -> None:
    """It is known by what it has, not by its type."""
    assert of_value(SimpleNamespace(bytes=PNG, sha256="0"), "x").image.data == PNG


@pytest.mark.parametrize(("count", "hint"), [(0, ReferenceUnreadable.default_hint), (3, "Pick one: r[0] to r[2].")])
def test_a_result_of_several_pictures_is_not_guessed_from(tmp_path: Path, count: int, hint: str) -> None:
    """The person picks one."""
    made = result(tmp_path, *(picture(colour) for colour in ("red", "green", "blue")[:count]))
    error = refused(made, "r")

    assert error.message == f"r holds {count or 'no'} pictures, where one is needed."
    assert error.hint == hint


def test_a_picture_whose_file_is_gone_is_refused(tmp_path: Path) -> None:
    """With the path where it was."""
    made = result(tmp_path, PNG)
    made[0].path.unlink()

    assert str(made[0].path) in refused(made[0]).message


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300)])
def test_a_pil_image_is_sent_as_a_png_of_exactly_its_pixels(mode: str, size: tuple[int, int]) -> None:
    """Mode, size and every pixel."""
    image = Pillow.effect_noise(size, 90).convert("L" if mode == "I;16" else mode)
    image = Pillow.fromarray(np.asarray(image).astype("uint16") * 257) if mode == "I;16" else image
    sent = decoded(of_value(image, "x"))

    assert (sent.mode, sent.size) == (mode, size)
    assert sent.tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
        ("HSV", "RGB"),
        ("LAB", "RGB"),
        ("RGBX", "RGB"),
        ("PA", "RGBA"),
        ("RGBa", "RGBA"),
        ("La", "LA"),
        ("I;16L", "I;16"),
        ("I;16N", "I;16"),
    ],
)
def test_a_mode_that_png_has_not_is_converted(mode: str, expected: str) -> None:
    """To the nearest that it has, and without the colour profile of the mode before."""
    image = Pillow.new(mode, (4, 3))
    image.info["icc_profile"] = b"of other colours"
    sent = decoded(of_value(image, "x"))

    assert (sent.mode, sent.size) == (expected, (4, 3))
    assert sent.tobytes() == image.convert(expected).tobytes()
    assert "icc_profile" not in sent.info


def test_a_transparent_colour_stays_transparent() -> None:
    """A mask may be made of one."""
    image = Pillow.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.info["transparency"] = 1

    assert decoded(of_value(image, "x")).convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_of_a_moving_picture_the_frame_that_it_stands_at_is_sent() -> None:
    """One picture, as the person sees it."""
    buffer = BytesIO()
    frames = [Pillow.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    moving = Pillow.open(buffer)
    moving.seek(1)
    sent = decoded(of_value(moving, "x"))

    assert sent.convert("RGB").getpixel((0, 0)) == (0, 0, 255)
    assert getattr(sent, "n_frames", 1) == 1


def test_a_pil_image_that_has_no_pixels_is_refused() -> None:
    """Closed, cut or empty."""
    closed, cut = Pillow.open(BytesIO(PNG)), Pillow.open(BytesIO(PNG[:-40]))
    closed.close()
    for image in (closed, cut, Pillow.new("RGB", (0, 3))):
        assert refused(image).message.startswith("otter cannot be written as PNG: ")


@pytest.mark.parametrize(
    ("shape", "mode"), [((2, 3), "L"), ((2, 3, 3), "RGB"), ((2, 3, 4), "RGBA"), ((4, 3), "L"), ((3, 4, 3), "RGB")]
)
@held
@given(st.data())
def test_an_array_of_bytes_is_sent_as_it_is(shape: tuple[int, ...], mode: str, data: st.DataObject) -> None:
    """Height first, channels last, every level as it stands."""
    count = int(np.prod(shape))
    pixels = np.frombuffer(data.draw(st.binary(min_size=count, max_size=count)), "uint8").reshape(shape)
    sent = decoded(of_value(pixels, "x"))

    assert (sent.mode, sent.size) == (mode, (shape[1], shape[0]))
    assert np.array_equal(np.asarray(sent), pixels)


def test_an_array_in_another_order_is_sent_as_it_is_indexed() -> None:
    """A view that is turned, cut or mirrored."""
    pixels = np.arange(4 * 6 * 3, dtype="uint8").reshape(3, 6, 4).transpose(2, 1, 0)[::-1, ::2]

    assert np.array_equal(np.asarray(decoded(of_value(pixels, "x"))), pixels)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "longdouble"])
def test_floats_from_zero_to_one_are_scaled(kind: str) -> None:
    """0 is black, 1 is white, and a level that was divided by 255 comes back."""
    levels = np.arange(256, dtype="uint8").reshape(16, 16)
    sent = decoded(of_value((levels / 255).astype(kind), "x"))

    assert np.array_equal(np.asarray(sent), levels)


def test_a_boolean_array_is_black_and_white() -> None:
    """As masks are often made."""
    mask = np.array([[True, False], [False, True]])

    assert np.asarray(decoded(of_value(mask, "x"))).tolist() == [[255, 0], [0, 255]]


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((2, 2), "int64"), "holds numbers of the type int64"),
        (np.zeros((2, 2), "uint16"), "holds numbers of the type uint16"),
        (np.zeros((2, 2), "complex64"), "holds numbers of the type complex64"),
        (np.array([["a"]]), "holds numbers of the type <U1"),
        (np.array([[None]]), "holds numbers of the type object"),
        (np.full((2, 2), 255.0), "holds floats from 255 to 255"),
        (np.array([[-0.5, 1]]), "holds floats from -0.5 to 1"),
        (np.array([[0, np.nan]]), "holds floats from nan to nan"),
        (np.array([[0, np.inf]]), "holds floats from 0 to inf"),
        (Pillow.new("I", (2, 2)), "holds numbers of the type int32"),
        (Pillow.new("F", (2, 2), 255.0), "holds floats from 255 to 255"),
    ],
)
def test_levels_that_could_mean_anything_are_not_guessed(pixels: object, said: str) -> None:
    """A wrong guess is a picture that is paid for and black."""
    error = refused(pixels)

    assert error.message == f"otter {said}."
    assert "floats" in error.hint.lower()


def test_a_pil_image_of_floats_follows_the_rule_of_arrays() -> None:
    """From 0 to 1."""
    assert decoded(of_value(Pillow.new("F", (1, 1), 1.0), "x")).getpixel((0, 0)) == 255


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((), "of a single number"),
        ((5,), "5"),
        ((4, 4, 1), "4 × 4 × 1"),
        ((4, 4, 2), "4 × 4 × 2"),
        ((1, 4, 4, 3), "1 × 4 × 4 × 3"),
        ((0, 4), "0 × 4"),
        ((4, 0, 3), "4 × 0 × 3"),
    ],
)
def test_an_array_of_another_shape_is_refused(shape: tuple[int, ...], said: str) -> None:
    """With the shapes that are pictures."""
    error = refused(np.zeros(shape, "uint8"))

    assert error.message == f"otter has the shape {said}, which is no picture's."
    assert error.hint == "A picture is height × width, or height × width × 3 (RGB) or 4 (RGBA)."


@pytest.mark.parametrize("channels", [3, 4])
def test_an_array_with_its_channels_first_is_told_how_to_turn(channels: int) -> None:
    """As tensors are kept; what the hint says works."""
    pixels = np.zeros((channels, 5, 6), "uint8")

    assert refused(pixels).hint.endswith("numpy.moveaxis(otter, 0, -1) puts the channels last.")
    assert of_value(np.moveaxis(pixels, 0, -1), "x").image.width == 6


class Tensor:
    """Something that numpy can read, unless it says why not."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def __array__(self, dtype: object = None, copy: object = None) -> Any:
        """The pixels."""
        if self.error is not None:
            raise self.error
        return np.full((2, 3), 7, "uint8")


class Interface:
    """Something that describes its memory in numpy's way."""

    def __init__(self) -> None:
        self.pixels = np.full((2, 3), 7, "uint8")
        self.__array_interface__ = self.pixels.__array_interface__


@pytest.mark.parametrize("value", [Tensor(), Interface()])
def test_what_numpy_can_read_is_an_array(value: object) -> None:
    """Tensors in the memory of this machine, without their library."""
    assert np.asarray(decoded(of_value(value, "x"))).tolist() == [[7, 7, 7]] * 2


@pytest.mark.parametrize("kind", [TypeError, ValueError, RuntimeError])
def test_a_tensor_that_is_elsewhere_says_so(kind: type[Exception]) -> None:
    """In its library's own words, which name the way out."""
    error = refused(Tensor(kind("Use tensor.cpu() first.")))

    assert error.message == "otter gives no array: Use tensor.cpu() first."


class Figure:
    """As much of a Matplotlib figure as is asked for."""

    def savefig(self, target: BytesIO, *, format: str) -> None:  # noqa: A002  (Matplotlib's name)
        """Write a picture."""
        target.write(picture("red", name=format.upper()))


def test_a_figure_is_sent_as_it_is_saved() -> None:
    """As PNG; the module that draws it is no figure."""
    assert of_value(Figure(), "x").image.data == picture("red")

    pyplot = ModuleType("pyplot")
    vars(pyplot)["savefig"] = Figure().savefig
    assert refused(pyplot).message == "otter is of the type module, which holds no picture."


def test_an_image_for_display_is_sent_as_it_is() -> None:
    """IPython's own, where it has bytes; one that only points to an address has none."""
    show: Any = Displayed

    assert of_value(show(data=PNG), "x").image.data == PNG
    assert refused(show(url="https://h/x.png")).message == (
        "otter is of the type IPython.core.display.Image, which holds no picture."
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "NoneType"),
        (7, "int"),
        ("otter.png", "str"),
        ([1, 2], "list"),
        (["otter.png"], "list"),
        ({"a": PNG}, "dict"),
        (object(), "object"),
        (Path, "type"),
        (SimpleNamespace(sha256="0"), "types.SimpleNamespace"),
        (SimpleNamespace(data="text"), "types.SimpleNamespace"),
    ],
)
def test_any_other_value_is_refused_with_its_type(value: object, kind: str) -> None:
    """And the hint says what is taken."""
    error = refused(value)

    assert error.message == f"otter is of the type {kind}, which holds no picture."
    assert "PIL image" in error.hint


@held
@given(st.binary())
def test_any_bytes_are_a_reference_or_refused(data: bytes) -> None:
    """Whatever a variable holds, it is sent unchanged or not at all."""
    try:
        sent = of_value(data, "x").image.data
    except ReferenceUnreadable:
        assert sniff(data) is None
    else:
        assert sent == data


def test_bytes_that_are_no_picture_are_refused() -> None:
    """With what is known."""
    assert refused(b"").message == "otter is empty."
    error = refused(b"\x00\x00\x00\x18ftypheic")
    assert error.message == "otter is no picture that is known here (12 bytes)."
    assert "convert it" in error.hint


def test_bytes_need_no_library() -> None:
    """Pillow and numpy are loaded for what is no bytes."""
    code = (
        "import sys; from pathlib import Path; from jupyter_imagegen.references import of_file, of_value\n"
        "of_value(b'GIF89a' + bytes(10), 'x'); Path('x.gif').write_bytes(b'GIF89a'); of_file(Path('x.gif'))\n"
        "sys.exit(bool({'PIL', 'numpy', 'torch', 'matplotlib'} & set(sys.modules)))"
    )
    root = Path(references.__file__).parents[1]

    assert (
        subprocess.run(
            [sys.executable, "-c", code], check=False, env={**os.environ, "PYTHONPATH": str(root)}
        ).returncode
        == 0
    )


# --- files


def test_a_file_is_sent_byte_for_byte(tmp_path: Path) -> None:
    """Under its own name, without the folders of this machine."""
    (tmp_path / "otter.png").write_bytes(PNG + b"caBX")
    reference = of_file(tmp_path / "otter.png")

    assert (reference.image.data, reference.name) == (PNG + b"caBX", "otter.png")


def test_a_file_in_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is where a shell looks for it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "otter.png").write_bytes(PNG)

    assert of_file(Path("~/otter.png")).image.data == PNG
    with pytest.raises(ReferenceUnreadable, match=r"Did you mean 'otter\.png'\?"):
        of_file(Path("~/oter.png"))


def unreadable(path: Path) -> ReferenceUnreadable:
    """The error that a file is refused with."""
    with pytest.raises(ReferenceUnreadable) as caught:
        of_file(path)
    return caught.value


def test_a_missing_file_is_told_with_its_neighbours(tmp_path: Path) -> None:
    """The nearest names of that folder; where there is no such folder, none."""
    for name in ("otter.png", "zebra.jpeg", "otters.txt"):
        (tmp_path / name).write_bytes(PNG)

    said = unreadable(tmp_path / "oter.png").message
    assert said.startswith(f"There is no file {tmp_path}/oter.png. Did you mean 'otter.png'")
    assert "zebra" not in said
    assert unreadable(tmp_path / "nowhere" / "otter.png").message == f"There is no file {tmp_path}/nowhere/otter.png."


def test_a_folder_of_many_files_is_not_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt name is no reason to read a hundred thousand others."""
    monkeypatch.setattr(references, "_MOST_NEIGHBOURS", 0)
    (tmp_path / "otter.png").write_bytes(PNG)

    assert unreadable(tmp_path / "oter.png").message == f"There is no file {tmp_path}/oter.png."


def test_what_is_no_picture_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A folder, an empty file, a text, a file as a folder, a name that no file has."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.png").write_text("an otter")
    said = [
        unreadable(path).message
        for path in (
            tmp_path,
            tmp_path / "empty.png",
            tmp_path / "notes.png",
            tmp_path / "notes.png" / "x",
            tmp_path / ("x" * 300),
            Path("a\0b"),
            Path("~nobody-of-this-name/x.png"),
        )
    ]

    assert said == [
        f"{tmp_path} is a folder.",
        "empty.png is empty.",
        "notes.png is no picture that is known here (8 bytes).",
        f"Cannot read {tmp_path}/notes.png/x: Not a directory.",
        f"Cannot read {tmp_path}/{'x' * 300}: File name too long.",
        "Cannot read a\0b: no file has such a name.",
        "Cannot read ~nobody-of-this-name/x.png: Could not determine home directory.",
    ]


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the system's own words."""
    path = tmp_path / "otter.png"
    path.write_bytes(PNG)

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)

    assert unreadable(path).message == f"Cannot read {path}: Permission denied."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It would hold the notebook until someone writes into it."""
    os.mkfifo(tmp_path / "pipe.png")

    assert unreadable(tmp_path / "pipe.png").message == f"{tmp_path}/pipe.png is no file but a device or a pipe."


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more than is taken; as much as is taken is read."""
    assert LARGEST == 64 * 2**20
    monkeypatch.setattr(references, "LARGEST", 2**20)
    path = tmp_path / "otter.png"
    path.write_bytes(PNG.ljust(2**20, b"\0"))
    assert len(of_file(path).image.data) == 2**20

    path.write_bytes(PNG.ljust(2**20 + 1, b"\0"))
    assert unreadable(path).message == f"{path} has more than 1 MiB."


def test_half_a_character_in_a_file_name_can_be_written_down(tmp_path: Path) -> None:
    """The journal is UTF-8; file names are whatever they are."""
    path = tmp_path / os.fsdecode(b"ott\xe9r.png")
    try:
        path.write_bytes(PNG)
    except OSError:
        pytest.skip("this file system has no such names")

    assert of_file(path).name == "ott?r.png"
    unreadable(tmp_path / os.fsdecode(b"\xe9.png")).message.encode()


# --- names


def test_a_variable_gives_its_picture() -> None:
    """Under the variable's name; with [i], one of what it holds."""
    reds, blues = Pillow.new("RGB", (2, 2), "red"), Pillow.new("RGB", (3, 3), "blue")
    space = {"pic": reds, "pics": [reds, blues], "by_number": {3: blues}}

    found = [of_name(text, space) for text in ("pic", "pics[0]", "pics[-1]", "by_number[3]")]

    assert [(it.name, it.image.width) for it in found if isinstance(it, Reference)] == [
        ("pic", 2),
        ("pics[0]", 2),
        ("pics[-1]", 3),
        ("by_number[3]", 3),
    ]


@pytest.mark.parametrize("value", ["figures/otter.png", Path("figures/otter.png"), PurePosixPath("figures/otter.png")])
def test_a_variable_that_holds_a_path_gives_its_text(value: object) -> None:
    """Alone and in a list; it is read later, like a path that was typed."""
    assert of_name("path", {"path": value}) == "figures/otter.png"
    assert of_name("paths[1]", {"paths": ["x", value]}) == "figures/otter.png"


@pytest.mark.parametrize(
    "text",
    [
        "otter",
        "otter.png",
        "./pic",
        "pic.png",
        "pic[0].png",
        "pic[a]",
        "pic[]",
        "pic[0][1]",
        "pic[0:1]",
        "pic()",
        "pic [0]",
        "",
        RECORD,
        f"{RECORD}[0]",
        "pic[99999999999]",
    ],
)
def test_what_is_no_variable_stays_a_text(text: str) -> None:
    """Nothing is evaluated: a path or a record id, which is decided later."""
    assert of_name(text, {"pic": PNG}) == text


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("pic", 7, "pic is of the type int, which holds no picture."),
        ("pic[2]", [PNG], "There is no pic[2]: list has nothing at [2]."),
        ("pic[-2]", [PNG], "There is no pic[-2]: list has nothing at [-2]."),
        ("pic[0]", {}, "There is no pic[0]: dict has nothing at [0]."),
        ("pic[0]", 7, "There is no pic[0]: int has nothing at [0]."),
        ("pic[0]", [7], "pic[0] is of the type int, which holds no picture."),
    ],
)
def test_a_variable_without_a_picture_is_refused(text: str, value: object, said: str) -> None:
    """It is not taken for the name of a file: the variable was meant."""
    with pytest.raises(ReferenceUnreadable) as caught:
        of_name(text, {"pic": value})

    assert caught.value.message == said


@held
@given(st.text(), st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_any_text_is_a_name_or_itself(text: str, space: dict[str, object]) -> None:
    """Whatever is typed, nothing but a text or the sentence of a refusal comes of it."""
    with suppress(ReferenceUnreadable):
        assert isinstance(of_name(text, space), str)
    with suppress(ReferenceUnreadable):
        of_file(Path(text))


# --- records


def test_the_id_of_a_call_is_known() -> None:
    """As the journal makes them."""
    made = new_id()

    assert is_record(made)
    assert split_record(made) == (made, None)


@pytest.mark.parametrize(("text", "place"), [(RECORD, None), (f"{RECORD}[0]", 0), (f"{RECORD}[-1]", -1)])
def test_an_id_may_name_one_of_its_pictures(text: str, place: int | None) -> None:
    """By its place, from 0."""
    assert is_record(text)
    assert split_record(text) == (RECORD, place)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "otter.png",
        f"{RECORD}.png",
        f" {RECORD}",
        f"{RECORD}\n",
        f"{RECORD}[]",
        f"{RECORD}[a]",
        f"{RECORD}[0]\n",
        RECORD[:-1],
        RECORD.upper(),
        RECORD.replace("2", "٢"),
    ],
)
def test_another_text_is_no_id(text: str) -> None:
    """A path is not taken for one."""
    assert not is_record(text)
    with pytest.raises(ReferenceUnreadable, match="not the id of a call"):
        split_record(text)


def test_a_reference_is_a_value() -> None:
    """Two of the same bytes and name are equal, and neither changes."""
    one, other = of_value(PNG, "x"), of_value(bytearray(PNG), "x")

    assert one == other
    assert hash(one) == hash(other)
    assert isinstance(one.image, Image)
    with pytest.raises(AttributeError):
        one.name = "y"  # type: ignore[misc]
