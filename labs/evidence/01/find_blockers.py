"""What the command of "Tomorrow at work" finds in a project, also a layer below.

The kind of hit is read out of the lesson's text, so that what is tested is what is shown.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import claim
from bench.course import LESSON_TEXTS
from bench.visit.reading.hits import told

BLOCKERS = {  # how a library is imported: how a route asks it
    "import psycopg": "psycopg.connect(DSN)",
    "import psycopg2.extras": "psycopg2.connect(DSN)",
    "from psycopg import connect": "connect(DSN)",
    "from psycopg_pool import ConnectionPool": "with ConnectionPool(DSN).connection() as c:",
    "import os, sqlite3": "sqlite3.connect(FILE)",
    "    import sqlite3  # inside a function": "sqlite3.connect(FILE)",
    "import time, requests": "requests.get(URL)",
    "from requests import get": "get(URL)",
    "import pymysql": "pymysql.connect()",
    "import MySQLdb as mysql": "mysql.connect()",
    "from sqlalchemy import create_engine, select": "with create_engine(DSN).connect() as c:",
    "from sqlalchemy.orm import Session": "with Session(ENGINE) as c:",
    "from sqlmodel import Session, create_engine": "with Session(create_engine(DSN)) as c:",
}
OTHERS = {
    "import asyncpg": "await asyncpg.connect(DSN)",
    "import requests_mock": "requests_mock.get(URL)",
    "from app import psycopg_settings": "psycopg_settings.connect(DSN)",
    "# import psycopg": "psycopg.connect(DSN)",
    'text = "import psycopg"': "text.connect(DSN)",
}
A_LAYER_BELOW = "from orders import find_order  # orders.py imports the driver"
ORDERS = "import psycopg\n\ndef find_order():\n    return psycopg.connect(DSN)\n"


def kind_of_the_lesson() -> str:
    """What the lesson's one command asks for."""
    text = next(LESSON_TEXTS.glob("01-*.md")).read_text(encoding="utf-8")
    [kind] = re.findall(r"^python -m bench.visit --read \S+ --only (\S+)$", text, re.MULTILINE)
    return kind


def found(imports: str, asks: str) -> bool:
    """Whether the command has a hit in a route that asks so, of a project with these imports."""
    body = f"{asks}\n        c.execute(SQL)" if asks.endswith(":") else asks
    top, inside = ("", imports.strip()) if imports.startswith(" ") else (imports, "pass")
    route = f"{top}\n\nasync def route():\n    {inside}\n    {body}\n"
    with TemporaryDirectory() as folder:
        (Path(folder) / "orders.py").write_text(ORDERS, encoding="utf-8")
        (Path(folder) / "main.py").write_text(route, encoding="utf-8")
        return told(Path(folder), [kind_of_the_lesson()])[1] > 0


def main() -> None:
    verdicts = {line: found(line, asks) for line, asks in {**BLOCKERS, **OTHERS}.items()}
    below = found(A_LAYER_BELOW, "find_order()")
    for line, hit in {**verdicts, A_LAYER_BELOW: below}.items():
        print(f"{'found' if hit else '-':6} {line}")
    claim(
        "the-command-finds-imports",
        "The command finds all thirteen ways to import a library that blocks, and nothing else.",
        [line for line, hit in verdicts.items() if hit] == [*BLOCKERS],
    )
    claim(
        "the-command-sees-one-layer",
        "A route that reaches the driver through another module is found, too.",
        below,
    )


if __name__ == "__main__":
    main()
