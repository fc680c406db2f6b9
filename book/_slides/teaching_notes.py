"""The instructor's page of a lesson, as notes for its slides: minutes, and what to say where.

A page has a table of minutes, and sections with bullets that begin with **Note**, **Ask**, **Vote**
or **Demo**; `book/instructors/01-….md` shows the form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bench.course import BOOK
from lesson_cells import Prose, blocks

KINDS = ("Note", "Ask", "Vote", "Demo")
_KIND = re.compile(rf"\*\*({'|'.join(KINDS)})\b")
_EXPERIMENT = re.compile(r"experiment (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Hint:
    kind: str
    """One of KINDS; empty for any other bullet or sentence."""
    text: str


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
                late = f" When you are late, drop this: {drop}." if drop else ""
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
            here += _hints(block)
    return Guide(tuple(rows), {name: tuple(said) for name, said in sections.items()})


def _hints(block: Prose) -> list[Hint]:
    if block.kind == "bullet_list":
        items = re.split(r"^[-*] ", block.text, flags=re.MULTILINE)[1:]
    else:
        items = [block.text]
    return [
        Hint(found[1] if (found := _KIND.match(item)) else "", _one_line(block, item))
        for item in items
    ]


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
