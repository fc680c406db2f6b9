"""Serve the built book on this computer: `python book/serve.py [--no-browser] [--port 8000]`.

Standard library only. It binds to 127.0.0.1, so that nobody else on the network sees the book, and
it compresses text as a public host does, so that a page weighs here what it weighs there. It sends
the content security policy that the build wrote into the book.
`--class` serves a room instead, and says so: see room.py.
"""

from __future__ import annotations

import argparse
import errno
import gzip
import io
import os
import sys
import webbrowser
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

BUILT = Path(__file__).resolve().parents[1] / "_build"
SITE, WHEELS = BUILT / "html", BUILT / "wheels"
HOST = "127.0.0.1"
PORTS_TRIED = 20
POLICY = "_static/security-policy.txt"

# Stated here because Windows reads its registry, where an editor may have renamed `.js`.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
COMPRESSED = {".css", ".html", ".ipynb", ".js", ".json", ".md", ".mjs", ".py", ".svg", ".txt"}


class BookHandler(SimpleHTTPRequestHandler):
    """Serves files below `directory`: right types, gzip when the client accepts it, no listings."""

    extensions_map = {"": "application/octet-stream"} | TYPES
    protocol_version = "HTTP/1.1"

    def send_head(self) -> BinaryIO | None:
        path = Path(self.translate_path(self.path))
        if path.is_dir() and self.path.endswith("/"):
            path /= "index.html"
        accepted = self.headers.get("Accept-Encoding", "")
        if path.suffix not in COMPRESSED or "gzip" not in accepted or not path.is_file():
            return super().send_head()
        body = gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)
        self.send_response(200)
        self.send_header("Content-Type", TYPES[path.suffix])
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def end_headers(self) -> None:
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Cache-Control", "no-cache")  # a rebuilt page is seen at once
        policy = Path(self.directory) / POLICY
        if policy.is_file():  # with every file: a worker has no policy but that of its own script
            self.send_header("Content-Security-Policy", policy.read_text("utf-8").strip())
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """An address that does not exist gets the book's own page, as on a public host."""
        page = Path(self.directory) / "404.html"
        if code != 404 or self.command != "GET" or not page.is_file():
            super().send_error(code, message, explain)
            return
        self.log_error("%s", message or "does not exist")
        body = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", TYPES[".html"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def list_directory(self, path: str) -> None:
        self.send_error(404, "This folder has no page of its own")

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing about what went well; errors are still logged."""

    def log_error(self, format: str, *arguments: object) -> None:
        print(f"{getattr(self, 'path', '?')}: {format % arguments}", file=sys.stderr)


class BookServer(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows this option would let two servers share a port.
    allow_reuse_address = os.name == "posix"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that leaves in the middle of an answer is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def open_server(
    site: Path, port: int = 0, handler: type[BookHandler] = BookHandler
) -> ThreadingHTTPServer:
    """Return a server bound to 127.0.0.1 that serves `site`; the caller starts and closes it.

    `port` 0 takes any free port. Any other port is tried first, then the ports above it.
    Raises OSError when none of `PORTS_TRIED` ports is free.
    """
    return first_free(
        port, lambda one: BookServer((HOST, one), partial(handler, directory=str(site)))
    )


def first_free(port: int, bound: Callable[[int], ThreadingHTTPServer]) -> ThreadingHTTPServer:
    """What `bound` gives for the first port from `port` on that is free; 0 takes any."""
    for candidate in range(port, port + (PORTS_TRIED if port else 1)):
        try:
            return bound(candidate)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise OSError(f"No port from {port} to {port + PORTS_TRIED - 1} is free: name one by --port.")


def has_display() -> bool:
    """Tell whether a browser window can appear; a terminal browser would hide the address."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Serve the built book.")
    parser.add_argument("--port", type=int, default=8000, help="port to try first (8000)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--class",
        dest="room",
        metavar="ADDRESS",
        nargs="?",
        const="",
        help="serve book and wheels to a class, on this private address of the computer",
    )
    parser.add_argument("--site", type=Path, default=SITE, help=argparse.SUPPRESS)
    parser.add_argument("--wheels", type=Path, default=WHEELS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)

    if not (options.site / "index.html").exists():
        print("The book has not been built yet: run `make book`, or on Windows", file=sys.stderr)
        print("`jupyter-book build . -W -n --keep-going` in the course's folder.", file=sys.stderr)
        return 1
    if options.room is not None:
        from room import in_a_room

        return in_a_room(options.room, options.port, options.site, options.wheels)
    try:
        server = open_server(options.site, options.port)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1

    port = server.server_address[1]
    address = f"http://{HOST}:{port}/"
    if options.port not in (0, port):
        print(f"Port {options.port} is taken, so the book is on port {port}.")
    print(f"The book is at {address} (stop with Ctrl+C)", flush=True)
    if has_display() and not options.no_browser:
        webbrowser.open(address)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        print("\nThe book is closed. See you soon.")
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
