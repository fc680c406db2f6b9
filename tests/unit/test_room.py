"""The book and the wheels, served to a class: on which address, what is given away, what is not."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import room
from bench.course import COURSE

WHEEL = "dish-1.0-py3-none-any.whl"


@contextmanager
def opened(folder: Path) -> Iterator[str]:
    """A room of this machine alone: a book of one page, a folder with a wheel and a secret."""
    for name, text in {
        "site/index.html": "<p>book</p>",
        f"wheels/{WHEEL}": "a wheel",
        "wheels/secret.txt": "nobody's business",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    server = room.open_room("127.0.0.1", 0, folder / "site", folder / "wheels")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as reply:
        return reply.read().decode()


def test_a_class_gets_the_book_the_wheels_and_the_lines_to_install(tmp_path: Path) -> None:
    with opened(tmp_path) as url:
        assert read(url) == "<p>book</p>"
        assert read(f"{url}wheels/{WHEEL}") == "a wheel"
        assert re.findall(r'href="([^"]*)"', read(f"{url}wheels/")) == [WHEEL]
        page = read(f"{url}class")
        assert page.count(f"--find-links {url}wheels/ --trusted-host 127.0.0.1 -r") == 2
        assert "bench.ready" in page
        assert "mkdir -Force \\class" in page, "the root of a Windows drive takes no file"
        assert "{" not in page.partition("</style>")[2]


def test_a_class_gets_nothing_else(tmp_path: Path) -> None:
    with opened(tmp_path) as url:
        for path in (
            *("wheels/secret.txt", f"wheels/../wheels/{WHEEL}x", "wheels/..%2fwheels%2fsecret.txt"),
            *("wheels/%2e%2e/wheels/secret.txt", "../wheels/secret.txt", "wheels"),
        ):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                read(url + path)


def test_one_private_address_is_taken_and_several_are_asked_about() -> None:
    assert room.chosen("", ["192.168.1.5"]) == "192.168.1.5"
    assert room.chosen("10.0.0.7", ["10.0.0.7", "192.168.1.5"]) == "10.0.0.7"
    for asked, here, said in (
        ("", ["10.0.0.7", "192.168.1.5"], "in several networks: 10.0.0.7, 192.168.1.5. Name"),
        ("", [], "in no private network: join"),
        ("8.8.8.8", ["10.0.0.7"], "8.8.8.8 is no private address of this computer"),
    ):
        with pytest.raises(ValueError, match=re.escape(said)):
            room.chosen(asked, here)


@pytest.mark.parametrize(
    ("address", "private"),
    [("192.168.1.5", True), ("10.1.2.3", True), ("127.0.0.1", False), ("8.8.8.8", False)],
)
def test_neither_loopback_nor_the_internet_is_a_room(address: str, private: bool) -> None:
    assert room._is_of_a_room(address) is private


def test_an_address_that_is_not_ours_is_refused_before_anything_listens(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>book</p>")
    command = [sys.executable, "book/serve.py", "--class", "8.8.8.8", "--site", str(tmp_path)]
    done = subprocess.run(command, cwd=COURSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("8.8.8.8 is no private address of this computer. It has: ")
