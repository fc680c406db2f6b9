"""Make the folders of a class: `python -m classroom`, or `make classroom`.

    python -m classroom                                   every system, every Python
    python -m classroom --only windows --python 3.12      one of each

They are below `_build/classroom`, and the book must have been built. Only the folder of the system
on which this runs can be started here; of the others it is known that their wheels are complete.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.course import COURSE
from classroom.folders import either, put_together, size_of
from classroom.systems import PYTHONS, SYSTEMS
from classroom.wheels import Unresolved, needed

HOME = COURSE / "_build" / "classroom"
SITE = COURSE / "_build" / "html"
POOL = COURSE / "_build" / "wheels"
"""Every wheel once: what `python book/serve.py --class` serves to a room."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m classroom", description="Folders of a class.")
    names = [system.name for system in SYSTEMS]
    parser.add_argument("--only", action="append", choices=names, help="this system")
    parser.add_argument("--python", action="append", metavar="3.12", help="for this Python")
    parser.add_argument("--into", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("--site", type=Path, default=SITE, help=argparse.SUPPRESS)
    parser.add_argument("--pool", type=Path, default=POOL, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    pythons = asked.python or list(PYTHONS)
    if not (asked.site / "index.html").exists():
        print("The book has not been built yet: run `make book`.", file=sys.stderr)
        return 1
    asked.pool.mkdir(parents=True, exist_ok=True)
    failed = 0
    for system in SYSTEMS:
        if system.name not in (asked.only or names):
            continue
        print(f"{system.title}, Python {either(pythons)} …", flush=True)
        folder = asked.into / f"course-{system.name}"
        try:
            wheels = {one for python in pythons for one in needed(asked.pool, system, python)}
        except Unresolved as problem:
            print(f"  not made: {problem}", file=sys.stderr)
            failed = 1
            continue
        put_together(folder, system, pythons, sorted(wheels), asked.site)
        print(f"  {len(wheels)} wheels, {size_of(folder) >> 20} MB: {folder}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
