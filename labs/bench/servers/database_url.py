"""`DATABASE_URL` taken apart: how to log in there, and the address of a database of our own."""

from __future__ import annotations

import contextlib
import re
import secrets
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from bench.servers.unavailable import NONSENSE, PostgresUnavailable


def own_database(url: str) -> tuple[dict[str, str], str, str]:
    """Take DATABASE_URL apart: psycopg's arguments, and the address and name of a new database.

    The parts are handed over one by one, so no driver sees the address as a whole and quotes it,
    password included, in an error. SQLAlchemy's form (`postgresql+asyncpg://`) is understood.
    """
    understood: object = False
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        port = parts.port
        astray = parts.fragment or "@" in parts.path + parts.query  # a password with a bare # / ?
        scheme, _, rest = url.partition("://")
        understood = re.fullmatch(r"postgres(ql)?(\+\w+)?", scheme) and rest and not astray
    if not understood:
        raise PostgresUnavailable(NONSENSE)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    connect = {
        "user": user,
        "password": password,
        "host": unquote(parts.hostname or ""),
        "port": str(port or ""),
        "dbname": unquote(parts.path[1:]),
        "connect_timeout": "10",
        **dict(parse_qsl(parts.query)),
    }
    name = f"async_course_{secrets.token_hex(8)}"
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    at = f"{login}@" * bool(login) + parts.netloc.rpartition("@")[2]
    dsn = f"postgresql://{at}/{name}" + f"?{parts.query}" * bool(parts.query)
    return {key: value for key, value in connect.items() if value}, dsn, name
