"""The long proof: everything that `make test` has no time for.

    python tests/proof                 every part
    python tests/proof faults pages    these parts
    python tests/proof --again         forget what an interrupted run has proven already

What passed is remembered in .proof/ until a file it depends on changes, so an interrupted proof
goes on where it stopped. Exit status 1 if anything is red; every part runs all the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import since

import faults
from bench.claim_index import claims_of
from bench.course import experiments

ROOT = faults.ROOT
sys.path.insert(0, str(ROOT / "notebooks"))
import refresh  # noqa: E402  (it lives beside the notebooks)

MEMORY = ROOT / ".proof"
FLAKE_RUNS = 5
KINDS = {".py", ".md", ".sql", ".yml", ".json"}
LIGHTHOUSE = "lighthouse@12.8.2"
INSTRUMENTS = (
    "postgres gates virtual heartbeats looptrace roundtrips serving load claims figures bistro "
    "evidence"
)


LABORATORY = "labs/bench", "labs/bistro"
EVERYTHING = "labs", "notebooks/text", "tests"


def instrument_tests() -> list[str]:
    return [str(next((ROOT / "tests").glob(f"*/test_{name}.py"))) for name in INSTRUMENTS.split()]


def fingerprint(*texts: str, folders: tuple[str, ...] = EVERYTHING) -> str:
    """One hash over texts and over every file of those folders that an experiment can use."""
    digest = hashlib.sha256("\0".join(texts).encode())
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            mine = path.relative_to(ROOT).parts
            if path.suffix in KINDS and "work" not in mine:
                digest.update(path.read_bytes())
    return digest.hexdigest()


class Memory:
    """What was proven, by name and fingerprint, in one JSON file that survives an interruption."""

    def __init__(self, again: bool) -> None:
        self._path = MEMORY / "proven.json"
        self._proven = (
            {} if again or not self._path.exists() else json.loads(self._path.read_text())
        )

    def has(self, name: str, print_: str) -> bool:
        return self._proven.get(name) == print_

    def add(self, name: str, print_: str) -> None:
        self._proven[name] = print_
        MEMORY.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(self._proven, indent=1))
        fresh.replace(self._path)


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """`count` processes that burn one core each, as a busy laptop would."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def run(command: list[str], *, cwd: Path = ROOT, **environment: str) -> tuple[bool, str]:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode == 0, done.stdout + done.stderr


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-x", *arguments]


# -- seeded faults ---------------------------------------------------------------------------------


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
    verdicts: dict[str, bool] = {}
    for row in rows:
        verdicts[row["id"]] = verdicts.get(row["id"], True) and row["ok"]
    return verdicts


def home_of(fault: faults.Fault) -> Path:
    """The file with that claim."""
    return next(p for p in experiments() if fault.name in claims_of(p))


def print_of(fault: faults.Fault) -> str:
    """Changes when the fault, its experiment or the laboratory does; for a check, with anything."""
    if fault.kind == "check":
        return fingerprint(repr(fault))
    return fingerprint(repr(fault), home_of(fault).read_text("utf-8"), folders=LABORATORY)


