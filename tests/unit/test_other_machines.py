"""What other machines lack: open files, a home that can be written, a locale that knows umlauts."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from bench.course import COURSE, LABS

RULES = """
from bench import AsyncioLoop, broken_rules
print(broken_rules(AsyncioLoop))
"""
CELL = """
import nbformat, refresh
cell = "import matplotlib; matplotlib.get_configdir(); print(6 * 7)"
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
refresh.run(notebook)
print(*(output["name"] + ": " + output["text"] for output in notebook.cells[0].outputs))
"""


def python(
    code: str, files: tuple[int, int] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run some code in a process that may have so many open files: its soft and its hard limit."""
    paths = os.pathsep.join([str(LABS), str(COURSE / "notebooks")])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: files and resource.setrlimit(resource.RLIMIT_NOFILE, files),
    )


def test_256_open_files_as_on_macos_break_no_rule() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    done = python(RULES, files=(150, hard))  # a notebook has a hundred open already
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_too_few_open_files_are_no_broken_rule_but_a_sentence() -> None:
    done = python(RULES, files=(128, 128))
    assert done.stdout == ""
    assert "OSError: This needs 512 open files and sockets at once" in done.stderr
    assert "Run `ulimit -n 512`" in done.stderr


@pytest.mark.parametrize("home", ["/proc/nobody-can-write-here", "long"])
def test_a_notebook_runs_whatever_its_home(home: str, tmp_path: Path) -> None:
    """A home that nobody can write, and one whose path is too long for a socket's file."""
    if home == "long":
        home = str(tmp_path / ("a-long-name" * 10))
        Path(home).mkdir()
    done = python(CELL, HOME=home)
    assert (done.stdout, done.stderr) == ("stdout: 42\n\n", "")


def test_make_works_in_a_path_with_umlauts_and_a_locale_that_has_none(tmp_path: Path) -> None:
    course = tmp_path / "Käse und Öl"
    venv.create(course / ".venv", symlinks=True)
    (packages,) = course.glob(".venv/lib/*/site-packages")
    (packages / "course.pth").write_text(f"{course / 'labs'}\n", encoding="utf-8")
    for name, text in {
        "labs/installed.py": "dish = 'soup'",
        "notebooks/refresh.py": "import installed; print(installed.dish)",
        **{name: "" for name in ("requirements.txt", "requirements-proof.txt", "constraints.txt")},
        "pyproject.toml": "",
        ".venv/.ready": "",  # the newest of them: nothing has to be installed
        ".venv/.ready-to-prove": "",
    }.items():
        (course / name).parent.mkdir(exist_ok=True)
        (course / name).write_text(text)
    shutil.copy(COURSE / "Makefile", course)
    done = subprocess.run(
        ["make", "--no-print-directory", "notebooks"],
        cwd=course,
        env={**os.environ, "LC_ALL": "C", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("soup\n", "")
