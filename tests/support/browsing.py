"""The built book and a browser for the tests of its pages.

`built_book()` builds once per test run, whichever process asks first. `chromium()` starts Debian's
Chromium (`CHROMIUM` names another one). `served(site)` serves with the book's own server, under a
policy that is stricter than any host's: no inline handler, no script that the page did not ship
with.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import yaml
from playwright.sync_api import Browser, sync_playwright

import serve
from bench.course import COURSE

ROOT = COURSE

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def build(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Build the book in `source` into `output`/_build/html, as `make book` does."""
    jupyter_book = shutil.which("jupyter-book", path=Path(sys.executable).parent)
    assert jupyter_book, "jupyter-book is missing beside this Python: install requirements.txt"
    command = [jupyter_book, "build", str(source)]
    command += ["--path-output", str(output), "-W", "-n", "--keep-going"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@functools.cache
def _alone() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="course-book-")  # removed when this process ends


@functools.cache
def _built() -> tuple[Path, str]:
    """Where the book was built, and what is wrong with it. COURSE_BOOK: the processes share it."""
    output = Path(os.environ.get("COURSE_BOOK") or _alone().name)
    verdict = output / "verdict.txt"
    try:
        (output / "building").mkdir()
    except FileExistsError:  # another process came first
        for _ in range(3000):
            if verdict.exists():
                return output, verdict.read_text("utf-8")
            time.sleep(0.1)
        return output, "Another process has been building it for 5 minutes."
    done = build(ROOT, output)
    problem = (done.stdout + done.stderr)[-4000:] if done.returncode else ""
    new = output / "verdict.new"
    new.write_text(problem, "utf-8")
    new.replace(verdict)
    return output, problem


def built_book() -> Path:
    """Return the folder of the built book; raises with the end of the log when it does not build.

    It is built once, whether that succeeds or not: the tests that need it fail at once then.
    """
    output, problem = _built()
    assert not problem, f"The book does not build:\n{problem}"
    return output / "_build" / "html"


OWN_MARKUP = re.compile(r"^(<svg|[`:]{3,}\{(timeline|ledger|recall|quiz)\})", re.MULTILINE)


def documents() -> list[str]:
    """Return every document of `_toc.yml` in reading order, without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    found = [toc["root"]]

    def collect(node: object) -> None:
        if isinstance(node, dict):
            found.extend([node["file"]] if "file" in node else [])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(toc)
    return [re.sub(r"\.(md|ipynb)$", "", name) for name in found]


def kind_of(document: str) -> str:
    """Numbered pages (`01-…`) in one folder are of one kind, and so is all plain prose.

    A page with markup or a directive of the course's own is its own kind.
    """
    folder, name = Path(document).parent.name, Path(document).name
    if re.match(r"\d", name):
        return folder
    text = (ROOT / f"{document}.md").read_text(encoding="utf-8")
    return name if OWN_MARKUP.search(text) else "prose"


def kinds_of_page() -> dict[str, str]:
    """Return kind → document: the first of each kind, or with `COURSE_PAGES=all` every page."""
    if os.environ.get("COURSE_PAGES") == "all":
        return {document: document for document in documents()}
    kinds: dict[str, str] = {}
    for document in documents():
        kinds.setdefault(kind_of(document), document)
    return kinds


class StrictHandler(serve.BookHandler):
    """Adds a content security policy that allows what the page shipped with and nothing else."""

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix == ".html" and path.is_file():
            self.send_header("Content-Security-Policy", policy(path.read_text("utf-8")))
        super().end_headers()


def policy(page: str) -> str:
    """Return the strict policy for one page: its inline scripts by their hashes."""
    bodies = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page, flags=re.DOTALL)
    digests = (hashlib.sha256(body.encode()).digest() for body in bodies)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'self'"
    )


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve `site` in a thread; yields its address, which ends with a slash."""
    server = serve.open_server(site, handler=StrictHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium. Close it before a test calls asyncio.run: Playwright's loop is in its way."""
    with sync_playwright() as playwright:
        executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
