"""reveal.js, fetched once as the npm package that is pinned here, and kept in `assets/`.

How a package comes, also where there is no npm, is what `book/live_assets.py` knows.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from pathlib import Path

from live_pins import read_pins

from live_assets import PATIENT, NotWhatIsPinned, OutOfReach, fits, npm_from_pip, run, tarball

NAME = "reveal.js"
PINNED = {
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
    print(f"Slides: fetching {NAME} {PINNED['version']} …", flush=True)
    found = shutil.which("npm")
    npm = [found] if found else npm_from_pip(read_pins()["node"], part, PATIENT)
    command = [*npm, "pack", f"{NAME}@{PINNED['version']}", "--pack-destination", str(part)]
    said = run([*command, "--prefer-offline", "--fetch-retries=0", "--ignore-scripts"])
    archive = part / tarball(NAME, PINNED)
    if not archive.exists():
        raise OutOfReach(f"npm could not bring {NAME}; is there a network? {said[-300:]}")
    if not fits(archive, PINNED["integrity"]):
        raise NotWhatIsPinned(f"{archive.name} is not the file that is pinned.")
    made = part / "made"
    made.mkdir()
    with tarfile.open(archive) as packed:
        for inside in FILES:
            body = packed.extractfile(f"package/{inside}")
            assert body is not None, inside
            (made / Path(inside).name).write_bytes(body.read())
    if not home.exists():  # another process may have been quicker
        made.replace(home)
