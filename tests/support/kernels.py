"""Real kernels, driven as a front end drives them."""

from __future__ import annotations

import json
import queue
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Done:
    """What one cell left: its status, its outputs in order (updates applied), and its error."""

    status: str
    outputs: list[dict[str, Any]]
    ename: str = ""
    evalue: str = ""
    traceback: tuple[str, ...] = ()
    all_messages: tuple[dict[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """All plain text, streams included."""
        return "\n".join(str(out.get("text") or out.get("data", {}).get("text/plain", "")) for out in self.outputs)

    def with_mime(self, start: str) -> list[dict[str, Any]]:
        """The outputs that hold a type that begins like this."""
        return [out for out in self.outputs if any(mime.startswith(start) for mime in out.get("data", {}))]


class Kernel:
    """One kernel in a folder of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], python: str = sys.executable) -> None:
        self.folder = folder
        self._manager = KernelManager()
        self._manager._kernel_spec = KernelSpec(  # the interpreter under test, whatever is installed
            argv=[python, "-m", "ipykernel_launcher", "-f", "{connection_file}"], display_name="test", language="python"
        )
        self._manager.start_kernel(cwd=str(folder), env=environment)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    @property
    def pid(self) -> int:
        """The kernel's process."""
        return int(self._manager.provisioner.pid)  # type: ignore[union-attr]

    def send(self, code: str, cell_id: str = "") -> str:
        """Send a cell and do not wait; returns its message id."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = self._client.session.msg("execute_request", content)
        message["metadata"] = {"cellId": cell_id} if cell_id else {}
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def run(self, code: str) -> Done:
        """Run a cell to its end."""
        return self.finish(self.send(code))

    def value(self, expression: str) -> Any:
        """The JSON value of an expression."""
        done = self.run(f"import json as _j; print(_j.dumps({expression}))")
        assert done.status == "ok", done
        return json.loads(done.text)

    def wait_for_message(self, message_id: str, kind: str) -> dict[str, Any]:
        """The first message of a kind that a cell sends; those before it are dropped."""
        while True:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=TIMEOUT_S)
            if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == kind:
                return message

    def finish_message(self, message_id: str) -> None:
        """Wait until the kernel is done with a message that has no reply."""
        while True:
            message = self.wait_for_message(message_id, "status")
            if message["content"]["execution_state"] == "idle":
                return

    def finish_aborted(self, message_id: str) -> str:
        """The status of the reply to a cell that is not run."""
        while True:
            reply = self._client.get_shell_msg(timeout=TIMEOUT_S)
            if reply["parent_header"].get("msg_id") == message_id:
                return str(reply["content"]["status"])

    def finish_unless_lost(self, message_id: str) -> Done | None:
        """As `finish`; None for a cell that ipykernel itself forgot, as it does when interrupts come too close."""
        try:
            return self.finish(message_id, timeout=15)
        except (AssertionError, queue.Empty):
            return None

    def finish(self, message_id: str, timeout: float = TIMEOUT_S) -> Done:
        """Collect what a cell that was sent leaves behind."""
        until = time.monotonic() + timeout
        outputs: list[dict[str, Any]] = []
        by_display: dict[str, dict[str, Any]] = {}
        messages: list[dict[str, Any]] = []
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=max(0.1, until - time.monotonic()))
            except queue.Empty:
                problem = f"the kernel did not finish: {messages}"
                raise AssertionError(problem) from None
            if message["parent_header"].get("msg_id") != message_id:
                continue
            messages.append(message)
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind in ("display_data", "execute_result", "stream", "error"):
                outputs.append({"type": kind, **content})
                if display_id := content.get("transient", {}).get("display_id"):
                    by_display[display_id] = outputs[-1]
            if kind == "update_display_data" and content["transient"]["display_id"] in by_display:
                by_display[content["transient"]["display_id"]].update(data=content["data"])
        return self._with_reply(message_id, outputs, tuple(messages), until)

    def _with_reply(
        self, message_id: str, outputs: list[dict[str, Any]], messages: tuple[dict[str, Any], ...], until: float
    ) -> Done:
        while True:
            reply = self._client.get_shell_msg(timeout=max(0.1, until - time.monotonic()))
            if reply["parent_header"].get("msg_id") == message_id:
                break
        content = reply["content"]
        return Done(
            status=content["status"],
            outputs=outputs,
            ename=content.get("ename", ""),
            evalue=content.get("evalue", ""),
            traceback=tuple(content.get("traceback", ())),
            all_messages=messages,
        )

    def complete(self, code: str, at: int | None = None) -> list[str]:
        """What Tab offers, each with the text it would leave."""
        reply = self._client.complete(code, len(code) if at is None else at, reply=True, timeout=TIMEOUT_S)["content"]
        start = reply["cursor_start"]
        return [code[:start] + match for match in reply["matches"]]

    def inspect(self, code: str) -> str:
        """What Shift-Tab shows."""
        reply = self._client.inspect(code, len(code), 0, reply=True, timeout=TIMEOUT_S)["content"]
        return str(reply["data"].get("text/plain", ""))

    def interrupt(self) -> None:
        """Press the stop button."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """Restart it, and wait until it answers."""
        self._manager.restart_kernel(now=True)
        self._client.wait_for_ready(timeout=TIMEOUT_S)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._manager.signal_kernel(9)

    def comm(self, content: dict[str, Any]) -> str:
        """Send a widget message, as a click does."""
        message = self._client.session.msg("comm_msg", content)
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def shutdown(self) -> None:
        """End it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
