"""The evidence scripts run, and what the book shows of them is what they print.

Word for word, and number for number: apart from times and sizes, and from the lines that
`measured_lines.yml` names.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from bench.claim_index import claims_of
from bench.course import COURSE, experiments, output_of, run_name

SCRIPTS = [path for path in experiments() if path.suffix == ".py"]
MEASURED = yaml.safe_load(Path(__file__).with_name("measured_lines.yml").read_text("utf-8"))
A_MEASURE = re.compile(r"\d+\.\d+|\d+(?= ?(?:s|ms|µs|KiB|MiB|kB|MB|bytes)\b)| +")


def settled(script: Path, output: str) -> list[str]:
    """What the script prints in every run: without its measures, and the width they take."""
    patterns = MEASURED.get(run_name(script), [])
    lines = [line for line in output.splitlines() if not any(re.search(p, line) for p in patterns)]
    return [A_MEASURE.sub("…", line) for line in lines]


def holding(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("holds: ")]


def run(script: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script], cwd=COURSE, capture_output=True, text=True)


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


@pytest.mark.parametrize("script", SCRIPTS, ids=run_name)
def test_an_evidence_script_holds_what_the_book_shows(script, runs):
    done = runs[script].result()
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    stored = output_of(script).read_text(encoding="utf-8")
    assert holding(done.stdout) == holding(stored)
    assert settled(script, done.stdout) == settled(script, stored), (
        "store by `make notebooks` what it prints now, or name the line in measured_lines.yml"
    )
    assert len(holding(stored)) == len(claims_of(script)) > 0


@pytest.mark.parametrize("script", SCRIPTS, ids=run_name)
def test_an_evidence_script_stands_in_the_book_with_its_output(script):
    shown = COURSE.glob("book/**/*.md")
    pages = "".join(page.read_text(encoding="utf-8") for page in shown)
    if f"{{live-script}} {run_name(script)}\n" in pages:  # the directive shows both
        return
    assert script.relative_to(COURSE).as_posix() in pages
    assert output_of(script).relative_to(COURSE).as_posix() in pages


def test_each_measured_line_is_printed() -> None:
    names = {run_name(script): output_of(script).read_text("utf-8") for script in SCRIPTS}
    for name, patterns in MEASURED.items():
        for pattern in patterns:
            assert re.search(pattern, names[name], re.MULTILINE), f"{name}: {pattern}"
