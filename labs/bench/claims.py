"""A claim: one sentence about the world, and what an experiment has to say about it.

Needs the standard library alone, so it also runs in the reader's browser.
"""

from __future__ import annotations

import ast
import inspect
import json
import linecache
import os
import re
import reprlib
import sys
from types import FrameType
from typing import Any

from bench.claim_index import ID

_LOOKS_LIKE_AN_ID = re.compile(ID)
_MISSING = object()

goes_on_when_red = False
"""Where a web page runs the cells: a red claim is a line there, and ends nothing."""

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 5


class ClaimFailed(AssertionError):
    """The experiment did not show what the sentence says."""


def claim(id: str, sentence: str, ok: bool, *, saw: object = _MISSING) -> None:
    """State that an experiment showed `sentence`; print `holds: <sentence>` as one line.

    `id` is lower-case words with dashes and names the claim in the ledger and in the table of
    faults. `sentence` is one line that ends with a full stop. `ok` is the outcome of a
    comparison: True or False, of Python or of NumPy. Nothing else counts as true, so that a
    forgotten call, a forgotten `await` or a list cannot pass.

    Raises ClaimFailed when ok is False, with what was seen: `saw`, or the values of the names that
    stand in the comparison. In a notebook the cell goes on to its other claims first: the line
    then begins with `does not hold:`, and ClaimFailed ends the cell after its last line. In a web
    page the line is all, so that the cells below can run. Raises
    TypeError when ok is no truth value, and ValueError for a malformed id or sentence. Claim only
    what cannot fail on any machine (counts, values, lower bounds); never an upper bound on a time.

    With the environment variable BENCH_CLAIMS_LOG set to a path, each evaluation also appends
    one JSON line {"id": …, "ok": …} to that file, before anything is printed or raised.
    """
    _check_words(id, sentence)
    holds = _truth(id, ok)
    if log := os.environ.get("BENCH_CLAIMS_LOG"):
        with open(log, "a", encoding="utf-8") as lines:
            lines.write(json.dumps({"id": id, "ok": holds}) + "\n")
    if holds:
        print(f"holds: {sentence}")
        return
    seen = _names_of(sys._getframe(1)) if saw is _MISSING else _short.repr(saw)
    failed = f"{sentence} Seen: {seen}." if seen else f"{sentence} The experiment did not show it."
    if not (goes_on_when_red or _fails_at_the_end_of_the_cell(f"{id}: {failed}")):
        raise ClaimFailed(f"{id}: {failed}")
    print(f"does not hold: {failed}")


def _check_words(id: str, sentence: str) -> None:
    if not isinstance(id, str) or not _LOOKS_LIKE_AN_ID.fullmatch(id):
        raise ValueError(
            f"The id of a claim is lower-case words joined by dashes, like two-trips; got {id!r}."
        )
    if not isinstance(sentence, str) or len(sentence.splitlines()) != 1:
        raise ValueError(f"The sentence of claim {id} must be one line of text; got {sentence!r}.")
    if sentence != sentence.strip() or not sentence.endswith(".") or sentence == ".":
        raise ValueError(f"The sentence of claim {id} must end with a full stop: {sentence!r}.")


def _truth(id: str, ok: object) -> bool:
    kind = type(ok)
    # NumPy's own True is the outcome of `(measured >= bound).all()`. It is known by its name,
    # because importing NumPy to ask would cost the browser several megabytes.
    if kind is bool or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")):
        return bool(ok)
    if inspect.iscoroutine(ok):
        ok.close()  # otherwise Python adds a "never awaited" warning to the clear error below
        advice = "await it and compare the result."
    elif callable(ok):
        advice = "call it."
    else:
        advice = "compare it with what you expect, as in `trips == 2`."
    raise TypeError(f"Claim {id} needs True or False but got {kind.__name__}: {advice}")


# -- what was seen ---------------------------------------------------------------------------------


def _names_of(frame: FrameType) -> str:
    """`trips = 3, inside = 12`: the names in the call's third argument, with their values.

    Nothing is evaluated again: a name is looked up, a call is not repeated. Empty when the source
    of the call cannot be read.
    """
    compared = _compared(frame)
    if compared is None:
        return ""
    called = {id(node.func) for node in ast.walk(compared) if isinstance(node, ast.Call)}
    names = [
        node.id
        for node in ast.walk(compared)
        if isinstance(node, ast.Name) and id(node) not in called
    ]
    known = {**frame.f_globals, **frame.f_locals}
    seen = {
        name: _short.repr(known[name])
        for name in names
        if name in known and not inspect.ismodule(known[name]) and not callable(known[name])
    }
    return ", ".join(f"{name} = {value}" for name, value in seen.items())


def _compared(frame: FrameType) -> ast.expr | None:
    """The third argument of the call of `claim` at which `frame` stands."""
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:  # a line of IPython's own, such as `%time`
        return None
    here = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and node.lineno <= frame.f_lineno <= (node.end_lineno or node.lineno)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "claim"
        and len(node.args) > 2
    ]
    return here[-1].args[2] if here else None


# -- in a notebook ---------------------------------------------------------------------------------


def _fails_at_the_end_of_the_cell(message: str) -> bool:
    """Whether a cell is running that can fail after its last line; it then will, with `message`."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        return False
    waiting = getattr(shell, "_course_claims", None)
    if waiting is None:
        waiting = shell._course_claims = []

        def end_of_cell(result: Any) -> None:
            shell.events.unregister("post_run_cell", end_of_cell)
            shell._course_claims = None
            if not result.success:  # something else went wrong as well, and is shown already
                return
            result.error_in_exec = ClaimFailed(" ".join(waiting))
            shell.showtraceback((ClaimFailed, result.error_in_exec, None))

        shell.events.register("post_run_cell", end_of_cell)
    waiting.append(message)
    return True
