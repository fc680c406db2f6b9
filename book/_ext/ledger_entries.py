"""Reads the ledger, and refuses what would make it promise more than the runs prove.

`book/claims.yml` lists every claim of the document this course began with, and the course's own
findings; the comment at its top describes the fields. The ledger's page and the tests read it here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.claim_index import ID, claim_homes
from bench.course import BOOK, COURSE

LEDGER = BOOK / "claims.yml"

VERDICTS = ("true", "imprecise", "outdated", "wrong", "dangerous")
LESSONS = ("1", "2", "3", "4", "5", "6", "7")
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

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the first is the same in C
_ID = re.compile(ID)
_TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


class LedgerError(ValueError):
    """The ledger is malformed; the message has one line per mistake."""


@dataclass(frozen=True)
class Finding:
    """Something this course found; a claim of the document is one with more fields."""

    id: str
    sentence: str
    source: str
    proven_by: tuple[str, ...]  # ids of claims, or tests (`test_x.py::test_y`), or empty:
    proof_in: str  # then the lesson that will prove it, or DOCUMENTS


@dataclass(frozen=True)
class Claim(Finding):
    """`sentence` is what the document says, in the course's words."""

    step: str
    verdict: str
    truth: str
    audit: int | None  # None: found on a later reading


@dataclass(frozen=True)
class Ledger:
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]

    def entries(self) -> Iterator[Finding]:
        """Claims, then findings, each in the order of the file."""
        yield from self.claims
        yield from self.findings


def read_ledger(path: Path = LEDGER) -> Ledger:
    """The ledger of that file. Raises LedgerError with every mistake the file alone can show."""
    # BaseLoader keeps every scalar a text: `verdict: true` is a word here, and not a boolean.
    data = yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    if not isinstance(data, dict) or set(data) != {"claims", "findings"}:
        raise LedgerError(f"{path.name}: write `claims:` and `findings:`, and nothing else")
    for kind, entries in data.items():
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise LedgerError(f"{path.name}: {kind} is not a list of entries with named fields")
    found = [
        f"{where}: {mistake}"
        for kind in ("claims", "findings")
        for number, entry in enumerate(data[kind], 1)
        for where in [f"{path.name}: {kind}, entry {number} ({entry.get('id', 'without id')})"]
        for mistake in _entry_mistakes(kind, entry)
    ]
    found += [f"{path.name}: {one}" for one in _list_mistakes(data["claims"], data["findings"])]
    if found:
        raise LedgerError("\n".join(found))
    return Ledger(
        tuple(_claim(entry) for entry in data["claims"]),
        tuple(Finding(**_common(entry, entry["sentence"])) for entry in data["findings"]),
    )


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


def _entry_mistakes(kind: str, entry: Mapping[str, Any]) -> Iterator[str]:
    needed = {"id", "source"} | (
        {"step", "says", "verdict", "truth"} if kind == "claims" else {"sentence"}
    )
    allowed = needed | {"proven_by", "proof_in"} | ({"audit"} if kind == "claims" else set())
    yield from (f"{name} is missing" for name in sorted(needed) if not entry.get(name))
    yield from (f"{name} is not a field" for name in sorted(set(entry) - allowed))
    if not _ID.fullmatch(entry.get("id", "")):
        yield "id: write lower-case words with hyphens"
    if bool(entry.get("proven_by")) == bool(entry.get("proof_in")):
        yield "give either proven_by or proof_in"
    if not isinstance(entry.get("proven_by", []), list):
        yield "proven_by: write a list"
    if entry.get("proof_in", DOCUMENTS) not in (*LESSONS, DOCUMENTS):
        yield f"proof_in: {entry['proof_in']!r} is neither a lesson (1 to 7) nor `{DOCUMENTS}`"
    if kind == "claims":
        if entry.get("verdict", VERDICTS[0]) not in VERDICTS:
            yield f"verdict: {entry['verdict']!r} is none of {', '.join(VERDICTS)}"
        if entry.get("step", "1") not in STEPS:
            yield f"step: {entry['step']!r} is none of {', '.join(STEPS)}"
        if (words := len(entry.get("truth", "").split())) > MOST_WORDS:
            yield f"truth: {words} words; shorten it to {MOST_WORDS}"


def _list_mistakes(claims: list[dict[str, Any]], findings: list[dict[str, Any]]) -> Iterator[str]:
    ids = Counter(entry.get("id") for entry in [*claims, *findings])
    yield from (f"id {name!r} is given {count} times" for name, count in ids.items() if count > 1)
    wanted = {str(number) for number in range(1, AUDITED + 1)}
    given = Counter(entry["audit"] for entry in claims if "audit" in entry)
    yield from (f"audit {one} is missing" for one in sorted(wanted - set(given), key=int))
    yield from (f"audit {one!r} is not one of 1 to {AUDITED}" for one in set(given) - wanted)
    yield from (f"audit {one} is given {count} times" for one, count in given.items() if count > 1)


def _common(entry: Mapping[str, Any], sentence: str) -> dict[str, Any]:
    return {
        "id": entry["id"],
        "sentence": sentence,
        "source": entry["source"],
        "proven_by": tuple(entry.get("proven_by", ())),
        "proof_in": entry.get("proof_in", ""),
    }


def _claim(entry: Mapping[str, Any]) -> Claim:
    return Claim(
        **_common(entry, entry["says"]),
        step=entry["step"],
        verdict=entry["verdict"],
        truth=entry["truth"],
        audit=int(entry["audit"]) if "audit" in entry else None,
    )
