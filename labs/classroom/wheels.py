"""All that the course installs on a system that is not this one, as wheels.

`pip download --platform` asks the markers of requirements about the computer on which it runs, so
it would leave out what Windows alone needs. So each wheel is read here, and its requirements are
asked about the system for which it is.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from bench.course import COURSE
from classroom.systems import PATCHES, System

INSTALLER = "pip==26.3"
"""Also in each folder: Debian's Python has no pip, and an old pip does not know new wheels."""
ROUNDS = 30


class Unresolved(Exception):
    """A system cannot be served; the text says what is missing."""


def lines(path: Path) -> Iterator[Requirement]:
    """The requirements of a file, without its options."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.split(" #")[0].strip()
        if text and text[0] not in "#-":
            yield Requirement(text)


def locked(system: System, python: str, patch: int) -> dict[NormalizedName, Version]:
    """What constraints.txt pins for that system."""
    environment = system.environment(python, patch)
    return {
        canonicalize_name(one.name): Version(next(iter(one.specifier)).version)
        for one in (*lines(COURSE / "constraints.txt"), Requirement(INSTALLER))
        if one.marker is None or one.marker.evaluate(environment)
    }


def requirements_of(wheel: Path) -> list[Requirement]:
    """What the wheel's own metadata says that it needs."""
    return [Requirement(text) for text in _metadata(wheel)]


@cache
def _metadata(wheel: Path) -> tuple[str, ...]:
    with zipfile.ZipFile(wheel) as opened:
        names = [one for one in opened.namelist() if one.endswith(".dist-info/METADATA")]
        name = min(names, key=len)  # some bring other packages with them
        headers = HeaderParser().parsestr(opened.read(name).decode("utf-8"))
    return tuple(headers.get_all("Requires-Dist") or ())


def fits(wheel: Path, name: str, version: Version, system: System, python: str) -> int | None:
    """How well that file serves as that version there, 0 best; None: it does not."""
    its_name, its_version, _, its_tags = _parsed(wheel.name)
    if (its_name, its_version) != (name, version):
        return None
    ranks = _ranks(system, python)
    return min((ranks[tag] for tag in its_tags if tag in ranks), default=None)


_parsed = cache(parse_wheel_filename)


@cache
def _ranks(system: System, python: str) -> dict[Tag, int]:
    return {tag: rank for rank, tag in enumerate(system.tags(python))}


def best(
    pool: Path, name: NormalizedName, version: Version, system: System, python: str
) -> Path | None:
    """The wheel of the pool that pip would take there."""
    rated = [
        (rank, wheel)
        for wheel in sorted(pool.glob("*.whl"))
        if (rank := fits(wheel, name, version, system, python)) is not None
    ]
    return min(rated)[1] if rated else None


def needed(pool: Path, system: System, python: str, *, download: bool = True) -> list[Path]:
    """The wheels that the course needs there, from the pool, each fetched into it when missing.

    They serve the oldest `python` as well as the newest: 3.12.0 and 3.12.99.
    Raises Unresolved when one is not to be had, or `download` is False and one is not there.
    """
    serving = [_needed(pool, system, python, patch, download) for patch in PATCHES]
    return sorted({wheel for found in serving for wheel in found})


def _needed(pool: Path, system: System, python: str, patch: int, download: bool) -> list[Path]:
    lock, environment = locked(system, python, patch), system.environment(python, patch)
    found: dict[NormalizedName, Path] = {}
    done: set[tuple[NormalizedName, str]] = set()
    waiting = [*lines(COURSE / "requirements.txt"), Requirement(INSTALLER)]
    waiting = [one for one in waiting if one.marker is None or one.marker.evaluate(environment)]
    for _ in range(ROUNDS):
        wanted = {canonicalize_name(one.name) for one in waiting} - found.keys()
        if unlocked := wanted - lock.keys():
            raise Unresolved(f"constraints.txt does not name {', '.join(sorted(unlocked))}")
        pins = {name: lock[name] for name in sorted(wanted)}
        missing = {n: v for n, v in pins.items() if not best(pool, n, v, system, python)}
        if missing and download:
            _fetch(pool, missing, system, python)
        for name, version in pins.items():
            wheel = best(pool, name, version, system, python)
            if wheel is None:
                raise Unresolved(f"no wheel of {name} {version} for {system.name}, Python {python}")
            found[name] = wheel
        asked = [(canonicalize_name(one.name), extra) for one in waiting for extra in _extras(one)]
        fresh = [pair for pair in asked if pair not in done]
        done.update(fresh)
        waiting = [
            one
            for name, extra in fresh
            for one in requirements_of(found[name])
            if one.marker is None or one.marker.evaluate({**environment, "extra": extra})
        ]
        if not waiting:
            return list(found.values())
    raise Unresolved(f"after {ROUNDS} rounds still asked: {', '.join(map(str, waiting))}")


def _extras(one: Requirement) -> set[str]:
    return {"", *one.extras}


def _fetch(pool: Path, pins: dict[NormalizedName, Version], system: System, python: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={python}", f"--dest={pool}"]
    command += [f"--platform={name}" for name in system.platforms]
    command += [f"{name}=={version}" for name, version in pins.items()]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise Unresolved("\n".join(said) or done.stderr[-2000:])
