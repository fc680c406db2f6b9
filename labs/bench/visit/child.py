"""Serves the visited application in its own interpreter, and tells the parent what happens there.

    python child.py app.main:app asyncio instruments

One file, the standard library alone, Python 3.9 or newer: it runs where the application runs, and
none of the course's packages is there. Nothing of the application is edited. What is watched:

- the loop: every callback that it runs, and the line in which a long one stands;
- connections: when a pool was asked for one, lent it, and got it back;
- queries: the line of the application that sends one, and whether it does so on the loop's thread;
- coroutines that nobody awaited.

Facts go to the parent as lines of JSON, through standard output, written by a thread of their own;
what the application prints goes to standard error. It leaves when standard input ends. Times are
`time.perf_counter()`, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import asyncio.events
import atexit
import collections
import contextvars
import functools
import importlib
import inspect
import itertools
import json
import os
import re
import socket
import sys
import threading
import time
import warnings
from typing import Any

LONG = 0.004  # seconds: a callback that lasts longer is looked at, and told even if nobody asked
LOOK = 0.002  # seconds between two looks at the loop's thread
NOISE = 0.005

request_of = contextvars.ContextVar("visit_request", default=0)
line_of = contextvars.ContextVar("visit_line", default="")  # for work that goes to a thread
in_pool = contextvars.ContextVar("visit_in_pool", default=False)

now = time.perf_counter
here = os.getcwd()
numbers = itertools.count(1)


# ---- telling the parent ----

told: collections.deque[Any] = (
    collections.deque()
)  # cheap to add to on the loop; a thread writes it down
pipe_lock = threading.Lock()
pipe: Any = None


def tell(kind: Any, **facts: Any) -> None:
    told.append((kind, facts))


def write() -> None:
    if pipe is None:
        return
    with pipe_lock:
        lines = []
        while told:
            kind, facts = told.popleft()
            lines.append(json.dumps({"kind": kind, **facts}))
        if lines:
            pipe.write("\n".join(lines) + "\n")
            pipe.flush()


# ---- whose line is it ----


def is_ours(filename: Any) -> Any:
    """Whether a file belongs to the application: below its folder, and not installed there."""
    if not filename.startswith(here) or filename == __file__:
        return False
    rest = filename[len(here) :]
    return not any(part in rest for part in ("site-packages", "dist-packages", "/lib/python"))


def line_below(frame: Any) -> Any:
    """The innermost line of the application's own code at or below that frame, or "".

    SQLAlchemy's async engine runs its code in a greenlet: where a greenlet ends, its parent's
    frames go on.
    """
    greenlet = sys.modules.get("greenlet")
    current: Any = greenlet.getcurrent() if greenlet and frame_is_mine(frame) else None
    while frame is not None or current is not None:
        if frame is None:
            current = current.parent
            frame = current.gr_frame if current is not None else None
            continue
        code = frame.f_code
        if is_ours(code.co_filename):
            return place(code.co_filename, frame.f_lineno, code.co_name)
        frame = frame.f_back
    return ""


def frame_is_mine(frame: Any) -> Any:
    """Whether a frame belongs to this thread: greenlets can be asked for one's own thread only."""
    mine: Any = sys._getframe(1)
    while mine is not None:
        if mine is frame:
            return True
        mine = mine.f_back
    return False


def line() -> Any:
    return line_below(sys._getframe(1)) or line_of.get() or line_of_task()


def line_of_task() -> Any:
    """Where the coroutine of this task was made: what `gather` starts has no frames below it."""
    if not on_the_loop():
        return ""
    task = asyncio.current_task()
    origin = getattr(task.get_coro(), "cr_origin", None) if task is not None else None
    return next((place(*one) for one in origin or () if is_ours(one[0])), "")


def place(filename: Any, number: Any, function: Any) -> Any:
    name = os.path.relpath(filename, here).replace(os.sep, "/")
    return f"{name}:{number} {function}()"


def on_the_loop() -> Any:
    """Whether this thread runs an event loop at the moment, so that a blocking call stops it."""
    return asyncio._get_running_loop() is not None


# ---- the loop: who holds it, and where ----

holding: list[Any] = [None]  # [begin, lines seen, name] of the callback that runs now
loop_thread = [0]


