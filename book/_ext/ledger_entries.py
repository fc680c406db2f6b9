"""Reads the ledger, and refuses what would make it promise more than the runs prove.

`book/claims.yml` lists every claim of the document this course began with, and the course's own
findings; the comment at its top describes the fields. The ledger's page and the tests read it here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bench.claim_index import claim_homes
from bench.course import BOOK, COURSE
from bench.entries import Entry, Id, Prose, Text, load, no_id_twice
from bench.language import words

LEDGER = BOOK / "claims.yml"

Verdict = Literal["true", "imprecise", "outdated", "wrong", "dangerous"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
DOCUMENTS = "documents"  # history, popularity, advice: no run can decide it
STEPS = {  # in the order of the document
    "overview": "Overview",
    "mental-model": "Mental model",
    "1": "Step 1: synchronous queries",
    "2": "Step 2: async in FastAPI",
    "3": "Step 3: libraries",
    "4": "Step 4: connections",
    "5": "Step 5: transactions",
    "6": "Step 6: pitfalls in queries",
    "7": "Step 7: internals",
    "under-the-hood": "Under the hood",
    "why": "Why it was designed so",
    "myths": "Myths",
    "expert-zone": "Expert zone",
    "when-not": "When not to use it",
    "production": "In production",
    "connections": "Related ideas",
    "pitfalls": "Wrong and correct samples",
    "takeaways": "What to remember",
}
AUDITED = 72  # numbers of the audit made before the project began
MOST_WORDS = 60

_TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


class LedgerError(ValueError):
    """The ledger is malformed; the message has one line per mistake."""


def _step(value: str) -> str:
    if value not in STEPS:
        raise ValueError(f"is {value!r}; it must be one of {', '.join(STEPS)}")
    return value


def _short(text: str) -> str:
    if (count := words(text)) > MOST_WORDS:
        raise ValueError(f"has {count} words; at most {MOST_WORDS}")
    return text


def _audited(value: object) -> object:
    if value not in {str(number) for number in range(1, AUDITED + 1)}:
        raise ValueError(f"is {value!r}; it must be one of 1 to {AUDITED}")
    return value


class Finding(Entry):
    """Something this course found; a claim of the document is one with more fields."""

    id: Id
    sentence: Prose
    source: Text
    proven_by: tuple[Text, ...] = ()  # ids of claims, or tests (`test_x.py::test_y`), or empty:
    proof_in: Literal["1", "2", "3", "4", "5", "6", "7", "documents"] | None = None
    """then the lesson that will prove it, or DOCUMENTS"""

    @model_validator(mode="after")
    def _one_kind_of_proof(self) -> Self:
        if bool(self.proven_by) == bool(self.proof_in):
            raise ValueError("give either proven_by or proof_in")
        return self


class Claim(Finding):
    """`sentence` is what the document says, in the course's words."""

    sentence: Prose = Field(alias="says")
    step: Annotated[Text, AfterValidator(_step)]
    verdict: Verdict
    truth: Annotated[Prose, AfterValidator(_short)]
    audit: Annotated[int, BeforeValidator(_audited)] | None = None  # found on a later reading


class Ledger(Entry):
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        no_id_twice("entry", [*self.entries()])
        given = Counter(claim.audit for claim in self.claims)
        wrong = {number: given[number] for number in range(1, AUDITED + 1) if given[number] != 1}
        if wrong:
            told = (f"{number} is given {count} times" for number, count in wrong.items())
            raise ValueError(f"each audit is given once, but {', '.join(told)}")
        return self

    def entries(self) -> Iterator[Finding]:
        """Claims, then findings, each in the order of the file."""
        yield from self.claims
        yield from self.findings


def read_ledger(path: Path = LEDGER) -> Ledger:
    """The ledger of that file. Raises LedgerError with every mistake the file alone can show."""
    # As texts: `verdict: true` is a word here, and not a boolean.
    return load(path, Ledger, LedgerError, texts=True)


def runs(root: Path = COURSE) -> dict[str, Path]:
    """{claim id: the notebook text or evidence script below `root` that evaluates it}.

    Also {"test_x.py::test_y": the file of that test}: what needs a program that pip cannot bring
    is proven by a test.
    """
    found = claim_homes(root)
    for file in sorted(root.glob("tests/*/test_*.py")):
        for name in _TEST.findall(file.read_text(encoding="utf-8")):
            found[f"{file.name}::{name}"] = file
    return found


def proven(entry: Finding, evaluated: Iterable[str]) -> bool:
    """Whether the entry names runs and every one of them exists."""
    return bool(entry.proven_by) and set(entry.proven_by) <= set(evaluated)


def broken_promises(ledger: Ledger, evaluated: Iterable[str]) -> list[str]:
    """Proofs that do not exist, and claims of a run that no entry of the ledger uses."""
    evaluated, used = set(evaluated), {run for one in ledger.entries() for run in one.proven_by}
    return [
        f"{entry.id}: no notebook, evidence script or test has claim {run!r}"
        for entry in ledger.entries()
        for run in entry.proven_by
        if run not in evaluated
    ] + [
        f"claim {run!r} stands in no list: add it to `proven_by` of a claim or finding"
        for run in sorted(evaluated - used)
        if "::" not in run  # most tests prove the instruments, not the ledger
    ]
