"""The instructor's page of a lesson, as notes for its slides: minutes, and what to say where.

A page has a table of minutes, and sections with bullets that begin with **Note**, **Ask**, **Vote**
or **Demo**. **Right**, below a vote, has its answer and the question's id. The form is that of
`book/instructors/01-….md`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from bench.course import BOOK, STATUS
from lesson_cells import Prose, blocks

KINDS = ("Note", "Ask", "Vote", "Right", "Demo")
_KIND = re.compile(rf"\*\*({'|'.join(KINDS)})\b")
_ROLE = re.compile(r"\s*\(?\{(\w+)\}`([^`]+)`\)?")
_EXPERIMENT = re.compile(r"experiment (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Hint:
    kind: str
    """One of KINDS; empty for any other bullet or sentence."""
    text: str
    right: str = ""
    """Of a vote: what the page says of its answer."""
    ref: str = ""
    """Of a vote: the question it is about, if the page names it."""


@dataclass(frozen=True)
class Guide:
    rows: tuple[tuple[str, str, str], ...]
    """Of the table: section, minutes, what to drop when late."""
    sections: dict[str, tuple[Hint, ...]]

    def hints(self, heading: str) -> tuple[Hint, ...]:
        """What is said about a section of the lesson: the hook, an experiment, or another one."""
        wanted = _key(heading)
        return next((said for name, said in self.sections.items() if _key(name) == wanted), ())

    def minutes(self, heading: str) -> str:
        """A sentence with the minutes of a section; empty where the table has none."""
        wanted = _key(heading)
        for name, minutes, drop in self.rows:
            if _key(name) == wanted:
                late = f" When you are late, drop {'this first' if drop == 'first' else drop}."
                late = late if drop else ""
                return f"{minutes} minutes.{late}"
        return ""


def read_guide(name: str) -> Guide:
    text = (BOOK / "instructors" / f"{name}.md").read_text(encoding="utf-8")
    rows: list[tuple[str, str, str]] = []
    sections: dict[str, list[Hint]] = {}
    here: list[Hint] = []
    for block in blocks(text):
        if block.kind == "heading":
            here = sections.setdefault(block.text, [])
        elif block.kind == "table" and block.text.startswith("| section"):
            rows += [(cells[0], cells[1], cells[2]) for cells in _cells(block.text)]
        else:
            here += _hints(block, rows)
    return Guide(tuple(rows), {name: tuple(said) for name, said in sections.items()})


def _hints(block: Prose, rows: list[tuple[str, str, str]]) -> list[Hint]:
    items = [block.text]
    if block.kind == "bullet_list":
        items = re.split(r"^[-*] ", block.text, flags=re.MULTILINE)[1:]
    found: list[Hint] = []
    for item in items:
        kind = match[1] if (match := _KIND.match(item)) else ""
        said = _one_line(block, _ROLE.sub(lambda role: _words(role, rows), item))
        if kind == "Right" and found:
            named = [role[2] for role in _ROLE.finditer(item) if role[1] == "key"]
            found[-1] = Hint("Vote", found[-1].text, said, "".join(named[:1]))
        else:
            found.append(Hint(kind, said))
    return found


def _words(role: re.Match[str], rows: list[tuple[str, str, str]]) -> str:
    """What a role of the book stands for in a sentence; a link to a run or a row is left out."""
    if role[1] == "took":
        runs = json.loads(STATUS.read_text(encoding="utf-8"))["runs"]
        return f" {runs[role[2]]['seconds']:.0f} s"
    if role[1] == "saved":
        return f" {sum(_saved(minutes, late) for _, minutes, late in rows)} minutes"
    return ""


def _saved(minutes: str, late: str) -> int:
    part = re.search(r"(\d+) min", late)
    return int(part[1]) if part else int(minutes) if late else 0


def _one_line(block: Prose, item: str) -> str:
    return item.strip() if block.kind == "table" else " ".join(item.split())


def _cells(table: str) -> list[list[str]]:
    lines = table.splitlines()[2:]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]


def _key(heading: str) -> str:
    """Sections are called alike in the lesson and on the page: hook, experiment 2, questions."""
    if found := _EXPERIMENT.search(heading):
        return f"experiment {found[1]}"
    lowered = heading.lower()
    if "hook" in lowered:
        return "hook"
    return "questions" if lowered in ("questions", "closing questions") else lowered
