"""What the command of "Tomorrow at work" finds in a project, and what it cannot find.

The pattern is read out of the lesson's text, so that what is tested is what is shown.
"""

from __future__ import annotations

import re

from bench import claim
from bench.course import LESSON_TEXTS

BLOCKERS = [
    "import psycopg",
    "import psycopg2.extras",
    "from psycopg import connect",
    "from psycopg_pool import ConnectionPool",
    "import os, sqlite3",
    "    import sqlite3  # inside a function",
    "import time, requests",
    "from requests import get",
    "import pymysql",
    "import MySQLdb as mysql",
    "from sqlalchemy import create_engine, select",
    "from sqlalchemy.orm import Session",
    "from sqlmodel import Session, create_engine",
]
OTHERS = [
    "import asyncpg",
    "import requests_mock",
    "from app import psycopg_settings",
    "# import psycopg",
    'text = "import psycopg"',
]
A_LAYER_BELOW = "from app.orders import find_order  # app/orders.py imports the driver"


def pattern_of_the_lesson() -> re.Pattern[str]:
    """The regular expression of the lesson's one grep command."""
    text = next(LESSON_TEXTS.glob("01-*.md")).read_text(encoding="utf-8")
    [pattern] = re.findall(r'^grep -rnE "(.+)" --include', text, re.MULTILINE)
    return re.compile(pattern)


def main() -> None:
    pattern = pattern_of_the_lesson()
    found = [line for line in BLOCKERS if pattern.search(line)]
    wrongly = [line for line in OTHERS if pattern.search(line)]
    for line in [*BLOCKERS, *OTHERS, A_LAYER_BELOW]:
        print(f"{'found' if pattern.search(line) else '-':6} {line}")
    claim(
        "the-command-finds-imports",
        "The command finds all thirteen ways to import a library that blocks, and no other line.",
        found == BLOCKERS and wrongly == [],
    )
    claim(
        "the-command-sees-one-layer",
        "A route that reaches the driver through another module is not found.",
        not pattern.search(A_LAYER_BELOW),
    )


if __name__ == "__main__":
    main()
