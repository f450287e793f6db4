"""Where a cell is used: plain, under other magics, in functions, loops, callbacks and awaits."""

from __future__ import annotations

import base64
import json
import threading
from io import BytesIO

import pytest
from PIL import Image
from support.gateway import Asked, Gateway, Said
from support.kernels import Kernel
from support.pictures import answer, complaint, picture


def cell(gateway: Gateway, options: str = "", prompt: str = "an otter") -> str:
    """A %%imagegen cell against the gateway."""
    return f"%%imagegen --base-url {gateway.url} {options}\n{prompt}"


def test_a_cell_shows_its_picture_and_is_worth_its_result(kernel: Kernel, gateway: Gateway) -> None:
    """The picture is in the outputs, the Result in `_` and Out, the bytes on disk those that were sent."""
    done = kernel.run(cell(gateway, "-m m"))
    assert done.status == "ok"
    assert done.with_mime("image/")
    assert kernel.value("[type(_).__name__, len(_), str(_[0].path.name), _[0].sha256]")[:2] == ["Result", 1]
    assert kernel.value("type(Out[2]).__name__") == "Result"
    sent = picture()
    assert kernel.value("list(Out[2][0].bytes)") == list(sent)


def test_a_record_knows_its_cell(kernel: Kernel, gateway: Gateway) -> None:
    """The number of the prompt, and the cell's id where the front end sends one."""
    kernel.finish(kernel.send(cell(gateway)))
    kernel.finish(kernel.send(cell(gateway), cell_id="the-cell"))
    assert kernel.value("ig.history().execution_count.tolist()") == [2, 3]
    assert kernel.value("ig.history().cell_id.fillna('none').tolist()") == ["none", "the-cell"]


def test_the_request_is_what_was_typed_and_nothing_else(kernel: Kernel, gateway: Gateway) -> None:
    """One POST to the endpoint's path, with the model, the prompt and the options given."""
    kernel.run(
        cell(gateway, '-m gpt-image-2 --size 1536x1024 --quality "high" --param steps=3', "{a} $b C:\\new\\t %d")
    )
    (asked,) = gateway.asked
    assert asked.path == "/v1/images/generations"
    assert asked.json == {
        "model": "gpt-image-2",
        "prompt": "{a} $b C:\\new\\t %d",
        "size": "1536x1024",
        "quality": "high",
        "steps": 3,
    }
    assert "authorization" not in asked.headers


def test_a_notebook_variable_fills_the_prompt(kernel: Kernel, gateway: Gateway) -> None:
    """{{name}} takes the variable; template, values and rendered prompt are recorded."""
    kernel.run("artist = 'Hokusai'")
    kernel.run(cell(gateway, "", "an otter after {{artist}}"))
    assert gateway.asked[0].json["prompt"] == "an otter after Hokusai"
    row = kernel.value("ig.history().iloc[-1][['template', 'variables', 'prompt']].tolist()")
    assert row == ["an otter after {{artist}}", {"artist": "Hokusai"}, "an otter after Hokusai"]


def test_the_line_form_returns_a_result_and_shows_nothing_when_assigned(kernel: Kernel, gateway: Gateway) -> None:
    """`r = %imagegen …` binds the Result and leaves no output."""
    done = kernel.run(f"r = %imagegen --base-url {gateway.url} a cat's hat, two  blanks")
    assert (done.status, done.outputs) == ("ok", [])
    assert gateway.asked[0].json == {"prompt": "a cat's hat, two  blanks"}
    assert kernel.value("len(r)") == 1


@pytest.mark.parametrize("assigned", ["", "r = "])
def test_a_line_may_end_in_a_question_mark(kernel: Kernel, gateway: Gateway, assigned: str) -> None:
    """IPython takes such a line as a call for help; here it is a prompt, and %imagegen? still is help."""
    assert kernel.run(f"{assigned}%imagegen --base-url {gateway.url} is it a cat?").status == "ok"
    assert [asked.json["prompt"] for asked in gateway.posts] == ["is it a cat?"]
    assert kernel.run("%imagegen?").status == "ok"
    assert len(gateway.posts) == 1


