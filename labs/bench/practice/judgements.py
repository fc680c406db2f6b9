"""What comes of a submission, as its checks are heard of one after the other.

Whoever runs the checks tells in events: {"checks": [[name, title], …]}, then {"check": name,
"result": …} for each finished check, where the result is passed, failed, raised or closed.
Needs the standard library alone: the reader's browser judges in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.practice.folders import Lab
from bench.practice.printed_outcomes import (
    UNREADABLE,
    Check,
    Closed,
    Correct,
    Incorrect,
    NotAttempted,
    Outcome,
    Raised,
    State,
)
from bench.practice.raised_code import CodeRaised

Checked = Raised | Incorrect | Correct | Closed
"""What can come of running the checks."""

STILL = "The file is still the starter. What to change stands on the lab's page."


class Judgement:
    """Hears events; `tell` is called with each check as it is finished."""

    def __init__(self, lab: Lab, tell: Callable[[Check], object] | None = None) -> None:
        self.lab = lab
        self._tell = tell
        self._checks: dict[str, Check] = {}
        self._outcome: Checked | None = None

    def hear(self, event: dict[str, Any]) -> bool:
        """Take note of an event; return whether it decides."""
        if "checks" in event:
            self._checks = {name: Check(name, title) for name, title in event["checks"]}
            return False
        self._outcome, state = understood(self.lab, event)
        if state != "not reached yet":
            self._checks[event["check"]] = check = replace(
                self._checks[event["check"]], state=state
            )
            if self._tell:
                self._tell(check)
        return self._outcome is not None

    def so_far(self) -> tuple[Check, ...]:
        return tuple(self._checks.values())

    def stuck(self, why: str) -> Checked:
        """The outcome if the checks are ended now: the next one has failed, and `why` says how."""
        if self._outcome:
            return self._complete()
        checks = dict(self._checks)
        for check in checks.values():
            if check.state != "passed":
                checks[check.name] = failed = replace(check, state="failed")
                if self._tell:
                    self._tell(failed)
                break
        return Incorrect(self.lab.name, why, checks=tuple(checks.values()))

    def at_the_end(self, last_words: str) -> Checked:
        """The outcome when nothing more comes. `last_words` are what was heard instead, if so."""
        checks = self._checks.values()
        if self._outcome is None and checks and all(c.state == "passed" for c in checks):
            said = f"All {len(checks)} checks pass. {self.lab.reason()}"
            self._outcome = Correct(self.lab.name, said)
        elif self._outcome is None:
            self._outcome = Closed(self.lab.name, last_words)
        return self._complete()

    def _complete(self) -> Checked:
        assert self._outcome
        return replace(self._outcome, checks=self.so_far())


def understood(lab: Lab, event: dict[str, Any]) -> tuple[Checked | None, State]:
    """An event's outcome, None for a passed check, and the state that the check has now."""
    match event["result"]:
        case "passed":
            return None, "passed"
        case "failed":
            return Incorrect(lab.name, event["message"]), "failed"
        case "raised":
            message = f"{event['raised']}: {event['message']}".removesuffix(": ")
            code = f"line {event['line']}: {event['code']}" if event["line"] else ""
            raised = Raised(lab.name, message, code)
            return raised, "raised" if event["during"] else "not reached yet"
        case _:
            return Closed(lab.name, event["message"]), "not reached yet"


def event_of(check: str, error: BaseException, *, during: bool = True) -> dict[str, Any]:
    """How a check is told of that has ended with an exception.

    Not `during` its own lines means before or after them: the app does not start, or does not end.
    """
    if isinstance(error, AssertionError):
        return {"check": check, "result": "failed", "message": str(error)}
    if isinstance(error, CodeRaised):
        return {"check": check, "result": "raised", "during": during, **error.entry}
    lines = str(error).strip().splitlines() or [""]
    said = lines[0] if lines[0] == lines[-1] else f"{lines[0]} {lines[-1].strip()}"
    kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
    return {"check": check, "result": "closed", "message": kind + said}


def unreadable(lab: Lab, file: Path) -> Raised | None:
    """Why Python cannot read the file, without running it; None when it can."""
    try:
        source = file.read_text(encoding="utf-8")
        compile(source, file.name, "exec")
    except SyntaxError as error:
        lines = source.splitlines()
        number = error.lineno or 0
        code = f"line {number}: {lines[number - 1].strip()}" if 0 < number <= len(lines) else ""
        kind = type(error).__name__  # it may be an IndentationError
        return Raised(lab.name, UNREADABLE.format(problem=f"{kind}: {error.msg}"), code)
    except ValueError as error:  # a null character, or not UTF-8
        return Raised(lab.name, UNREADABLE.format(problem=error))
    return None


def not_attempted(lab: Lab, outcome: Outcome, beginning: str = "") -> NotAttempted:
    """The outcome of the starter itself, which fails somewhere: that is no attempt."""
    said = f"{beginning or STILL} This is how it fails: {outcome.message}"
    return NotAttempted(lab.name, said, outcome.code, outcome.checks)
