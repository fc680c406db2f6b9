"""Record what PostgreSQL answers to the experiments of the page `book/playground.md`.

    python labs/recorders/playground.py [FILE]

Reads `labs/evidence/playground/experiments.yml`, and writes FILE, or `recorded.json` beside it.
The statements go through libpq, the calls through asyncpg with a wiretap on its connection. Nothing
in the answers depends on the machine: the same server gives the same file again.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg
import yaml
from psycopg import pq

import bistro
from bench import Postgres, Wiretap
from bench.instruments.protocol_messages import Message, meaning

HERE = Path(__file__).resolve().parents[1] / "evidence" / "playground"
BISTRO = Path(bistro.__file__).parent
AFRESH = (
    "rollback; drop schema public cascade; create schema public",
    *((BISTRO / name).read_text("utf-8") for name in ("schema.sql", "seed.sql")),
)
"""What makes a fresh kitchen book, whatever was there before."""
STATUS = {
    pq.TransactionStatus.IDLE: "I",
    pq.TransactionStatus.INTRANS: "T",
    pq.TransactionStatus.INERROR: "E",
}
FIELDS = {
    "severity": pq.DiagnosticField.SEVERITY,
    "sqlstate": pq.DiagnosticField.SQLSTATE,
    "message": pq.DiagnosticField.MESSAGE_PRIMARY,
    "detail": pq.DiagnosticField.MESSAGE_DETAIL,
    "hint": pq.DiagnosticField.MESSAGE_HINT,
    "position": pq.DiagnosticField.STATEMENT_POSITION,
}


# -- Statements ------------------------------------------------------------------------------------


def told(result: pq.abc.PGresult) -> dict[str, Any]:
    """The fields of an error or a notice; those that are empty are left out."""
    found = {name: result.error_field(field) for name, field in FIELDS.items()}
    said: dict[str, Any] = {name: value.decode() for name, value in found.items() if value}
    if "position" in said:
        said["position"] = int(said["position"])
    return said


def as_text(value: Any) -> bytes | None:
    """A value of Python as PostgreSQL reads it; a list is an array."""
    if value is None:
        return None
    if isinstance(value, list):
        return b"{" + b",".join(as_text(one) or b"NULL" for one in value) + b"}"
    return str(value).encode()


def answer(connection: pq.PGconn, statement: str | dict[str, Any]) -> dict[str, Any]:
    """Send one statement; what was sent, and everything that came back."""
    sql, values = statement, []
    if isinstance(statement, dict):
        sql, values = statement["sql"], statement["values"]
    notices: list[dict[str, Any]] = []
    connection.notice_handler = lambda result: notices.append(told(result))
    if values:
        result = connection.exec_params(sql.encode(), [as_text(value) for value in values])
    else:
        result = connection.exec_(sql.encode())
    columns, rows = range(result.nfields), range(result.ntuples)
    texts = [[result.get_value(row, column) for column in columns] for row in rows]
    return {
        "sql": sql,
        "values": values,
        "notices": notices,
        "columns": [(result.fname(column) or b"").decode() for column in columns],
        "rows": [[text if text is None else text.decode() for text in row] for row in texts],
        "tag": (result.command_status or b"").decode(),
        "error": told(result) if result.status == pq.ExecStatus.FATAL_ERROR else None,
        "status": STATUS[pq.TransactionStatus(connection.transaction_status)],
    }


def answers(dsn: str, experiments: dict[str, list[Any]]) -> dict[str, list[dict[str, Any]]]:
    connection = pq.PGconn.connect(dsn.encode())
    found = {}
    for name, statements in experiments.items():
        connection.notice_handler = None
        for script in AFRESH:
            done = connection.exec_(script.encode())
            assert done.status == pq.ExecStatus.COMMAND_OK, connection.error_message
        found[name] = [answer(connection, statement) for statement in statements]
    connection.finish()
    return found


# -- Messages --------------------------------------------------------------------------------------


Call = list[Any] | dict[str, list[Any]]


def as_python(call: Call) -> str:
    """The call as a reader would write it."""
    if isinstance(call, dict):
        return f"async with window.transaction():\n    {as_python(call['in_transaction'])}"
    method, *arguments = call
    return f"await window.{method}({', '.join(json.dumps(one) for one in arguments)})"


async def make(connection: asyncpg.Connection, call: Call) -> None:
    if isinstance(call, dict):
        async with connection.transaction():
            return await make(connection, call["in_transaction"])
    method, *arguments = call
    with suppress(asyncpg.PostgresError):
        await getattr(connection, method)(*arguments)


def line(message: Message) -> dict[str, str]:
    """What the page shows of a message."""
    return {
        "letter": message.letter,
        "name": message.name,
        "says": meaning(message),
        "bytes": message.packed().hex(" "),
    }


async def exchanges(connection: asyncpg.Connection, call: Call) -> dict[str, Any]:
    """Make one call; its round trips: what asyncpg sent before it waited, and what came."""
    async with Wiretap(connection) as wire:
        await make(connection, call)
    trips: list[dict[str, list[dict[str, str]]]] = []
    for event in wire.events:
        heard = [line(message) for message in event.messages]
        if event.what == "sent":
            trips.append({"sent": heard, "received": []})
        elif event.what == "received":
            trips[-1]["received"] += heard
    return {"call": as_python(call), "trips": trips}


async def conversations(dsn: str, experiments: dict[str, list[Any]]) -> dict[str, list[Any]]:
    found = {}
    for name, calls in experiments.items():
        connection = await asyncpg.connect(dsn)  # so that each begins with statement number 1
        for script in AFRESH:
            await connection.execute(script)
        found[name] = [await exchanges(connection, call) for call in calls]
        await connection.close()
    return found


# -- Both ------------------------------------------------------------------------------------------


async def record() -> dict[str, Any]:
    """Everything that `recorded.json` holds, asked afresh."""
    experiments = yaml.safe_load((HERE / "experiments.yml").read_text("utf-8"))
    async with Postgres(embedded=True, auth="trust") as pg:
        [[release]] = answers(pg.dsn, {"": ["show server_version"]})[""][0]["rows"]
        return {
            "versions": {"PostgreSQL": release, "asyncpg": version("asyncpg")},
            "statements": await asyncio.to_thread(answers, pg.dsn, experiments["statements"]),
            "conversations": await conversations(pg.dsn, experiments["calls"]),
        }


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else HERE / "recorded.json"
    text = json.dumps(asyncio.run(record()), indent=1, ensure_ascii=False)
    target.write_text(f"{text}\n", encoding="utf-8")
