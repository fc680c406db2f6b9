"""The tests of `make test`, without what it leaves out to be quick."""

from __future__ import annotations

from bench.course import COURSE
from memory import Memory
from running import complaints_of, pytest

EVERY_PAGE = "tests/browser/test_pages.py", "tests/browser/test_live_cells.py"


def long(memory: Memory) -> list[str]:
    """the slow fault and load tests (tests/proof/long_*.py)"""
    return complaints_of("long tests", pytest(*map(str, COURSE.glob("tests/proof/long_*.py"))))


def labs(memory: Memory) -> list[str]:
    """every repair of every lab, right and wrong, at a desk and in the page"""
    files = "tests/servers/test_labs.py", "tests/browser/test_live_labs.py"
    return complaints_of("labs", pytest(*files), COURSE_WRONG="all")


def pages(memory: Memory) -> list[str]:
    """every page in Chromium, in both themes at both widths, and every change of a live cell"""
    return complaints_of("pages", pytest(*EVERY_PAGE), COURSE_PAGES="all")


def slides(memory: Memory) -> list[str]:
    """every slide and every handout of all lessons, not of one"""
    return complaints_of("slides", pytest("tests/browser/test_slides.py"), COURSE_SLIDES="all")
