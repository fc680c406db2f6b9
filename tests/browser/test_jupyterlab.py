"""The notebooks open in JupyterLab, however far apart git has written a notebook and its text."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bench import until
from bench.course import COURSE

HOUR = 3600


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("text_is_older_by", [HOUR, -HOUR])
def test_a_notebook_opens_although_its_text_was_written_at_another_time(
    tmp_path: Path, text_is_older_by: int
) -> None:
    folder = shutil.copytree(COURSE / "notebooks", tmp_path / "notebooks")
    name = "01-synchronous-queries"
    written = (folder / f"{name}.ipynb").stat().st_mtime
    then = written - text_is_older_by
    os.utime(folder / "text" / f"{name}.md", (then, then))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}"]
    command += ["--allow-root", "--IdentityProvider.token=", "--ServerApp.ip=127.0.0.1"]
    with open(tmp_path / "log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        asyncio.run(until(lambda: listens(port), 60, what="JupyterLab to start"))
        address = f"http://127.0.0.1:{port}/api/contents/{name}.ipynb"
        with urllib.request.urlopen(address, timeout=60) as reply:
            cells = json.load(reply)["content"]["cells"]
    except urllib.error.HTTPError as refused:
        pytest.fail(f"JupyterLab refuses the notebook: {refused.read()[:500]!r}")
    finally:
        server.terminate()
        server.wait(30)
    assert len(cells) > 10
