"""Each change that a lesson invites its reader to make is made, and ends as the lesson says."""

from __future__ import annotations

import refresh
from changes import Change, complaint, load
from memory import LABORATORY, Memory, fingerprint
from parts.faults import verdicts_from
from proving import prove


def broken_promise(change: Change) -> str:
    """Run a lesson with one change; '' if it ends as its text says."""
    notebook = change.made()
    verdicts = verdicts_from(refresh.run(notebook, stop_at_error=False))
    return complaint(change, verdicts, notebook)


def print_of(change: Change) -> str:
    return fingerprint(repr(change), change.lesson.read_text("utf-8"), folders=LABORATORY)


def changes(memory: Memory, only: str = "") -> list[str]:
    """each change that a lesson invites ends as its text says"""
    table = [(change, print_of(change)) for change in load() if only in change.name]
    return prove(memory, "change", table, broken_promise, "ends as the lesson says")
