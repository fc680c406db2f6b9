"""Run by `make proof` only: what needs more kernels, or more patience, than `make test` has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from test_postgres import (  # noqa: F401  (the fixture checks that nothing is left)
    Jupyter,
    _nothing_is_left,
    ended,
    kernel,
    leftovers,
    temporary_directory,
    wait,
)


def test_a_server_without_supervisor_and_files_ends_itself() -> None:
    """Linux stops it at once; elsewhere PostgreSQL's own guard does. No process id is trusted."""
    with kernel() as (process, run):
        run.supervisor.kill()
        process.communicate("normal exit\n")
        assert not run.home.exists()
        wait(lambda: ended(run.postmaster), timeout=180)


@pytest.mark.parametrize("how", ["restart", "restart now", "shutdown", "shutdown now", "SIGKILL"])
def test_every_end_of_a_jupyter_kernel(how: str) -> None:
    with Jupyter() as jupyter:
        run = jupyter.run_cell()
        if how.startswith("restart"):
            jupyter.restart(now=how.endswith("now"))
            wait(run.gone)
            assert jupyter.run_cell().answers(), "run all again"
        elif how.startswith("shutdown"):
            jupyter.manager.shutdown_kernel(now=how.endswith("now"))
        else:
            jupyter.manager.provisioner.process.kill()
        wait(run.gone)


def test_nbval_leaves_nothing(tmp_path: Path) -> None:
    """It ends its kernels by a kill."""
    cells = ["from bench import Postgres\npg = await Postgres().start()", "print(pg.embedded)"]
    for name in ("1", "2", "3", "4"):
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        book.cells[1].execution_count = 2
        book.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="True\n")]
        nbformat.write(book, tmp_path / f"{name}.ipynb")
    with temporary_directory() as top:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", str(tmp_path)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "8 passed" in done.stdout, done.stdout
        wait(lambda: not leftovers(top))
