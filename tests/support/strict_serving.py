"""The book's own server in a thread, with the policy that `book/serve.py` sends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import serve

BELOW = "/some/where/"


class BelowHandler(serve.BookHandler):
    """The book in a folder of its host, and nothing else there, as a project's page on GitHub."""

    def translate_path(self, path: str) -> str:
        below = path.startswith(BELOW)
        return super().translate_path(f"/{path.removeprefix(BELOW)}" if below else "/no-such-file")


@contextmanager
def served(site: Path, handler: type[serve.BookHandler] = serve.BookHandler) -> Iterator[str]:
    """Serve `site` in a thread; yields its address, which ends with a slash."""
    server = serve.open_server(site, handler=handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    below = BELOW if handler is BelowHandler else "/"
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{below}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
