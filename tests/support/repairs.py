"""The repairs of a lab that are kept as tests: wrong ones, and right ones of other styles.

`labs/NN-…/repairs.yml` is a list. Each entry is an edit of the lab's solution:

    - name: no_deadline
      fails: test_a_full_pool_refuses_in_time    or   passes: true
      why: what it does, in one or two sentences
      of: starter                                left out, it is an edit of the solution
      edits:
      - replace: …                               a text that occurs exactly once
        with: …

A text that several edits replace has a name in the first of them: `&name`, and then `*name`.

`labs/NN-…/right/*.py` are further right repairs, as whole files; the docstring says why.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from bench.practice.folders import Lab, read
from edits import edited, entries


@dataclass(frozen=True)
class Repair:
    """A file that a learner could submit. `fails` names a check; None: it passes them all."""

    name: str
    fails: str | None
    why: str
    source: str


def load(lab: Lab) -> list[Repair]:
    """Every repair of the lab, the whole files last; ValueError names a malformed entry."""
    table = entries(lab.folder / "repairs.yml")
    return [of_entry(lab, entry) for entry in table] + [
        Repair(file.stem, None, ast.get_docstring(ast.parse(read(file))) or "", read(file))
        for file in sorted(lab.folder.glob("right/*.py"))
    ]


def of_entry(lab: Lab, entry: dict[str, Any]) -> Repair:
    where = f"{lab.name}/repairs.yml, {entry.get('name')}"
    verdict = entry.keys() & {"fails", "passes"}
    if len(verdict) != 1 or entry.keys() - {"of"} != {"name", "why", "edits"} | verdict:
        raise ValueError(f"{where}: {sorted(entry)} are not its fields")
    if entry.get("passes", True) is not True:
        raise ValueError(f"{where}: a repair that does not pass names the check that it fails")
    source = {"solution": lab.solution(), "starter": read(lab.starter)}[entry.get("of", "solution")]
    for edit in entry["edits"]:
        source = edited(source, edit["replace"], edit["with"], where)
    return Repair(entry["name"], entry.get("fails"), entry["why"], source)
