"""The loop that lesson 7 builds: the notebook shows the file, the rules hold, the server answers.

Each rule is a test of its own, run on the reader's loop and on asyncio (`loop_rules`).
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jupytext
import pytest

from bench.course import COURSE
from bench.instruments.loop_rules import LOOP_RULES, AsyncioLoop, broken_rules, kept
from bench.servers.postgres import Postgres

ROOT = COURSE
LAB = ROOT / "labs" / "07-your-own-loop"
TEXT = ROOT / "notebooks" / "text" / "07-event-loop-internals.md"
HEAD, LAB_LINE = "# Step 1", "# -- The lab"


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"own_loop_of_{file.parent.name}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def six_names(module: ModuleType) -> SimpleNamespace:
    """The reader's loop as `bench.instruments.loop_rules` wants it."""
    names = {name: getattr(module, name) for name in ("run", "join", "turn", "recv", "send")}
    return SimpleNamespace(spawn=module.Task, **names)


STARTER, SOLUTION = (load(LAB / folder / "own_loop.py") for folder in ("starter", "solution"))
LOOPS = {"starter": six_names(STARTER), "solution": six_names(SOLUTION), "asyncio": AsyncioLoop}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("rule", LOOP_RULES)
def test_a_loop_keeps_the_rule(loop: str, rule: str) -> None:
    assert kept(LOOPS[loop], LOOP_RULES[rule])


def test_there_are_enough_rules_and_each_has_a_name() -> None:
    assert len(LOOP_RULES) == 18
    assert all(len(name.split()) >= 6 for name in LOOP_RULES)


def test_a_loop_that_breaks_rules_is_told_which() -> None:
    """Tasks taken from the wrong end of the list, and errors that are swallowed."""
    source = (LAB / "starter" / "own_loop.py").read_text("utf-8")
    backwards = ModuleType("backwards")
    exec(source.replace("step(ready.popleft())", "step(ready.pop())"), vars(backwards))
    assert "Ready tasks run in the order in which they were started" in broken_rules(
        six_names(backwards)
    )
    silent = ModuleType("silent")
    exec(source.replace("raise self.error", "return None"), vars(silent))
    assert "Who waits for a task that fails gets its error" in broken_rules(six_names(silent))


# -- the notebook and the file --


def loop_of(source: str) -> str:
    """The four steps, without the imports above and the lab below."""
    return source[source.index(HEAD) : source.index(LAB_LINE)].strip()


def test_the_cells_of_the_notebook_are_the_file() -> None:
    """In its order, to the letter, and nothing is left out."""
    loop = loop_of((LAB / "starter" / "own_loop.py").read_text("utf-8"))
    cells = [c.source for c in jupytext.read(TEXT, fmt="md:myst").cells if c.cell_type == "code"]
    pieces = [cell for cell in cells if cell in loop]
    assert len(pieces) == 9
    assert re.sub(r"\n{2,}", "\n\n", "\n\n".join(pieces)) == re.sub(r"\n{2,}", "\n\n", loop)
    assert re.findall(r"^# Step (\d):", loop, re.MULTILINE) == ["1", "2", "3", "4"]


def test_the_loop_has_fewer_than_a_hundred_lines() -> None:
    """As ruff formats them; imports and comments count, empty lines do not."""
    file = LAB / "starter" / "own_loop.py"
    ruff = [sys.executable, "-m", "ruff", "format", "--check", "--no-cache", str(file)]
    assert subprocess.run(ruff, cwd=ROOT, check=False, capture_output=True).returncode == 0
    lines = file.read_text("utf-8").partition(LAB_LINE)[0].splitlines()
    assert 50 < len([line for line in lines if line.strip()]) < 100


def test_every_import_of_the_file_stands_in_the_notebook() -> None:
    source = (LAB / "starter" / "own_loop.py").read_text("utf-8")
    text = TEXT.read_text("utf-8")
    for line in source[: source.index(HEAD)].strip().splitlines():
        assert f"\n{line}\n" in text


# -- the server --


@pytest.mark.parametrize("loop", [STARTER, SOLUTION], ids=["starter", "solution"])
def test_it_speaks_to_a_real_server(loop: ModuleType) -> None:
    """Rows, an error, a query after the error, many rows, and a server that refuses."""

    async def talk(dsn: str) -> list[object]:
        sock = await loop.connect(dsn)
        try:
            heard: list[object] = [await loop.query(sock, "select 42")]
            try:
                await loop.query(sock, "select 1/0")
            except RuntimeError as error:
                heard.append("22012" in str(error))
            heard.append(await loop.query(sock, "select * from generate_series(1, 3)"))
            [long] = await loop.query(sock, "select repeat('x', 100000)")
            heard.append(len(long))
        finally:
            sock.close()
        return heard

    async def at_the_wrong_door(dsn: str) -> None:
        await loop.connect(f"{dsn}_that_is_not_there")

    server = asyncio.run(Postgres(auth="trust").start())
    try:
        assert loop.run(talk(server.dsn)) == [["42"], True, ["1", "2", "3"], 100000]
        with pytest.raises((EOFError, ConnectionError)):
            loop.run(at_the_wrong_door(server.dsn))
    finally:
        asyncio.run(server.stop())


def test_a_timeout_of_the_solution_ends_the_wait_for_a_real_query() -> None:
    async def hurried(dsn: str) -> str:
        sock = await SOLUTION.connect(dsn)
        try:
            await SOLUTION.timeout(0.05, SOLUTION.query(sock, "select pg_sleep(30)"))
        except TimeoutError as error:
            return str(error)
        finally:
            sock.close()

    server = asyncio.run(Postgres(auth="trust").start())
    try:
        assert SOLUTION.run(hurried(server.dsn)) == "It took longer than 0.05 s."
    finally:
        asyncio.run(server.stop())


def test_a_late_fallback_is_late_here_and_counts_with_asyncio() -> None:
    """The page of the lab tells the difference."""

    async def fallback(sleep: Any, late: type[BaseException]) -> str:
        try:
            await sleep(30)
        except late:
            return "bread"
        return "soup"

    async def hurried() -> str:
        return await asyncio.wait_for(fallback(asyncio.sleep, asyncio.CancelledError), 0.01)

    assert asyncio.run(hurried()) == "bread"
    with pytest.raises(TimeoutError, match=r"longer than 0\.01 s"):
        SOLUTION.run(SOLUTION.timeout(0.01, fallback(SOLUTION.sleep, TimeoutError)))
