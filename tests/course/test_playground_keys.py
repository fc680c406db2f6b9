"""The answers that the playground gives to its predictions are those of its record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from bench.course import BOOK, EVIDENCE

RECORDED = json.loads((EVIDENCE / "playground" / "recorded.json").read_text("utf-8"))
ASKED = re.compile(
    r"^:::\{(?:statements|conversation)\} (?P<name>[\w-]+)\n"
    r":predict: .+\n:options: (?P<options>.+)\n:answer: (?P<answer>.+)\n",
    re.MULTILINE,
)
STATEMENTS: dict[str, Callable[[list[Any]], str]] = {
    "failed-transaction": lambda found: found[4]["tag"],
    "savepoint": lambda found: str(len(found[-1]["rows"])),
    "what-survives": lambda found: found[-1]["rows"][0][0],
    "returning": lambda found: f"{found[1]['tag']}, no row, no error",
    "any": lambda found: "an error" if found[1]["error"]["sqlstate"] == "22P02" else "",
    "value-in-the-text": lambda found: " and ".join(one["rows"][0][0] for one in found),
    "money": lambda found: {"ft": "numeric alone"}["".join(one["rows"][0][1] for one in found[:2])],
    "index": lambda found: re.findall(r"Removed by Filter: (\d+)", str(found))[0],
    "sqlstates": lambda found: {(True, False): "the table"}[
        "position" in found[0]["error"], "position" in found[2]["error"]
    ],
    "notices": lambda found: str(sum(one["error"] is not None for one in found[:2])),
}
CALLS: dict[str, Callable[[list[Any]], str]] = {
    "as-text": lambda calls: str(len(calls[0]["trips"][0]["sent"])),
    "first-and-again": lambda calls: " and ".join(str(len(call["trips"])) for call in calls),
    "transaction": lambda calls: str(len(calls[1]["trips"])),
    "wrong-name": lambda calls: "" if '"Bind"' in json.dumps(calls) else "never",
    "failing-value": lambda calls: str(len(calls[1]["trips"])),
    "status": lambda calls: calls[1]["trips"][-1]["received"][-1]["says"],
}
KEYS = {
    **{name: key(RECORDED["statements"][name]) for name, key in STATEMENTS.items()},
    **{name: key(RECORDED["conversations"][name]) for name, key in CALLS.items()},
}


@pytest.mark.parametrize("name", [*RECORDED["statements"], *RECORDED["conversations"]])
def test_a_prediction_s_answer_is_what_was_recorded(name: str) -> None:
    page = (BOOK / "playground.md").read_text("utf-8")
    [found] = [match for match in ASKED.finditer(page) if match["name"] == name]
    assert found["answer"] == KEYS[name]
    assert found["answer"] in found["options"].split(" | ")
