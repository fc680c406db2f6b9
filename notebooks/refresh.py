"""Run the notebooks and the evidence scripts afresh, and keep their outputs.

    python notebooks/refresh.py              everything
    python notebooks/refresh.py 01           what belongs to lesson 01
    python notebooks/refresh.py 00           the look at a computer, which is no lesson
    python notebooks/refresh.py --check      run nothing: is each notebook the twin of its text?
    python notebooks/refresh.py --hide       run nothing: hide what JupyterLab should not show

People edit `text/NN-name.md` (or the notebook in JupyterLab, which writes the text when it saves).
What an evidence script prints is kept beside it, in a .txt file. An experiment that fails
leaves its stored output as it was, and the exit status is 1. After all succeeded,
`book/status.json` says what ran, when, how long it took and which claims held.
"""

from __future__ import annotations

import argparse
import asyncio
import atexit
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import date
from importlib.metadata import version
from pathlib import Path

import asyncpg
import jupytext
import nbformat
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_core.paths import jupyter_runtime_dir
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

from bench import Postgres
from bench.course import STATUS, experiments, lesson_of, output_of, run_name

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TEXT = HERE / "text"
NO_LESSON = TEXT / "00-ready.md"
REPORTED = (
    *("fastapi", "starlette", "anyio", "uvicorn"),
    *("psycopg", "asyncpg", "aiosqlite", "sqlalchemy", "sqlmodel", "alembic"),
)
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
CELL_SECONDS = 120


def find_a_home() -> None:
    """Jupyter, IPython and matplotlib keep files at home; if nobody may, in a folder of this run.

    Whoever sets their folders is left alone.
    """
    if os.access(Path("~").expanduser(), os.W_OK):
        return
    folder = tempfile.mkdtemp(prefix="course-home-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        os.environ.setdefault(name, folder)


find_a_home()


class SocketFiles:
    """A kernel manager that talks through files instead of TCP ports.

    Jupyter chooses a free port, and the kernel binds it a second later. In between another kernel,
    or one of the many connections of an experiment, may have taken it. Windows keeps TCP.
    """

    def _transport_default(self) -> str:
        return "ipc" if os.name == "posix" else "tcp"

    def _ip_default(self) -> str:
        if self.transport == "tcp":
            return "127.0.0.1"
        folder = Path(jupyter_runtime_dir())
        if len(os.fsencode(folder)) > 70:  # the whole path of such a file has at most 103 bytes
            folder = Path(tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"kernel-{uuid.uuid4().hex[:12]}")


class KernelOfARefresh(SocketFiles, AsyncKernelManager):
    """For nbclient."""


class KernelOfATest(SocketFiles, KernelManager):
    """For nbval."""


def from_text(path: Path) -> nbformat.NotebookNode:
    """The notebook that a text describes: without outputs, with the same cell ids each time."""
    notebook = jupytext.read(path, fmt="md:myst")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k == "tags"})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    hide(notebook)
    return notebook


def hide(notebook: nbformat.NotebookNode) -> None:
    """What the book shows without its code has none in JupyterLab, either: cards, recordings."""
    for cell in notebook.cells:
        if "remove-input" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}


def sources(notebook: nbformat.NotebookNode) -> list[tuple[str, str, list[str], bool]]:
    """What the text twin knows of a notebook: kind, source, tags, and if the source is hidden."""
    return [
        (
            cell.cell_type,
            cell.source,
            list(cell.metadata.get("tags", [])),
            cell.metadata.get("jupyter", {}).get("source_hidden", False),
        )
        for cell in notebook.cells
    ]


def is_twin(text: Path) -> bool:
    """True if the stored notebook has exactly the cells that its text twin describes."""
    stored = HERE / f"{text.stem}.ipynb"
    if not stored.exists():
        return False
    return sources(nbformat.read(stored, as_version=4)) == sources(from_text(text))


