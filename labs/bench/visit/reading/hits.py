"""Prints what was read in a project's source."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from bench.claim_index import claim_homes
from bench.course import COURSE, lesson_of
from bench.units import counted
from bench.visit.application import VisitError
from bench.visit.reading.project import Project
from bench.visit.reading.rules import Hit, read

MOST = 20  # hits of a kind that are shown, if nobody asks for that kind
TITLES = {
    "blocking-call": "Blocking calls on the event loop",
    "forgotten-await": "Coroutines that nobody awaits",
    "sql-from-text": "SQL built out of text",
    "commit-after-reply": "Commits after the reply",
    "pool": "Pools",
}


def told(folder: Path, kinds: Sequence[str] = ()) -> tuple[str, int]:
    """The report of a folder or file, and how many hits are faults: a pool is none.

    Only these `kinds`, if some are given. Raises VisitError if there is nothing to read.
    """
    if not folder.exists():
        raise VisitError(f"--read {folder}: there is no such folder or file.")
    project = Project(folder)
    if not project.modules:
        raise VisitError(f"--read {folder}: there is no Python file.")
    hits = [one for one in read(project) if not kinds or one.kind in kinds]
    lines = [
        f"{counted(str(len(project.modules)), 'files')}, "
        f"{counted(str(len(project.functions)), 'functions')} read."
    ]
    if project.unread:
        version = ".".join(map(str, sys.version_info[:2]))
        lines += [f"Not read, since Python {version} cannot: {', '.join(project.unread[:5])}."]
    homes = claim_homes()
    for kind, group in groupby(hits, key=lambda one: one.kind):
        same = list(group)
        home = homes[same[0].claim]
        lines += [
            "",
            f"{TITLES[kind]}: {len(same)} (lesson {int(lesson_of(home))}, "
            f"{home.relative_to(COURSE).as_posix()})",
        ]
        shown = same if kinds else same[:MOST]
        lines += [line for one in shown for line in _lines(one)]
        if rest := same[len(shown) :]:
            files = counted(str(len({one.file for one in rest})), "files")
            lines += [f"  … and {len(rest)} more, in {files}: --only {kind} shows all."]
    faults = sum(one.kind != "pool" for one in hits)
    if not faults:
        lines += ["", "No fault found. What the source does not tell, a visit may."]
    return "\n".join(lines), faults


def _lines(one: Hit) -> list[str]:
    return [f"  {one.at}  {one.code}", f"      {one.says}"]
