"""The book, built once per test run, whichever process asks first."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.course import COURSE


def build(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Build the book in `source` into `output`/_build/html, as `make book` does."""
    jupyter_book = shutil.which("jupyter-book", path=Path(sys.executable).parent)
    assert jupyter_book, "jupyter-book is missing beside this Python: install requirements.txt"
    command = [jupyter_book, "build", str(source)]
    command += ["--path-output", str(output), "-W", "-n", "--keep-going"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@functools.cache
def _alone() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="course-book-")  # removed when this process ends


@functools.cache
def _built() -> tuple[Path, str]:
    """Where the book was built, and what is wrong with it. COURSE_BOOK: the processes share it."""
    output = Path(os.environ.get("COURSE_BOOK") or _alone().name)
    verdict = output / "verdict.txt"
    try:
        (output / "building").mkdir()
    except FileExistsError:  # another process came first
        for _ in range(3000):
            if verdict.exists():
                return output, verdict.read_text("utf-8")
            time.sleep(0.1)
        return output, "Another process has been building it for 5 minutes."
    done = build(COURSE, output)
    problem = (done.stdout + done.stderr)[-4000:] if done.returncode else ""
    new = output / "verdict.new"
    new.write_text(problem, "utf-8")
    new.replace(verdict)
    return output, problem


def built_book() -> Path:
    """Return the folder of the built book; raises with the end of the log when it does not build.

    It is built once, whether that succeeds or not: the tests that need it fail at once then.
    """
    output, problem = _built()
    assert not problem, f"The book does not build:\n{problem}"
    return output / "_build" / "html"
