"""A lab's outcome as one line of JSON, and many such lines as a table for an instructor.

    python -m bench.practice 04 --json --learner "Ada" >> ada.jsonl
    python -m bench.practice table ada.jsonl bo.jsonl > class.csv      or a folder of such files

Nothing is sent anywhere: a line is printed where the lab was checked. Its fields, in this order:

    lab       "04-twenty-connections"
    track     "sqlalchemy", or "" for the lab itself
    outcome   "correct", "incorrect", "raised", "not attempted", or "closed": it could not start
    passed    how many checks passed, from the first one on
    checks    how many there are
    failing   the name of the check that failed or in which the code raised; null if there is none
    hints     how many hints were shown since the lab was begun
    course    the version of the course
    learner   only if a name was given

The table is CSV, for a spreadsheet: one row for each learner, lab and track, from the last line.
"""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.course import COURSE
from bench.practice.folders import TRACK, Lab, check_names
from bench.practice.printed_outcomes import (
    Closed,
    Correct,
    Incorrect,
    NotAttempted,
    Outcome,
    Raised,
)

OUTCOMES: dict[type[Outcome], str] = {
    Correct: "correct",
    Incorrect: "incorrect",
    Raised: "raised",
    NotAttempted: "not attempted",
    Closed: "closed",
}
COLUMNS = ("learner", "lab", "track", "outcome", "passed", "checks", "failing", "hints", "course")
NEEDED = {*COLUMNS} - {"learner"}
RUNS_IN_A_SPREADSHEET = tuple("=+-@\t\r")


def marked_line(lab: Lab, outcome: Outcome, learner: str = "") -> str:
    """The outcome as one line of JSON, without a line break at its end.

    It is ASCII, so that a name survives every shell's `>>`.
    """
    name, _, track = lab.name.partition("/")
    stopped, progress = outcome.stopped, lab.progress()
    used = progress.get("used") or {"": progress.get("hints", 0)}  # before the course noted each
    fields: dict[str, Any] = {
        "lab": name,
        "track": track.removeprefix(TRACK),
        "outcome": OUTCOMES[type(outcome)],
        "passed": sum(check.state == "passed" for check in outcome.checks),
        "checks": len(check_names(lab)),
        "failing": stopped.name if stopped else None,
        "hints": sum(used.values()),
        "course": course_version(),
    }
    if learner:
        fields["learner"] = learner
    return json.dumps(fields)


def course_version() -> str:
    project = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def table_of(names: Iterable[str]) -> tuple[str, list[str]]:
    """The lines of these files, or folders of .jsonl files, as CSV; and what could not be read.

    Of several lines of a learner about one lab or track, the last one counts: in the order of the
    files. Raises OSError for a file that is not there.
    """
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    problems: list[str] = []
    for path in files_of(names):
        for number, line in enumerate(decoded(path).split("\n"), 1):
            if not line.strip():
                continue
            if row := row_of(line):
                rows[row["learner"], row["lab"], row["track"]] = row
            else:
                problems.append(f"{path.name}, line {number}: this is no outcome of a lab.")
    page = io.StringIO()
    written = csv.DictWriter(page, COLUMNS, lineterminator="\n")
    written.writeheader()
    for _, row in sorted(rows.items()):
        written.writerow({name: harmless(row[name]) for name in COLUMNS})
    return page.getvalue(), problems


def files_of(names: Iterable[str]) -> list[Path]:
    found = []
    for path in map(Path, names):
        found += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return found


def decoded(path: Path) -> str:
    """The text of a file, also of one that PowerShell's `>>` has written as UTF-16."""
    data = path.read_bytes()
    utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    return data.decode("utf-16" if utf_16 else "utf-8-sig", errors="replace")


def row_of(line: str) -> dict[str, Any] | None:
    """The fields of a line; None if it is not one of `marked_line`."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # whoever wrote the file, the others' lines count
        return None
    if not isinstance(row, dict) or not {*row} >= NEEDED:
        return None
    return {name: row.get(name, "") for name in COLUMNS} | {
        name: str(row.get(name, "")) for name in ("learner", "lab", "track")
    }


def harmless(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if isinstance(value, str) and value.startswith(RUNS_IN_A_SPREADSHEET):
        return f"'{value}"
    return value
