"""What the course runs or shows listens on loopback: the code. Sockets: `test_loopback.py`."""

from __future__ import annotations

import re

import pytest

from addresses import code_of, open_addresses
from bench.course import COURSE

FOR_A_ROOM = COURSE / "book" / "room.py"
"""`python book/serve.py --class`: it listens beyond this machine, and only when it is asked."""
CODE = [
    path
    for folder in ("labs", "book", "notebooks", "tests/support", "tests/proof")
    for path in sorted((COURSE / folder).rglob("*.py"))
]
TEXTS = [*COURSE.glob("book/**/*.md"), *COURSE.glob("notebooks/text/*.md")]


def test_every_server_listens_for_this_machine_alone() -> None:
    sources = [(path, path.read_text("utf-8")) for path in CODE]
    sources += [(path, code) for path in TEXTS for code in code_of(path.read_text("utf-8"))]
    found = [
        f"{path.relative_to(COURSE)}, line {one}"
        for path, source in sources
        for one in open_addresses(source)
        if path != FOR_A_ROOM
    ]
    assert not found, "\n".join(found)


def test_one_line_listens_for_a_room_and_only_when_it_is_asked() -> None:
    [line] = open_addresses(FOR_A_ROOM.read_text("utf-8"))
    assert "BookServer((address, one), handler)" in line
    known = re.compile(r"^\s*(?:import room|from room import)\b", re.M)
    serving, proof = COURSE / "book" / "serve.py", COURSE / "tests" / "proof" / "a_room.py"
    assert [path for path in CODE if known.search(path.read_text("utf-8"))] == [serving, proof]
    asked = "    if options.room is not None:\n        from room import"
    assert asked in serving.read_text("utf-8")


def test_no_command_names_every_network() -> None:
    files = [*CODE, *TEXTS, COURSE / "Makefile", *COURSE.glob("labs/**/*.ini")]
    files.remove(COURSE / "tests/support/resources.py")  # it says what the address means
    found = [path.name for path in files if "0.0.0.0" in path.read_text("utf-8")]
    assert not found


OPEN = {
    "no host": "await asyncio.start_server(accept)",
    "None": "await asyncio.start_server(accept, None, 0)",
    "every network": "await asyncio.start_server(accept, '0.0.0.0', 0)",
    "by name": "await asyncio.start_server(accept, host='', port=0)",
    "of the loop": "await loop.create_server(Protocol, '::', 0)",
    "bind": "listener.bind(('', 0))",
    "a name": "HOST = '0.0.0.0'\nlistener.bind((HOST, 0))",
    "a name that is not a literal": "listener.bind((host, 0))",
    "an address from elsewhere": "listener.bind(address)",
    "socket": "socket.create_server(('0.0.0.0', 0))",
    "http": "ThreadingHTTPServer(('', 8000), Handler)",
    "uvicorn": "uvicorn.run(app, host='0.0.0.0')",
}
CLOSED = {
    "loopback": "await asyncio.start_server(accept, '127.0.0.1', 0)",
    "version 6": "await loop.create_server(Protocol, '::1', 0)",
    "a name": "HOST = '127.0.0.1'\nlistener.bind((HOST, 0))",
    "a socket that was bound": "await loop.create_server(Protocol, sock=listener)",
    "http": "HTTPServer(('localhost', 0), Handler)",
    "uvicorn": "uvicorn.run(app)",
    "another server": "Server(app, env)",
}


@pytest.mark.parametrize("source", OPEN.values(), ids=OPEN.keys())
def test_an_open_address_is_found(source: str) -> None:
    assert len(open_addresses(source)) == 1


@pytest.mark.parametrize("source", CLOSED.values(), ids=CLOSED.keys())
def test_loopback_is_left_alone(source: str) -> None:
    assert open_addresses(source) == []


def test_the_code_of_a_page_is_read() -> None:
    text = (
        "Text.\n```python\na = 1\n```\n```{code-cell}\n:tags: [x]\nb\n```\n```python\nfor …\n```\n"
    )
    assert list(code_of(text)) == ["a = 1\n", "b\n"]
