"""Which file makes which claim: found by reading the files, without running them.

Needs the standard library alone.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench.course import COURSE, experiments

ID = r"[a-z0-9]+(?:-[a-z0-9]+)*"
"""The pattern of a claim's id: lower-case words joined by dashes."""

_CALL = re.compile(rf"""\bclaim\(\s*["']({ID})["']""")


def claims_in(source: str) -> list[str]:
    """The ids of the claims that a piece of Python makes, in order, each as often as it stands."""
    return _CALL.findall(source)


def claims_of(experiment: Path) -> list[str]:
    """The ids of the claims that a file makes: a script, or the cells of a lesson's text."""
    return claims_in(experiment.read_text(encoding="utf-8"))


def claim_homes(course: Path = COURSE) -> dict[str, Path]:
    """{claim id: the experiment below `course` that makes it}; the first one, if there are two."""
    homes: dict[str, Path] = {}
    for path in experiments(course):
        for name in claims_of(path):
            homes.setdefault(name, path)
    return homes
