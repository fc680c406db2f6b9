"""The operating systems of a class, as pip and the markers of a requirement see them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.markers import Environment
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

PYTHONS = ("3.11", "3.12", "3.13")
"""What a folder serves unless other ones are named: those that the README says have been run."""

PATCHES = (0, 99)
"""The oldest and the newest of one Python: a lock may differ between 3.11.4 and 3.11.5."""

_OLDEST_LINUX, _NEWEST_LINUX = 5, 28  # glibc 2.x: PostgreSQL's wheel needs 2.28, of 2018
_MACOS = 11, 0


@dataclass(frozen=True)
class System:
    """One kind of computer."""

    name: str
    title: str
    start: str
    """The file with which a learner starts."""
    platforms: tuple[str, ...]
    """What a wheel for it may be tagged with, the best first."""
    sys_platform: str
    os_name: str
    platform_system: str
    machine: str

    def environment(self, python: str, patch: int) -> Environment:
        """What the markers of requirements are compared with; `python` is "3.12"."""
        return Environment(
            implementation_name="cpython",
            implementation_version=f"{python}.{patch}",
            os_name=self.os_name,
            platform_machine=self.machine,
            platform_python_implementation="CPython",
            platform_release="",
            platform_system=self.platform_system,
            platform_version="",
            python_full_version=f"{python}.{patch}",
            python_version=python,
            sys_platform=self.sys_platform,
        )

    def tags(self, python: str) -> Iterator[Tag]:
        """The tags of the wheels that pip takes there, the best first."""
        version = [int(part) for part in python.split(".")]
        yield from cpython_tags(version, platforms=self.platforms)
        short = f"cp{''.join(python.split('.'))}"
        yield from compatible_tags(version, interpreter=short, platforms=self.platforms)


def _linux(machine: str) -> tuple[str, ...]:
    glibc = [f"manylinux_2_{n}_{machine}" for n in range(_NEWEST_LINUX, _OLDEST_LINUX - 1, -1)]
    older = [f"manylinux{year}_{machine}" for year in ("2014", "2010", "1")]
    return (*glibc, *older, f"linux_{machine}")


def _macos(machine: str) -> tuple[str, ...]:
    return tuple(mac_platforms(_MACOS, machine))


SYSTEMS = [
    System(
        name="linux",
        title="Linux, 64-bit Intel or AMD",
        start="start.sh",
        platforms=_linux("x86_64"),
        sys_platform="linux",
        os_name="posix",
        platform_system="Linux",
        machine="x86_64",
    ),
    System(
        name="windows",
        title="Windows 10 or 11, 64-bit Intel or AMD",
        start="start.cmd",
        platforms=("win_amd64",),
        sys_platform="win32",
        os_name="nt",
        platform_system="Windows",
        machine="AMD64",
    ),
    System(
        name="macos-apple",
        title="macOS 11 or newer, Apple silicon",
        start="start.command",
        platforms=_macos("arm64"),
        sys_platform="darwin",
        os_name="posix",
        platform_system="Darwin",
        machine="arm64",
    ),
    System(
        name="macos-intel",
        title="macOS 11 or newer, Intel",
        start="start.command",
        platforms=_macos("x86_64"),
        sys_platform="darwin",
        os_name="posix",
        platform_system="Darwin",
        machine="x86_64",
    ),
]


def here() -> System | None:
    """The system on which this runs, if a class has a folder for it."""
    mine = (sys.platform, platform.machine())
    return next((one for one in SYSTEMS if (one.sys_platform, one.machine) == mine), None)
