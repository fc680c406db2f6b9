"""A server in a subprocess: it starts or says why not, and it never outlives its parent."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.instruments.gates import until
from bench.instruments.http_client import Client
from bench.servers.serving import Server, serve

APP = """
import asyncio, os, pathlib, sys, threading
import helper

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        if os.environ.get("START") == "fails":
            await send({"type": "lifespan.startup.failed", "message": "the stove is cold"})
            return
        if os.environ.get("START") == "hangs":
            await asyncio.Event().wait()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        pathlib.Path(os.environ["CLOSED"]).write_text("closed")
        await send({"type": "lifespan.shutdown.complete"})
        return
    path = scope["path"]
    if path == "/die":
        os._exit(7)
    if path == "/hold":
        print("the loop is held")
        threading.Event().wait()
    if path == "/later":
        print("in flight")
        await asyncio.sleep(0.1)
    body = f"{path} {os.environ.get('DISH')} {helper.NAME}".encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app in a folder with a space, which imports its neighbour."""
    folder = tmp_path / "the kitchen"
    folder.mkdir()
    (folder / "soup_app.py").write_text(APP)
    (folder / "helper.py").write_text("NAME = 'helped'\n")
    monkeypatch.setenv("CLOSED", str(tmp_path / "closed"))
    return folder / "soup_app.py"


async def get(server: Server, path: str) -> str:
    async with Client(server.url) as client:
        return (await client.get(path)).body.decode()


def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """The processes that are started from now on, so that the test can look at their end."""
    started: list[subprocess.Popen] = []
    popen = subprocess.Popen

    def start(*args: object, **options: object) -> subprocess.Popen:
        started.append(popen(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return started


def gone(pid: int) -> bool:
    """No such process, or nothing left of it but its exit code."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip()[:1] in ("", "Z")


def test_an_app_from_a_file_and_one_from_a_module(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        monkeypatch.chdir(file.parent)
        async with (
            serve(f"{file}:app", env={"DISH": "soup"}) as one,
            serve("soup_app:app", env={"DISH": "tart"}) as two,
        ):
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+", one.url)
            assert await get(one, "/a") == "/a soup helped"
            assert await get(two, "/b") == "/b tart helped"
            assert one.url != two.url
            assert await get(one, "/later") == "/later soup helped"
            await until(lambda: "in flight" in one.log)
            assert "in flight" not in two.log
            assert "GET" not in one.log  # no access log
        assert gone(one.pid)
        assert gone(two.pid)

    asyncio.run(main())
    assert capfd.readouterr() == ("", "")


def test_it_has_a_session_of_its_own(file: Path) -> None:
    async def main() -> None:
        async with serve(f"{file}:app") as server:
            assert os.getsid(server.pid) == server.pid != os.getsid(0)

    asyncio.run(main())


def test_requests_in_flight_are_answered_before_it_stops(file: Path, tmp_path: Path) -> None:
    async def main() -> None:
        async with serve(f"{file}:app", env={"DISH": "soup"}) as server:
            late = asyncio.create_task(get(server, "/later"))
            await until(lambda: "in flight" in server.log)
        assert await late == "/later soup helped"
        assert (tmp_path / "closed").read_text() == "closed"  # the lifespan has ended too

    asyncio.run(main())


def test_a_server_whose_loop_is_blocked_stops_too(file: Path) -> None:
    async def main() -> None:
        async with serve(f"{file}:app") as server:
            held = asyncio.create_task(get(server, "/hold"))
            await until(lambda: "the loop is held" in server.log)
        assert gone(server.pid)
        with pytest.raises(ConnectionError):
            await held

    asyncio.run(main())


@pytest.mark.parametrize(
    ("app", "start", "said"),
    [
        ("no_such_module:app", "", r"did not start \(exit code 3\).*no_such_module"),
        ("no_such_file.py:app", "", r"did not start \(exit code 1\).*no_such_file\.py"),
        ("FILE:no_such_name", "", r"did not start .*no_such_name"),
        ("FILE:app", "fails", r"did not start \(exit code 3\).*the stove is cold"),
        ("FILE:app", "hangs", r"was not ready after 1 s"),
    ],
)
def test_a_server_that_does_not_start_says_why(
    file: Path, monkeypatch: pytest.MonkeyPatch, app: str, start: str, said: str
) -> None:
    started = processes(monkeypatch)

    async def main() -> None:
        patience = 1 if start == "hangs" else 60
        async with serve(app.replace("FILE", str(file)), env={"START": start}, patience=patience):
            pytest.fail("it has started")

    with pytest.raises(RuntimeError, match=f"(?s){said}") as failure:
        asyncio.run(main())
    assert "Check that this module or file can be imported" in str(failure.value)
    assert started[0].returncode is not None


@pytest.mark.parametrize("app", ["bistro.app", ":app", "app.py:", r"C:\course\app.py", "a:b c"])
def test_a_malformed_app_is_refused(app: str) -> None:
    async def main() -> None:
        async with serve(app):
            pytest.fail("it has started")

    with pytest.raises(ValueError, match="must be 'module:attribute'"):
        asyncio.run(main())


def test_a_server_that_died_meanwhile_is_reported(file: Path) -> None:
    async def and_nobody_noticed() -> None:
        async with serve(f"{file}:app") as server:
            with pytest.raises(ConnectionError):
                await get(server, "/die")

    async def and_the_block_failed() -> None:
        async with serve(f"{file}:app") as server:
            await get(server, "/die")

    with pytest.raises(RuntimeError, match=r"died \(exit code 7\)"):
        asyncio.run(and_nobody_noticed())
    with pytest.raises(ConnectionError, match="GET /die") as failure:
        asyncio.run(and_the_block_failed())
    assert any("died (exit code 7)" in note for note in failure.value.__notes__)


def test_an_error_of_the_block_is_raised_as_it_is(file: Path) -> None:
    async def main() -> None:
        async with serve(f"{file}:app"):
            raise LookupError("ours")

    with pytest.raises(LookupError, match="ours") as failure:
        asyncio.run(main())
    assert not hasattr(failure.value, "__notes__")


def test_a_cancelled_start_leaves_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = processes(monkeypatch)

    async def main() -> None:
        async def start() -> None:
            async with serve(f"{file}:app", env={"START": "hangs"}):
                pytest.fail("it has started")

        starting = asyncio.create_task(start())
        await until(lambda: started)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        assert starting.cancelled()

    asyncio.run(main())
    assert started[0].returncode is not None


PARENT = """
import asyncio
from bench.instruments.gates import until
from bench.instruments.http_client import Client
from bench.servers.postgres import Postgres
from bench.servers.serving import serve

async def main():
    async with serve({app!r}) as server, Client(server.url) as client, Postgres():
        if {held}:
            request = asyncio.create_task(client.get("/hold"))
            await until(lambda: "the loop is held" in server.log)
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("held", [False, True], ids=["idle", "its loop is blocked"])
def test_the_server_dies_with_its_parent_even_by_kill_9(file: Path, held: bool) -> None:
    script = PARENT.format(app=f"{file}:app", held=held)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        try:
            server = int(parent.stdout.readline())
            assert not gone(server)
        finally:
            parent.send_signal(signal.SIGKILL)
    asyncio.run(until(lambda: gone(server), what="the server to leave"))
