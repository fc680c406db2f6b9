"""A wait that ends in vain says one sentence, also where it ends a whole group of tasks.

Python shows an error with the way it came, and a group of errors with the way of each: pages, in a
cell with a TaskGroup. Of a wait in vain the sentence and the line are enough. So the first such
error teaches this interpreter to show no more of it: the notebook's shell, or `sys.excepthook`.
Needs the standard library alone, so it also runs in the reader's browser.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any


class WaitedInVain(TimeoutError):
    """What was waited for did not come. Uncaught, it is shown as one line that says so."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        _teach_the_interpreter()


class _Shown(TimeoutError):
    """What a notebook's shell shows: these lines."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


_Shown.__name__ = TimeoutError.__name__


def _lines_of(error: BaseException) -> tuple[list[str], BaseException | None]:
    """A line for each wait in vain in `error`, and what else there is in it."""
    if not isinstance(error, BaseExceptionGroup):
        return ([_line(error)], None) if isinstance(error, WaitedInVain) else ([], error)
    vain, others = error.split(WaitedInVain)
    return [_line(one) for one in _leaves(vain)] if vain else [], others


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _line(error: BaseException) -> str:
    """`TimeoutError in line 3: Waited 30 s for …`: the line of whoever waited, not ours."""
    where = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in ("bench", "asyncio"):
            file = Path(frame.f_code.co_filename)
            where = f" in line {number}" + (f" of {file.name}" if file.exists() else "")
    return f"TimeoutError{where}: {error}"


def _teach_the_interpreter() -> None:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        if shell.custom_exceptions == ():  # whoever has a way of showing errors keeps it
            shell.set_custom_exc((WaitedInVain, BaseExceptionGroup), _in_a_notebook)
    elif sys.excepthook is sys.__excepthook__:
        sys.excepthook = _in_a_script


def _in_a_notebook(
    shell: Any, kind: Any, error: BaseException, way: TracebackType, tb_offset: int | None = None
) -> None:
    lines, others = _lines_of(error)
    if others is None:
        shell.showtraceback((_Shown, _Shown("\n".join(lines)), None))
        return
    print("\n".join(lines), end="\n" if lines else "")
    shell.showtraceback((type(others), others, way), tb_offset=tb_offset)


def _in_a_script(
    kind: type[BaseException], error: BaseException, way: TracebackType | None
) -> None:
    lines, others = _lines_of(error)
    for line in lines:
        print(line, file=sys.stderr)
    if others is not None:
        sys.__excepthook__(type(others), others, way)
