"""The decks and handouts that the tests look at, made once for a file of tests."""

from __future__ import annotations

import os
from pathlib import Path

from lesson_cells import lessons, read_lesson
from making import make_lesson
from reveal_package import reveal_files

LESSONS = lessons() if os.environ.get("COURSE_SLIDES") == "all" else lessons()[:1]
"""One lesson in `make test`, all of them in `make proof`."""


def make_decks(folder: Path) -> None:
    """Write the decks and the handouts of LESSONS, without the PDF."""
    reveal = reveal_files()
    for name in LESSONS:
        make_lesson(read_lesson(name), folder, reveal, None)
