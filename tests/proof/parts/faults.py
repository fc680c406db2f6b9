"""Each seeded fault is planted into a copy of the course, where it must turn its own check red."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import refresh
from bench.claim_index import claims_of
from bench.course import COURSE, experiments
from fault_table import Fault, copy_of_the_course, load
from memory import LABORATORY, Memory, fingerprint
from proving import prove
from running import pytest, run


def verdicts_of(experiment: Path, root: Path) -> dict[str, bool]:
    """Run one experiment of the tree below `root`; which of its claims held?"""
    if experiment.suffix == ".md":
        rows = refresh.run(refresh.from_text(experiment), root=root, stop_at_error=False)
    else:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "claims.jsonl"
            environment = {"PYTHONPATH": str(root / "labs"), "BENCH_CLAIMS_LOG": str(log)}
            run([sys.executable, str(experiment)], cwd=root, **environment)
            rows = [json.loads(row) for row in log.read_text().splitlines()] if log.exists() else []
    return verdicts_from(rows)


def verdicts_from(rows: list[dict]) -> dict[str, bool]:
    """{claim: did it hold each time that it was made?}"""
    verdicts: dict[str, bool] = {}
    for row in rows:
        verdicts[row["id"]] = verdicts.get(row["id"], True) and row["ok"]
    return verdicts


def home_of(fault: Fault) -> Path:
    """The file with that claim."""
    return next(p for p in experiments() if fault.name in claims_of(p))


def print_of(fault: Fault) -> str:
    """Changes when the fault, its experiment or the laboratory does; for a check, with anything."""
    if fault.kind == "check":
        return fingerprint(repr(fault))
    return fingerprint(repr(fault), home_of(fault).read_text("utf-8"), folders=LABORATORY)


def complaint(fault: Fault) -> str:
    """Apply one fault to a copy and run what should notice; '' if exactly that turned red.

    In a lesson each claim is made, whatever became of the others; a script ends at a red one.
    """
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        copy = copy_of_the_course(Path(folder))
        fault.apply(copy)
        if fault.kind == "check":
            every = {"COURSE_WRONG": "all", "PYTHONPATH": str(copy / "labs")}
            ok, _ = run(pytest(fault.name), cwd=copy, **every)
            return "it stayed green" if ok else ""
        verdicts = verdicts_of(copy / home_of(fault).relative_to(COURSE), copy)
    red = {name for name, ok in verdicts.items() if not ok}
    if red == {fault.name, *fault.also}:
        return ""
    if not red:
        return (
            "it stayed green" if fault.name in verdicts else "the experiment broke before the claim"
        )
    return f"red were {', '.join(sorted(red))}"


def faults(memory: Memory, only: str = "") -> list[str]:
    """each seeded fault turns red exactly what it names"""
    table = [(fault, print_of(fault)) for fault in load() if only in fault.name]
    if not table:
        return [f"no fault has {only!r} in its name"]
    return prove(memory, "fault", table, complaint, "red, as it should be")
