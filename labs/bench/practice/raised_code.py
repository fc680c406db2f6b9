"""What submitted code raised: an exception for the checks, and an entry that names the line.

Needs the standard library alone.
"""

from __future__ import annotations

import linecache
import re
import traceback
from pathlib import Path
from typing import Any

# What differs from run to run, and helps nobody: ports and addresses in memory.
CHANGING = re.compile(r"(?<=\bport )\d+|(?<=\w:)\d{4,5}\b|(?<=\b0x)\w+")


class CodeRaised(Exception):
    """The submitted code raised. `entry` has raised, message, line (or None) and code."""

    def __init__(self, entry: dict[str, Any]) -> None:
        super().__init__(f"{entry['raised']}: {entry['message']}")
        self.entry = entry


class NoApp(Exception):
    """The file was read to its end, and there is no `app` in it."""


def innermost(error: BaseException) -> BaseException:
    """The first error inside groups of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def entry_of(error: BaseException, file: Path) -> dict[str, Any]:
    """What was raised, and the last line of the submitted `file` on the way there."""
    error = innermost(error)
    ours = str(file)
    places = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == ours
    ]
    line = places[-1] if places else None
    message = next(iter(str(error).strip().splitlines()), "").replace(ours, file.name)
    if isinstance(error, SyntaxError) and error.filename == ours:
        line = error.lineno
    return entry(error, message, line, file)


def entry(error: BaseException, message: str, line: int | None, file: Path) -> dict[str, Any]:
    said = CHANGING.sub("…", message)
    return {
        "raised": type(error).__name__,
        "message": said,
        "line": line,
        "code": code_at(file, line),
    }


def code_at(file: Path, line: int | None) -> str:
    return linecache.getline(str(file), line).strip() if line else ""
