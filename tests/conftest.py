"""Nothing is skipped here: a skip or an expected failure hides a missing part, so it is red.

Each test carries the name of its folder as a marker, which says what it needs: `pytest -m unit`.
The kernels of notebooks do not need TCP ports, which experiments beside them may take; the
processes of one test run share one built book.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbval.kernel
import pytest
from nbval.plugin import IPyNbCell

import refresh

HERE = Path(__file__).parent
LONGEST_FIRST = (
    *("test_evidence", "test_labs", "test_pages", "test_practice", "test_book", "test_postgres"),
    *("test_live_cells", "test_quiz_cards", "test_timeline", "test_jupyterlab", "test_own_loop"),
    "test_types",
)
"""The files that take longest: begun last, one of them would keep one process busy alone."""


def pytest_configure(config: pytest.Config) -> None:
    nbval.kernel.KernelManager = refresh.KernelOfATest
    config.pluginmanager.register(LastLook())
    config.option.loadscopereorder = False  # pytest-xdist would begin with the most tests
    if not hasattr(config, "workerinput"):  # the process that starts the workers of pytest-xdist
        shared = tempfile.TemporaryDirectory(prefix="course-book-")
        os.environ["COURSE_BOOK"] = shared.name
        config.add_cleanup(shared.cleanup)


class LastLook:
    """After the last cell of a notebook nothing may be open (tests/support/last_look.py)."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Iterator[None]:
        is_last = isinstance(item, IPyNbCell) and not (nextitem and nextitem.parent is item.parent)
        left = left_open(item) if is_last else "[]"
        yield  # the kernel ends here
        if left != "[]":
            pytest.fail(f"The notebook leaves open: {left}", pytrace=False)


def left_open(cell: IPyNbCell) -> str:
    """What is open in the kernel of that cell, as Python writes a list of strings."""
    done = cell.parent.kernel.kc.execute_interactive(
        f"__import__('sys').path.append({str(HERE / 'support')!r})",
        store_history=False,
        user_expressions={"left": "__import__('last_look').left_open()"},
        output_hook=lambda message: None,
        timeout=60,
    )
    found = done["content"]["user_expressions"]["left"]
    return found["data"]["text/plain"] if found["status"] == "ok" else str(found)


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.is_relative_to(HERE):
        item.add_marker(item.path.relative_to(HERE).parts[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, then the notebooks; in a file, everything stays as it was."""
    if renamed := set(LONGEST_FIRST) - {path.stem for path in HERE.glob("*/test_*.py")}:
        raise pytest.UsageError(f"LONGEST_FIRST in tests/conftest.py names no file: {renamed}")

    def rank(item: pytest.Item) -> int:
        if item.path.stem in LONGEST_FIRST:
            return LONGEST_FIRST.index(item.path.stem)
        return len(LONGEST_FIRST) + (not isinstance(item, IPyNbCell))

    items.sort(key=rank)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    hidden = [r for kind in ("skipped", "xfailed", "xpassed") for r in reporter.stats.get(kind, [])]
    if hidden and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("")
        for report in hidden:
            reporter.write_line(f"hidden by a skip or xfail: {report.nodeid}", red=True)
