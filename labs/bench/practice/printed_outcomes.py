"""What can come of a submission, as a reader sees it: in a terminal, and in a notebook.

Two runs of the same submission give the same text: no times, no paths, no process ids.
"""

from __future__ import annotations

import html
import re
import textwrap
from dataclasses import dataclass
from typing import ClassVar, Literal

WIDTH = 78

# What is said when the app does not start, ends, or never answers.
NO_APP = "The file has no `app`. Keep the last lines of the starter."
ENDED_IN_THE_IMPORT = "Python ended while it read the file. Remove the call that ends it."
ENDED_BY_A_ROUTE = "GET {path} ended the whole server. A route must return or raise."
UNREADABLE = "{problem}. Python cannot read the file."
NEVER_COMES = (
    "Your code waits for something that never comes: look for a loop or a wait without an end."
)
STUCK = "The checks did not come to their end in {limit:g} seconds. " + NEVER_COMES

State = Literal["passed", "failed", "raised", "not reached yet"]


@dataclass(frozen=True)
class Check:
    name: str
    title: str
    state: State = "not reached yet"

    def __str__(self) -> str:
        return f"{self.state + ':':<16} {self.title}"


@dataclass(frozen=True)
class Outcome:
    """One submission's outcome. Its kind is its class; `checks` are in order, perhaps none."""

    headline: ClassVar[str]

    lab: str
    message: str = ""
    code: str = ""  # the learner's own line, with its number
    checks: tuple[Check, ...] = ()
    next: str = ""  # what the learner may do now
    kept: str = ""  # where an earlier file of the learner is, if this submission replaced it

    @property
    def failed(self) -> Check | None:
        """The check that failed. At most one does: the others wait for it."""
        return next((check for check in self.checks if check.state == "failed"), None)

    @property
    def stopped(self) -> Check | None:
        """The check that failed, or that the code raised in. An app that cannot start has none."""
        return next((check for check in self.checks if check.state in ("failed", "raised")), None)

    def remarks(self) -> list[str]:
        kept = f"Your earlier file is kept as `{self.kept}`." if self.kept else ""
        return [remark for remark in (self.next, kept) if remark]

    def closing(self) -> str:
        """All but the list of checks, which a terminal has shown already."""
        parts = [f"{self.headline}: {self.message}", self.code and f"    {self.code}"]
        return "\n".join(wrapped(part) for part in [*parts, *self.remarks()] if part)

    def __repr__(self) -> str:
        return "\n".join([f"Lab {self.lab}", *map(str, self.checks), self.closing()])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<li>{html.escape(check.state)}: {marked(check.title)}</li>" for check in self.checks
        )
        parts = [
            f"<p>Lab {html.escape(self.lab)}</p>",
            rows and f"<ol>{rows}</ol>",
            f"<p><strong>{self.headline}:</strong> {marked(self.message)}</p>",
            self.code and f"<pre><code>{html.escape(self.code)}</code></pre>",
            *(f"<p>{marked(remark)}</p>" for remark in self.remarks()),
        ]
        return "<section>" + "\n".join(part for part in parts if part) + "</section>"


class NotAttempted(Outcome):
    """The file is still the starter. `failed` says which check it fails; it is no attempt."""

    headline = "Not attempted yet"


class Raised(Outcome):
    """The learner's code raised, or Python cannot read it."""

    headline = "Your code raised"


class Incorrect(Outcome):
    """A check failed; `failed` says which."""

    headline = "Not yet"


class Correct(Outcome):
    """All checks passed."""

    headline = "Correct"


class RightSoFar(Outcome):
    """All checks pass where stand-ins play PostgreSQL: in a page. The real one is still to come."""

    headline = "Right so far"


class Closed(Outcome):
    """The laboratory did not work, which says nothing about the learner's code."""

    headline = "The laboratory could not start"


@dataclass(frozen=True)
class Hint:
    """One of a check's hints."""

    check: str
    number: int
    of: int
    text: str
    next: str

    def __repr__(self) -> str:
        top = f"Hint {self.number} of {self.of} for “{self.check}”"
        return "\n".join(wrapped(part) for part in (top, self.text, self.next) if part)

    def _repr_html_(self) -> str:
        return (
            f"<section><p><strong>Hint {self.number} of {self.of}</strong> "
            f"for “{marked(self.check)}”</p>\n<p>{marked(self.text)}</p>\n"
            f"<p>{marked(self.next)}</p></section>"
        )


@dataclass(frozen=True)
class Solution:
    """A lab's tested solution: closed in a notebook until somebody opens it."""

    lab: str
    reason: str
    code: str

    def __repr__(self) -> str:
        top = f"A solution of lab {self.lab}", wrapped(self.reason), ""
        return "\n".join([*top, self.code.rstrip()])

    def _repr_html_(self) -> str:
        return (
            f"<details><summary>A solution of lab {html.escape(self.lab)}</summary>\n"
            f"<p>{marked(self.reason)}</p>\n"
            f"<pre><code>{html.escape(self.code)}</code></pre></details>"
        )


def marked(text: str) -> str:
    """HTML of a sentence in which `code` stands between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def wrapped(text: str) -> str:
    if text.startswith("    "):
        return text
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)
