"""What a notebook leaves open is seen, and what belongs to its kernel is not."""

from __future__ import annotations

from pathlib import Path

import nbformat

import last_look
import refresh

CELLS = {
    "import asyncio\nasync def cook(): await asyncio.sleep(100)\n"
    "slip = asyncio.create_task(cook())": (
        "the task",
        "slip.cancel()",
    ),
    "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
    "guest = socket.create_connection(server.getsockname()); there, _ = server.accept()": (
        "an open connection",
        "guest.close(); there.close()",
    ),
    "import subprocess, sys\n"
    "program = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)": (
        "the program -c input()",
        "program.communicate(); None",
    ),
}
LOOK = (
    f"import sys; sys.path.append({str(Path(last_look.__file__).parent)!r})\n"
    "from last_look import left_open; print(left_open())"
)


def test_what_is_open_is_seen_until_it_is_closed() -> None:
    sources = [LOOK]
    for opening, (_, closing) in CELLS.items():
        sources += [opening, LOOK, closing, LOOK]
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, sources)])
    refresh.run(notebook)
    printed = [c.outputs[0].text.strip() for c in notebook.cells if c.source == LOOK]
    assert printed[0::2] == ["[]"] * 4
    for (named, _), said in zip(CELLS.values(), printed[1::2], strict=True):
        assert named in said
