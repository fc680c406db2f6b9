"""Serve the book and the wheels to a class: `python book/serve.py --class [ADDRESS]`.

It is the only program of the course that listens beyond this computer, and only when it is asked.
It listens on one private address, in one network, and says who can reach it. It gives away the
built book, the wheels of `make classroom`, and a page with the lines to install them: `/class`.
It takes nothing: a class sends no answers here.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from functools import partial
from html import escape
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import psutil

from serve import TYPES, BookHandler, BookServer, first_free

FROM_WHEELS = "--no-index --find-links {url}wheels/ --trusted-host {host}"
INSTALL = f"-m pip install {FROM_WHEELS} -r requirements.txt -c constraints.txt"
SYSTEMS = {
    "Windows (PowerShell)": (
        r"mkdir -Force \class ; cd \class",  # the root of a drive takes folders, but no file
        "Invoke-WebRequest {url}_static/course.zip -OutFile course.zip",
        "Expand-Archive course.zip . ; cd course ; py -3.12 -m venv .venv",
        rf".venv\Scripts\python {INSTALL}",
        r".venv\Scripts\python -m bench.ready",
    ),
    "macOS and Linux": (
        "curl -O {url}_static/course.zip && unzip course.zip && cd course",
        "python3 -m venv .venv",
        f".venv/bin/python {INSTALL}",
        ".venv/bin/python -m bench.ready",
    ),
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The course, in this room</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: auto; padding: 1rem }}
pre {{ white-space: pre-wrap; padding: 1rem; background: #eee; color: #111 }}
</style>
<h1>The course, in this room</h1>
<p><a href="/">Read the book</a>, or install the course. Nothing of it needs the internet.</p>
{ways}
<p>The last line says "Ready", or one sentence with a cure for each thing that is missing.</p>
</html>
"""


class RoomHandler(BookHandler):
    """The book, `/wheels/` as pip reads it, and `/class`."""

    def __init__(self, *arguments: Any, wheels: Path, **more: Any) -> None:
        self.wheels = wheels
        super().__init__(*arguments, **more)

    def translate_path(self, path: str) -> str:
        """Of the wheels' folder only files that are wheels, by their bare names."""
        folder, name = unquote(urlsplit(path).path).rpartition("/")[::2]
        if folder == "/wheels" and name in {one.name for one in self.wheels.glob("*.whl")}:
            return str(self.wheels / name)
        return super().translate_path(path)

    def do_GET(self) -> None:
        pages = {"/class": self.lines, "/wheels/": self.listing}
        page = pages.get(urlsplit(self.path).path)
        if page is None:
            super().do_GET()
            return
        body = page().encode()
        self.send_response(200)
        self.send_header("Content-Type", TYPES[".html"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def listing(self) -> str:
        names = sorted(one.name for one in self.wheels.glob("*.whl"))
        links = [f'<a href="{quote(name)}">{escape(name)}</a><br>' for name in names]
        return "\n".join(["<!DOCTYPE html><title>Wheels</title>", *links])

    def lines(self) -> str:
        host, port = self.server.server_address[:2]
        ways = [
            f"<h2>{system}</h2>\n<pre>{escape(chr(10).join(lines))}</pre>"
            for system, lines in SYSTEMS.items()
        ]
        return PAGE.format(ways="\n".join(ways).format(url=f"http://{host}:{port}/", host=host))


def addresses() -> list[str]:
    """This computer's private addresses in the networks that it is in now."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = {
        one.address
        for name, all_of_it in psutil.net_if_addrs().items()
        for one in all_of_it
        if name in up and one.family == socket.AF_INET
    }
    return sorted(one for one in found if _is_of_a_room(one))


def _is_of_a_room(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_private and not parsed.is_loopback


def chosen(asked: str, here: list[str]) -> str:
    """The address to listen on; raises ValueError with what to do when there is not one."""
    if asked and asked not in here:
        raise ValueError(
            f"{asked} is no private address of this computer. It has: {', '.join(here) or 'none'}."
        )
    if not here:
        raise ValueError("This computer is in no private network: join the room's Wi-Fi first.")
    if not asked and len(here) > 1:
        raise ValueError(
            f"This computer is in several networks: {', '.join(here)}. "
            "Name the one of the room: python book/serve.py --class ADDRESS."
        )
    return asked or here[0]


def open_room(address: str, port: int, site: Path, wheels: Path) -> ThreadingHTTPServer:
    """A server on that address, at the first free port from `port` on; the caller closes it."""
    handler = partial(RoomHandler, directory=str(site), wheels=wheels)
    return first_free(port, lambda one: BookServer((address, one), handler))


def in_a_room(asked: str, port: int, site: Path, wheels: Path) -> int:
    """Serve a class until Ctrl+C; the exit status."""
    try:
        address = chosen(asked, addresses())
        server = open_room(address, port, site, wheels)
    except (ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    url = f"http://{address}:{server.server_address[1]}/"
    count = len(list(wheels.glob("*.whl")))
    print(f"The class finds the book at      {url}")
    print(f"and the lines to install it at   {url}class")
    print(
        f"Everybody in the network of {address} can read the book and "
        f"{count} wheels, without a password, and nothing else of this computer."
    )
    if not count:
        print("There are no wheels yet, so nobody can install: run `make classroom` first.")
    print("If nobody reaches it, allow Python in this computer's firewall. Ctrl+C ends it.")
    sys.stdout.flush()
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        print("\nThe class is over: nobody reaches this computer any more.")
    finally:
        server.server_close()
    return 0
