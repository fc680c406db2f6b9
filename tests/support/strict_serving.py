"""The book's own server, under a policy that is stricter than any host's.

No inline handler, no script that the page did not ship with.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import serve


class StrictHandler(serve.BookHandler):
    """Adds a content security policy that allows what the page shipped with and nothing else."""

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix == ".html" and path.is_file():
            self.send_header("Content-Security-Policy", policy(path.read_text("utf-8")))
        super().end_headers()


def policy(page: str) -> str:
    """Return the strict policy for one page: its inline scripts by their hashes."""
    bodies = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page, flags=re.DOTALL)
    digests = (hashlib.sha256(body.encode()).digest() for body in bodies)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'self'"
    )


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve `site` in a thread; yields its address, which ends with a slash."""
    server = serve.open_server(site, handler=StrictHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
