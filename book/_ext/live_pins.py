"""What live cells run on: which packages, where they lie once fetched, and whether they are whole.

`book/live-assets.json` pins versions and hashes, `book/live_assets.py` fetches. Needs the standard
library alone.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

BOOK = Path(__file__).resolve().parents[1]
PINS = BOOK / "live-assets.json"
ASSETS = BOOK / "_live" / "assets"
"""What was fetched and unpacked: `pyodide/`, `pglite/`, `licences/`, `packages.zip`."""
LIST = "fetched.json"
"""Written last: which pins the folder holds, and the size of each of its files."""
LAYOUT = 1
"""Raise it with every change in what is made of the packages: old folders are fetched afresh."""


def read_pins() -> dict[str, Any]:
    """`python`, `platform`, `abi`; `wheels` {file: hash}; `npm` {name: …}; `node`, a helper."""
    pins: dict[str, Any] = json.loads(PINS.read_text(encoding="utf-8"))
    return pins


def pins_mark() -> str:
    """Changes with whatever is shipped, not with what helps to fetch it."""
    shipped = {name: value for name, value in read_pins().items() if name != "node"}
    return hashlib.sha256(json.dumps([LAYOUT, shipped]).encode()).hexdigest()


def write_list(folder: Path) -> None:
    """Note what `folder` holds now; from then on it counts as whole."""
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    text = json.dumps({"pins": pins_mark(), "files": sizes}, indent=1) + "\n"
    (folder / LIST).write_text(text, encoding="utf-8")


def is_whole(folder: Path = ASSETS) -> bool:
    """Whether everything that is pinned now was fetched, and is still there."""
    try:
        noted = json.loads((folder / LIST).read_text(encoding="utf-8"))
        return noted["pins"] == pins_mark() and all(
            (folder / name).stat().st_size == size for name, size in noted["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def versions() -> dict[str, str]:
    """{"Python": …, "fastapi": …}: what a page may say about the Python that runs in it."""
    pins = read_pins()
    named = {name.split("-")[0]: name.split("-")[1] for name in pins["wheels"]}
    packages = {name: one["version"] for name, one in pins["npm"].items()}
    return {"Python": pins["python"], **packages, **named}
