"""The folder `_static/live` of a built book. In it, `site.zip` is what Python finds in the
reader's browser besides its standard library:

    packages/…             the contents of the fetched wheels, half of it compiled
    live_boot/…            what makes the browser behave as CPython does
    course/labs/bench/…    the instruments that need no server, where they find the course
    course/labs/NN-…/…     labs whose checks can run in a page, and what the checks need

Two builds of one state of the course write the same bytes.
"""

from __future__ import annotations

import gzip
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from live_pins import ASSETS, BOOK

from bench.practice.in_the_page import labs_of_the_page

LIVE = BOOK / "_live"
ROOMS_OF_LABS = "bench/practice", "bench/practice/stand_ins", "bench/servers", "bistro"
FILES_OF_A_LAB = "starter/*.py", "reason.md", "test_lab.py"
SITE = "site.zip.gz"
COURSE_FILES = (
    "labs/bench/*.py",
    "labs/bench/instruments/*.py",
    "labs/bench/traces/*.py",
    "book/_static/timeline/lanes.css",
    *(f"labs/{room}/*.py" for room in ROOMS_OF_LABS),
    *(f"labs/{lab.name}/{name}" for lab in labs_of_the_page() for name in FILES_OF_A_LAB),
)
"""The files of the course that cells may use, as patterns below its top folder."""

SHIPPED = ("pyodide", "pglite", "licences")
"""The folders of the fetched assets that the built book has; the packages are in the site."""


def put_own(folder: Path) -> None:
    """Our own scripts and the site: small, and made before any page is written."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in LIVE.iterdir():
        if path.suffix in (".js", ".css", ".mjs"):
            shutil.copyfile(path, folder / path.name)
    write_site(folder / SITE)


def put_fetched(folder: Path) -> None:
    """What was fetched, and every licence."""
    for source in (*(ASSETS / name for name in SHIPPED), LIVE / "licences"):
        shutil.copytree(source, folder / source.name, dirs_exist_ok=True)


def download(folder: Path) -> int:
    """Bytes that a reader's first run loads, as they lie on the server."""
    packed = [*(ASSETS / "pyodide").glob("*.gz"), folder / SITE]
    return sum(path.stat().st_size for path in packed)


def write_site(target: Path) -> None:
    """Write the archive, stored and then compressed as one piece, which is smaller and faster."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for name, body in site_files():
            archive.writestr(zipfile.ZipInfo(name), body)
    target.write_bytes(gzip.compress(stored.getvalue(), compresslevel=9, mtime=0))


def site_files() -> Iterator[tuple[str, bytes]]:
    """(name in the archive, contents), in a fixed order."""
    with zipfile.ZipFile(ASSETS / "packages.zip") as archive:
        for name in archive.namelist():
            yield f"packages/{name}", archive.read(name)
    for path in sorted((LIVE / "live_boot").glob("*.py")):
        yield f"live_boot/{path.name}", path.read_bytes()
    for pattern in COURSE_FILES:
        for path in sorted(BOOK.parent.glob(pattern)):
            yield f"course/{path.relative_to(BOOK.parent).as_posix()}", path.read_bytes()
