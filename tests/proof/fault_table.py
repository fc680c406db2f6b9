"""The table of seeded faults: what would turn a claim or a check red.

`faults/NN-….yml` has those of a lesson, `faults/checks.yml` the others. Each entry names one claim
or one test and an edit, usually the mistaken version that the claim speaks against:

    - claim: def-forty-inside            or   check: tests/unit/test_x.py::test_y
      edit: notebooks/text/01-….md       the file, from the top of the repository
      replace: …                         a text that occurs exactly once in that file
      with: …
      world: the belief under which the claim would be false, in one sentence
      also: [a-claim, …]             optional: other claims of the lesson that are false in it, too
      unplayed: …                    only where `replace` edits nothing but the call of `claim`

The edit plays the world: it is the code of somebody who believes in it, and exactly the claims that
are false there turn red. Where no such code comes to an end, the expectation is edited instead, and
`unplayed` says why.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from live_pins import ASSETS

from bench.course import COURSE, files_of_the_course
from edits import edited, entries

ROOT = COURSE
TABLES = ROOT / "tests" / "proof" / "faults"


@dataclass(frozen=True)
class Fault:
    name: str
    kind: str
    edit: str
    replace: str
    becomes: str
    world: str
    also: tuple[str, ...] = ()
    unplayed: str = ""

    def apply(self, root: Path) -> None:
        """Make the edit below `root`; ValueError unless its text occurs exactly once there."""
        path = root / self.edit
        text = path.read_text(encoding="utf-8")
        where = f"{self.name}, in {self.edit}"
        path.write_text(edited(text, self.replace, self.becomes, where), encoding="utf-8")


def load() -> list[Fault]:
    """Every fault of the tables, in their order; ValueError names a malformed entry."""
    faults = []
    rows = [
        (f"{table.name}, entry {number}", row)
        for table in sorted(TABLES.glob("*.yml"))
        for number, row in enumerate(entries(table), 1)
    ]
    for where, row in rows:
        kind = "claim" if "claim" in row else "check"
        needed = {kind, "edit", "replace", "with", "world"}
        if not needed <= set(row) <= needed | {"also", "unplayed"}:
            raise ValueError(f"{where}: {sorted(row)} are not its fields")
        edit = row["edit"], row["replace"], row["with"], row["world"]
        more = tuple(row.get("also", ())), row.get("unplayed", "")
        faults.append(Fault(row[kind], kind, *edit, *more))
    return faults


def copy_of_the_course(target: Path) -> Path:
    """Copy what git tracks, or would track, to `target`; return it. Fetched assets are shared."""
    for path in files_of_the_course():
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    (target / ASSETS.relative_to(ROOT)).symlink_to(ASSETS.resolve())
    return target
