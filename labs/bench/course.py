"""Where the course keeps what: found from this file, so that it holds in every working directory.

Needs the standard library alone.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2]
"""The top folder of the repository."""

BOOK = COURSE / "book"
MISCONCEPTIONS = BOOK / "misconceptions.yml"
TRACES = BOOK / "traces"
PAGE_ASSETS = BOOK / "_static"
STATUS = BOOK / "status.json"
ZIP_OF_THE_COURSE = "_static/course.zip"
"""In the built book: the course as one file, in a folder FOLDER_IN_THE_ZIP."""
FOLDER_IN_THE_ZIP = "course"
SIMULATOR_ERRORS = BOOK / "simulator-errors.json"

LABS = COURSE / "labs"
EVIDENCE = LABS / "evidence"
LESSON_TEXTS = COURSE / "notebooks" / "text"

TOUR = EVIDENCE / "tour"
TOUR_LESSON = "03"

WITH_SQLALCHEMY = EVIDENCE / "with_sqlalchemy"
"""The experiments of the lessons' pages for SQLAlchemy; each begins with its lesson's digits."""


def quiz_files(book: Path = BOOK) -> list[Path]:
    """The files with the questions of the lessons, in order."""
    return sorted((book / "quizzes").glob("*.yml"))


def recall_files(book: Path = BOOK, lesson: str = "[0-9][0-9]") -> list[Path]:
    """The files with the recall cards of the lessons, or those of one lesson, in order."""
    return sorted((book / "recall").glob(f"{lesson}-*.yml"))


def lesson_texts(course: Path = COURSE) -> list[Path]:
    """The texts of the lessons, in order. The notebook 00-ready is none: it looks at a computer."""
    return sorted((course / "notebooks" / "text").glob("0[1-9]-*.md"))


def experiments(course: Path = COURSE) -> list[Path]:
    """The files below `course` that make claims: the lessons' texts, then the evidence scripts."""
    evidence = course / "labs" / "evidence"
    patterns = ("[0-9][0-9]/*.py", "tour/tour_*.py", "with_sqlalchemy/[0-9]*.py")
    scripts = [path for pattern in patterns for path in evidence.glob(pattern)]
    return [*lesson_texts(course), *sorted(scripts)]


def lesson_of(experiment: Path) -> str:
    """The two digits of the lesson to which an experiment belongs."""
    room = experiment.parent.name
    if experiment.suffix == ".md" or room == WITH_SQLALCHEMY.name:
        return experiment.name[:2]
    return TOUR_LESSON if room == TOUR.name else room


def run_name(experiment: Path) -> str:
    """How `book/status.json` and messages name an experiment: "01-…", or "01/busy_thread"."""
    if experiment.suffix == ".md":
        return experiment.stem
    return f"{experiment.parent.name}/{experiment.stem}"


def output_of(script: Path) -> Path:
    """What an evidence script printed when it was last run stands beside it."""
    return script.with_suffix(".txt")


MADE_HERE = {".git", ".venv", "_build", ".proof", "work", "__pycache__", ".ipynb_checkpoints"}


def files_of_the_course(course: Path = COURSE) -> list[Path]:
    """What git tracks, or would track, below `course`, as it is in the work tree.

    Where there is no git, or no repository, all files but those in a folder of MADE_HERE.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=course, check=True, capture_output=True).stdout
        found = [course / name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        everything = course.rglob("*")
        found = [path for path in everything if not MADE_HERE & set(path.relative_to(course).parts)]
    return sorted(path for path in found if path.is_file())
