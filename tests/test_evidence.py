"""The evidence scripts run, and what the book shows of them is what they print."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from faults import ROOT, claims_in

SCRIPTS = sorted((ROOT / "labs" / "evidence").glob("[0-9][0-9]_*.py"))


def holding(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("holds: ")]


def run(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def runs(request) -> Iterator[dict[Path, Future[subprocess.CompletedProcess[str]]]]:
    """The scripts that this run of the tests asks for; two at a time, since they mostly wait."""
    asked = {
        getattr(test, "callspec", None) and test.callspec.params.get("script")
        for test in request.session.items
        if test.fspath == request.node.fspath
    }
    with ThreadPoolExecutor(2) as pool:
        yield {script: pool.submit(run, script) for script in SCRIPTS if script in asked}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_evidence_script_holds_what_the_book_shows(script, runs):
    done = runs[script].result()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    stored = (script.parent / "outputs" / f"{script.stem}.txt").read_text(encoding="utf-8")
    assert holding(done.stdout) == holding(stored)
    assert len(holding(stored)) == len(claims_in(script)) > 0


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_an_evidence_script_stands_in_the_book_with_its_output(script):
    shown = [*ROOT.glob("book/evidence/*.md"), ROOT / "book" / "tour.md"]
    pages = "".join(page.read_text(encoding="utf-8") for page in shown)
    assert f"labs/evidence/{script.name}" in pages
    assert f"labs/evidence/outputs/{script.stem}.txt" in pages
