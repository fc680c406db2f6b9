"""Folders that are whole or not there, and locks that end with the process that holds them.

Needs the standard library alone, and all of it at once: see `bench.servers.supervisor`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

WINDOWS = sys.platform == "win32"
# On Windows, 0o700 would shut out the restricted user that initdb and pg_ctl create for the server.
PRIVATE = 0o777 if WINDOWS else 0o700


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
    """A name of its own for what is made from `parts`."""
    return f"{kind}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def remove(tree: Path) -> None:
    """Delete a folder and all in it, as far as that is possible; a missing one is no error."""
    for _ in range(20):  # on Windows files stay open for a moment after their process has ended
        shutil.rmtree(tree, ignore_errors=True)
        if not tree.exists():
            return
        time.sleep(0.1)


def lock(path: Path) -> IO[str] | None:
    """Lock the file `path` without waiting: the open file that holds the lock, None if taken.

    The operating system frees it when its process ends, so it cannot go stale.
    """
    file = open(path, "a")  # noqa: SIM115  (open for as long as the lock is held)
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the file `path`; wait until it is free."""
    while not (held := lock(path)):
        time.sleep(0.02)
    with held:
        yield


def open_to_all(path: Path) -> bool:
    """True if every user may enter `path` and all directories above it."""
    return all(p.stat().st_mode & 0o001 for p in (path, *path.parents))
