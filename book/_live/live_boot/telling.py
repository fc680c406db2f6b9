"""Errors and warnings in the reader's own lines; those of libraries are counted, not shown."""

from __future__ import annotations

import linecache
import sys
import traceback
import warnings
from typing import TextIO

CELL = "cell-"
"""How the name of every cell begins."""


def told(error: BaseException) -> str:
    """The traceback of an error, from the first to the last line of the reader's cells."""
    if isinstance(error, SyntaxError) and error.text is None and error.filename and error.lineno:
        error.text = (
            linecache.getline(error.filename, error.lineno) or None
        )  # CPython reads the file
    whole = traceback.TracebackException.from_exception(error)
    libraries: dict[str, None] = {}
    shorten(whole, libraries)
    text = "".join(whole.format())
    if libraries:
        text += f"(Left out: the lines of {', '.join(libraries)}.)\n"
    return text


def shorten(error: traceback.TracebackException | None, libraries: dict[str, None]) -> None:
    if error is None:
        return
    mine = [step for step in error.stack if step.filename.startswith(CELL)]
    first = error.stack.index(mine[0]) if mine else 0
    for step in error.stack[first:]:
        if not step.filename.startswith(CELL) and (name := library(step.filename)):
            libraries[name] = None
    error.stack[:] = mine
    shorten(error.__cause__, libraries)
    shorten(error.__context__, libraries)
    for one in error.exceptions or ():
        shorten(one, libraries)


def library(file: str) -> str:
    """`starlette` of a file of Starlette; empty for what runs the cells."""
    for home in ("/packages/", "/course/labs/", ".zip/", "/live/"):
        if home in file:
            name = file.partition(home)[2].split("/")[0].removesuffix(".py")
            return "" if name in ("live_boot", "pyodide", "_pyodide") else name
    return file


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line, with the reader's place if there is one."""
    place = f"{filename}, line {lineno}: " if filename.startswith(CELL) else ""
    print(f"{place}{category.__name__}: {message}", file=file or sys.stderr)


def install() -> None:
    warnings.showwarning = show_warning
