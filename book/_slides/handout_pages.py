"""The handout of a lesson: two grey pages of paper, predictions before and claims after.

    page 1   the questions that the lesson asks before its experiments, with room for an answer,
             and as much of the core code as fits: files first, then the first of each experiment
    page 2   room for the votes on the closing questions, the claims as sentences to tick, the
             sentence to carry away, the three questions, the lab's task, "Tomorrow at work"

No page tells which answer is right. What tells it, the claims, is on the back of the sheet.
"""

from __future__ import annotations

import math
import re
from html import escape
from pathlib import Path

from ballots import ballots_of, item_of
from bench.course import BOOK
from bench.quizzes.cards import UNITS
from bench.quizzes.items import Item
from deck_pages import NOTHING_ELSE
from lesson_cells import HOOK, Chapter, Code, Lesson, Prose, Vote, blocks, html_of, inline_html

HERE = Path(__file__).parent
CLOSING = "Questions"
AFTER = (CLOSING, "Go deeper", "What you can answer now", "Next")
"""Sections without predictions and without core experiments."""
NOT_CORE = {"hide-input", "nbval-ignore-output"}
"""Tags of cells that are folded away, or that print what they measured."""
LINES = 63.0
"""Of 9.5 point text on one page below its heading."""
LETTERS = 112
"""In such a line."""
CODE_LINE = 0.84
"""Of 8 point code, in such lines."""


def handout_html(lesson: Lesson) -> str:
    title = f"{int(lesson.number)} · {lesson.title}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{NOTHING_ELSE}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: handout</title>
