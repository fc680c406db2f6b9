"""What can be seen of a computer without starting anything; each look takes milliseconds.

A look yields what it finds: nothing where all is well. The looks are in the order of `LOOKS`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.course import COURSE
from bench.open_files import allow_open_files
from bench.ready.remarks import Remark, note

OLDEST = 3, 11
OPEN_FILES = 512  # the most that one lesson needs: the rules of a loop, in lesson 7
FREE_FOR_FILES = 500 * 2**20  # three open notebooks with a PostgreSQL each, and their work
FREE_FOR_PROGRAMS = 700 * 2**20  # JupyterLab and one lesson at its largest
LONGEST_PATH = 100  # Windows allows 260, and the files of an environment need 150 of them
PORTS = {8000: "the book", 8888: "JupyterLab"}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
TEXT_BROWSERS = ("www-browser", "links", "elinks", "lynx", "w3m")
INSTALL = "python -m pip install -r requirements.txt -c constraints.txt"


def python() -> Iterator[Remark]:
    if sys.version_info < OLDEST:
        here, needed = (".".join(map(str, one)) for one in (sys.version_info[:2], OLDEST))
        yield Remark(
            f"This is Python {here}, and the course needs {needed} or newer.",
            f"Install a newer one, and make .venv with it: python{needed} -m venv .venv.",
        )


def packages(course: Path = COURSE) -> Iterator[Remark]:
    """Of requirements.txt, what is missing here or has another version."""
    missing, other = [], []
    for name, pinned in requirements(course):
        try:
            here = version(name)
        except PackageNotFoundError:
            missing.append(name)
        else:
            if here != pinned:
                other.append(f"{name} {here} instead of {pinned}")
    if missing:
        named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if missing[3:] else "")
        yield Remark(
            f"This Python ({sys.executable}) lacks {named}.",
            f"Use the one in .venv, or run in the course's folder: {INSTALL}.",
        )
    if other:
        yield note(f"Other versions are installed: {', '.join(other)}.", f"To be sure: {INSTALL}.")


def requirements(course: Path) -> Iterator[tuple[str, str]]:
    """Name and version of each line of requirements.txt that this system needs."""
    for line in (course / "requirements.txt").read_text(encoding="utf-8").splitlines():
        wanted, _, marker = line.partition(";")
        pin = re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)", wanted.strip())
        if pin and (not marker or _holds(marker)):
            yield pin[1], pin[2]


def _holds(marker: str) -> bool:
    try:
        from packaging.markers import Marker
    except ImportError:  # then something is missing that has no marker
        return False
    return Marker(marker.strip()).evaluate()


def course_path(course: Path = COURSE) -> Iterator[Remark]:
    """Where the course lies: Windows' PostgreSQL reads plain letters, and not many of them."""
    if sys.platform != "win32":
        return
    if not str(course).isascii():
        yield Remark(
            f"The path {course} has letters with which PostgreSQL does not start on Windows.",
            r"Move the course's folder to a path of plain letters, such as C:\course.",
        )
    if len(str(course)) > LONGEST_PATH:
        yield note(
            f"The path of the course has {len(str(course))} letters; Windows allows 260 in all.",
            r"If a file is not found, move the course's folder to a shorter path: C:\course.",
        )


def disk(course: Path = COURSE) -> Iterator[Remark]:
    """PostgreSQL's files are in the temporary folder, a learner's work in the course's."""
    places = {"the temporary folder": Path(tempfile.gettempdir()), "the course's folder": course}
    for name, place in places.items():
        free = shutil.disk_usage(place).free
        if free < FREE_FOR_FILES:
            yield Remark(
                f"Only {free >> 20} MB are free in {name} ({place}).",
                f"Make room for {FREE_FOR_FILES >> 20} MB, "
                "or set TMPDIR (Windows: TEMP) to a folder on another disk.",
            )
            return
        if not os.access(place, os.W_OK):
            yield Remark(f"Nothing can be written in {name} ({place}).", "Use one of your own.")


def home() -> Iterator[Remark]:
    path = Path("~").expanduser()
    if not os.access(path, os.W_OK):
        yield Remark(
            f"Nothing can be written in your home folder ({path}), where Jupyter keeps its files.",
            "Set HOME (Windows: USERPROFILE) to a folder of your own, or start by make.",
        )


def memory() -> Iterator[Remark]:
    try:
        import psutil  # type: ignore[import-untyped]  # it brings none
    except ImportError:  # `packages` says so
        return
    free = psutil.virtual_memory().available
    if free < FREE_FOR_PROGRAMS:
        yield note(
            f"Only {free >> 20} MB of memory are free; a lesson needs {FREE_FOR_PROGRAMS >> 20}.",
            "Close other programs, and shut down the kernels of notebooks you have left.",
        )


def open_files() -> Iterator[Remark]:
    try:
        allow_open_files(OPEN_FILES)
    except OSError as problem:
        yield Remark(str(problem))


def shell() -> Iterator[Remark]:
    """What is set that could lead a client elsewhere. The experiments forget it themselves."""
    if proxies := [name for name in PROXIES if os.environ.get(name)]:
        yield note(
            f"A proxy is set ({', '.join(proxies)}); no experiment asks it.",
            "If pages of 127.0.0.1 do not open, or pip does not find a server in the room, "
            "set NO_PROXY to *.",
        )
    url = os.environ.get("DATABASE_URL")
    if url:
        yield note(
            "DATABASE_URL is set, so experiments use a new database on that server.",
            "Stored outputs are promised for the course's own server: unset it to use that one.",
        )
    if names := sorted(name for name in os.environ if name.startswith("PG")):
        heard = "with DATABASE_URL they count" if url else "no experiment hears them"
        yield note(
            f"libpq's variables are set ({', '.join(names)}); {heard}.",
            "What you start by hand does: unset them if it goes to another server.",
        )


def loopback() -> Iterator[Remark]:
    """Whether a program here can talk to another one here."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as problem:
        yield Remark(
            f"A program cannot reach another one on 127.0.0.1 ({problem}).",
            "Allow Python in your firewall or security program: nothing leaves this computer.",
        )


def ports() -> Iterator[Remark]:
    for port, what in PORTS.items():
        with socket.socket() as one:
            one.settimeout(1)
            if one.connect_ex(("127.0.0.1", port)) == 0:
                yield note(
                    f"Port {port} is taken by another program.",
                    f"{what[0].upper()}{what[1:]} takes the next one: read the address it prints.",
                )


def browser() -> Iterator[Remark]:
    try:
        found: str | None = getattr(webbrowser.get(), "name", "")
    except webbrowser.Error:
        found = None
    if found is None or found in TEXT_BROWSERS:
        yield note(
            "No browser that opens a window was found.",
            "Install Firefox or Chromium, or open the address that `make lab` prints in one.",
        )


LOOKS: tuple[Callable[[], Iterator[Remark]], ...] = (
    *(python, packages, course_path, disk, home, memory, open_files),
    *(shell, loopback, ports, browser),
)


def look(without: tuple[Callable[[], Iterator[Remark]], ...] = ()) -> list[Remark]:
    """All that the looks find, but for those left out."""
    return [remark for one in LOOKS if one not in without for remark in one()]
