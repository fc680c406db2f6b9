"""Nothing is skipped here: a skip or an expected failure hides a missing part, so it is red.

Each test carries the name of its folder as a marker, which says what it needs: `pytest -m unit`.
The kernels of notebooks do not need TCP ports, which experiments beside them may take; the
processes of one test run share one built book.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbval.kernel
import pytest

import refresh

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    nbval.kernel.KernelManager = refresh.KernelOfATest
    if not hasattr(config, "workerinput"):  # the process that starts the workers of pytest-xdist
        shared = tempfile.TemporaryDirectory(prefix="course-book-")
        os.environ["COURSE_BOOK"] = shared.name
        config.add_cleanup(shared.cleanup)


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.is_relative_to(HERE):
        item.add_marker(item.path.relative_to(HERE).parts[0])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    hidden = [r for kind in ("skipped", "xfailed", "xpassed") for r in reporter.stats.get(kind, [])]
    if hidden and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("")
        for report in hidden:
            reporter.write_line(f"hidden by a skip or xfail: {report.nodeid}", red=True)
