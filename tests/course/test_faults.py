"""Every claim has its fault; `make proof` applies them all, this file keeps the table honest."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

import fault_table
from bench.claim_index import claim_homes, claims_of
from bench.course import experiments
from edits import edited

CELL = re.compile(
    r"^```\{code-cell\}[^\n]*\n(?::tags:[^\n]*\n)?(.*?)^```$", re.DOTALL | re.MULTILINE
)


def test_every_claim_has_exactly_one_fault():
    made = {name for path in experiments() for name in claims_of(path)}
    entries = Counter(fault.name for fault in fault_table.load() if fault.kind == "claim")
    assert made, "no experiment makes a claim"
    assert sorted(made - set(entries)) == [], "these claims have no entry in tests/proof/faults"
    assert sorted(set(entries) - made) == [], "these entries name a claim that nothing makes"
    assert [name for name, count in entries.items() if count > 1] == []


def test_a_claim_is_made_in_one_place():
    places = Counter(name for path in experiments() for name in claims_of(path))
    assert [name for name, count in places.items() if count > 1] == []


@pytest.mark.parametrize("fault", fault_table.load(), ids=lambda fault: fault.name)
def test_a_fault_changes_what_it_says(fault, tmp_path):
    (tmp_path / fault.edit).parent.mkdir(parents=True, exist_ok=True)
    original = (fault_table.ROOT / fault.edit).read_text(encoding="utf-8")
    (tmp_path / fault.edit).write_text(original, encoding="utf-8")
    fault.apply(tmp_path)
    assert (tmp_path / fault.edit).read_text(encoding="utf-8") != original
    assert fault.world.endswith("."), "the mistaken world is one sentence"
    if fault.kind == "check":
        file, _, test = fault.name.partition("::")
        assert f"def {test.partition('[')[0]}(" in (fault_table.ROOT / file).read_text(
            encoding="utf-8"
        )


class _WithoutClaims(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        call = node.value
        is_claim = isinstance(call, ast.Call) and getattr(call.func, "id", "") == "claim"
        return None if is_claim else node


def cells_of(text: str) -> list[str]:
    """The code of a lesson's cells; a script is one."""
    return CELL.findall(text) if "```{code-cell}" in text else [text]


def edits_the_expectation_alone(fault: fault_table.Fault) -> bool:
    """Whether its edit stands in the call of `claim`, and the code around it is unchanged."""
    before = (fault_table.ROOT / fault.edit).read_text(encoding="utf-8")
    after = edited(before, fault.replace, fault.becomes, fault.name)
    changed = [
        pair for pair in zip(cells_of(before), cells_of(after), strict=True) if pair[0] != pair[1]
    ]

    def code(cell: str) -> str:
        return ast.dump(_WithoutClaims().visit(ast.parse(cell)))

    return bool(changed) and all(code(one) == code(other) for one, other in changed)


def test_a_fault_edits_the_expectation_only_where_its_world_cannot_be_played():
    claims = [
        f for f in fault_table.load() if f.kind == "claim" and f.edit.endswith((".py", ".md"))
    ]
    alone = {fault.name for fault in claims if edits_the_expectation_alone(fault)}
    assert alone == {fault.name for fault in claims if fault.unplayed}, (
        "play the mistaken world, or say in `unplayed` why that would not end"
    )


def test_what_is_red_as_well_stands_in_the_same_lesson():
    homes = claim_homes()
    for fault in fault_table.load():
        assert {homes[claim] for claim in fault.also} <= {homes.get(fault.name)}, fault.name
