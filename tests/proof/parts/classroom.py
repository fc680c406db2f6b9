"""The folder of a class, built and started as a learner starts it, where there is no network.

A network namespace has a loopback of its own and nothing else, so whatever asked an index, or a
server of a page, would fail. Only the folder of this system can be started here; of the others
their list of wheels is known to be complete, because making it fails otherwise.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench.course import COURSE
from building import built_book
from classroom.systems import SYSTEMS, here
from memory import HOME, Memory, fingerprint
from running import complaints_of

PYTHON = "{}.{}".format(*sys.version_info[:2])
ALONE = "ip link set lo up"
A_ROOM = "ip address add 192.168.77.1/24 dev lo"
"""The address of an instructor, in a network of this machine alone."""


def classroom(memory: Memory) -> list[str]:
    """the folder of a class: made, started without a network, and installed from a room's server"""
    asked = [(COURSE / name).read_text() for name in ("requirements.txt", "constraints.txt")]
    print_ = fingerprint(*asked, (COURSE / "book" / "room.py").read_text(), folders=("labs",))
    if memory.has("classroom", print_):
        print("  known")
        return []
    system = here()
    if system is None or not shutil.which("unshare") or not shutil.which("ip"):
        return ["classroom: this needs unshare and ip (Debian: apt install util-linux iproute2)"]
    with tempfile.TemporaryDirectory(prefix="course-classroom-") as home:
        problems = tried(Path(home), system.name)
    if not problems:
        memory.add("classroom", print_)
    return problems


def tried(home: Path, system: str) -> list[str]:
    site, folder, pool = built_book(), home / f"course-{system}", HOME / "wheels"
    make = [sys.executable, "-m", "classroom", "--site", str(site), "--pool", str(pool)]
    make += ["--into", str(home), "--python", PYTHON]
    others = [word for one in SYSTEMS if one.name != system for word in ("--only", one.name)]
    learner = f"cd {folder}/course && .venv/bin/python"
    room = f"{sys.executable} {COURSE}/tests/proof/a_room.py {site} {pool} {folder}/course"
    steps = {
        "made": [*make, "--only", system],
        "started without a network": offline(f"{ALONE} && sh {folder}/start.sh check"),
        "its experiment": offline(f"{ALONE} && {learner} labs/evidence/05/cached_plan.py"),
        "installed from a room": offline(f"{ALONE} && {A_ROOM} && {room}"),
        "resolved for the others": [*make, *others],
    }
    for name, step in steps.items():
        path = {"PYTHONPATH": "" if "unshare" in step else str(COURSE / "labs")}
        if problems := complaints_of(f"classroom, {name}", step, **path):
            return problems
        print(f"  {name}", flush=True)
    return []


def offline(command: str) -> list[str]:
    """The command of a shell, in a network of its own, in which nothing is."""
    # Somebody else than root stays who they are: PostgreSQL would ask root to become nobody.
    mine = [] if os.getuid() == 0 else ["--map-current-user", "--keep-caps"]
    return ["unshare", *mine, "--net", "sh", "-ec", command]
