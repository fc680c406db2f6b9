"""JupyterLab on a fresh clone: notebooks open, cards and timelines live, links lead somewhere.

A fresh clone is not trusted: JupyterLab strips what the notebooks have stored, until a cell runs.
The server here starts as `make lab` starts it, with nothing of this computer's own settings.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, expect

from bench import until
from bench.course import COURSE, LABS
from browsers import chromium

HOUR = 3600
LESSON = "01-synchronous-queries"
OWN_FOLDERS = ("JUPYTER_DATA", "JUPYTER_CONFIG", "JUPYTER_RUNTIME")
OWN_FOLDERS += ("JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES")


def options_of_make_lab() -> list[str]:
    """What the Makefile gives to `jupyter lab`, which it starts at the course's top."""
    recipe = re.search(
        r"^lab:.*\n(?:\t.*\n)*", (COURSE / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    line = next(line for line in recipe[0].splitlines() if "jupyter lab" in line)
    assert line.startswith("\t@$(BIN)/jupyter lab "), "start JupyterLab at the course's top"
    return line.split("jupyter lab", 1)[1].split()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What JupyterLab shows of a fresh clone."""
    top = tmp_path_factory.mktemp("clone")
    for name in ("notebooks", "book"):
        shutil.copytree(COURSE / name, top / name)
    return top


@pytest.fixture(scope="module")
def lab(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab, which ends with a slash."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "lab", *options_of_make_lab()]
    command += ["--no-browser", f"--port={port}", "--allow-root", "--IdentityProvider.token="]
    command += ["--ServerApp.ip=127.0.0.1", "--LabApp.news_url="]
    folders = {f"{name}_DIR": str(home / name) for name in OWN_FOLDERS}
    env = {**os.environ, **folders, "PYTHONPATH": str(LABS)}
    with open(home / "log", "w") as log:
        server = subprocess.Popen(command, cwd=course, stdout=log, stderr=log, env=env)
    try:
        asyncio.run(until(lambda: listens(port), 60, what="JupyterLab to start"))
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()  # its kernels end with it
        server.wait(30)


@pytest.mark.parametrize("text_is_older_by", [HOUR, -HOUR])
def test_a_notebook_opens_although_its_text_was_written_at_another_time(
    course: Path, lab: str, text_is_older_by: int
) -> None:
    folder = course / "notebooks"
    then = (folder / f"{LESSON}.ipynb").stat().st_mtime - text_is_older_by
    os.utime(folder / "text" / f"{LESSON}.md", (then, then))
    try:
        address = f"{lab}api/contents/notebooks/{LESSON}.ipynb"
        with urllib.request.urlopen(address, timeout=60) as reply:
            cells = json.load(reply)["content"]["cells"]
    except urllib.error.HTTPError as refused:
        pytest.fail(f"JupyterLab refuses the notebook: {refused.read()[:500]!r}")
    assert len(cells) > 10


# --- Cell by cell -------------------------------------------------------------------------

ACTIVE = ".jp-Notebook .jp-Cell.jp-mod-active"
NEEDS_NO_SERVER = re.compile(r"quiz_setup\(|^(timeline_setup|quiz|progress|recorded)\(")


@pytest.fixture
def number_of_cells(course: Path) -> int:
    """Stores lesson 1 as a notebook without the cells that need PostgreSQL."""
    path = course / "notebooks" / f"{LESSON}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "markdown" or NEEDS_NO_SERVER.search(cell.source)
    ]
    nbformat.write(notebook, path)
    (course / "notebooks" / "text" / f"{LESSON}.md").unlink()
    return len(notebook.cells)


def test_cell_by_cell_an_untrusted_lesson_comes_to_life(lab: str, number_of_cells: int) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{lab}lab/tree/notebooks/{LESSON}.ipynb")
        page.locator(".jp-OutputArea .quiz").first.wait_for(timeout=60_000)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
        before_a_cell_ran(page)
        page.locator(".jp-Notebook .jp-Cell").first.locator(".jp-InputPrompt").click()
        for step in range(number_of_cells):
            run_the_active_cell(page, step)
        count = page.locator(".quiz-count")
        expect(count).to_contain_text("0 of ", timeout=60_000)  # its cell is the last one
        scroll(page, "0")
        a_card_answers(page)
        a_timeline_plays(page)
        scroll(page, "one.scrollHeight")
        expect(count).to_contain_text("1 of ")
        expect(page.locator(".quiz-forget")).to_be_visible()
        a_link_opens_its_page(page)
        assert not wrong


def run_the_active_cell(page: Page, step: int) -> None:
    """Press Shift+Enter as soon as the notebook listens, and wait until the next cell is active."""
    page.locator(ACTIVE).first.evaluate("(cell, step) => { cell.dataset.step = step; }", step)
    page.keyboard.press("Shift+Enter")
    moved = "([active, step]) => document.querySelector(active)?.dataset.step !== String(step)"
    page.wait_for_function(moved, arg=[ACTIVE, step], timeout=60_000)


def scroll(page: Page, to: str) -> None:
    """JupyterLab shows only the cells that are in sight."""
    page.locator(".jp-WindowedPanel-outer").evaluate(f"one => {{ one.scrollTop = {to}; }}")


def before_a_cell_ran(page: Page) -> None:
    """Questions can be read; nothing answers, and no reply stands open."""
    card = page.locator(".jp-OutputArea .quiz").first
    expect(card.locator(".quiz-asleep")).to_be_visible()
    expect(card.locator("legend").first).to_contain_text("After how many seconds")
    expect(card.locator(".quiz-say").first).to_be_hidden()
    expect(card.locator("summary")).to_contain_text("For afterwards")
    assert not page.locator(".jp-OutputArea [data-quiz]").count(), "this notebook is trusted"
    recording = page.locator(".timeline-reveal").first
    recording.locator("summary").first.click()
    expect(recording.locator(".timeline-asleep")).to_be_visible()
    expect(recording.locator(".timeline-summary")).to_be_visible()
    expect(recording.locator(".timeline-controls")).to_be_hidden()


def a_card_answers(page: Page) -> None:
    card = page.locator('[data-quiz="01/one-word"]')
    card.locator("input[inputmode=decimal]").click()
    page.keyboard.type("0.1")  # of digits, JupyterLab would make headings
    page.keyboard.press("Enter")
    expect(card.locator(".quiz-reply")).to_contain_text("Which one do you expect now?")
    card.locator("input[inputmode=decimal]").fill("2")
    card.get_by_role("button", name="Commit a second try").click()
    expect(card.locator(".quiz-reply")).to_have_count(2)
    expect(card.locator(".quiz-reply").nth(1)).to_contain_text("✓ The experiment agrees.")
    assert page.locator(".jp-CodeCell").filter(has=card).count() == 1


def a_timeline_plays(page: Page) -> None:
    page.locator(".timeline-reveal > summary").first.click()
    timeline = page.locator("#timeline-01-async-def")
    timeline.get_by_label("Stop at").fill("0.3")
    timeline.get_by_role("button", name="Play").click()
    expect(timeline.locator(".timeline-now")).to_contain_text("0.30 s: ")
    expect(timeline.locator(".timeline-guess-text")).to_have_text("your guess 0.1 s")


def a_link_opens_its_page(page: Page) -> None:
    """A link to a page of the book opens that page in a tab beside the notebook."""
    page.locator(".jp-Notebook .jp-RenderedMarkdown a[href*='evidence/01-']").last.click()
    expect(page.locator(".jp-MarkdownViewer h1")).to_contain_text("vidence")
