"""A lesson as a class takes it: its set-up, and experiments that stand each for itself."""

from __future__ import annotations

import ast
import builtins
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

import refresh

NEEDS = re.compile(r"needs the cells of experiment (\d)")


@dataclass
class Section:
    """What stands between two headings of the second level."""

    heading: str
    cells: list[nbformat.NotebookNode] = field(default_factory=list)
    needs: list[Section] = field(default_factory=list)
    """The experiments whose cells must have run before, beside the set-up: its text says so."""

    @property
    def code(self) -> str:
        return "\n".join(cell.source for cell in self.cells)


def sections(lesson: Path) -> tuple[Section, list[Section]]:
    """The set-up of a lesson, with all code before it, and its experiments in their order."""
    setup, experiments = Section("Set-up"), []
    here = setup
    for cell in refresh.from_text(lesson).cells:
        if cell.cell_type == "code":
            here.cells.append(cell)
            continue
        headings = [line for line in cell.source.splitlines() if line.startswith("## ")]
        if headings:
            here = Section(headings[-1].removeprefix("## "))
            experiments.append(here)
        for number in NEEDS.findall(cell.source):
            (needed,) = [e for e in experiments if e.heading.startswith(f"Experiment {number}:")]
            here.needs.append(needed)
    (own,) = [one for one in experiments if one.heading == setup.heading]
    setup.cells.extend(own.cells)
    return setup, [one for one in experiments if one.cells and one is not own]


def names_from_elsewhere(section: Section, setup: Section) -> set[str]:
    """The names that a section uses and that neither it, nor the set-up, nor what it needs has."""
    known = set(dir(builtins)).union(*(_bound(s.code) for s in (setup, section, *section.needs)))
    tree = ast.parse(section.code)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return used - known


def _bound(code: str) -> set[str]:
    """Every name that code gives to something, in whatever scope."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                names.add(name)
            case ast.ExceptHandler(name=str(name)):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add((other or name).split(".")[0])
    return names
