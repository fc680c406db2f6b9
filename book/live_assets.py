"""Fetch what live cells run on: Python, its packages and PostgreSQL, all for the browser.

    python book/live_assets.py                  fetch what is missing, if anything is
    python book/live_assets.py --if-possible    the same, and no failure where there is no network

Packages come through `npm` and `pip` with this machine's own settings; where there is no `npm`, pip
brings one for the moment. Each file is checked against its hash in `live-assets.json` before
anything is done with it. The folder appears when it is whole; what an interrupted run has got is
used by the next one.

Exit status: 0 everything is there (or `--if-possible`), 1 it could not be fetched, 2 something
arrived that is not what is pinned.
"""

from __future__ import annotations

import argparse
import base64
import fnmatch
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).resolve().parent / "_ext"))

from live_pins import ASSETS, PINS, is_whole, read_pins, write_list

LONGEST = 600
"""Seconds that one download may take."""
UNPACKED_BY_THE_WORKER = {".wasm", ".data", ".zip"}
"""Shipped gzipped, since static hosts differ in what they compress."""


STDLIB, PACKAGES = "python_stdlib.zip", "packages.zip"
NOT_NEEDED = (
    *(".pyi", ".typed", ".pyx", ".c", ".h"),
    *("/RECORD", "/WHEEL", "/INSTALLER", "/entry_points.txt"),
    "/cacert.pem",  # a page opens no connection of its own
)
NOT_ENTERED = {"tests", "licenses", "sboms", "mypy.py"}
NOT_IN_A_PAGE = (
    *("_pyrepl/", "bdb.py", "doctest.py", "pdb.py", "pydoc.py", "pydoc_data/"),  # terminals
    *("cProfile.py", "profile.py", "pstats.py", "pyclbr.py", "trace.py", "pickletools.py"),
    *("ftplib.py", "imaplib.py", "mailbox.py", "poplib.py", "smtplib.py", "wsgiref/", "xmlrpc/"),
    *("multiprocessing/", "pty.py", "tty.py", "turtle.py", "webbrowser.py", "zipapp.py"),
)
"""Of the standard library: what needs a terminal, a network or a second process."""


class Patience(NamedTuple):
    """How long a registry may keep us waiting before it counts as out of reach."""

    seconds: int
    retries: int


PATIENT, IMPATIENT = Patience(30, 2), Patience(4, 0)


class OutOfReach(Exception):
    """A registry does not answer: no network, most likely. `said` is what the tool said."""

    def __init__(self, problem: str, said: str = "") -> None:
        super().__init__(problem)
        self.said = " ".join(said.split())[-300:]


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
        patience = IMPATIENT if arguments.if_possible else PATIENT
        fetch(read_pins(), ASSETS.resolve(), patience)
    except OutOfReach as error:
        print(f"Live cells: {error} So the book has no Run buttons.", file=sys.stderr)
        if arguments.if_possible:
            return 0
        print(f"It said: {error.said}", file=sys.stderr)
        return 1
    except NotWhatIsPinned as error:
        print(f"Live cells: {error} It was thrown away.", file=sys.stderr)
        return 2
    return 0