def complaint(fault: faults.Fault) -> str:
    """Apply one fault to a copy and run what should notice; '' if exactly that turned red."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        copy = faults.copy_of_the_course(Path(folder))
        fault.apply(copy)
        if fault.kind == "check":
            ok, _ = run(pytest(fault.name), cwd=copy, PYTHONPATH=str(copy / "labs"))
            return "it stayed green" if ok else ""
        verdicts = verdicts_of(copy / home_of(fault).relative_to(ROOT), copy)
    red = {name for name, ok in verdicts.items() if not ok}
    if red == {fault.name}:
        return ""
    if not red:
        return (
            "it stayed green" if fault.name in verdicts else "the experiment broke before the claim"
        )
    return f"red were {', '.join(sorted(red))}"


def part_faults(memory: Memory) -> list[str]:
    """each seeded fault turns exactly its own claim or check red"""
    table, problems = [(fault, print_of(fault)) for fault in faults.load()], []
    unproven = [(one, mark) for one, mark in table if not memory.has(f"fault {one.name}", mark)]
    print(f"  {len(table) - len(unproven)} of {len(table)} are known", flush=True)
    with ThreadPoolExecutor(3) as pool:  # three at a time: experiments mostly wait
        answers = {pool.submit(complaint, fault): (fault, mark) for fault, mark in unproven}
        for number, answer in enumerate(as_completed(answers), 1):
            (fault, mark), problem = answers[answer], answer.result()
            verdict = problem or "red, as it should be"
            print(f"  [{number}/{len(unproven)}] {fault.name} {verdict}", flush=True)
            if problem:
                problems.append(f"fault {fault.name}: {problem}")
            else:
                memory.add(f"fault {fault.name}", mark)
    return problems


# -- the other parts -------------------------------------------------------------------------------


def part_long(memory: Memory) -> list[str]:
    """the slow fault and load tests (tests/proof/long_*.py)"""
    files = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests" / "proof").glob("long_*.py"))
    if not files:
        return []
    ok, output = run(pytest(*files))
    return [] if ok else [f"long tests:\n{output[-3000:]}"]


def part_labs(memory: Memory) -> list[str]:
    """every wrong repair of every lab, not only one for each check"""
    ok, output = run(pytest("tests/servers/test_labs.py"), COURSE_WRONG="all")
    return [] if ok else [f"labs:\n{output[-3000:]}"]


def part_pages(memory: Memory) -> list[str]:
    """every page of the book in Chromium, in both themes at both widths, not one of each kind"""
    ok, output = run(pytest("tests/browser/test_pages.py"), COURSE_PAGES="all")
    return [] if ok else [f"pages:\n{output[-3000:]}"]


def part_lighthouse(memory: Memory) -> list[str]:
    """Lighthouse on lesson 1: accessibility, good practice and search must be 100; speed is told"""
    import browsing

    npx = shutil.which("npx")
    if npx is None:
        return ["lighthouse: npx is missing; install Node.js"]
    with browsing.served(browsing.built_book()) as address, tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        chrome = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
        command = [npx, "--yes", LIGHTHOUSE, f"{address}notebooks/01-synchronous-queries.html"]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu", "--quiet"]
        command += ["--output=json", f"--output-path={report}"]
        ok, output = run(command, CHROME_PATH=chrome)
        if not ok:
            return [f"lighthouse: {output[-2000:]}"]
        categories = json.loads(report.read_text())["categories"]
    scores = {name: round(100 * found["score"]) for name, found in categories.items()}
    print(f"  {scores}")
    return [
        f"lighthouse: {name} is {score}"
        for name, score in scores.items()
        if name != "performance" and score < 100
    ]


def part_flakes(memory: Memory) -> list[str]:
    """notebooks, evidence and instrument tests five times, with two CPU hogs beside them"""
    names = instrument_tests()
    together = "-n", "2", "--dist", "loadfile", "--nbval", "--nbval-cell-timeout=120"
    problems = []
    with hogs(2):
        for number in range(1, FLAKE_RUNS + 1):
            began = time.perf_counter()
            ok, output = run(pytest(*together, *names, "notebooks"))
            seconds = time.perf_counter() - began
            print(f"  run {number}: {'green' if ok else 'RED'}, {seconds:.0f} s", flush=True)
            if not ok:
                print(output[-6000:], flush=True)
                problems.append(f"flake run {number}:\n{output[-3000:]}")
    return problems


def part_since(memory: Memory) -> list[str]:
    """the table "since when": its probes on older releases, each in an environment of its own"""
    return [f"since when: {one}" for one in since.disagreements(MEMORY)]


def interpreters() -> Iterator[tuple[str, str]]:
    """Python 3.12 and 3.13, where this machine has them (on PATH, or by pyenv)."""
    for minor in ("3.12", "3.13"):
        found = shutil.which(f"python{minor}")
        pyenv = sorted(Path.home().glob(f".pyenv/versions/{minor}.*/bin/python"))
        if found or pyenv:
            yield minor, str(pyenv[-1]) if pyenv else found


def part_pythons(memory: Memory) -> list[str]:
    """a fresh environment, the notebooks and the instrument tests on Python 3.12 and 3.13"""
    problems = []
    names = instrument_tests()
    for minor, python in interpreters():
        print_ = fingerprint(minor, (ROOT / "constraints.txt").read_text())
        if memory.has(f"python {minor}", print_):
            print(f"  {minor} known")
            continue
        home = MEMORY / f"venv-{minor}"
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q"]
        steps = [
            [python, "-m", "venv", str(home)],
            [*pip, "-r", "requirements.txt", "-c", "constraints.txt"],
            [str(home / "bin" / "python"), *pytest("--nbval", *names, "notebooks")[1:]],
        ]
        for step in steps:
            ok, output = run(step, PATH=f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
            if not ok:
                problems.append(f"Python {minor}: {' '.join(step[:6])} …\n{output[-3000:]}")
                print(f"  {minor} RED", flush=True)
                break
        else:
            memory.add(f"python {minor}", print_)
            print(f"  {minor} green", flush=True)
    return problems


PARTS: dict[str, Callable[[Memory], list[str]]] = {
    "faults": part_faults,
    "long": part_long,
    "labs": part_labs,
    "pages": part_pages,
    "lighthouse": part_lighthouse,
    "since": part_since,
    "pythons": part_pythons,
    "flakes": part_flakes,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="; ".join(PARTS))
    parser.add_argument("--again", action="store_true", help="forget what was proven before")
    arguments = parser.parse_args()
    memory, problems = Memory(arguments.again), []
    for name in arguments.parts or PARTS:
        began = time.perf_counter()
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        problems += PARTS[name](memory)
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    for problem in problems:
        print(f"\nRED {problem}", file=sys.stderr)
    print("\nEverything is proven." if not problems else f"\n{len(problems)} red.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
