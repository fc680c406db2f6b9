"""In a network of one machine: `serve.py --class`, and a learner who installs from it.

    python tests/proof/a_room.py SITE WHEELS COURSE

Run by the part `classroom`, where 192.168.77.1 is this machine's only private address. Ends with 0
if pip installs the course from the server alone, and the server listens on that address alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

COURSE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(COURSE / "book"))
import room  # noqa: E402  (it stands beside serve.py)

ADDRESS, PORT = "192.168.77.1", 8000


def main(site: str, wheels: str, course: str) -> None:
    command = [sys.executable, "-u", "book/serve.py", "--class", "--site", site, "--wheels", wheels]
    with subprocess.Popen(command, cwd=COURSE, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = [server.stdout.readline() for _ in range(3)]
            assert f"http://{ADDRESS}:{PORT}/class" in said[1], said
            assert "nothing else of this computer" in said[2], said
            sockets = psutil.Process(server.pid).net_connections(kind="tcp")
            assert {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN} == {ADDRESS}
            with tempfile.TemporaryDirectory() as folder:
                learner(folder, course)
        finally:
            server.terminate()


def learner(folder: str, course: str) -> None:
    """The lines of the page `/class`, from the second one on."""
    python = f"{folder}/.venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", f"{folder}/.venv"], check=True)
    words = room.INSTALL.format(url=f"http://{ADDRESS}:{PORT}/", host=ADDRESS).split()
    quiet = ["--quiet", "--disable-pip-version-check"]
    nothing_else = {n: v for n, v in os.environ.items() if not n.startswith("PIP_")}
    nothing_else["PIP_CONFIG_FILE"] = os.devnull
    subprocess.run([python, *words, *quiet], cwd=course, env=nothing_else, check=True)
    subprocess.run([python, "-c", "import asyncpg, jupyterlab, bench.ready"], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