def test_into_binds_the_result(kernel: Kernel, gateway: Gateway) -> None:
    """--into NAME leaves the Result in that variable, and the picture is shown all the same."""
    done = kernel.run(cell(gateway, "--into otter"))
    assert done.with_mime("image/")
    assert kernel.value("[otter[0].width, otter[0].height, otter.record.status]") == [64, 48, "ok"]


def test_quiet_shows_nothing_and_still_returns(kernel: Kernel, gateway: Gateway) -> None:
    """--quiet leaves no output; the Result is in `_` and can be shown later."""
    done = kernel.run(cell(gateway, "--quiet"))
    assert (done.status, done.outputs) == ("ok", [])
    assert kernel.value("len(_)") == 1
    assert kernel.run("Out[2].show()").with_mime("image/")
    assert kernel.run(cell(gateway, "--quiet --into otter")).outputs == []
    assert kernel.run("otter").with_mime("image/")


def test_inline_none_leaves_the_caption_only(kernel: Kernel, gateway: Gateway) -> None:
    """--inline none puts no picture into the notebook."""
    done = kernel.run(cell(gateway, "--inline none"))
    assert not done.with_mime("image/")
    assert "imagegen/images/an-otter-" in done.text


def test_inline_full_shows_the_bytes_themselves(kernel: Kernel, gateway: Gateway) -> None:
    """--inline full puts the original into the notebook."""
    (shown,) = kernel.run(cell(gateway, "--inline full")).with_mime("image/png")
    assert base64.b64decode(shown["data"]["image/png"]) == picture()


def test_config_sets_what_goes_into_the_notebook(kernel: Kernel, gateway: Gateway) -> None:
    """%config ImageGen.inline is the default of --inline, and the option wins over it."""
    assert kernel.run("%config ImageGen.inline = 'none'").status == "ok"
    assert not kernel.run(cell(gateway)).with_mime("image/")
    assert kernel.run(cell(gateway, "--inline preview")).with_mime("image/")


def test_a_dry_run_shows_the_requests_and_sends_nothing(kernel: Kernel, gateway: Gateway) -> None:
    """--dry-run shows body and number of calls."""
    done = kernel.run(cell(gateway, "--dry-run -m dall-e-3 -n 2 --size 1024x1024"))
    assert "2 calls" in done.text
    assert json.dumps("an otter") in done.text
    assert gateway.asked == []


def test_save_writes_the_pictures_where_they_are_wanted(kernel: Kernel, gateway: Gateway) -> None:
    """--save takes a folder, a name, and a pattern with {n}."""
    gateway.rule = lambda _: Said(answer(picture("red"), picture("blue")))
    assert kernel.run(cell(gateway, "--save figures/otter-{n}.png -n 2")).status == "ok"
    assert kernel.run(cell(gateway, "--save all/ -n 2")).status == "ok"
    code = "import pathlib; w = lambda d: sorted(p.name for p in pathlib.Path(d).iterdir())"
    kernel.run(code)
    assert kernel.value("w('figures')") == ["otter-0.png", "otter-1.png"]
    assert kernel.value("len(w('all'))") == 2


def test_more_pictures_than_the_model_takes_become_concurrent_calls(kernel: Kernel, gateway: Gateway) -> None:
    """Three from dall-e-3, which takes one: three POSTs under way together, one grid, three rows."""
    together = threading.Barrier(3, timeout=20)

    def rule(_: Asked) -> Said:
        together.wait()
        return Said(answer(picture()))

    gateway.rule = rule
    done = kernel.run(cell(gateway, "-m dall-e-3 -n 3"))
    assert done.status == "ok"
    assert len(gateway.posts) == 3
    assert [asked.json["n"] for asked in gateway.posts] == [1, 1, 1]
    assert len({asked.headers["idempotency-key"] for asked in gateway.posts}) == 3
    assert len(done.with_mime("image/")) == 1
    assert kernel.value("ig.history().image_index.tolist()") == [0, 1, 2]


