"""Which code a lesson's page folds, and with which words."""

from __future__ import annotations

import pytest
from code_folds import only_claims, summary_of

CLAIM = 'claim(\n    "two-trips",\n    "Two trips.",\n    trips == 2,\n)\n'


@pytest.mark.parametrize(
    ("source", "yes"),
    [
        (CLAIM, True),
        (CLAIM + CLAIM, True),
        ("trips = 2\n" + CLAIM, False),
        ("", False),
        ("await net.reset()\n" + CLAIM, False),
        ("%time\n" + CLAIM, False),
        ("print(claim)", False),
    ],
)
def test_a_cell_that_only_makes_claims_is_known(source: str, yes: bool) -> None:
    assert only_claims(source) is yes


def test_a_fold_says_what_is_inside() -> None:
    assert summary_of(CLAIM) == ("How this is checked", "code-fold claims-fold")
    assert summary_of(CLAIM + CLAIM)[0] == "How these are checked"
    assert summary_of("a = 1\n" * 6) == ("Code: 6 lines", "code-fold")
    shown = "# labs/bistro/waiting.py\n" + "a = 1\n" * 5
    assert summary_of(shown)[0] == "labs/bistro/waiting.py: 6 lines"