def fetch(pins: dict[str, Any], target: Path, patience: Patience = PATIENT) -> None:
    """Fill `target` with everything pinned. Raises OutOfReach, NotWhatIsPinned."""
    began = time.monotonic()
    part = target.with_name(target.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    get_wheels(pins, part, patience)
    node, npm = node_and_npm(pins["node"], part, patience)
    for name, package in pins["npm"].items():
        get_package(name, package, npm, part, patience)
    # A folder of its own, since another process may do the same at this moment.
    with tempfile.TemporaryDirectory(prefix=target.name + ".", dir=target.parent) as name:
        work, made = Path(name), Path(name, "made")
        made.mkdir()
        say("unpacking, compiling and compressing …")
        put_wheels(pins, part, work, made)
        for name, package in pins["npm"].items():
            unpack(part / tarball(name, package), package, work / package["folder"])
        precompile(node, work)
        for package in pins["npm"].values():
            for path in sorted((work / package["folder"]).iterdir()):
                ship(path, made / package["folder"])
        shutil.copyfile(work / PACKAGES, made / PACKAGES)
        write_list(made)
        shutil.rmtree(target, ignore_errors=True)
        made.replace(target)
    shutil.rmtree(part, ignore_errors=True)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    say(f"{size / 1e6:.0f} MB are there, after {time.monotonic() - began:.0f} s.")


def say(words: str) -> None:
    print(f"Live cells: {words}", flush=True)


# -- downloads -------------------------------------------------------------------------------------


def pip(patience: Patience, *arguments: str) -> str:
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"]
    options = ["--retries", str(patience.retries), "--timeout", str(patience.seconds)]
    return run([*command, *options])


def run(command: list[str]) -> str:
    """What the command said; whether it worked, its files tell."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout + done.stderr


def get_wheels(pins: dict[str, Any], folder: Path, patience: Patience) -> None:
    if all(fits(folder / name, value) for name, value in pins["wheels"].items()):
        return
    say(f"fetching {len(pins['wheels'])} Python packages (3 MB) …")
    wanted = folder / "wheels.txt"
    lines = [f"{named(name)} --hash={value}\n" for name, value in pins["wheels"].items()]
    wanted.write_text("".join(lines), encoding="utf-8")
    minor = ".".join(pins["python"].split(".")[:2])
    said = pip(
        patience,
        *("download", "--no-deps", "--require-hashes", "-r", str(wanted), "--dest", str(folder)),
        *("--only-binary=:all:", "--platform", pins["platform"], "--python-version", minor),
        *("--implementation", "cp", "--abi", pins["abi"], "--abi", "abi3", "--abi", "none"),
    )
    for name, value in pins["wheels"].items():
        arrived(folder / name, value, said, "pip could not bring the Python packages")


def named(wheel: str) -> str:
    """`fastapi==0.165.0` of a wheel's file name."""
    return "==".join(wheel.split("-")[:2])


def get_package(
    name: str, package: dict[str, Any], npm: list[str], folder: Path, patience: Patience
) -> None:
    """One package of npm, as the file from which npm would install it."""
    file = folder / tarball(name, package)
    if fits(file, package["integrity"]):
        return
    say(f"fetching {name} ({package['megabytes']} MB) …")
    command = [*npm, "pack", f"{name}@{package['version']}", "--pack-destination", str(folder)]
    options = ["--prefer-offline", "--loglevel=error", f"--fetch-retries={patience.retries}"]
    said = run([*command, *options, f"--fetch-timeout={patience.seconds * 10_000}"])
    arrived(file, package["integrity"], said, f"npm could not bring {name}")


def tarball(name: str, package: dict[str, Any]) -> str:
    """How `npm pack` names the file."""
    return f"{name.lstrip('@').replace('/', '-')}-{package['version']}.tgz"


def node_and_npm(node: dict[str, Any], folder: Path, patience: Patience) -> tuple[str, list[str]]:
    """The commands of Node.js and of npm: this machine's, or those that pip brings for now."""
    here = shutil.which("node"), shutil.which("npm")
    if here[0] and here[1]:
        return here[0], [here[1]]
    home, said = folder / "node", ""
    if not list(home.rglob("npm-cli.js")):
        say(f"no npm here, so pip brings one for the moment ({node['megabytes']} MB) …")
        wanted = folder / "node.txt"
        hashes = " ".join(f"--hash={one}" for one in node["hashes"])
        wanted.write_text(f"{node['package']} {hashes}\n", encoding="utf-8")
        part = folder / "node.part"
        shutil.rmtree(part, ignore_errors=True)
        said = pip(
            patience, "install", "--require-hashes", "-r", str(wanted), "--target", str(part)
        )
        refuse_wrong_hash("Node.js", said)
        if part.exists():
            part.replace(home)
    programs = [*home.rglob("bin/node"), *home.rglob("node.exe")]
    scripts = [*home.rglob("npm-cli.js")]
    if not (programs and scripts):
        raise OutOfReach("there is no npm here, and pip could not bring one.", said)
    return str(programs[0]), [str(programs[0]), str(scripts[0])]


def arrived(file: Path, pinned: str, said: str, problem: str) -> None:
    """Go on only with the file that is pinned."""
    if fits(file, pinned):
        return
    refuse_wrong_hash(file.name, said)
    if file.exists():
        file.unlink()
        raise NotWhatIsPinned(f"{file.name} is not the file that {PINS.name} pins.")
    raise OutOfReach(f"{problem}. Is there a network?", said)


def refuse_wrong_hash(name: str, said: str) -> None:
    if "DO NOT MATCH THE HASHES" in said:  # pip's own words
        raise NotWhatIsPinned(f"{name} is not what {PINS.name} pins.")


def fits(file: Path, pinned: str) -> bool:
    """Whether `file` has that hash: `sha256:…` in hexadecimal, or npm's `sha512-…` in base 64."""
    if not file.exists():
        return False
    if pinned.startswith("sha512-"):
        digest = hashlib.sha512(file.read_bytes()).digest()
        return pinned == "sha512-" + base64.b64encode(digest).decode()
    return pinned == "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


# -- unpacking -------------------------------------------------------------------------------------


def put_wheels(pins: dict[str, Any], downloads: Path, work: Path, folder: Path) -> None:
    """The contents of the wheels as one archive in `work`, their licences into the folder."""
    (folder / "licences").mkdir()
    with zipfile.ZipFile(work / PACKAGES, "w") as packages:
        for name in pins["wheels"]:
            with zipfile.ZipFile(downloads / name) as wheel:
                inside = sorted(wheel.namelist())
                [licence] = [one for one in inside if ".dist-info/licenses/" in one]
                text = wheel.read(licence)
                for one in filter(is_needed, inside):
                    body = wheel.read(one)
                    if one.endswith("/METADATA"):  # a version is asked for, a description is not
                        body = body.partition(b"\n\n")[0]
                    packages.writestr(zipfile.ZipInfo(one), body)
            (folder / "licences" / f"{name.split('-')[0]}.txt").write_bytes(text)


def is_needed(name: str) -> bool:
    """Whether Python opens that file of a wheel, in a page."""
    if name.startswith("pydantic/v1/"):  # FastAPI asks for it at the first route, and goes without
        return False
    return not (name.endswith((*NOT_NEEDED, "/")) or NOT_ENTERED & set(name.split("/")))


def unpack(archive: Path, package: dict[str, Any], folder: Path) -> None:
    """The pinned files of a package, as they are, in one flat folder."""
    folder.mkdir()
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            inside = member.name.removeprefix("package/")
            if any(fnmatch.fnmatchcase(inside, pattern) for pattern in package["files"]):
                body = packed.extractfile(member)
                assert body is not None, inside
                (folder / os.path.basename(inside)).write_bytes(body.read())


def restack(archive: Path) -> None:
    """Write the standard library without compression, and without what no page can use.

    Compressed as one piece it is smaller, and the browser unpacks it faster than Python would.
    """
    result = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(result, "w") as new:
        for name in sorted(old.namelist()):
            if not name.startswith(NOT_IN_A_PAGE):
                new.writestr(zipfile.ZipInfo(name), old.read(name))
    archive.write_bytes(result.getvalue())


def precompile(node: str, work: Path) -> None:
    """Let Python for the browser compile what cells import; see `book/precompile`."""
    script = PINS.parent / "precompile" / "precompile.mjs"
    shutil.copytree(work / "pyodide", work / "compiler")
    restack(work / "pyodide" / STDLIB)
    shutil.copyfile(work / "pyodide" / STDLIB, work / STDLIB)
    said = run([node, str(script), str(work / "compiler"), str(work)])
    if not (work / "compiled").exists():
        raise OutOfReach("Node.js could not compile Python's modules.", said)
    (work / STDLIB).replace(work / "pyodide" / STDLIB)


def ship(path: Path, folder: Path) -> None:
    """Put a file where the book's build finds it; the big ones compressed."""
    body, name = path.read_bytes(), path.name
    if name == "LICENSE":
        folder, name = folder.parent / "licences", f"{folder.name}.txt"
    elif path.suffix in UNPACKED_BY_THE_WORKER:
        name, body = f"{name}.gz", gzip.compress(body, compresslevel=9, mtime=0)
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(body)


if __name__ == "__main__":
    sys.exit(main())
