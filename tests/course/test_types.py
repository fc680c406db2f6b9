"""A type checker finds nothing in `bench`, `bistro`, `book/_ext`, and nothing is hidden from it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from bench.course import COURSE

MYPY: dict[str, Any] = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))[
    "tool"
]["mypy"]
IGNORE = re.compile(r"#\s*type:\s*ignore.*")
WITH_CODE_AND_REASON = re.compile(r"# type: ignore\[[a-z-]+(, [a-z-]+)*\]  # \w.*")


def test_the_type_checker_has_nothing_to_say() -> None:
    """From a cold start it reads the libraries, too; then it remembers them in `.mypy_cache`."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-pretty", "--no-error-summary"],
        cwd=COURSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"Run `mypy`:\n{done.stdout}{done.stderr}"


def test_the_type_checker_reads_what_the_course_promises() -> None:
    assert MYPY["strict"]
    assert MYPY["files"] == ["labs/bench", "labs/bistro", "book/_ext", "book/_slides"]


def test_no_module_is_excused_but_libraries_without_types() -> None:
    assert not {"exclude", "ignore_errors", "disable_error_code"} & set(MYPY)
    for override in MYPY["overrides"]:
        assert set(override) == {"module", "ignore_missing_imports"}
        assert not [name for name in override["module"] if name.startswith(("bench", "bistro"))]


@pytest.mark.parametrize("folder", MYPY["files"])
def test_an_ignored_error_has_its_code_and_a_reason(folder: str) -> None:
    files = sorted((COURSE / folder).rglob("*.py"))
    assert files
    ignored = [found for one in files for found in IGNORE.findall(one.read_text(encoding="utf-8"))]
    assert [line for line in ignored if not WITH_CODE_AND_REASON.fullmatch(line)] == []
