"""The folders of the labs: what the course ships in them, and the learner's own `work/`.

labs/01-health-check/
    starter/health.py     what the learner begins with; the one file of the lab
    reason.md             why the solution is one
    repairs.yml           other repairs, as edits of the solution: wrong ones, and right ones
    right/*.py            further right repairs, as whole files
    test_lab.py           the checks
    hints.yml             three hints for each check
    work/                 the learner's file, its kept versions, and progress.json (not in git)

The solution is the bistro's module of the same name: what a lab repairs is what the app runs. The
starter's last lines, which are given, make an app of it. A lab whose file is no part of the bistro
has a `solution/` of its own.

labs/04-…/with-sqlalchemy/ is a track of the lab: the same task with another library, in a folder
with the same contents.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.course import LABS

GIVEN = "\n\n# -- Given: this file as an app of its own --\n"


TRACK = "with-"  # how the folder of a track begins


class UnknownLab(LookupError):
    """No lab or track has that name, or several begin with it; the text lists them."""


@dataclass(frozen=True)
class Lab:
    """One lab, or a track of one.

    `name` is that of its folder: "01-health-check", "04-twenty-connections/with-sqlalchemy".
    """

    folder: Path

    @property
    def name(self) -> str:
        parent, name = self.folder.parent.name, self.folder.name
        return f"{parent}/{name}" if name.startswith(TRACK) else name

    @property
    def words(self) -> str:
        """How the command names it: "04-twenty-connections --with sqlalchemy"."""
        return self.name.replace(f"/{TRACK}", " --with ")

    def tracks(self) -> list[Lab]:
        return [Lab(path.parent) for path in sorted(self.folder.glob(f"{TRACK}*/test_lab.py"))]

    @property
    def starter(self) -> Path:
        [starter] = (self.folder / "starter").glob("*.py")
        return starter

    @property
    def repaired(self) -> Path:
        """The file that the lab arrives at: a module of the bistro, or the lab's own."""
        own = self.folder / "solution" / self.starter.name
        return own if own.exists() else LABS / "bistro" / self.starter.name

    def solution(self) -> str:
        """The source of one solution, a whole file for `work/`: it ends as the starter does."""
        _, given, app = read(self.starter).partition(GIVEN)
        return read(self.repaired) + given + app

    @property
    def work(self) -> Path:
        """The learner's file. It may not be there yet."""
        return self.folder / "work" / self.starter.name

    def shown(self, path: Path) -> str:
        """How a message names a file of this lab: the same on every machine."""
        return f"labs/{self.name}/{path.relative_to(self.folder).as_posix()}"

    def untouched(self, source: str) -> bool:
        """True if `source` is the starter, apart from comments and layout."""
        try:
            return ast.dump(ast.parse(source)) == ast.dump(ast.parse(read(self.starter)))
        except (SyntaxError, ValueError):
            return False

    def reason(self) -> str:
        """Why the solution is one, in one line."""
        return " ".join(read(self.folder / "reason.md").split())

    def hints(self) -> dict[str, list[str]]:
        """Three hints for each check, by the check's name."""
        import yaml

        return yaml.safe_load(read(self.folder / "hints.yml"))

    # -- the learner's files --

    def begin(self) -> None:
        """Put a copy of the starter in `work/`."""
        self.work.parent.mkdir(exist_ok=True)
        shutil.copyfile(self.starter, self.work)

    def save(self, source: str) -> str | None:
        """Make `source` the learner's file; return how an earlier one was kept, if it was.

        Nothing is lost: a file that was neither the starter nor submitted by a cell is kept.
        """
        kept = None
        if self.work.exists():
            there = read(self.work)
            if there not in (source, self.progress().get("submitted"), read(self.starter)):
                kept = self.keep()
        self.work.parent.mkdir(exist_ok=True)
        self.work.write_text(source, encoding="utf-8")
        self.remember(submitted=source)
        return kept

    def keep(self) -> str:
        """Move the learner's file aside, to a name with the next free number; return that name."""
        number = 1
        while (kept := self.work.with_suffix(f".{number}.py")).exists():
            number += 1
        self.work.rename(kept)
        return self.shown(kept)

    def progress(self) -> dict[str, Any]:
        """What is remembered: `failing`, `hints` (shown for that check), `used`, `submitted`.

        `used` is how many hints were shown for each check, by its name, since the lab was begun.
        """
        try:
            return json.loads(read(self.folder / "work" / "progress.json"))
        except (OSError, ValueError):
            return {}

    def remember(self, **news: Any) -> None:
        """Remember `news` beside what is known already."""
        file = self.folder / "work" / "progress.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(self.progress() | news, indent=1), encoding="utf-8")


def every_lab() -> list[Lab]:
    """All labs, in order, without their tracks.

    The environment variable COURSE_LABS names another folder of labs than the course's own.
    """
    top = Path(os.environ.get("COURSE_LABS") or LABS)
    return [Lab(path.parent) for path in sorted(top.glob("*/test_lab.py"))]


def find(name: str) -> Lab:
    """The lab whose name begins with `name`: "01", or "1", is enough. Raises UnknownLab.

    A track's name follows a slash: "04/with-sqlalchemy", or "04/sqlalchemy", and its beginning is
    enough as well.
    """
    name, slash, track = name.partition("/")
    name = name.zfill(2) if name.isdigit() else name
    lab = one_of(every_lab(), name, "lab", "labs")
    if not slash:
        return lab
    tracks = lab.tracks()
    if not tracks:
        raise UnknownLab(f"There is no track {track!r}: lab {lab.name} has none.")
    return one_of(tracks, track.removeprefix(TRACK), "track", f"tracks of {lab.name}")


def one_of(labs: list[Lab], name: str, one: str, several: str) -> Lab:
    """The one whose folder begins with `name`. Raises UnknownLab, which lists them."""
    there = {lab.folder.name.removeprefix(TRACK): lab for lab in labs}
    fitting = [known for known in there if name and known.startswith(name)]
    if len(fitting) == 1:
        return there[fitting[0]]
    problem = f"Several {several} begin with" if fitting else f"There is no {one}"
    names = ", ".join(fitting or there)
    raise UnknownLab(f"{problem} {name!r}. Choose one of: {names or '(none)'}.")


def check_titles(lab: Lab) -> dict[str, str]:
    """The titles of a lab's checks by their names, in order, without running them."""
    return {node.name: ast.get_docstring(node) or node.name for node in _checks(lab)}


def check_names(lab: Lab) -> list[str]:
    """The names of a lab's checks, in order."""
    return list(check_titles(lab))


def needs_nothing(lab: Lab) -> bool:
    """Whether the checks ask for no laboratory: no database, no server."""
    return not any(node.args.args for node in _checks(lab))


def _checks(lab: Lab) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(read(lab.folder / "test_lab.py"))
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node for node in nodes if node.name.startswith("test_")]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
