"""nginx and HAProxy between a guest who leaves and uvicorn: what "since when" says of both.

Run by `make proof` only, since both are programs that pip cannot bring:
`apt-get install nginx-light haproxy`, or `brew install nginx haproxy`. The same experiment with a
proxy of our own, `labs/evidence/06/behind_a_proxy.py`, runs everywhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from bench import Client, Gate, Postgres, serve, until
from bistro.database import prepare

NGINX = """
daemon off; pid {folder}/pid; error_log stderr; master_process off;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://{server}; proxy_buffering off; {setting} }}
  }}
}}"""
HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  {setting}
frontend guests
  bind 127.0.0.1:{port}
  default_backend bistro
backend bistro
  server one {server}
"""
PROXIES = {  # name: (configuration, its setting, whether an order goes on when its guest leaves)
    "nginx": (NGINX, "", False),
    "nginx, told to ignore": (NGINX, "proxy_ignore_client_abort on;", True),
    "HAProxy": (HAPROXY, "", True),
    "HAProxy, told to close": (HAPROXY, "option abortonclose", False),
}


def program(name: str) -> str:
    """Where that proxy is. Fails with advice when it is not installed."""
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    assert found, f"{name} is not installed: apt-get install nginx-light haproxy (macOS: brew)."
    return found


@contextmanager
def running(kind: str, url: str, folder: Path) -> Iterator[int]:
    """That proxy before the server at `url`; yields its port."""
    text, setting, _ = PROXIES[kind]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "proxy.conf"
    server = urlsplit(url).netloc
    config.write_text(
        text.format(folder=folder, port=port, server=server, setting=setting), encoding="utf-8"
    )
    if text is NGINX:
        command = [program("nginx"), "-p", folder, "-e", "stderr", "-c", config]
    else:
        command = [program("haproxy"), "-db", "-f", config]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
        try:
            yield port
        finally:
            process.terminate()
            process.wait()
            print((folder / "log").read_text(encoding="utf-8"))  # pytest shows it of a red test


@asynccontextmanager
async def proxied(kind: str, url: str, folder: Path) -> AsyncIterator[int]:
    with running(kind, url, folder) as port:

        async def answers() -> bool:
            with suppress(OSError):
                async with Client(f"http://127.0.0.1:{port}") as guest:
                    return (await guest.get("/ping")).status == 200
            return False

        await until(answers, what=f"{kind} to answer")
        yield port


async def goes_on(kind: str, path: str, folder: Path) -> tuple[bool, int]:
    """Whether the order goes on after its guest has left, and how many rows it has written."""
    written = "select count(*) from looks"
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with (
            serve("bistro.leaving:app", env={"BISTRO_DSN": pg.dsn}) as server,
            proxied(kind, server.url, folder) as port,
        ):
            desk = await asyncpg.connect(pg.dsn)
            before = await desk.fetchval(written)
            async with Gate(pg.dsn) as gate, Client(server.url) as other:
                _, guest = await asyncio.open_connection("127.0.0.1", port)
                guest.write(f"GET {path} HTTP/1.1\r\nHost: bistro\r\n\r\n".encode())
                await gate.until_waiting(1)
                guest.close()
                await guest.wait_closed()

                async def stopped() -> bool:
                    await other.get("/ping")  # the server's loop has its turns
                    return await gate.waiting() == 0

                with suppress(TimeoutError):
                    await until(stopped, 2 if PROXIES[kind][2] else 30)
                still = await gate.waiting() == 1
                await gate.open()
            async with Gate(pg.dsn):  # whoever was at the gate is through
                rows = await desk.fetchval(written) - before
            await desk.close()
    return still, rows


@pytest.mark.parametrize("path", ["/listening", "/stream"])
@pytest.mark.parametrize("kind", PROXIES)
def test_what_a_real_proxy_passes_on(kind: str, path: str, tmp_path: Path) -> None:
    expected = PROXIES[kind][2]
    assert asyncio.run(goes_on(kind, path, tmp_path)) == (expected, int(expected))
