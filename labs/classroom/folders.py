"""One folder of a class, put together: what is in it, and the list by which it is checked.

start.sh (Linux), start.command (macOS) or start.cmd (Windows)
READ-ME.txt     what to do, in ten lines
start.py        what these call
pythons.txt     the Pythons that will do, the best first
wheels.sha256   each wheel, so that a copy with a hole in it is noticed
wheels/         all that is installed
course/         the course, with the built book in _build/html
slides/         slides and handouts, if `make slides` has made them
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

from bench.course import FOLDER_IN_THE_ZIP, ZIP_OF_THE_COURSE
from classroom.systems import System

STICK = Path(__file__).parent / "stick"
"""What a folder holds beside wheels, book and course, the same for each system."""


def put_together(
    folder: Path, system: System, pythons: list[str], wheels: list[Path], site: Path
) -> None:
    """Make `folder` afresh. `site` is the built book, which brings the course with it; slides are
    taken from beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "wheels").mkdir(parents=True)
    for wheel in wheels:
        _link(wheel, folder / "wheels" / wheel.name)
    sums = [f"{_sha256(wheel)}  wheels/{wheel.name}\n" for wheel in wheels]
    (folder / "wheels.sha256").write_text("".join(sums), encoding="utf-8", newline="\n")
    (folder / "pythons.txt").write_text("\n".join([*pythons, ""]), encoding="utf-8", newline="\n")

    with zipfile.ZipFile(site / ZIP_OF_THE_COURSE) as packed:
        packed.extractall(folder)
    (folder / FOLDER_IN_THE_ZIP).rename(folder / "course")
    shutil.copytree(site, folder / "course" / "_build" / "html")
    if (slides := site.with_name("slides")).exists():
        shutil.copytree(slides, folder / "slides")

    shutil.copy(STICK / "start.py", folder)
    _write_start(folder, system)
    readme = (STICK / "READ-ME.txt").read_text(encoding="utf-8")
    named = {"{start}": system.start, "{system}": system.title, "{pythons}": either(pythons)}
    for word, text in named.items():
        readme = readme.replace(word, text)
    _write(folder / "READ-ME.txt", readme, system)


def either(pythons: list[str]) -> str:
    """ "3.11", "3.11 or 3.12", "3.11, 3.12 or 3.13"."""
    return " or ".join(filter(None, [", ".join(pythons[:-1]), pythons[-1]]))


def size_of(folder: Path) -> int:
    """Bytes of all files below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _write_start(folder: Path, system: System) -> None:
    kind = "start.cmd" if system.os_name == "nt" else "start.sh"
    start = folder / system.start
    _write(start, (STICK / kind).read_text(encoding="utf-8"), system)
    start.chmod(0o755)


def _write(path: Path, text: str, system: System) -> None:
    """With the line ends of the system: Windows' command processor loses its way without them."""
    path.write_text(text, encoding="utf-8", newline="\r\n" if system.os_name == "nt" else "\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(wheel: Path, place: Path) -> None:
    """The same file under another name; a copy where that is not possible."""
    try:
        os.link(wheel, place)
    except OSError:
        shutil.copy(wheel, place)