def watch_the_loop() -> Any:
    original = asyncio.events.Handle._run

    def _run(self: Any) -> Any:
        begin = now()
        seen: list[str] = []
        holding[0] = (begin, seen)
        try:
            return original(self)
        finally:
            holding[0] = None
            end = now()
            owner = getattr(self._callback, "__self__", None)
            task = isinstance(owner, asyncio.Task)
            request = self._context.get(request_of, 0) if self._context is not None else 0
            if request or end - begin > NOISE:
                tell(
                    "step",
                    begin=begin,
                    end=end,
                    request=request,
                    at=max(set(seen), key=seen.count) if seen else "",
                    callback="" if task else callback_name(self._callback),
                )

    setattr(asyncio.events.Handle, "_run", _run)  # noqa: B010  (nobody may know that it is there)


def callback_name(callback: Any) -> Any:
    while isinstance(callback, functools.partial):
        callback = callback.func
    return getattr(callback, "__qualname__", type(callback).__name__)


def look() -> None:
    """In a thread: note where a callback stands that lasts, and write what was told."""
    for turn in itertools.count():
        time.sleep(LOOK)
        if turn % 25 == 0:
            try:
                write()
            except OSError:
                os._exit(0)  # the parent is gone
        entry = holding[0]
        if entry and now() - entry[0] > LONG:
            frame = sys._current_frames().get(loop_thread[0])
            if frame is not None and (found := look_at(frame)):
                entry[1].append(found)


def look_at(frame: Any) -> Any:
    """The application's innermost line, or the function in which Python stands."""
    inner = frame.f_code
    found = line_below(frame)
    return found or "({})".format(getattr(inner, "co_qualname", inner.co_name))


# ---- connections: who has which one ----

open_leases: dict[int, dict[str, Any]] = {}  # port of the connection: what is known of its lease
drivers: set[str] = set()


def port_of(connection: Any) -> Any:
    """The local port of a driver's connection, by which the parent's proxy knows it."""
    connection = getattr(connection, "driver_connection", connection)
    transport = getattr(connection, "_transport", None)
    if transport is not None:
        return transport.get_extra_info("sockname")[1]
    # fromfd() duplicates it, on Windows too, where a socket is no file.
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as one:
        name = one.getsockname()
        return name[1] if isinstance(name, tuple) else 0


def used(driver: Any) -> None:
    if driver not in drivers:
        drivers.add(driver)
        tell("driver", name=driver)


def lent(connection: Any, asked: Any, pool: Any, at: Any = "") -> None:
    try:
        port = port_of(connection)
    except Exception:
        return
    lease = {
        "port": port,
        "request": request_of.get(),
        "task": whose(),
        "asked": asked,
        "got": now(),
        "pool": pool,
        "at": at or line(),
    }
    open_leases[port] = lease
    tell("lease", back=None, **lease)


def whose() -> Any:
    """A number for the task, or the thread, that runs."""
    if on_the_loop():
        task = asyncio.current_task()
        if task is not None:
            return id(task)
    return threading.get_ident()


def given_back(connection: Any) -> None:
    try:
        lease = open_leases.pop(port_of(connection), None)
    except Exception:
        return
    if lease:
        tell("lease", back=now(), **lease)


def asks(connection: Any, driver: Any, text: Any = "", blocking: Any = False) -> None:
    """A query goes out on that connection, from this line."""
    used(driver)
    try:
        port = port_of(connection)
    except Exception:
        return
    tell(
        "query",
        t=now(),
        port=port,
        request=request_of.get(),
        at=line(),
        driver=driver,
        blocks=blocking and on_the_loop(),
    )


def wrap(owner: Any, name: Any, make: Any) -> None:
    """Replace owner.name by make(what stands there); nothing if it has no such name."""
    original = vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name, None)
    if original is None:
        return
    inner = original.__func__ if isinstance(original, (classmethod, staticmethod)) else original
    new = functools.wraps(inner)(make(inner))
    setattr(owner, name, type(original)(new) if inner is not original else new)


def watch_sqlalchemy() -> Any:
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    def connect(original: Any) -> Any:
        def timed(self: Any) -> Any:
            asked, token = now(), in_pool.set(True)
            try:
                fairy = original(self)
            finally:
                in_pool.reset(token)
            lent(fairy.dbapi_connection, asked, "SQLAlchemy")
            return fairy

        return timed

    def checked_in(dbapi: Any, record: Any) -> None:
        if dbapi is not None:
            given_back(dbapi)

    wrap(Pool, "connect", connect)
    event.listen(Pool, "checkin", checked_in)


