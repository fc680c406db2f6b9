"""The parts of the long proof, in the order in which they run. Each says what it proves."""

from __future__ import annotations

from collections.abc import Callable

from parts.changes import changes
from parts.classroom import classroom
from parts.faults import faults
from parts.flakes import flakes
from parts.habits import habits
from parts.lighthouse import lighthouse
from parts.more import labs, long, pages, slides
from parts.pythons import pythons
from parts.since import since

PARTS: dict[str, Callable[..., list[str]]] = {
    part.__name__: part
    for part in (
        *(faults, changes, habits, long, labs, pages, slides),
        *(lighthouse, since, pythons, classroom, flakes),
    )
}
