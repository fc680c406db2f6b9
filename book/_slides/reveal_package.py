"""reveal.js, fetched once as the npm package that is pinned here, and kept in `assets/`.

How a package comes, also where there is no npm, is what `book/live_assets.py` knows.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from live_pins import read_pins

from live_assets import PATIENT, get_package, node_and_npm, tarball

NAME = "reveal.js"
PINNED = {
    "megabytes": 2,
    "version": "6.0.2",
    "integrity": "sha512-JYIg5D9aoxoaLeb84O+OvAwsKWdIavVgEDScxtYEXFCT6t6TQrhNtSgogcjdCpdLsWglhJn3"
    "zyE3fUOwiH5KEg==",
}
FILES = ("dist/reveal.js", "dist/reveal.css", "LICENSE")
"""Of the package. The licence stands as a comment at the beginning of both others, too."""
ASSETS = Path(__file__).with_name("assets")


def reveal_files(folder: Path = ASSETS) -> dict[str, str]:
    """{"reveal.js": its text, "reveal.css": …}. Raises OutOfReach, NotWhatIsPinned."""
    home = folder / f"reveal-{PINNED['version']}"
    if not home.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="part-", dir=folder) as part:
            _fetch(Path(part), home)
    return {name: (home / name).read_text(encoding="utf-8") for name in ("reveal.js", "reveal.css")}


def _fetch(part: Path, home: Path) -> None:
    _, npm = node_and_npm(read_pins()["node"], part, PATIENT)
    get_package(NAME, PINNED, npm, part, PATIENT)
    archive = part / tarball(NAME, PINNED)
    made = part / "made"
    made.mkdir()
    with tarfile.open(archive) as packed:
        for inside in FILES:
            body = packed.extractfile(f"package/{inside}")
            assert body is not None, inside
            (made / Path(inside).name).write_bytes(body.read())
    if not home.exists():  # another process may have been quicker
        made.replace(home)
