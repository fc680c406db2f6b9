"""`python notebooks/projector.py` in Chromium, on a screen of 1024 × 768: a real JupyterLab.

Run by `make proof` only.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from bench import until
from bench.course import COURSE, LABS
from browsers import chromium

WIDTH, HEIGHT = 1024, 768
LESSON = "01-synchronous-queries"
COLUMNS = 60

CLIPPED = """() => [...document.querySelectorAll(".jp-Notebook .jp-InputArea-editor .cm-scroller")]
  .filter((one) => one.getClientRects().length)
  .map((one) => one.scrollWidth - one.clientWidth).filter((much) => much > 1)"""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of lesson 1, on a fresh clone, as the command opens it."""
    top = tmp_path_factory.mktemp("clone")
    for name in ("notebooks", "book"):
        ignored = shutil.ignore_patterns("assets")
        shutil.copytree(COURSE / name, top / name, ignore=ignored)
    keep_what_a_test_needs(top / "notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(top / "notebooks" / "projector.py"), LESSON[:2], "--no-browser"]
    command += [f"--port={port}", "--allow-root", "--IdentityProvider.token="]
    home = tmp_path_factory.mktemp("home")
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("DATA", "RUNTIME")}
    env = {**os.environ, **folders, "PYTHONPATH": str(LABS)}
    with open(home / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True)
    try:
        asyncio.run(until(lambda: listens(port), 60, what="JupyterLab to start"))
        yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{LESSON}.ipynb"
    finally:
        os.killpg(server.pid, 15)  # the command and the JupyterLab that it started
        server.wait(30)


def keep_what_a_test_needs(folder: Path) -> None:
    """A line of 60 columns stands in the first cell with code, so that its width is seen."""
    path = folder / f"{LESSON}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(one for one in notebook.cells if one.source.startswith("import asyncio"))
    cell.source = f"{'x' * (COLUMNS - 2)} #\n{cell.source}"
    nbformat.write(notebook, path)
    (folder / "text" / f"{LESSON}.md").unlink()


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(lab)
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
        yield page


def test_no_sidebar_and_no_message_takes_room(page: Page) -> None:
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    for bar in page.locator(".jp-SideBar, .jp-SidePanel, #jp-left-stack, #jp-right-stack").all():
        assert not bar.is_visible()
    box = page.locator(".jp-NotebookPanel").bounding_box()
    assert box is not None
    assert box["width"] >= WIDTH - 10


def test_sixty_columns_of_twenty_points_fit(page: Page) -> None:
    line = page.locator(".cm-line", has_text="x" * (COLUMNS - 2)).first
    line.scroll_into_view_if_needed()
    size = line.evaluate("(node) => parseFloat(getComputedStyle(node).fontSize)")
    assert size == pytest.approx(20 * 96 / 72, abs=0.1)
    assert page.evaluate(CLIPPED) == []


def test_the_code_of_questions_and_recordings_is_hidden(page: Page) -> None:
    quiz = page.locator(".jp-CodeCell", has=page.locator(".quiz")).first
    quiz.scroll_into_view_if_needed()
    expect(quiz.locator(".jp-OutputArea .quiz")).to_be_visible()
    expect(quiz.locator(".jp-InputArea-editor")).to_be_hidden()
    expect(quiz.locator(".jp-Placeholder")).to_be_hidden()


def test_it_runs_a_cell_like_any_jupyterlab(page: Page) -> None:
    first = page.locator(".jp-CodeCell").first
    first.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(page.locator("[data-quiz='01/one-word'], .quiz").first).to_be_visible()


def test_nothing_is_saved_by_itself(page: Page) -> None:
    """What a class changes or clears would otherwise be in the next slides."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
    saves = page.locator(".lm-Menu-item", has_text="Autosave Documents")
    expect(saves).to_be_visible()
    assert "lm-mod-toggled" not in (saves.get_attribute("class") or "")
    page.keyboard.press("Escape")
