"""The table of invited changes: what a lesson says that happens when its reader changes a cell.

A demo on the lesson's page for instructors is one, too.

`changes/NN.yml` has those of a lesson, in the order of its text:

    - invites: "Change `dish = 0.3` to `0.1`"   words of the lesson, which stand in it exactly once
      replace: "dish = 0.3"             a text that occurs exactly once in the lesson's cells
      with: "dish = 0.1"
      red: []                           the claims that turn red; every other claim holds
      prints: ["…"]                     optional: what the lesson prints then, and not as stored
      shown_by: instructor              optional: the words stand on the page for instructors

A changed lesson ends: a red claim is the only error that a change may bring.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

import refresh
from bench.claim_index import claims_in, claims_of
from bench.course import BOOK, LESSON_TEXTS
from edits import entries

TABLES = Path(__file__).resolve().parent / "changes"
INVITATION = re.compile(r"\bChange ")
"""How every invitation begins. Each has an entry: a lesson promises no change that nobody ran."""


@dataclass(frozen=True)
class Change:
    lesson: Path
    """The text of the lesson, below notebooks/text."""
    invites: str
    replace: str
    becomes: str
    red: frozenset[str]
    prints: tuple[str, ...]
    page: Path
    """Where its words stand: the text of the lesson, or its page for instructors."""

    @property
    def name(self) -> str:
        return f"{self.lesson.name[:2]}: {self.invites}"

    def made(self) -> nbformat.NotebookNode:
        """The lesson as a notebook with this change; ValueError unless its text stands once."""
        notebook = refresh.from_text(self.lesson)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        if (count := sum(cell.source.count(self.replace) for cell in cells)) != 1:
            raise ValueError(f"{self.name}: the text to replace occurs {count} times in its cells")
        for cell in cells:
            cell.source = cell.source.replace(self.replace, self.becomes)
        return notebook


def load() -> list[Change]:
    """Every change of the tables, in their order; ValueError names a malformed entry."""
    changes = []
    for table in sorted(TABLES.glob("[0-9][0-9].yml")):
        lesson = next(LESSON_TEXTS.glob(f"{table.stem}-*.md"))
        for number, row in enumerate(entries(table), 1):
            if (
                not {"invites", "replace", "with", "red"}
                <= set(row)
                <= {*("invites", "replace", "with", "red", "prints", "shown_by")}
            ) or row.get("shown_by", "instructor") != "instructor":
                raise ValueError(f"{table.name}, entry {number}: {sorted(row)} are not its fields")
            outcome = frozenset(row["red"]), tuple(row.get("prints", ()))
            page = BOOK / "instructors" / lesson.name if "shown_by" in row else lesson
            edit = row["replace"], row["with"]
            changes.append(Change(lesson, row["invites"], *edit, *outcome, page))
    return changes


def printed(notebook: nbformat.NotebookNode) -> str:
    """All that the cells of a notebook have printed, as one text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text", "") for output in outputs)


def errors(notebook: nbformat.NotebookNode) -> list[str]:
    """What ended a cell and was no red claim, as "TypeError: …"."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    ends = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
    return [end for end in ends if not end.startswith("ClaimFailed")]


def complaint(change: Change, verdicts: dict[str, bool], notebook: nbformat.NotebookNode) -> str:
    """What differs from the promise in a run of the changed lesson; "" if nothing does.

    `verdicts` says which claims held. Those that share a cell with a red claim may be missing:
    where a red claim ends its cell, nobody made them.
    """
    if ends := errors(notebook):
        return f"a cell ended with {ends[0][:200]}"
    red = {name for name, ok in verdicts.items() if not ok}
    cells = [set(claims_in(c.source)) for c in notebook.cells if c.cell_type == "code"]
    beside = set().union(*(claims for claims in cells if claims & red))
    if not (red <= change.red and change.red - red <= beside - set(verdicts)):
        return f"red were {sorted(red)}, promised were {sorted(change.red)}"
    if missed := set(claims_of(change.lesson)) - set(verdicts) - beside:
        return f"never reached: {sorted(missed)}"
    if silent := [text for text in change.prints if text not in printed(notebook)]:
        return f"it did not print {silent[0]!r}"
    return ""
