"""What the reader's shell has set, and no client of an experiment may hear of.

A company's proxy would take requests to 127.0.0.1, libpq's variables (`PGHOST`, `PGSSLMODE`,
`PGSERVICE` …) would send a client elsewhere or make it wait, and a file of OpenSSL that is not
there ends a client before it asks. What is forgotten, this process and its children forget.
"""

from __future__ import annotations

import os

EXEMPT = ("127.0.0.1", "localhost", "::1", "*")
"""`*` among others is heard by httpx alone. Without it, httpx prepares for each proxy, also for a
SOCKS proxy that it cannot use, before it looks at an address. pip still finds its proxy."""
OF_UVICORN = ("UVICORN_", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS")


def forget_the_proxy() -> None:
    """Let no client of this process or of its children ask a proxy for an address of loopback."""
    for name in ("NO_PROXY", "no_proxy"):
        exempt = [host for host in os.environ.get(name, "").split(",") if host.strip()]
        missing = [host for host in EXEMPT if host not in exempt]
        os.environ[name] = ",".join([*exempt, *missing])


def forget_libpq() -> None:
    """Take the variables of libpq, which asyncpg reads too, out of this process's environment."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def forget_files_of_tls() -> None:
    """Let no client log its keys, or look for certificates in a file that is not there."""
    os.environ.pop("SSLKEYLOGFILE", None)  # asyncpg, httpx and ssl open it for loopback, too
    if not os.path.exists(os.environ.get("SSL_CERT_FILE", ".")):
        del os.environ["SSL_CERT_FILE"]


def without_uvicorn(environment: dict[str, str]) -> dict[str, str]:
    """`environment` without what would configure a uvicorn that the reader starts by hand."""
    return {name: v for name, v in environment.items() if not name.startswith(OF_UVICORN)}
