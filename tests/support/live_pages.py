"""The pages of the book with live cells, and what a reader does there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

from bench.course import BOOK, COURSE, LESSON_TEXTS

LIVE = re.compile(r"^:tags: \[live\b|^```\{live-script\}", re.MULTILINE)
SECONDS = 120  # for all cells of a page, on a machine that does much else

PRESS_RUN = """async ([first, seconds]) => {
  const shown = (cell, which) => [...cell.querySelectorAll(`:scope > .cell_output${which}`)]
    .map((box) => box.textContent).join("\\n");
  const cells = [...document.querySelectorAll("div.cell[data-live-state]")].slice(first);
  const ended = (cell) => new Promise((resolve, reject) => {
    cell.addEventListener("live:end", ({ detail }) => resolve(detail.ok), { once: true });
    const late = () => reject(new Error(`no end: ${cell.textContent.slice(0, 200)}`));
    setTimeout(late, 1000 * seconds);
    cell.querySelector("[data-live-do=run]").click();
  });
  const runs = [];
  for (const cell of cells) {
    runs.push({
      ok: await ended(cell),
      measured: cell.classList.contains("tag_nbval-ignore-output"),
      recorded: shown(cell, ":not(.live-output)"),
      shown: shown(cell, ".live-output"),
    });
  }
  return runs;
}"""


@dataclass(frozen=True)
class Run:
    """One run of one live cell, and what was recorded of it."""

    ok: bool
    measured: bool
    recorded: str
    shown: str


@dataclass
class Visit:
    """A reader on one page: the runs of its cells, and what went wrong on the way."""

    page: Page
    cells: int
    rounds: list[list[Run]] = field(default_factory=list)
    changed: dict[str, list[Run]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def start(self, first: int = 0) -> None:
        """Press Run at each cell from number `first` on, each when the one before has ended."""
        asked = [first, SECONDS]
        self.page.evaluate(f"(asked) => {{ window.runs = ({PRESS_RUN})(asked); }}", asked)

    def runs(self) -> list[Run]:
        """What the presses of `start` brought, when all have ended."""
        return [Run(**run) for run in self.page.evaluate("() => window.runs")]

    def change(self, before: str, after: str) -> list[Run]:
        """Edit the one cell that has these words, and run it and all below; then put it back."""
        editors = self.page.locator(".live-area").all()
        codes = [editor.input_value() for editor in editors]
        [place] = [number for number, code in enumerate(codes) if before in code]
        editors[place].fill(codes[place].replace(before, after))
        self.start(place)
        runs = self.runs()
        editors[place].fill(codes[place])
        return runs


def live_documents() -> list[str]:
    """The pages with live cells: of the lessons, and those that show a script as one."""
    texts = LESSON_TEXTS.glob("*.md"), BOOK.rglob("*.md")
    lessons, pages = (
        [path for path in some if LIVE.search(path.read_text("utf-8"))] for some in texts
    )
    documents = [f"notebooks/{path.stem}" for path in lessons]
    documents += [path.relative_to(COURSE).with_suffix("").as_posix() for path in pages]
    return sorted(documents)


def differences(runs: list[Run]) -> list[str]:
    """What a live cell prints and the recorded one did not, or the other way round."""
    return [
        f"recorded:\n{run.recorded}\nin the page:\n{run.shown}"
        for run in runs
        if not run.ok or (not run.measured and lines(run.recorded) != lines(run.shown))
    ]


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def opened(browser: Browser, address: str, document: str, before: str = "") -> Visit:
    """Open a page, and note every request to another host and every error of a script.

    `before` is JavaScript that runs before any script of the page.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(before)
    visit = Visit(page, cells=0)
    own = (address, "data:", "blob:")
    page.on(
        "request",
        lambda asked: asked.url.startswith(own) or visit.problems.append(f"asks for {asked.url}"),
    )
    page.on("pageerror", lambda error: visit.problems.append(f"script: {error}"))
    page.goto(f"{address}{document}.html")
    visit.cells = page.locator("div.cell.tag_live").count()
    return visit
