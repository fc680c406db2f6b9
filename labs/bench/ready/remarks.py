"""What a look at a computer finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """One thing that a learner should know, and what to do about it, a sentence each.

    `stops`: the course does not work before it is cured. Otherwise it is a note: the course works.
    """

    problem: str
    cure: str = ""
    stops: bool = True

    def __str__(self) -> str:
        return f"{self.problem} {self.cure}".strip()


def note(problem: str, cure: str = "") -> Remark:
    """A remark with which the course works."""
    return Remark(problem, cure, stops=False)