def watch_asyncpg() -> Any:
    import asyncpg
    from asyncpg.connection import Connection
    from asyncpg.pool import Pool, PoolConnectionHolder
    from asyncpg.prepared_stmt import PreparedStatement

    def acquire(original: Any) -> Any:
        async def timed(self: Any, *args: Any, **options: Any) -> Any:
            asked, at = now(), line()
            proxy = await original(self, *args, **options)
            lent(proxy._con, asked, "asyncpg", at)
            return proxy

        return timed

    def free(original: Any) -> Any:
        """At this moment the connection is there for the next one: not when `release()` returns."""

        def call(self: Any) -> Any:
            if self._con is not None:
                given_back(self._con)
            return original(self)

        return call

    wrap(Pool, "_acquire", acquire)
    wrap(PoolConnectionHolder, "_release", free)
    for owner, names in (
        (Connection, ("execute", "_execute", "_executemany", "_prepare", "copy_records_to_table")),
        (PreparedStatement, ("_PreparedStatement__bind_execute", "_PreparedStatement__do_execute")),
    ):
        for name in names:

            def asking(original: Any) -> Any:
                def call(self: Any, *args: Any, **options: Any) -> Any:
                    asks(getattr(self, "_connection", self), "asyncpg")
                    return original(self, *args, **options)

                return call

            wrap(owner, name, asking)

    def alone(original: Any) -> Any:
        async def timed(*args: Any, **options: Any) -> Any:
            asked, at = now(), line()
            connection = await original(*args, **options)
            if not in_pool.get():
                lent(connection, asked, "", at)
            return connection

        return timed

    wrap(asyncpg, "connect", alone)
    for name in ("close", "terminate"):

        def closing(original: Any) -> Any:
            def call(self: Any, *args: Any, **options: Any) -> Any:
                given_back(self)
                return original(self, *args, **options)

            return call

        wrap(Connection, name, closing)


def watch_psycopg() -> Any:
    import psycopg

    for kind, blocking in ((psycopg.Connection, True), (psycopg.AsyncConnection, False)):

        def waiting(original: Any, blocking: Any = blocking) -> Any:
            def call(self: Any, *args: Any, **options: Any) -> Any:
                asks(self, "psycopg", blocking=blocking)
                return original(self, *args, **options)

            return call

        wrap(kind, "wait", waiting)

        def closing(original: Any) -> Any:
            def call(self: Any, *args: Any, **options: Any) -> Any:
                given_back(self)
                return original(self, *args, **options)

            return call

        wrap(kind, "close", closing)

    def connecting(original: Any) -> Any:
        def timed(cls: Any, *args: Any, **options: Any) -> Any:
            asked, at = now(), line()
            connection = original(cls, *args, **options)
            if not in_pool.get():
                lent(connection, asked, "", at)
            return connection

        return timed

    def connecting_async(original: Any) -> Any:
        async def timed(cls: Any, *args: Any, **options: Any) -> Any:
            asked, at = now(), line()
            connection = await original(cls, *args, **options)
            if not in_pool.get():
                lent(connection, asked, "", at)
            return connection

        return timed

    wrap(psycopg.Connection, "connect", connecting)
    wrap(psycopg.AsyncConnection, "connect", connecting_async)
    psycopg.connect = psycopg.Connection.connect