<style>
{(HERE / "handout.css").read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<section class="page" aria-label="Before the run">
<header><h1>{inline_html(title)}</h1><p>Name <span class="room"></span></p></header>
{_before(lesson)}
</section>
<section class="page" aria-label="After the run">
<header><p class="title">{inline_html(title)}: after the run</p></header>
{_after(lesson)}
</section>
</main>
</body>
</html>
"""


# --- Page 1 ---------------------------------------------------------------------------------


def _before(lesson: Lesson) -> str:
    items = [
        item_of(part.ref)
        for section in _core(lesson)
        for part in section.parts
        if isinstance(part, Vote)
    ]
    asked = "".join(f"<li>{_question(one)}</li>" for one in items)
    left = LINES - sum(_height(one) for one in items) - 2
    first, shown = "", ""
    for name, source in _core_code(lesson):
        size = (source.count("\n") + 4) * CODE_LINE
        if size > left:
            continue
        left -= size
        if name == HOOK:  # its questions are about this code
            first += f"<h2>Read this first</h2><pre>{escape(source)}</pre>"
        else:
            shown += f"<h3>{inline_html(name)}</h3><pre>{escape(source)}</pre>"
    code = f"<h2>The code</h2>{shown}" if shown else ""
    return f"{first}<h2>Predict before you run</h2><ol>{asked}</ol>{code}"


def _core(lesson: Lesson) -> list[Chapter]:
    return [one for one in lesson.sections if one.heading not in AFTER]


def _question(item: Item) -> str:
    asked = f"<p>{inline_html(item.prompt)}</p>"
    if item.kind == "number":
        unit = escape(UNITS.get(item.unit, item.unit))
        room = f'<span class="room"></span> {unit}'
        return f"{asked}<p>My number {room} · The run says {room}</p>"
    options = "".join(f"<li>{inline_html(one.text)}</li>" for one in item.answers)
    return f'{asked}<ol class="options">{options}</ol>'


def _height(item: Item) -> float:
    lines = math.ceil(len(item.prompt) / LETTERS) + 0.3
    if item.kind == "number":
        return lines + 1.8
    return lines + sum(math.ceil(len(one.text) / (LETTERS - 5)) for one in item.answers)


def _core_code(lesson: Lesson) -> list[tuple[str, str]]:
    """(where it stands, code): shown files first, then the first code of each experiment.

    One empty line stands for two.
    """
    files: list[tuple[str, str]] = []
    cells: list[tuple[str, str]] = []
    for section in _core(lesson):
        fences = [one for one in section.parts if isinstance(one, Prose) and one.kind == "fence"]
        files += [(_short(section), one.text) for one in fences if one.info == "python"]
        if section.heading.startswith("Experiment"):
            shown = [one for one in section.parts if isinstance(one, Code) and _is_core(one)]
            cells += [(_short(section), one.source) for one in shown[:1]]
    return [(name, re.sub(r"\n{3,}", "\n\n", source)) for name, source in [*files, *cells]]


def _short(section: Chapter) -> str:
    """ "Experiment 1", of its heading."""
    return section.heading.partition(":")[0]


def _is_core(cell: Code) -> bool:
    return bool(cell.source) and not (cell.figure or cell.tags & NOT_CORE)


# --- Page 2 ---------------------------------------------------------------------------------


def _after(lesson: Lesson) -> str:
    votes = [one for one in lesson.section(CLOSING).parts if isinstance(one, Vote)]
    parts = [
        f"<h2>My votes on the closing questions</h2>{_votes(votes)}",
        f"<h2>What the runs have shown</h2><p>Tick what you saw yourself.</p>{_claims(lesson)}",
        f'<h2>To carry away</h2><p class="carry">{_carry_away(lesson)}</p>',
        f"<h2>Now I can answer</h2><ol>{_three_questions(lesson)}</ol>",
        _lab(lesson),
        _tomorrow(lesson),
        '<h2>Notes</h2><div class="notes"></div>',
    ]
    return "\n".join(parts)


def _votes(votes: list[Vote]) -> str:
    rows = []
    papers = ballots_of([item_of(one.ref) for one in votes], [])
    for number, vote in enumerate(votes, 1):
        item = item_of(vote.ref)
        count = len(papers[vote.ref][0]) if item.kind == "number" else len(item.answers)
        letters = " ".join(f"<span>{letter}</span>" for letter in "ABCDEF"[:count])
        rows.append(f"<li>{number} {letters or '<span class=room></span>'}</li>")
    return f'<ul class="votes">{"".join(rows)}</ul>'


def _claims(lesson: Lesson) -> str:
    rows = []
    for section in _core(lesson):
        if section.heading == HOOK:  # its recordings claim nothing
            continue
        said = [claim for one in section.parts if isinstance(one, Code) for claim in one.claims]
        if said:
            points = "".join(f"<li>{inline_html(one)}</li>" for one in said)
            rows.append(
                f"<section><h3>{inline_html(_short(section))}</h3><ul>{points}</ul></section>"
            )
    return f'<div class="claims">{"".join(rows)}</div>'


def _carry_away(lesson: Lesson) -> str:
    [quoted] = _of_kind(lesson.section(HOOK), "blockquote")
    sentence = quoted.text.partition("**Carry away:**")[2].strip()
    return inline_html(sentence[:1].upper() + sentence[1:])


def _three_questions(lesson: Lesson) -> str:
    [asked] = _of_kind(lesson.section(HOOK), "ordered_list")
    items = re.split(r"^\d+\. ", asked.text, flags=re.MULTILINE)[1:]
    return "".join(
        f'<li>{inline_html(one.strip())} <span class="line"></span></li>' for one in items
    )


def _lab(lesson: Lesson) -> str:
    """The title of the lab and its task: the first paragraphs below its first heading."""
    path = next(
        path
        for path in sorted((BOOK / "labs").glob(f"{lesson.number}-*.md"))
        if "-with-" not in path.name
    )
    found = blocks(path.read_text(encoding="utf-8"))
    title = next(one.text for one in found if one.kind == "heading")
    start = next(at for at, one in enumerate(found) if one.kind == "heading" and one.info == "h2")
    task = next(one for one in found[start:] if one.kind == "paragraph")
    return f"<h2>{inline_html(title)}</h2>{html_of(task.text)}"


def _tomorrow(lesson: Lesson) -> str:
    parts = [one for one in lesson.section("Next").parts if isinstance(one, Prose)]
    start = next(at for at, one in enumerate(parts) if one.text.startswith("**Tomorrow at work"))
    end = next(at for at, one in enumerate(parts) if one.text.startswith("**It happened"))
    words, commands = parts[start], [one for one in parts[start:end] if one.kind == "fence"]
    said = words.text.partition(":**")[2].strip()
    body = html_of(said[:1].upper() + said[1:])
    return f"<h2>Tomorrow at work</h2>{body}" + "".join(
        f"<pre>{escape(one.text)}</pre>" for one in commands
    )


def _of_kind(section: Chapter, kind: str) -> list[Prose]:
    return [one for one in section.parts if isinstance(one, Prose) and one.kind == kind]
