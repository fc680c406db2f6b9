"""What a lesson does, tried once: a PostgreSQL, an experiment, a notebook.

Each attempt returns what it did, in a few words, or raises NotReady. What it starts, it stops.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.course import COURSE, EVIDENCE, lesson_texts
from bench.ready.remarks import Remark

EXPERIMENT = EVIDENCE / "02" / "sixty_guests.py"
PATIENCE = 180  # seconds: a virus scanner can turn one into a minute
WHERE_IT_RUNS = "print(__import__('sys').prefix)"


class NotReady(Exception):
    """An attempt failed; `remark` says why, and what to do."""

    def __init__(self, problem: str, cure: str = "") -> None:
        self.remark = Remark(" ".join(problem.split()), cure)
        super().__init__(str(self.remark))


async def postgres() -> str:
    """Start a server, ask it its version, stop it."""
    import asyncpg

    from bench.servers.postgres import Postgres
    from bench.servers.unavailable import PostgresUnavailable

    began = time.perf_counter()
    try:
        async with Postgres() as pg:
            connection = await asyncpg.connect(pg.dsn, timeout=PATIENCE)
            version = (await connection.fetchval("show server_version")).split()[0]
            seconds = time.perf_counter() - began
            await connection.close()
    except PostgresUnavailable as problem:
        raise NotReady(str(problem)) from None
    except (OSError, asyncpg.PostgresError) as problem:
        raise NotReady(
            f"PostgreSQL started, and no client reaches it: {problem or type(problem).__name__}.",
            "Allow Python and postgres in your firewall or security program.",
        ) from None
    return f"PostgreSQL {version} answers after {seconds:.1f} s"


def experiment(script: Path = EXPERIMENT) -> str:
    """Run one experiment of the course: sixty guests, a web server, sixty connections."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-X", "utf8", str(script)],
            cwd=COURSE,
            env={name: v for name, v in os.environ.items() if name != "BENCH_CLAIMS_LOG"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise NotReady(
            f"The experiment has not ended after {PATIENCE} s.",
            "Try again with other programs closed and the power supply plugged in.",
        ) from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing."]
        name = script.relative_to(COURSE).as_posix()
        raise NotReady(f"The experiment failed: {said[-1]}", f"All it says: python {name}.")
    return f"an experiment holds ({time.perf_counter() - began:.1f} s)"


def notebook() -> str:
    """Open lesson 1 in a kernel: its cards, its recordings, its PostgreSQL. Nothing is stored."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError
    from nbformat.v4 import new_code_cell

    began = time.perf_counter()
    lesson = lesson_texts()[0].stem
    stored = COURSE / "notebooks" / f"{lesson}.ipynb"
    opened: Any = nbformat.read(stored, as_version=4)  # type: ignore[no-untyped-call]  # of nbformat
    where = new_code_cell(WHERE_IT_RUNS)  # type: ignore[no-untyped-call]  # of nbformat
    opened.cells = [where, *_up_to_its_server(opened.cells)]
    client = NotebookClient(
        opened,
        timeout=PATIENCE,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(COURSE / "notebooks")}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as problem:
        last = str(problem).strip().splitlines()[-1]
        raise NotReady(f"Lesson 1 does not run in a notebook: {last}", _own_kernel()) from None
    except Exception as problem:  # of Jupyter's start there are many, and all mean this
        raise NotReady(
            f"Jupyter does not start a kernel: {str(problem).strip() or type(problem).__name__}.",
            "Allow Python in your firewall or security program, and try again.",
        ) from None
    prefix = opened.cells[0].outputs[0]["text"].strip()
    if Path(prefix).resolve() != Path(sys.prefix).resolve():
        raise NotReady(f"Notebooks run in another Python ({prefix}).", _own_kernel())
    return f"a notebook runs ({time.perf_counter() - began:.1f} s)"


def _up_to_its_server(cells: list[Any]) -> list[Any]:
    code = [cell for cell in cells if cell.cell_type == "code"]
    starts = next(place for place, cell in enumerate(code) if "Postgres()" in cell.source)
    return code[: starts + 1]


def _own_kernel() -> str:
    return "Give this Python a kernel of its own: python -m ipykernel install --sys-prefix."