def watch_psycopg_pool() -> Any:
    import psycopg_pool

    def getconn(original: Any) -> Any:
        def timed(self: Any, *args: Any, **options: Any) -> Any:
            asked, at, token = now(), line(), in_pool.set(True)
            try:
                connection = original(self, *args, **options)
            finally:
                in_pool.reset(token)
            lent(connection, asked, "psycopg_pool", at)
            return connection

        return timed

    def getconn_async(original: Any) -> Any:
        async def timed(self: Any, *args: Any, **options: Any) -> Any:
            asked, at, token = now(), line(), in_pool.set(True)
            try:
                connection = await original(self, *args, **options)
            finally:
                in_pool.reset(token)
            lent(connection, asked, "psycopg_pool", at)
            return connection

        return timed

    def putconn(original: Any) -> Any:
        def timed(self: Any, connection: Any, *args: Any, **options: Any) -> Any:
            given_back(connection)
            return original(self, connection, *args, **options)

        return timed

    wrap(psycopg_pool.ConnectionPool, "getconn", getconn)
    wrap(psycopg_pool.AsyncConnectionPool, "getconn", getconn_async)
    for kind in (psycopg_pool.ConnectionPool, psycopg_pool.AsyncConnectionPool):
        wrap(kind, "putconn", putconn)
    # A pool opens its connections in threads and tasks of its own: those are no leases.
    for kind in (psycopg_pool.ConnectionPool, psycopg_pool.AsyncConnectionPool):
        for name in ("_connect", "_add_connection"):

            def opening(original: Any) -> Any:
                def call(self: Any, *args: Any, **options: Any) -> Any:
                    token = in_pool.set(True)
                    try:
                        return original(self, *args, **options)
                    finally:
                        in_pool.reset(token)

                def call_async(self: Any, *args: Any, **options: Any) -> Any:
                    in_pool.set(True)
                    return original(self, *args, **options)

                return call_async if inspect.iscoroutinefunction(original) else call

            wrap(kind, name, opening)


def watch_psycopg2() -> None:
    psycopg2 = importlib.import_module("psycopg2")
    extensions = importlib.import_module("psycopg2.extensions")

    def asking(original: Any, of: Any) -> Any:
        def call(self: Any, *args: Any, **options: Any) -> Any:
            asks(of(self), "psycopg2", blocking=True)
            return original(self, *args, **options)

        return call

    def closing(self: Any) -> None:
        given_back(self)
        extensions.connection.close(self)

    queries = {
        name: asking(getattr(extensions.cursor, name), lambda cursor: cursor.connection)
        for name in ("execute", "executemany", "callproc", "copy_expert")
    }
    cursor = type("Cursor", (extensions.cursor,), queries)
    ends = {
        name: asking(getattr(extensions.connection, name), lambda connection: connection)
        for name in ("commit", "rollback")
    }
    kinds = (extensions.connection,)
    connection_kind = type("Connection", kinds, {**ends, "close": closing})

    def connecting(original: Any) -> Any:
        def timed(*args: Any, **options: Any) -> Any:
            asked, at = now(), line()
            options.setdefault("connection_factory", connection_kind)
            connection = original(*args, **options)
            if connection.cursor_factory is None:
                connection.cursor_factory = cursor
            if not in_pool.get():
                lent(connection, asked, "", at)
            return connection

        return timed

    wrap(psycopg2, "connect", connecting)


