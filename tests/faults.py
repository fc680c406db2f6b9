"""The table of seeded faults: what would turn a claim or a check red.

`faults.yml` is a list. Each entry names one claim or one test and an edit, usually the mistaken
version that the claim speaks against:

    - claim: def-forty-inside            or   check: tests/test_figures.py::test_a_label_is_required
      edit: notebooks/text/01-….md       the file, from the top of the repository
      replace: …                         a text that occurs exactly once in that file
      with: …
      world: the belief under which the claim would be false, in one sentence
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests" / "faults.yml"
CLAIM = re.compile(r"\bclaim\(\s*[\"']([^\"']+)[\"']")


@dataclass(frozen=True)
class Fault:
    name: str
    kind: str
    edit: str
    replace: str
    becomes: str
    world: str

    def apply(self, root: Path) -> None:
        """Make the edit below `root`; ValueError unless its text occurs exactly once there."""
        path = root / self.edit
        text = path.read_text(encoding="utf-8")
        if (count := text.count(self.replace)) != 1:
            raise ValueError(
                f"{self.name}: the text to replace occurs {count} times in {self.edit}"
            )
        path.write_text(text.replace(self.replace, self.becomes), encoding="utf-8")


def load() -> list[Fault]:
    """Every fault of the table, in its order; ValueError names a malformed entry."""
    faults = []
    for number, row in enumerate(yaml.safe_load(TABLE.read_text(encoding="utf-8")), 1):
        kind = "claim" if "claim" in row else "check"
        if set(row) != {kind, "edit", "replace", "with", "world"}:
            raise ValueError(f"faults.yml, entry {number}: {sorted(row)} are not its five fields")
        faults.append(
            Fault(row[kind], kind, row["edit"], row["replace"], row["with"], row["world"])
        )
    return faults


def experiments() -> list[Path]:
    """The files that make claims: the notebooks' texts and the evidence scripts."""
    patterns = "notebooks/text/[0-9][0-9]-*.md", "labs/evidence/[0-9][0-9]_*.py"
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def claims_in(path: Path) -> list[str]:
    """The claim ids that a file makes, in the order of the file."""
    return CLAIM.findall(path.read_text(encoding="utf-8"))


def copy_of_the_course(target: Path) -> Path:
    """Copy what git tracks, or would track, to `target`; return it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target