def run(
    notebook: nbformat.NotebookNode, *, root: Path = ROOT, stop_at_error: bool = True
) -> list[dict]:
    """Execute a notebook in place, in a fresh kernel; return its claims as [{"id", "ok"}, …].

    `root` is the tree whose notebooks/ is the working directory and whose labs/ is imported.
    The kernel is gone afterwards, and with it every server that the notebook started.
    Raises CellExecutionError or CellTimeoutError unless `stop_at_error` is False.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "claims.jsonl"
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            record_timing=False,
            allow_errors=not stop_at_error,
            kernel_manager_class=KernelOfARefresh,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],  # it warns of TCP on loopback
            resources={"metadata": {"path": str(root / "notebooks")}},
        )
        environment = {"BENCH_CLAIMS_LOG": str(log), "PYTHONPATH": str(root / "labs")}
        client.execute(env={**os.environ, **environment})
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        if "remove-cell" in cell.metadata.get("tags", []):
            cell.outputs = []  # style and script: every run brings them, and the book has its own
    return [json.loads(line) for line in lines]


def refresh(text: Path) -> list[str]:
    """Run one notebook and write it; return the ids of its claims, all of which held."""
    notebook = from_text(text)
    claims = run(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, HERE / f"{text.stem}.ipynb")
    return [row["id"] for row in claims]


def refresh_script(script: Path) -> list[str]:
    """Run one evidence script and keep what it printed; return the ids of its claims.

    Raises RuntimeError with the end of its error output if it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "claims.jsonl"
        done = subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "BENCH_CLAIMS_LOG": str(log)},
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        output_of(script).write_text(done.stdout, encoding="utf-8")
        return [json.loads(row)["id"] for row in log.read_text(encoding="utf-8").splitlines()]


def chosen_experiments(names: list[str]) -> list[Path]:
    """The texts and scripts of the lessons whose numbers are given; all there are, if none is."""
    found = sorted(
        [NO_LESSON, *experiments(ROOT)], key=lambda path: (lesson_of(path), run_name(path))
    )
    return [path for path in found if lesson_of(path).startswith(tuple(names or [""]))]


async def server_version() -> str:
    """The version of the PostgreSQL that the experiments use."""
    async with Postgres() as pg:
        connection = await asyncpg.connect(pg.dsn)
        try:
            return (await connection.fetchval("show server_version")).split()[0]
        finally:
            await connection.close()


def write_status(rows: dict[str, dict]) -> None:
    """Put these rows into `book/status.json`; rows of experiments that are gone are dropped."""
    old = json.loads(STATUS.read_text(encoding="utf-8")) if STATUS.exists() else {"runs": {}}
    known = {run_name(path) for path in experiments(ROOT)}
    merged = {name: row for name, row in {**old["runs"], **rows}.items() if name in known}
    status = {
        "python": platform.python_version(),
        "system": platform.system(),
        "postgresql": asyncio.run(server_version()),
        "versions": {name: version(name) for name in REPORTED},
        "runs": dict(sorted(merged.items())),
    }
    STATUS.write_text(json.dumps(status, indent=2) + "\n", encoding="utf-8")


def check(texts: list[Path]) -> int:
    strangers = [path.stem for path in texts if not is_twin(path)]
    for name in strangers:
        print(f"{name}: notebook and text differ; run `make notebooks`.", file=sys.stderr)
    return 1 if strangers else 0


def hide_in_all(texts: list[Path]) -> int:
    for path in texts:
        stored = HERE / f"{path.stem}.ipynb"
        notebook = nbformat.read(stored, as_version=4)
        hide(notebook)
        nbformat.write(notebook, stored)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="a lesson's number, such as 01")
    parser.add_argument("--check", action="store_true", help="run nothing, compare with the text")
    parser.add_argument("--hide", action="store_true", help="run nothing, hide the code of cards")
    arguments = parser.parse_args()
    chosen = chosen_experiments(arguments.names)
    if not chosen:
        print(f"Nothing begins with {' or '.join(arguments.names)}.", file=sys.stderr)
        return 1
    if arguments.check:
        return check([path for path in chosen if path.suffix == ".md"])
    if arguments.hide:
        return hide_in_all([path for path in chosen if path.suffix == ".md"])
    rows = {}
    for number, path in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {run_name(path)} …", end=" ", flush=True)
        began = time.perf_counter()
        try:
            claims = (refresh if path.suffix == ".md" else refresh_script)(path)
        except (CellExecutionError, CellTimeoutError, RuntimeError) as problem:
            print(f"failed; its stored output is unchanged.\n{problem}", file=sys.stderr)
            return 1
        seconds = round(time.perf_counter() - began, 1)
        rows[run_name(path)] = {
            "ran": date.today().isoformat(),
            "seconds": seconds,
            "claims": claims,
        }
        print(f"{seconds} s, {len(claims)} claims hold")
    write_status(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
