"""A real browser before a real Jupyter server, both started by the tests and gone after them."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Error, Page
from support.gateway import Gateway
from support.interpreters import ROOT

from browser.browsers import HOW_TO_INSTALL, TIMEOUT_MS, browsing, chromium, watched
from browser.pages import HEIGHT, WIDE, Opened, OpenedInVoila, open_in_lab, open_in_notebook, open_in_voila, written
from browser.servers import Server, serving

SHOTS: Final = ROOT / ".cache" / "shots"
_FAILED: Final = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which test failed, for the last picture of its page."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The browser of this folder's tests. On a machine of CI it must be there."""
    executable = chromium()
    if executable is None and os.environ.get("CI"):
        pytest.fail(HOW_TO_INSTALL)
    if executable is None:
        pytest.skip(HOW_TO_INSTALL)
    with browsing(executable) as opened:
        yield opened


@pytest.fixture(scope="package")
def lab_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The JupyterLab of this folder's tests, with Voilà; it shows the folders of all of them."""
    assert browser.is_connected()  # no server where there is no browser
    with serving("lab", tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="package")
def notebook_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The Notebook 7 of this folder's tests."""
    assert browser.is_connected()
    with serving("notebook", tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("notebook")) as server:
        yield server


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a browser that remembers nothing. What it told as an error, or asked of another host, fails the test.

    The page of a test that failed is kept as a picture in .cache/shots/failed.
    """
    context = browser.new_context(viewport={"width": WIDE, "height": HEIGHT}, color_scheme="light", locale="en-US")
    context.set_default_timeout(TIMEOUT_MS)
    watch = watched(context)
    opened = context.new_page()
    yield opened
    if request.node.stash.get(_FAILED, False):
        with suppress(Error):  # a page that crashed has nothing to show
            opened.screenshot(path=SHOTS / "failed" / f"{request.node.name}.png")
    context.close()
    assert watch.problems() == [], "\n".join(watch.problems())


@contextmanager
def let_in(page: Page, server: Server) -> Iterator[None]:
    """Give a page the cookie of a server; afterwards its kernels and settings are gone."""
    page.request.get(f"{server.origin}/api/status?token={server.token}")
    yield
    server.forget()


@pytest.fixture
def shots() -> Path:
    """Where screenshots are kept, for people to look at."""
    return SHOTS


@pytest.fixture
def preamble(gateway: Gateway) -> str:
    """The first cell of a notebook that asks this test's gateway."""
    return "\n".join(
        (
            "import os",
            f"os.environ.update(IMAGEGEN_BASE_URL={gateway.url!r}, IMAGEGEN_MODEL='any')",
            "%load_ext jupyter_imagegen",
            "import jupyter_imagegen as ig",
        )
    )


@pytest.fixture
def in_lab(page: Page, lab_server: Server, tmp_path: Path) -> Iterator[Opened]:
    """Open a notebook of the given cells in JupyterLab; its kernel runs in this test's folder."""
    with let_in(page, lab_server):
        yield lambda *cells: open_in_lab(page, lab_server, written(tmp_path / "panel.ipynb", *cells))


@pytest.fixture
def in_notebook(page: Page, notebook_server: Server, tmp_path: Path) -> Iterator[Opened]:
    """Open a notebook of the given cells in Notebook 7."""
    with let_in(page, notebook_server):
        yield lambda *cells: open_in_notebook(page, notebook_server, written(tmp_path / "panel.ipynb", *cells))


@pytest.fixture
def in_voila(page: Page, lab_server: Server, tmp_path: Path) -> Iterator[OpenedInVoila]:
    """Run a notebook of the given cells with Voilà."""
    with let_in(page, lab_server):
        yield lambda *cells: open_in_voila(page, lab_server, written(tmp_path / "panel.ipynb", *cells))
