"""The system's own Chromium: where it is, how it is started, and what it must never do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Request,
    WebSocket,
    expect,
    sync_playwright,
)

TIMEOUT_MS: Final = 60_000.0
"""For whatever a page is waited for: generous, because the machine may be busy."""

HOW_TO_INSTALL: Final = (
    "no Chromium: these tests need one on the PATH (`apt-get install chromium`, `brew install --cask chromium`), "
    "or Google Chrome in its usual place"
)

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES: Final = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("C:/Program Files/Google/Chrome/Application/chrome.exe"),
)

_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    # Pixels are compared: the same colours on every screen.
    "--force-color-profile=srgb",
    # The browser itself knows no other host, whoever asks.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

_FRONT: Final = Path(__file__).with_name("front.js")
_ELSEWHERE: Final = re.compile(r"^(https?|wss?)://(?!(127\.0\.0\.1|localhost|\[::1\])[:/])")


def chromium() -> str | None:
    """The path of a Chromium on this machine."""
    on_path = (shutil.which(name) for name in _NAMES)
    elsewhere = (str(place) for place in _PLACES if place.exists())
    return next((found for found in (*on_path, *elsewhere) if found), None)


@contextmanager
def browsing(executable: str) -> Iterator[Browser]:
    """A browser without a window.

    While it is open, this thread counts as one with a running event loop; so it is closed before other tests run.
    """
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


# What the front ends themselves do, with every notebook. Nothing of it leaves the machine.
_THEIRS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # JupyterLab, when a page or a kernel goes away while it is asked for a subshell or its debugger.
        r"^uncaught: Error: Canceled future for \w+ message before replies were done",
        r"^Could not restore the debugger state: Canceled future for ",
        # Notebook 7, which lacks a plugin whose settings it loads.
        r"^uncaught: TypeError: Cannot read properties of undefined \(reading 'schema'\)\n.*/static/notebook/",
        # Voilà's page, for icons and formulas.
        r"^https://[^/]+/npm/@fortawesome/fontawesome-free@[^/]+/css/[a-z0-9-]+\.min\.css$",
        r"^https://[^/]+/ajax/libs/mathjax/[^/]+/es5/latest\.min\.js\?config=TeX-AMS_CHTML-full,Safe",
    )
)


class Watch:
    """What pages did that they must not: errors that they told, and requests to other hosts."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []

    def problems(self) -> list[str]:
        """Everything that is not a front end's own."""
        ours = (each for each in (*self.errors, *self.requests) if not any(pattern.search(each) for pattern in _THEIRS))
        return list(dict.fromkeys(ours))

    def tell(self, message: ConsoleMessage) -> None:
        """Note an error of the console; one about a request to another host is noted with the request."""
        where = message.location.get("url", "")
        if message.type == "error" and not _ELSEWHERE.match(where):
            self.errors.append(f"{message.text} ({where})")

    def fail(self, error: Error) -> None:
        """Note an exception that nothing caught."""
        self.errors.append(f"uncaught: {error.stack or error.message}")

    def reach(self, request: Request | WebSocket) -> None:
        """Note a request that would leave this machine."""
        if _ELSEWHERE.match(request.url):
            self.requests.append(request.url)


def watched(context: BrowserContext) -> Watch:
    """Watch every page of a context, keep it on this machine, and give it `window.front`."""
    watch = Watch()
    context.add_init_script(path=_FRONT)
    # A pattern, not a function: a function is asked in this process, which may be waiting for the page.
    context.route(_ELSEWHERE, lambda route: route.abort())
    context.on("console", watch.tell)
    context.on("weberror", lambda error: watch.fail(error.error))
    context.on("request", watch.reach)
    context.on("page", lambda page: page.on("websocket", watch.reach))
    return watch
