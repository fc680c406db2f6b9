"""Every claim has its fault; `make proof` applies them all, this file keeps the table honest."""

from __future__ import annotations

from collections import Counter

import pytest

import fault_table
from bench.claim_index import claims_of
from bench.course import experiments


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
