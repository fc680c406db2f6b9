"""What is true of the engine of live cells in every browser: the programs, and their answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import behaviours

from live_engine import Run

PROBES = Path(behaviours.__file__).parent
TIMED = """
import time
for number in range(3):
    print(number)
    time.sleep(0.2)
print("no end of line", end="")
"shown after what was printed"
"""
FAILING_ROUTE = """
import httpx
from fastapi import FastAPI

app = FastAPI()

@app.get("/menu")
def menu():
    raise ValueError("no menu today")

async with httpx.AsyncClient(
    transport=httpx.ASGITransport(app=app), base_url="http://bistro"
) as web:
    await web.get("/menu")
"""
OF_A_SERVER = """
import bench

for name in bench.__all__:
    try:
        getattr(bench, name)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
"""
RED = """
from bench import claim

served = 12
claim("eleven", "Eleven were served.", served == 11)
claim("twelve", "Twelve were served.", served == 12)
"""
IN_VAIN = """
import socket

import httpx

def answer():
    return input("Your name? ")

def ask():
    return httpx.AsyncClient()

def connect():
    return socket.create_connection(("127.0.0.1", 80))

def fetch():
    import requests

for attempt in (answer, ask, connect, fetch):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, str(error).partition(":")[0])
"""
NOT_ASYNC = """
def menu():
    await kitchen()
"""
PRINTS_AND_WAITS = """
import asyncio
for number in range(150):
    print(number)
await asyncio.sleep(0.5)
"""
PROGRAMS = [
    {"code": (PROBES / "behaviours.py").read_text("utf-8"), "script": True},
    {"code": (PROBES / "instruments.py").read_text("utf-8"), "script": True},
    {"code": TIMED},
    {"code": FAILING_ROUTE},
    {"code": OF_A_SERVER},
    {"code": "for number in range(100_000): print(number)"},
    {"code": "first = 1"},
    {"code": "first + 1"},
    {"code": "first", "script": True},
    {"code": RED},
    {"code": (PROBES / "slips.py").read_text("utf-8"), "script": True},
    {"code": IN_VAIN},
    {"code": NOT_ASYNC},
    {"code": PRINTS_AND_WAITS},
]
BEHAVIOURS, INSTRUMENTS, STREAM, ERROR, SERVERS, FLOOD, FIRST, SECOND, ALONE, RED_CLAIM = range(10)
SLIPS, VAIN, OUTSIDE, PATIENT = range(10, 14)

REFUSED = {
    "a_raw_thread": "NotInTheBrowser: threading.Thread does not work in your browser: a web page "
    "has no threads. Use `await asyncio.to_thread(function)` instead.",
    "a_job_for_an_executor": "NotInTheBrowser: ThreadPoolExecutor.submit does not work in your "
    "browser: a web page has no threads. Use `await loop.run_in_executor(pool, function)` instead.",
    "the_test_client": "NotInTheBrowser: TestClient does not work in your browser: a web page has "
    "no threads. Use `httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=…)` "
    "instead.",
    "a_server": "NotOnThisPage: uvicorn does not work in your browser: a web page cannot open a "
    "network connection. Use `httpx.AsyncClient(transport=httpx.ASGITransport(app=app), "
    "base_url=…)` instead.",
}
"""What a web page cannot do, and what it says."""

TRACEBACK = """\
Traceback (most recent call last):
  File "cell-4", line 14, in <module>
    await web.get("/menu")
  File "cell-4", line 9, in menu
    raise ValueError("no menu today")
ValueError: no menu today
(Left out: the lines of httpx, fastapi, starlette, anyio.)
"""


def natively(name: str) -> str:
    """What that program prints here, in CPython."""
    command = [sys.executable, str(PROBES / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_behaviours(run: Run) -> None:
    """Fifteen are as in CPython, four are refused in words."""
    here, there = (json.loads(said) for said in (natively("behaviours"), printed(run, BEHAVIOURS)))
    assert here.keys() == there.keys()
    assert len(here) == 19
    assert there == here | REFUSED
    assert not [name for name in REFUSED if "NotInTheBrowser" in here[name]]


def check_slips(run: Run) -> None:
    assert printed(run, SLIPS) == natively("slips"), printed(run, SLIPS)
    assert "['Task exception was never retrieved'" in printed(run, SLIPS)


def check_instruments(run: Run) -> None:
    assert printed(run, INSTRUMENTS) == natively("instruments")


def printed(run: Run, program: int) -> str:
    outcome = run.outcomes[program]
    assert outcome.ok, outcome.shown
    return outcome.printed
