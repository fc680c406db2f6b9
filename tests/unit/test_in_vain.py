"""A wait that ends in vain says one sentence, in a notebook's cell and at the end of a script."""

from __future__ import annotations

import subprocess
import sys

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

import refresh

SENTENCE = "Waited 0.01 s for the soup; the last answer was False."
IN_A_GROUP = """\
async with asyncio.TaskGroup() as group:
    group.create_task(asyncio.sleep(60))
    await until(lambda: False, 0.01, what="the soup")"""
BESIDE_AN_ERROR = """\
async def burn():
    raise KeyError("the pan")
async with asyncio.TaskGroup() as group:
    group.create_task(until(lambda: False, 0, what="the soup"))
    group.create_task(burn())"""


@pytest.fixture(scope="module")
def cells() -> list[list[NotebookNode]]:
    """What is shown below five cells: two waits in vain, two other errors, and a caught wait."""
    sources = [
        "import asyncio; from bench import until",
        IN_A_GROUP,
        IN_A_GROUP.splitlines()[2].strip(),
        BESIDE_AN_ERROR,
        "raise ExceptionGroup('two pans', [KeyError('one'), KeyError('two')])",
        "from contextlib import suppress\nwith suppress(TimeoutError):\n"
        "    await until(lambda: False, 0)",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    refresh.run(notebook, stop_at_error=False)
    return [cell.outputs for cell in notebook.cells[1:]]


def test_a_cell_shows_the_sentence_and_the_line(cells):
    in_a_group, alone, *_ = cells
    assert [one.output_type for one in in_a_group] == ["error"], "the cell is red"
    assert in_a_group[0].ename == "TimeoutError"
    assert in_a_group[0].traceback == [f"TimeoutError in line 3: {SENTENCE}"]
    assert alone[0].traceback == [f"TimeoutError in line 1: {SENTENCE}"]


def test_other_errors_are_shown_as_ever(cells):
    _, _, beside, group, caught = cells
    assert beside[0].text == "TimeoutError: Waited 0 s for the soup; the last answer was False.\n"
    for outputs, words in (beside[1:], "the pan"), (group, "two pans"):
        shown = "".join(one.get("text") or "".join(one.traceback) for one in outputs)
        assert "Traceback" in shown, "with the way it came"
        assert words in shown
    assert caught == []


def script(body: str) -> subprocess.CompletedProcess[str]:
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    program = (
        "import asyncio\nfrom bench import until\n\nasync def main():\n"
        f"{indented}\n\nasyncio.run(main())\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_a_script_ends_with_the_sentence_and_the_line():
    done = script(IN_A_GROUP)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"TimeoutError in line 7: {SENTENCE}\n"


def test_a_script_shows_other_errors_as_ever():
    said = script(BESIDE_AN_ERROR).stderr
    assert said.startswith("TimeoutError: Waited 0 s for the soup")
    assert "KeyError: 'the pan'" in said
    assert "Traceback" in said
