"""A claim: one sentence about the world, and what an experiment has to say about it.

Needs the standard library alone, so it also runs in the reader's browser.
"""

from __future__ import annotations

import inspect
import json
import os
import re

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class ClaimFailed(AssertionError):
    """The experiment did not show what the sentence says."""


def claim(id: str, sentence: str, ok: bool) -> None:
    """State that an experiment showed `sentence`; print `holds: <sentence>` as one line.

    `id` is lower-case words with dashes and names the claim in the ledger and in
    tests/proof/faults. `sentence` is one line that ends with a full stop. `ok` is the outcome of a
    comparison: True or False, of Python or of NumPy. Nothing else counts as true, so that a
    forgotten call, a forgotten `await` or a list cannot pass.

    Raises ClaimFailed when ok is False, TypeError when ok is no truth value, and ValueError for
    a malformed id or sentence. Claim only what cannot fail on any machine (counts, values, lower
    bounds); never an upper bound on a time.

    With the environment variable BENCH_CLAIMS_LOG set to a path, each evaluation also appends
    one JSON line {"id": …, "ok": …} to that file, before anything is printed or raised.
    """
    _check_words(id, sentence)
    holds = _truth(id, ok)
    if log := os.environ.get("BENCH_CLAIMS_LOG"):
        with open(log, "a", encoding="utf-8") as lines:
            lines.write(json.dumps({"id": id, "ok": holds}) + "\n")
    if not holds:
        raise ClaimFailed(f"{id}: {sentence} The experiment did not show this.")
    print(f"holds: {sentence}")


def _check_words(id: str, sentence: str) -> None:
    if not isinstance(id, str) or not _ID.fullmatch(id):
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
