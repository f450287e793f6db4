"""The history survives: a restart, two kernels at once, kill -9 in mid-call, a store that goes away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from support.gateway import Asked, Gateway, Hang, Said
from support.kernels import Kernel
from support.pictures import answer, picture


def paint(gateway: Gateway, prompt: str) -> str:
    """A cell that makes one picture."""
    return f"%%imagegen --base-url {gateway.url} --quiet\n{prompt}"


def test_a_restart_keeps_the_history(kernel: Kernel, gateway: Gateway) -> None:
    """What one session made, the next one lists, with files whose bytes have the recorded hash."""
    kernel.run(paint(gateway, "before"))
    kernel.restart()
    kernel.run("%load_ext jupyter_imagegen\nimport jupyter_imagegen as ig")
    kernel.run(paint(gateway, "after"))
    found = kernel.value("ig.history()[['prompt', 'status', 'path', 'sha256']].values.tolist()")
    assert [row[:2] for row in found] == [["before", "ok"], ["after", "ok"]]
    assert all(hashlib.sha256(Path(row[2]).read_bytes()).hexdigest() == row[3] for row in found)


def test_two_kernels_write_at_once_and_nothing_is_lost(start_kernel: Callable[..., Kernel], gateway: Gateway) -> None:
    """Twenty calls from two kernels into one store: twenty rows, a segment for each kernel, every line whole."""
    kernels = [start_kernel(), start_kernel()]
    code = f"for i in range(10): ig.generate(f'{{i}}', base_url='{gateway.url}')"
    sent = [kernel.send(code) for kernel in kernels]
    for kernel, message in zip(kernels, sent, strict=True):
        assert kernel.finish(message).status == "ok"
    for kernel in kernels:
        assert kernel.value("ig.history().status.value_counts().to_dict()") == {"ok": 20}
    segments = sorted(kernels[0].folder.glob("imagegen/journal/*.jsonl"))
    assert len(segments) == 2
    assert all(json.loads(line) for path in segments for line in path.read_text().splitlines())


def test_a_call_that_another_kernel_is_making_is_running(start_kernel: Callable[..., Kernel], gateway: Gateway) -> None:
    """While its kernel lives, an open call is `running`, there and in a second kernel."""
    first, second = start_kernel(), start_kernel()
    gateway.rule = lambda _: Hang()
    sent = first.send(paint(gateway, "an otter"))
    gateway.wait_for_request()
    assert second.value("ig.history().status.tolist()") == ["running"]
    first.interrupt()
    first.finish(sent)
    assert second.value("ig.history().status.tolist()") == ["cancelled"]


def test_kill_9_in_mid_call_leaves_a_call_that_is_unknown(
    start_kernel: Callable[..., Kernel], gateway: Gateway
) -> None:
    """The call line was durable before the POST; without an end it reads unknown, and may have been charged."""
    kernel = start_kernel()
    kernel.run(paint(gateway, "kept"))
    gateway.rule = lambda _: Hang()
    kernel.send(paint(gateway, "lost"))
    gateway.wait_for_request()
    gateway.wait_for_request()
    kernel.kill()
    assert gateway.hung_up.wait(10)
    other = start_kernel()
    assert other.value("ig.history()[['prompt', 'status']].values.tolist()") == [["kept", "ok"], ["lost", "unknown"]]
    assert "may have been charged" in other.value("ig.history().error.iloc[-1]")


def test_the_call_line_is_on_disk_before_the_post_arrives(kernel: Kernel, gateway: Gateway) -> None:
    """What the server sees has been written down already, under the id that the POST carries."""
    seen: list[str] = []

    def rule(asked: Asked) -> Said:
        (segment,) = kernel.folder.glob("imagegen/journal/*.jsonl")
        call = json.loads(segment.read_text().splitlines()[-1])
        seen.extend([call["event"], call["id"], asked.headers["idempotency-key"]])
        return Said(answer(picture()))

    gateway.rule = rule
    kernel.run(paint(gateway, "an otter"))
    assert seen[0] == "call"
    assert seen[1] == seen[2]


def test_a_store_that_cannot_be_written_costs_nothing(kernel: Kernel, gateway: Gateway) -> None:
    """The error comes before the POST."""
    (kernel.folder / "plain").write_text("a file where the folder should be")
    kernel.run("%config ImageGen.store = 'plain'")
    done = kernel.run(paint(gateway, "an otter"))
    assert done.ename == "StoreError"
    assert gateway.asked == []


def test_a_store_that_was_removed_is_made_again(kernel: Kernel, gateway: Gateway) -> None:
    """Lines are not written into a file that nobody can find any more."""
    kernel.run(paint(gateway, "before"))
    kernel.run("import shutil; shutil.rmtree('imagegen')")
    kernel.run(paint(gateway, "after"))
    assert kernel.value("ig.history().prompt.tolist()") == ["after"]


def test_a_change_of_folder_does_not_split_the_history(kernel: Kernel, gateway: Gateway) -> None:
    """The store stays where the kernel started."""
    kernel.run(paint(gateway, "before"))
    kernel.run("import os; os.mkdir('elsewhere'); os.chdir('elsewhere')")
    kernel.run(paint(gateway, "after"))
    assert kernel.value("ig.history().prompt.tolist()") == ["before", "after"]
    assert not (kernel.folder / "elsewhere" / "imagegen").exists()


def test_the_history_is_of_this_notebook_where_it_knows_its_name(
    start_kernel: Callable[..., Kernel], gateway: Gateway
) -> None:
    """JPY_SESSION_NAME names the notebook; another one's calls are listed by its name or with notebook=None."""
    first, second = start_kernel(), start_kernel()
    for kernel, name in ((first, "one.ipynb"), (second, "two.ipynb")):
        kernel.run(f"import os; os.environ['JPY_SESSION_NAME'] = os.path.abspath('{name}')")
        kernel.run(paint(gateway, name))
    assert first.value("ig.history()[['notebook', 'prompt']].values.tolist()") == [["one.ipynb", "one.ipynb"]]
    assert first.value("ig.history(notebook='two.ipynb').prompt.tolist()") == ["two.ipynb"]
    assert "the store has 2 calls" in first.run("ig.history(notebook='three.ipynb')").text
    assert len(first.value("ig.history(notebook=None).id.tolist()")) == 2
    assert first.run("%imagegen_history --all").with_mime("text/html")
