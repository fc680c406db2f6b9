"""What the run behind a `{run}` shows, and the sentences of a page that lean on runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import nbformat

from bench.claim_index import claim_homes
from bench.course import COURSE, output_of
from mentions import claim_texts

RUN = re.compile(r"\{run\}`([^`]+)`")
NAMES = re.compile(  # roles, code, links, and numbers that name something
    r"\{\w+\}`[^`]*`|`[^`]*`|\[[^]]*\]\([^)]*\)|^\d+\. |\b[Ll]essons? \d(?: and \d)?"
    r"|\b(?:PostgreSQL|FastAPI|SQLAlchemy|Python|PgBouncer|release|[Ff]rom|[Uu]p to) \d[\d.]*"
    r"|\b2\.[01] (?:says|said)|\b[0-9A-Z]{5}\b(?<=\d)|\b100 %"
)


_homes = cache(claim_homes)


@cache
def shown_by(run: str) -> str:
    """The sentence of a claim and the output of its script or cell; of a test, its file."""
    if "::" in run:
        [file] = COURSE.glob(f"tests/*/{run.partition('::')[0]}")
        return file.read_text("utf-8")
    home = _homes()[run]
    if home.suffix == ".py":
        return f"{claim_texts()[run]}\n{output_of(home).read_text('utf-8')}"
    shown = [claim_texts()[run]]
    for cell in _cells(home.stem):
        if f'"{run}"' in cell.source:
            shown += [str(one.get("text", "")) for one in cell.outputs]
            shown.append(cell.source)
    return "\n".join(shown)


@cache
def _cells(notebook: str) -> list[nbformat.NotebookNode]:
    cells = nbformat.read(COURSE / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def sentences_with_runs(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each sentence, list item or row of a table that names runs: its words, and the runs.

    Names, code and links are left out of the words.
    """
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    for part in re.split(r"\n\s*\n|\n(?=[-|:] |\d+\. )", prose):
        for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z`*\[])", " ".join(part.split())):
            if runs := RUN.findall(sentence):
                yield NAMES.sub("", sentence), runs


def pages() -> list[Path]:
    return sorted([*COURSE.glob("book/**/*.md"), *COURSE.glob("notebooks/text/*.md")])