@pytest.mark.parametrize(
    "wrapped",
    [
        "%%time\n{cell}",
        "%%capture captured\n{cell}",
        "%time r = get_ipython().run_line_magic('imagegen', '--base-url {url} an otter')",
        "def paint():\n    return {magic}\nr = paint()",
        "async def paint():\n    return {magic}\nr = await paint()",
        "r = get_ipython().run_cell({cell!r})",
        "r = ig.generate('an otter', base_url='{url}')",
        "for _ in range(1):\n    r = ig.generate('an otter', base_url='{url}')",
        "r = await ig.agenerate('an otter', base_url='{url}')",
        "import asyncio\nr = await asyncio.gather(ig.agenerate('an otter', base_url='{url}'))",
        "%autoawait off\nr = ig.generate('an otter', base_url='{url}')",
    ],
)
def test_the_same_call_works_wherever_it_stands(kernel: Kernel, gateway: Gateway, wrapped: str) -> None:
    """Under %%time and %%capture, in functions, loops and coroutines: one POST, one row that is ok."""
    magic = f"get_ipython().run_cell_magic('imagegen', '--base-url {gateway.url}', 'an otter')"
    done = kernel.run(wrapped.format(cell=cell(gateway), magic=magic, url=gateway.url))
    assert done.status == "ok", done
    assert len(gateway.posts) == 1
    assert kernel.value("ig.history().status.tolist()") == ["ok"]


def test_what_capture_captured_holds_the_picture(kernel: Kernel, gateway: Gateway) -> None:
    """%%capture keeps the picture as an output that can be shown."""
    kernel.run(f"%%capture captured\n{cell(gateway)}")
    assert kernel.run("captured.show()").with_mime("image/")


@pytest.mark.parametrize("magic", ["%%timeit", "%%timeit -n1 -r1"])
def test_timeit_sends_nothing_that_costs(kernel: Kernel, gateway: Gateway, magic: str) -> None:
    """Timeit would pay for every loop: it is refused with a sentence, and nothing is sent."""
    done = kernel.run(f"{magic}\n{cell(gateway)}")
    assert (done.status, done.ename) == ("error", "TimedRun")
    assert gateway.asked == []


def test_timeit_may_time_the_embedded_endpoint(kernel: Kernel) -> None:
    """What costs nothing may be timed."""
    done = kernel.run("%%timeit -n1 -r2\nig.generate('an otter', provider='sketch', size='64x64', quiet=True)")
    assert done.status == "ok", done
    assert len(kernel.value("ig.history().status.tolist()")) >= 2


def test_nested_loops_make_a_scripts_asyncio_run_legal(kernel: Kernel, gateway: Gateway) -> None:
    """With the setting on, asyncio.run(ig.agenerate(...)) works in a cell, and top-level await still does."""
    code = f"import asyncio; r = asyncio.run(ig.agenerate('an otter', base_url='{gateway.url}'))"
    assert kernel.run(code).ename == "RuntimeError"
    assert kernel.run("%config ImageGen.nested_loops = True").status == "ok"
    assert kernel.run(code).status == "ok"
    assert kernel.run(f"r = await ig.agenerate('another', base_url='{gateway.url}')").status == "ok"
    assert len(gateway.posts) == 2


def test_a_widget_callback_generates(kernel: Kernel, gateway: Gateway) -> None:
    """A click calls ig.generate, which blocks as it does everywhere; the record is made."""
    done = kernel.run(
        "import ipywidgets\nbutton = ipywidgets.Button()\n"
        f"button.on_click(lambda _: globals().update(r=ig.generate('an otter', base_url='{gateway.url}')))\n"
        "print(button.model_id)"
    )
    model = done.text.strip()
    kernel.finish_message(kernel.comm({"comm_id": model, "data": {"method": "custom", "content": {"event": "click"}}}))
    assert kernel.value("len(r)") == 1
    assert len(gateway.posts) == 1
    assert kernel.value("ig.history().execution_count.isna().tolist()") == [True]


