"""A page with live cells, as a reader meets it, without the book around it and without Python.

`written_page` writes the HTML that Sphinx would write; `WORKER` answers in place of the book's own
worker. Its programs are lines: `print words`, `show <b>markup</b>`, `fail`, `forever`, `flood`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path

import pydata_sphinx_theme
from live_cells import CELL_FILES
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from security_policy import policy

from bench.course import BOOK, PAGE_ASSETS
from bench.quizzes.cards import SCRIPTS
from bench.traces.looks import SCRIPTS as TIMELINE_SCRIPTS

ORIGIN = "http://course.test"
ADDRESS = f"{ORIGIN}/book/lesson.html"
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/styles"
ELEMENTS = [path for path in SCRIPTS if path.name in ("elements.js", "units.js")]
FIGURES = [*ELEMENTS, *TIMELINE_SCRIPTS, PAGE_ASSETS / "guesses.js"]
"""Scripts of a page whose figures play and take guesses."""
FILES = {
    "/_static/theme.css": THEME / "pydata-sphinx-theme.css",
    "/_static/course.css": PAGE_ASSETS / "course.css",
    "/_static/timeline.css": PAGE_ASSETS / "timeline/timeline.css",
    **{f"/_static/{path.name}": path for path in FIGURES},
    **{f"/_static/live/{name}": BOOK / "_live" / name for name in CELL_FILES},
}
LAST = f"/_static/live/{CELL_FILES[-1]}"
BYTES = 9_100_000
SETTINGS = {
    "preload": [],
    "versions": {"Python": "3.14.2"},
    "recorded": "3.11.7",
    "bytes": BYTES,
}
WORKER = """const FLOOD = "x".repeat(1e5);
const say = (message) => self.postMessage(message);
self.onmessage = ({ data }) => {
  if (data.type === "start") {
    say({ type: "progress", step: "Loading Python", bytes: 3_400_000, of: data.of });
    %s
    say({ type: "ready", marks: {}, jspi: true, version: "3.14.2" });
    return;
  }
  const { id } = data;
  let ok = true;
  for (const line of data.code.split("\\n")) {
    const [word, rest] = [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)];
    if (word === "print") say({ type: "stream", id, name: "stdout", text: `${rest}\\n` });
    if (word === "show") say({ type: "display", id, mime: "text/html", data: rest });
    if (word === "flood") for (;;) say({ type: "stream", id, name: "stdout", text: FLOOD });
    if (word === "forever") for (;;);
    if (word === "fail") {
      ok = false;
      say({ type: "display", id, mime: "text/error", data: "line 1\\nNameError: ham" });
    }
  }
  say({ type: "done", id, ok, ms: 210 });
};
"""
STUCK = "await new Promise(() => {});"


def cell(code: str, recorded: str = "", *tags: str, fold: bool = False) -> str:
    """A live cell as the book has it: its code, and what it printed when the book was made."""
    pre = f'<div class="highlight"><pre><span></span>{escape(code)}\n</pre></div>'
    if fold:
        lines = code.count("\n") + 1
        pre = f'<details class="code-fold"><summary>Code: {lines} lines</summary>{pre}</details>'
    output = (
        '<div class="cell_output"><div class="output stream"><div class="highlight"><pre>'
        f"{escape(recorded)}\n</pre></div></div></div>"
    )
    classes = " ".join(["cell", "tag_live", *tags])
    return f'<div class="{classes}"><div class="cell_input">{pre}</div>{recorded and output}</div>'


def written_page(*cells: str, theme: str = "light") -> str:
    loaded = []
    for path in FILES:
        settings = f' data-live="{escape(json.dumps(SETTINGS))}"' if path == LAST else ""
        loaded.append(
            f'<link rel="stylesheet" href="{path}">'
            if path.endswith(".css")
            else f'<script defer src="{path}"{settings}></script>'
        )
    return f"""<!doctype html><html lang="en" data-theme="{theme}" data-mode="{theme}"
data-content_root="../"><head><meta charset="utf-8"><title>Live</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
{"".join(loaded)}</head>
<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<article class="bd-article"><h1>Live</h1>{"".join(cells)}</article></div></div></main>
</body></html>"""


def answer_with(context: BrowserContext, html: str, loading: str = "") -> Callable[[], list[str]]:
    """Let `context` have the page at ADDRESS and a worker; returns what was asked for so far.

    `loading` is what the worker does while it loads; STUCK never ends.
    """
    asked: list[str] = []
    worker = (WORKER % loading).replace("({ data }) =>", "async ({ data }) =>", 1)

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
        asked.append(path)
        headers = {"Content-Security-Policy": policy([])}
        if path == "/book/lesson.html":
            route.fulfill(content_type="text/html; charset=utf-8", body=html, headers=headers)
        elif path == "/_static/live/live-worker.mjs":
            route.fulfill(content_type="text/javascript", body=worker, headers=headers)
        elif path in FILES:
            kind = "text/css" if path.endswith(".css") else "text/javascript"
            route.fulfill(path=FILES[path], content_type=kind)
        else:
            route.abort()

    context.route(f"{ORIGIN}/**", answer)
    return lambda: list(asked)


class LiveCell:
    """One live cell of a page: what a reader can press and see. Numbers begin at 1."""

    def __init__(self, page: Page, number: int) -> None:
        self.page = page
        self.element: Locator = page.locator("[data-live-state]").nth(number - 1)
        self.code: Locator = page.get_by_label(f"Code of live cell {number}", exact=True)
        self.status: Locator = self.element.locator(".live-status")
        self.output: Locator = self.element.locator(".live-output")
        self.recorded: Locator = self.element.locator(".cell_output:not(.live-output)")

    def button(self, words: str) -> Locator:
        return self.element.get_by_role("button", name=words)

    def run(self) -> None:
        self.button("Run").click()

    def expect(self, state: str) -> None:
        """Wait until it is idle, waiting, loading, running, done, failed or stopped."""
        expect(self.element).to_have_attribute("data-live-state", state)
