"""What every lesson keeps to, whatever it is about."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

import refresh
from bench.claim_index import claims_of
from bench.course import COURSE, experiments, lesson_texts, run_name
from lesson_sections import names_from_elsewhere, sections

TEXTS = sorted(refresh.TEXT.glob("[0-9][0-9]-*.md"))
LINES, COLUMNS = 14, 60
SECRETS = re.compile(r"postgresql://|0x[0-9a-f]{6,}|ipykernel_\d|/(?:root|home|tmp|work)/\w")


def lesson(text) -> nbformat.NotebookNode:
    return nbformat.read(refresh.HERE / f"{text.stem}.ipynb", as_version=4)


def code_cells(text) -> list[nbformat.NotebookNode]:
    return [cell for cell in lesson(text).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_notebook_and_text_are_twins(text):
    assert refresh.is_twin(text), "run `make notebooks`"


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_cell_fits_on_a_projector(text):
    """Folded and hidden cells are not shown, and a cell of claims alone may have three of them."""
    for cell in code_cells(text):
        tags = set(cell.metadata.get("tags", []))
        if tags & {"remove-input", "remove-cell", "hide-input"}:
            continue
        lines = [line for line in cell.source.splitlines() if line.strip()]
        wide = [line for line in lines if len(line) > COLUMNS]
        too_wide = [line for line in wide if "async with serve(" not in line]
        assert not too_wide, too_wide
        if not cell.source.startswith("claim("):
            assert len(lines) <= LINES, cell.source


@pytest.mark.parametrize("text", lesson_texts(), ids=lambda text: text.stem)
def test_an_experiment_runs_after_the_set_up_alone(text):
    """It uses no name of another experiment, unless its text says whose cells it needs."""
    setup, experiments = sections(text)
    foreign = {one.heading: names_from_elsewhere(one, setup) for one in experiments}
    assert not {heading: names for heading, names in foreign.items() if names}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_stored_outputs_are_clean_and_of_a_run(text):
    for cell in code_cells(text):
        assert cell.execution_count, f"never run: {cell.source[:60]}"
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source
            assert not SECRETS.search(json.dumps(output)), cell.source


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_cell_that_claims_is_compared(text):
    for cell in code_cells(text):
        if "claim(" in cell.source:
            assert not {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", []))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_shown_code_is_the_code_that_runs(text):
    """A block that begins with a file's name stands in that file, to the letter."""
    shown = re.findall(r"```python\n# (labs/\S+)\n(.*?)```", text.read_text("utf-8"), re.DOTALL)
    for name, code in shown:
        source = (COURSE / name).read_text("utf-8")
        for part in code.strip().split("\n\n\n"):
            assert part.strip() in source, f"{name} does not contain:\n{part}"


def test_the_status_page_knows_every_run():
    status = json.loads(refresh.STATUS.read_text("utf-8"))["runs"]
    assert set(status) == {run_name(path) for path in experiments()}, "run `make notebooks`"
    for path in experiments():
        assert sorted(set(status[run_name(path)]["claims"])) == sorted(claims_of(path))
