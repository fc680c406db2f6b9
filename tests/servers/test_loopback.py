"""Whatever serves, serves this machine alone: we look at the sockets and not at the arguments."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psutil
import pytest

from bench import Postgres, RoundTrips, serve, until
from bench.course import COURSE
from resources import listening

LOOPBACK = {"127.0.0.1", "::1"}


@asynccontextmanager
async def program(*command: str, folder: Path = COURSE) -> AsyncIterator[None]:
    """A program that serves until it is told to end."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=folder, stdout=quiet, stderr=quiet
    )
    try:
        await until(
            lambda: listening(psutil.Process(process.pid)), 60, what=f"{command[-1]} to listen"
        )
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def book(folder: Path) -> AsyncIterator[None]:
    (folder / "index.html").write_text("<p>book</p>")
    command = str(COURSE / "book" / "serve.py"), "--no-browser", "--site", str(folder)
    async with program(*command, "--port", "0"):
        yield


@asynccontextmanager
async def jupyterlab(folder: Path) -> AsyncIterator[None]:
    """As `make lab` starts it, but for the browser."""
    made = (COURSE / "Makefile").read_text("utf-8").partition("\nlab:")[2].partition("\n\n")[0]
    assert "jupyter lab" in made
    assert "ip=" not in made  # it names no address either
    command = "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--port=0"
    async with program(*command, folder=folder):
        yield


@asynccontextmanager
async def trips(dsn: str) -> AsyncIterator[None]:
    async with RoundTrips(dsn):
        yield


SERVING: dict[str, Callable[[Path, str], AbstractAsyncContextManager]] = {
    "serve": lambda folder, dsn: serve("bistro.app:app", env={"BISTRO_DSN": dsn}),
    "Postgres, trust": lambda folder, dsn: Postgres(auth="trust"),
    "Postgres, scram": lambda folder, dsn: Postgres(auth="scram"),
    "RoundTrips": lambda folder, dsn: trips(dsn),
    "the book": lambda folder, dsn: book(folder),
    "JupyterLab": lambda folder, dsn: jupyterlab(folder),
}


@pytest.mark.parametrize("what", SERVING)
def test_it_listens_on_loopback_alone(what: str, dsn: str, tmp_path: Path) -> None:
    async def main() -> None:
        before = listening()
        async with SERVING[what](tmp_path, dsn):
            found = listening()
            assert found <= LOOPBACK, f"{what} listens on {', '.join(sorted(found))}"
            assert found or before, f"{what} does not listen at all"

    asyncio.run(main())


def test_a_socket_for_every_network_is_seen() -> None:
    """The check itself can fail."""
    code = "import socket; s = socket.create_server(('0.0.0.0', 0)); print(1, flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        process.stdout.readline()
        assert "0.0.0.0" in listening()
        process.communicate(b"\n")
