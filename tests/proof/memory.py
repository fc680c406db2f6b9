"""What was proven already: it is remembered until a file it depends on changes."""

from __future__ import annotations

import hashlib
import json

from bench.course import COURSE

HOME = COURSE / ".proof"
KINDS = {".py", ".md", ".sql", ".yml", ".json"}
LABORATORY = "labs/bench", "labs/bistro"
EVERYTHING = "labs", "notebooks/text", "tests"


def fingerprint(*texts: str, folders: tuple[str, ...] = EVERYTHING) -> str:
    """One hash over texts and over every file of those folders that an experiment can use."""
    digest = hashlib.sha256("\0".join(texts).encode())
    for folder in folders:
        for path in sorted((COURSE / folder).rglob("*")):
            mine = path.relative_to(COURSE).parts
            if path.suffix in KINDS and "work" not in mine:
                digest.update(path.read_bytes())
    return digest.hexdigest()


class Memory:
    """What was proven, by name and fingerprint, in one JSON file that survives an interruption."""

    def __init__(self, again: bool) -> None:
        self._path = HOME / "proven.json"
        self._proven = (
            {} if again or not self._path.exists() else json.loads(self._path.read_text())
        )

    def has(self, name: str, print_: str) -> bool:
        return self._proven.get(name) == print_

    def add(self, name: str, print_: str) -> None:
        self._proven[name] = print_
        HOME.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._proven, indent=1))
        fresh.replace(self._path)
