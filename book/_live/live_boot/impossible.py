"""What a browser cannot do says so, in words that name what does work."""

from __future__ import annotations

import builtins
import concurrent.futures
import socket
import sys
import threading
from importlib.machinery import ModuleSpec
from typing import Any, NoReturn

from pyodide import webloop

from live_boot.importing import after_import
from live_boot.telling import CELL

NO_THREADS = "a web page has no threads"
NO_NETWORK = "a web page cannot open a network connection"
IN_JUPYTERLAB = "Run this cell in JupyterLab (`make lab`)."
ASGI = "Use `httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=…)` instead."

MISSING = {
    "uvicorn": f"{NO_NETWORK}. {ASGI}",
    "asyncpg": f"{NO_NETWORK}. {IN_JUPYTERLAB}",
    "psycopg": f"{NO_NETWORK}. {IN_JUPYTERLAB}",
    "sqlalchemy": f"it is not among the packages of this page. {IN_JUPYTERLAB}",
    "matplotlib": f"it is not among the packages of this page. {IN_JUPYTERLAB}",
    "numpy": f"it is not among the packages of this page. {IN_JUPYTERLAB}",
    "requests": f"{NO_NETWORK}. {ASGI}",
}
"""Modules that a cell of the course, or a reader, imports elsewhere, and why they are not here."""


WINGS = {
    "servers": "it needs a server, and a web page has none",
    "instruments": "it listens to a server, and a web page has none",
    "figures": "it draws with matplotlib, which is too large for a page",
    "quizzes": "the questions stand on the page itself",
    "practice": "it runs a lab's checks in a process of its own",
}
"""Why a name of `bench` is not here, by the wing in which it lives."""
NEVER_HERE = WINGS.keys() - {"instruments"}
"""Wings of which a cell can use nothing, even where a module of theirs is at hand."""


class NotInTheBrowser(RuntimeError):
    """This needs a thread, a server or a network connection, and a web page has none."""


class NotOnThisPage(ModuleNotFoundError):
    """A module that the page does not bring; code that can do without it goes on as usual."""


def sentence(what: str, why: str) -> str:
    return f"{what} does not work in your browser: {why}"


def refuse(what: str, why: str) -> Any:
    """A function that raises, whatever it is called with."""

    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotInTheBrowser(sentence(what, why))

    return refused


class _Finder:
    """Asked last, when no module of that name was found."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name in MISSING:
            raise NotOnThisPage(sentence(name, MISSING[name]), name=name)
        return None


def mend_test_client(module: Any) -> None:
    module.TestClient.__init__ = refuse("TestClient", f"{NO_THREADS}. {ASGI}")


def mend_httpx(module: Any) -> None:
    """Without a word here, a client without a transport looks for a file of certificates."""
    for transport in (module.HTTPTransport, module.AsyncHTTPTransport):
        transport.__init__ = refuse("An httpx client without a transport", f"{NO_NETWORK}. {ASGI}")


def mend_bench(module: Any) -> None:
    """`from bench import Postgres` in a cell says in one sentence what it needs.

    The checks of a lab import names that they do not use in a page; these they get.
    """
    look_up = module.__getattr__

    def __getattr__(name: str) -> Any:
        wing = module._HOME.get(name, "").partition(".")[0]
        in_a_cell = sys._getframe(1).f_code.co_filename.startswith(CELL)
        try:
            if in_a_cell and wing in NEVER_HERE:
                raise ModuleNotFoundError(name)
            return look_up(name)
        except ModuleNotFoundError:
            raise NotInTheBrowser(sentence(name, f"{WINGS[wing]}. {IN_JUPYTERLAB}")) from None

    module.__getattr__ = __getattr__


def install() -> None:
    threading.Thread.start = refuse(
        "threading.Thread", f"{NO_THREADS}. Use `await asyncio.to_thread(function)` instead."
    )
    concurrent.futures.ThreadPoolExecutor.submit = refuse(
        "ThreadPoolExecutor.submit",
        f"{NO_THREADS}. Use `await loop.run_in_executor(pool, function)` instead.",
    )
    builtins.input = refuse("input", "nobody can answer. Write the answer into the code instead.")
    for name in ("connect", "connect_ex"):  # Pyodide's says that it is connected, to nobody
        setattr(socket.socket, name, refuse(f"socket.{name}", f"{NO_NETWORK}. {IN_JUPYTERLAB}"))
    for name in ("create_server", "create_connection"):
        setattr(webloop.WebLoop, name, refuse(f"loop.{name}", f"{NO_NETWORK}. {IN_JUPYTERLAB}"))
    sys.meta_path.append(_Finder())
    after_import("starlette.testclient", mend_test_client)
    after_import("httpx._transports.default", mend_httpx)
    after_import("bench", mend_bench)
