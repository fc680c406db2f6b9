"""What the start scripts call: install the course from the wheels beside it, look, open it.

    python start.py          install what is not installed, look, open the book and the notebooks
    python start.py check    install and look; the exit status is 0 when all is ready
    python start.py fits     nothing but the exit status: 0 if this Python will do

Needs the standard library alone, no network, no make and no compiler. All of it stays in this
folder.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
COURSE = FOLDER / "course"
WHEELS = FOLDER / "wheels"
VENV = COURSE / ".venv"
INSTALLED = VENV / "installed-for-a-class"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


class Stop(Exception):
    """The course cannot be started; the text says why, and what to do."""


def fits() -> bool:
    served = (FOLDER / "pythons.txt").read_text(encoding="utf-8").split()
    return "{}.{}".format(*sys.version_info[:2]) in served and sys.maxsize > 2**32


def can_be_installed_here() -> None:
    """Raise Stop if this is a stick, or a copy with a hole in it."""
    try:
        probe = COURSE / "can-be-written"
        probe.touch()
        probe.unlink()
        if os.name == "posix":  # an environment has links, and a stick's file system has none
            probe.symlink_to("nowhere")
            probe.unlink()
    except OSError:
        raise Stop(
            f"Nothing can be installed in {FOLDER}. Copy the folder to this computer "
            "and start it there: a stick is too slow to work on."
        ) from None
    for line in (FOLDER / "wheels.sha256").read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        wheel = FOLDER / name
        if not wheel.exists() or hashlib.sha256(wheel.read_bytes()).hexdigest() != expected:
            raise Stop(f"{name} is missing or damaged: copy the folder once more.")


def install() -> None:
    print("Installing the course into this folder: one to three minutes, once …", flush=True)
    can_be_installed_here()
    INSTALLED.unlink(missing_ok=True)
    venv.create(VENV, clear=True, symlinks=os.name == "posix")
    [pip] = WHEELS.glob("pip-*.whl")
    from_here = ["install", "--quiet", "--no-index", f"--find-links={WHEELS}"]
    run([PYTHON, pip / "pip", *from_here, "pip"])
    wanted = ["-r", "requirements.txt", "-c", "constraints.txt"]
    run([PYTHON, "-m", "pip", *from_here, "--only-binary=:all:", *wanted])
    INSTALLED.touch()


def environment() -> dict[str, str]:
    """Without what leads pip to an index, or Python to other packages."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHONPATH", "PYTHONHOME"))
    }
    return {**ours, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(command: list[str | Path]) -> None:
    """Run it; what it says is shown when it fails."""
    words = list(map(str, command))
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(words, cwd=COURSE, env=environment(), **both)
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise Stop(f"This failed: {' '.join(words)}")


def ready() -> bool:
    look = [str(PYTHON), "-m", "bench.ready"]
    return subprocess.run(look, cwd=COURSE, env=environment()).returncode == 0


def open_it() -> None:
    """The book and the notebooks, until both have ended."""
    lab = ["-m", "jupyter", "lab", "-y", "--ServerApp.root_dir=.", "--preferred-dir=notebooks"]
    print("Opening the book and the notebooks. Ctrl+C ends both.", flush=True)
    programs = [
        subprocess.Popen([str(PYTHON), *words], cwd=COURSE, env=environment())
        for words in (["book/serve.py"], lab)
    ]
    try:
        for program in programs:
            program.wait()
    except KeyboardInterrupt:  # the terminal tells the programs, too
        for program in programs:
            try:
                program.wait(timeout=20)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                program.kill()


def main(words: list[str]) -> int:
    if words == ["fits"]:
        return 0 if fits() else 1
    try:
        if not fits():
            raise Stop(f"This folder does not serve this Python ({sys.version.split()[0]}).")
        if not INSTALLED.exists():
            install()
        if not ready():
            return 1
        if words != ["check"]:
            open_it()
    except Stop as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
