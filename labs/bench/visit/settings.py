"""How the application learns of its database: an environment variable, through which we send it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from bench.visit.application import VisitError

SKIPPED = {"node_modules", "site-packages", "__pycache__", "tests", "test", "build", "dist"}
_NAMED = re.compile(
    r"""(?:environ(?:\.get)?\s*[\[(]|getenv\(|config\()\s*["'](\w+)["']"""
    r"""|^\s{4}(\w+)\s*:\s*[\w.\[\]| "']+""",
    re.MULTILINE,
)
_DATABASE = re.compile(r"(?i)(^|_)(database|postgres|postgresql|pg|db|sqlalchemy)(_|$)|dsn$")
_MAYBE = re.compile(r"(?i)_(url|uri)$")
_ENCRYPTED = ("require", "verify-ca", "verify-full")
_LINE = re.compile(r"""^(?:export\s+)?(\w+)\s*=\s*["']?(.*?)["']?\s*$""")


_PARTS = {  # part of an address: how a variable that holds it ends
    "dsn": "url|uri|dsn|conn(ection)?_?(str(ing)?)?",
    "host": "host|hostname|server|address",
    "port": "port",
    "user": "user|username",
    "password": "pass|password|passwd|pwd",
    "db": "db|name|database|dbname",
}


def dotenv(file: Path) -> dict[str, str]:
    """What a file such as `.env` sets, if it is there; nothing is expanded."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {found[1]: found[2] for line in lines if (found := _LINE.match(line.strip()))}


def likely_templates(folder: Path, most: int = 8) -> list[str]:
    """What --env may be for this application, from names in its code and its `.env.example`.

    "DATABASE_URL={dsn}", "DB_HOST={host}" …: likely ones first.
    """
    found: Counter[str] = Counter()
    for path in sorted(folder.rglob("*.py"))[:3000]:
        inside = path.relative_to(folder).parts
        if SKIPPED & set(inside) or any(part.startswith(".") for part in inside):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        settings = "BaseSettings" in text
        for called, field in _NAMED.findall(text):
            name = called or (field if settings else "")
            if name and (_DATABASE.search(name) or _MAYBE.search(name)):
                found[name if called else name.upper()] += 1 + 5 * ("DATABASE" in name.upper())
    for path in sorted(folder.glob("*env*")):
        if path.name.startswith((".env", "env", "sample.env", "example.env")) and path.is_file():
            for name in dotenv(path):
                if _DATABASE.search(name):
                    found[name] += 10
    names = [name for name, _ in found.most_common()]
    sure = [name for name in names if _DATABASE.search(name)]
    pairs = [(name, _meant(name)) for name in sure or names]
    return [f"{name}={{{part}}}" for name, part in pairs if part][:most]


def _meant(name: str) -> str:
    """The part of an address that a variable of that name holds; "" if it is no such thing."""
    for part, words in _PARTS.items():
        if re.search(rf"(?i)({words})$", name):
            return part
    return ""


def parts_of(dsn: str) -> dict[str, str]:
    """What a template of `--env` may name, for an address of PostgreSQL."""
    address = urlsplit(dsn)
    return {
        "dsn": dsn,
        "host": address.hostname or "",
        "port": str(address.port or 5432),
        "user": unquote(address.username or ""),
        "password": unquote(address.password or ""),
        "db": unquote(address.path[1:]),
        "address": dsn.partition("://")[2],
    }


def given(templates: Iterable[str]) -> dict[str, str]:
    """`NAME=text` of each --env. Raises VisitError for one that is no such thing."""
    pairs = {}
    for text in templates:
        name, equals, template = text.partition("=")
        if not equals or not re.fullmatch(r"\w+", name):
            raise VisitError("--env is written 'NAME={dsn}', for example 'DATABASE_URL={dsn}'.")
        pairs[name] = template
    return pairs


def filled(templates: Mapping[str, str], dsn: str, was: Mapping[str, str]) -> dict[str, str]:
    """The environment that shows the application the proxy at `dsn` instead of its database.

    A `{dsn}` keeps the scheme that the variable had: `postgresql+asyncpg://` stays.
    """
    values = parts_of(dsn)
    made = {}
    for name, template in templates.items():
        scheme = urlsplit(was.get(name, "")).scheme
        own = values | ({"dsn": f"{scheme}://{dsn.partition('://')[2]}"} if scheme else {})
        try:
            made[name] = template.format(**own)
        except (KeyError, IndexError, ValueError):
            known = ", ".join(f"{{{one}}}" for one in values)
            raise VisitError(f"--env {name}: a template may hold {known}.") from None
    return made


def database_of(dsn: str, templates: Mapping[str, str], was: Mapping[str, str]) -> str:
    """The address of the application's own PostgreSQL, as `postgresql://…`; empty if none is named.

    From --dsn, or from what the variables of --env are now. Raises VisitError where the proxy
    cannot stand: encrypted connections, sockets of Unix, several hosts.
    """
    said = dsn or next(
        (was[name] for name, text in templates.items() if "{dsn}" in text and was.get(name)), ""
    )
    if not said:
        return ""
    try:
        address = urlsplit(said)
        address.port  # noqa: B018  (a ValueError for nonsense)
    except ValueError:
        raise VisitError("The database's address is no address: see --dsn.") from None
    if not re.fullmatch(r"postgres(ql)?(\+\w+)?", address.scheme):
        if address.scheme.startswith("sqlite"):
            return ""
        raise VisitError(
            f"A database of the kind {address.scheme!r} is not known here: the proxy speaks "
            "PostgreSQL's protocol. SQLite needs no proxy: leave --dsn out."
        )
    modes = parse_qs(address.query)
    for name in ("sslmode", "ssl"):
        if modes.get(name, [""])[-1] in (*_ENCRYPTED, "true"):
            raise VisitError(
                f"The database's address asks for TLS ({name}={modes[name][-1]}), and a counting "
                "proxy cannot read what is encrypted: visit a copy of the database without TLS."
            )
    if not address.hostname or "," in address.netloc:
        raise VisitError("The database's address needs one host: postgresql://user@host:5432/db.")
    return urlunsplit(address._replace(scheme="postgresql"))


def surroundings(folder: Path) -> dict[str, str]:
    """What the application would find: its `.env`, and the shell's variables, which win."""
    return dotenv(folder / ".env") | dict(os.environ)