def watch_sqlite() -> Any:
    """Calls are counted here, since nothing of SQLite goes over a network."""
    import sqlite3

    def called(text: Any = "") -> None:
        used("sqlite3")
        tell(
            "call",
            t=now(),
            request=request_of.get(),
            at=line(),
            sql=str(text),
            blocks=on_the_loop(),
        )

    class Cursor(sqlite3.Cursor):
        pass

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

    inside = threading.local()  # before Python 3.11 a connection's execute() calls a cursor's

    def counting(original: Any) -> Any:
        def call(self: Any, *args: Any, **options: Any) -> Any:
            if getattr(inside, "a_call", False):
                return original(self, *args, **options)
            inside.a_call = True
            try:
                called(args[0] if args else "")
                return original(self, *args, **options)
            finally:
                inside.a_call = False

        return call

    for name in ("execute", "executemany", "executescript"):
        original = getattr(sqlite3.Cursor, name)
        setattr(Cursor, name, counting(original))
        short = getattr(sqlite3.Connection, name)
        setattr(Connection, name, counting(short))
    for name in ("commit", "rollback"):

        def ending(original: Any, name: Any = name) -> Any:
            def call(self: Any) -> Any:
                if self.in_transaction:
                    called(name.upper())
                return original(self)

            return call

        setattr(Connection, name, ending(getattr(sqlite3.Connection, name)))

    def connecting(original: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            options.setdefault("factory", Connection)
            return original(*args, **options)

        return call

    wrap(sqlite3, "connect", connecting)
    sqlite3.dbapi2.connect = sqlite3.connect


def watch_aiosqlite() -> Any:
    import aiosqlite.core

    def handing_over(original: Any) -> Any:
        """What is called in aiosqlite's thread knows its request and its line."""

        def call(self: Any, fn: Any, *args: Any, **options: Any) -> Any:
            used("aiosqlite")
            context, at = contextvars.copy_context(), line()

            def known(*inner: Any, **more: Any) -> Any:
                def run() -> Any:
                    line_of.set(at)
                    return fn(*inner, **more)

                return context.run(run)

            return original(self, known, *args, **options)

        return call

    wrap(aiosqlite.core.Connection, "_execute", handing_over)


WATCHED = {
    "sqlite3": watch_sqlite,  # before aiosqlite, which uses it
    "aiosqlite": watch_aiosqlite,
    "sqlalchemy": watch_sqlalchemy,
    "asyncpg": watch_asyncpg,
    "psycopg": watch_psycopg,
    "psycopg_pool": watch_psycopg_pool,
    "psycopg2": watch_psycopg2,
}
UNKNOWN = (  # seen by name alone: nothing is guessed about what they do
    *("pg8000", "aiopg", "aiomysql", "pymysql", "MySQLdb", "asyncmy", "mysql.connector"),
    *("pymongo", "motor", "redis", "cx_Oracle", "oracledb", "pyodbc", "duckdb", "psqlpy"),
)


def watch_drivers() -> None:
    """Every driver that is installed; what cannot be watched is told by name."""
    for name, watch in WATCHED.items():
        try:
            watch()
        except ImportError:
            continue
        except Exception as error:  # a version whose inside is another one
            tell("unwatched", driver=name, error=f"{type(error).__name__}: {error}")


def watch_forgotten_awaits() -> Any:
    warnings.simplefilter("always", RuntimeWarning)
    sys.set_coroutine_origin_tracking_depth(20)
    shown = warnings.showwarning

    def showwarning(
        message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None
    ) -> Any:
        text = str(message)
        if "was never awaited" not in text:
            return shown(message, category, filename, lineno, file, line)
        places = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', text)
        ours = [place for place in places if is_ours(place[0])]
        at = ""
        if ours:
            at = place(*ours[-1])
        what = text.splitlines()[0]
        tell("forgotten", what=what, at=at, request=request_of.get())

    warnings.showwarning = showwarning


# ---- the application, wrapped ----


def visited(app: Any) -> Any:
    """The same ASGI application, which tells when each request begins, is answered and ends."""

    async def asgi(scope: Any, receive: Any, send: Any) -> Any:
        if not loop_thread[0]:
            loop_thread[0] = threading.get_ident()
        if scope["type"] != "http":
            return await app(scope, receive, send)
        number = next(numbers)
        request_of.set(number)
        facts = {
            "request": number,
            "begin": now(),
            "name": "{} {}".format(scope["method"], scope["path"]),
            "visit": dict(scope["headers"]).get(b"x-visit", b"").decode(),
            "status": 0,
            "replied": None,
        }

        async def sent(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                facts["status"] = message["status"]
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                facts["replied"] = now()

        try:
            return await app(scope, receive, sent)
        finally:
            tell("request", end=now(), **facts)

    return asgi


def load(name: Any) -> Any:
    """The application "module:attribute"; with parentheses at its end, what that function makes."""
    module, _, attribute = name.partition(":")
    sys.path.insert(0, here)
    found: Any = importlib.import_module(module)
    for part in attribute.rstrip("()").split("."):
        found = getattr(found, part)
    return found() if attribute.endswith("()") else found


def leave_with_parent() -> None:
    while os.read(0, 4096):
        pass
    try:
        write()
    finally:
        os._exit(0)


def main(name: Any, loop: Any, instruments: Any) -> None:
    global pipe
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the application prints
    threading.Thread(target=leave_with_parent, daemon=True).start()
    atexit.register(write)
    import uvicorn

    if instruments == "instruments":
        watch_the_loop()
        watch_drivers()
        watch_forgotten_awaits()
    app = load(name)
    if instruments == "instruments":
        app = visited(app)
    # Its protocol by name: else asyncio sets no TCP_NODELAY, and each reply waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    tell(
        "ready",
        port=listener.getsockname()[1],
        python=sys.version.split()[0],
        uvicorn=uvicorn.__version__,
        unknown=sorted(one for one in UNKNOWN if one in sys.modules),
    )
    threading.Thread(target=look, daemon=True).start()
    config = uvicorn.Config(
        app, loop=loop, http="h11", access_log=False, log_level="warning", timeout_keep_alive=120
    )
    uvicorn.Server(config).run(sockets=[listener])
    write()


if __name__ == "__main__":
    main(*sys.argv[1:])
