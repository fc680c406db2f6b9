"""Nothing of the reader's shell reaches the clients of an experiment: tried with hostile values."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.practice.checking import run_checks
from bench.practice.folders import find
from bench.practice.printed_outcomes import Correct
from bench.servers import surroundings
from bench.visit.asking import Guests

NOWHERE = "http://127.0.0.1:9"  # the port "discard": nobody listens there
HOSTILE = {
    **{name: NOWHERE for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")},
    **{name: "socks5://127.0.0.1:9" for name in ("ALL_PROXY", "all_proxy")},
    "NO_PROXY": "intranet.example",
    "SSLKEYLOGFILE": "/no/such/folder/keys",
    "SSL_CERT_FILE": "/no/such/folder/certificates",
    "PGHOST": "nowhere.invalid",
    "PGPORT": "9",
    "PGUSER": "nobody",
    "PGDATABASE": "nothing",
    "PGSSLMODE": "verify-full",
    "PGSERVICE": "missing",
    "PGOPTIONS": "-c default_transaction_read_only=on",
    "PGTARGETSESSIONATTRS": "standby",
    "UVICORN_PORT": "9",
    "UVICORN_WORKERS": "4",
    "WEB_CONCURRENCY": "4",
    "FORWARDED_ALLOW_IPS": "*",
}
EXPERIMENT = """
import asyncio, asyncpg, httpx, psycopg
from bench import Client, Postgres, RoundTrips, serve
from bistro.database import prepare

async def main():
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await prepare(pg.dsn)
        there = await asyncpg.connect(net.dsn)
        print(await there.fetchval("show default_transaction_read_only"))
        await there.close()
        def ask():
            with psycopg.connect(pg.dsn) as window:
                return window.execute("select 1").fetchone()[0]
        print(await asyncio.to_thread(ask))
        async with serve("bistro.app:app", env={"BISTRO_DSN": pg.dsn}) as server:
            async with httpx.AsyncClient(base_url=server.url) as guest:
                print((await guest.get("/dishes/1")).status_code)
            async with Client(server.url) as client:
                print((await client.get("/dishes/1")).status)

asyncio.run(main())
"""


def test_an_experiment_does_not_hear_of_the_shell() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXPERIMENT],
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | HOSTILE,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout.split(), done.stderr) == (["off", "1", "200", "200"], "")


def test_a_lab_does_not_hear_of_the_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    lab = find("05")
    file = tmp_path / lab.work.name
    file.write_text(lab.solution(), encoding="utf-8")
    outcome = run_checks(lab, file, limit=240)
    assert isinstance(outcome, Correct), outcome


def test_a_visit_does_not_hear_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)

    async def main() -> None:
        async with Guests(NOWHERE):  # made without a word of the shell
            pass

    asyncio.run(main())


def test_a_file_that_is_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    surroundings.forget_files_of_tls()
    assert os.environ["SSL_CERT_FILE"] == __file__


def test_what_a_shell_exempts_stays_exempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example,localhost")
    monkeypatch.delenv("no_proxy", raising=False)
    surroundings.forget_the_proxy()
    surroundings.forget_the_proxy()
    assert os.environ["NO_PROXY"] == "intranet.example,localhost,127.0.0.1,::1,*"
    assert os.environ["no_proxy"] == "127.0.0.1,localhost,::1,*"