@pytest.mark.parametrize(
    ("line", "ename", "says"),
    [
        ("--sise 1x1", "OptionError", "--size"),
        ("--qual low", "OptionError", "--quality"),
        ("--size 1x1 --size 2x2", "OptionError", "twice"),
        ("--api-key sk-0123456789abcdefghijklmnop", "KeyInCell", "no option for a key"),
        ("-n 0", "OptionError", "whole number"),
        ("words", "OptionError", "not an option"),
        ('--note "open', "OptionError", "not closed"),
        ("-p nosuch", "SettingsError", "nosuch"),
        ("-p openai", "KeyMissing", "OPENAI_API_KEY"),
    ],
)
def test_what_cannot_be_meant_is_an_error_before_anything_is_sent(
    kernel: Kernel, gateway: Gateway, line: str, ename: str, says: str
) -> None:
    """Two or three lines say what is wrong; no POST, no record, and no key in what is shown."""
    done = kernel.run(f"%%imagegen {line}\nan otter" if "-p" in line else cell(gateway, line))
    assert (done.status, done.ename) == ("error", ename)
    assert says in done.evalue
    assert 1 <= len(done.traceback) <= 3
    assert "sk-0123" not in json.dumps([done.outputs, done.traceback])
    assert gateway.asked == []
    assert kernel.value("len(ig.history())") == 0


def test_an_error_is_a_real_one_in_two_or_three_lines(kernel: Kernel, gateway: Gateway) -> None:
    """The cell fails with an error output, which holds message, hint and request id; the next cell runs."""
    gateway.rule = lambda _: Said(
        complaint("Your request was rejected by the safety system.", code="moderation_blocked"),
        400,
        {"x-request-id": "req_1"},
    )
    done = kernel.run(cell(gateway))
    assert (done.status, done.ename) == ("error", "Refused")
    assert len(done.traceback) == 3
    assert "req_1" in done.traceback[-1]
    assert [out["type"] for out in done.outputs] == ["error"]
    assert kernel.value("ig.history()[['status', 'error_code', 'request_id']].values.tolist()") == [
        ["refused", "moderation_blocked", "req_1"]
    ]


def test_cells_queued_behind_an_error_do_not_run(kernel: Kernel, gateway: Gateway) -> None:
    """Run All stops at the cell that failed."""
    gateway.rule = lambda _: Said(b"", 500)
    first = kernel.send(cell(gateway))
    second = kernel.send("after = 1")
    assert kernel.finish(first).ename == "ServerFailed"
    assert kernel.finish_aborted(second) == "aborted"
    assert len(gateway.posts) == 1


def test_the_elapsed_seconds_are_shown_and_taken_away(kernel: Kernel, gateway: Gateway) -> None:
    """A call that takes over a second says so in one display, which is blank once the picture is there."""
    go = threading.Event()

    def rule(_: Asked) -> Said:
        go.wait(20)
        return Said(answer(picture()))

    gateway.rule = rule
    sent = kernel.send(cell(gateway, "-m slow"))
    message = kernel.wait_for_message(sent, "display_data")
    go.set()
    done = kernel.finish(sent)
    assert "slow at custom: 1 s" in message["content"]["data"]["text/plain"]
    updates = [m["content"]["data"]["text/plain"] for m in done.all_messages if m["msg_type"] == "update_display_data"]
    assert updates[-1] == ""


def test_no_markup_from_a_server_reaches_the_notebook(kernel: Kernel, gateway: Gateway) -> None:
    """A revised prompt, an error and a model name with markup in them are escaped wherever they are HTML."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    item = {"b64_json": base64.b64encode(picture()).decode(), "revised_prompt": evil}
    gateway.rule = lambda _: Said(json.dumps({"data": [item]}).encode())
    outputs = kernel.run(cell(gateway, f"-m '{evil}'", evil)).outputs
    gateway.rule = lambda _: Said(complaint(evil), 400)
    outputs += kernel.run(cell(gateway, f"-m '{evil}'", evil)).outputs
    outputs += kernel.run("ig.history()").outputs
    html = "".join(out.get("data", {}).get("text/html", "") for out in outputs)
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<img src=x" not in html


def test_a_notebook_carries_a_light_preview_and_the_store_the_original(kernel: Kernel) -> None:
    """1024×1024 from the embedded endpoint: at most 512 px and about 40 KB in the notebook, the whole on disk."""
    (shown,) = kernel.run("%%imagegen\nan otter").with_mime("image/jpeg")
    data = base64.b64decode(shown["data"]["image/jpeg"])
    assert max(Image.open(BytesIO(data)).size) == 512
    assert len(data) <= 40_000
    assert kernel.value("[_[0].width, _[0].height]") == [1024, 1024]
