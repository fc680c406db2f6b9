"""The instrument `claims`: one sentence, one verdict, and nothing else passes as true."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings

import numpy
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import refresh
from bench import claims
from bench.claims import ClaimFailed, claim
from bench.course import LABS

SENTENCE = "A pooled call is two round trips."


def test_a_claim_that_holds_prints_exactly_its_sentence(capsys):
    assert claim("pooled-call-two-trips", SENTENCE, 1 + 1 == 2) is None
    assert capsys.readouterr() == (f"holds: {SENTENCE}\n", "")


def test_a_claim_that_fails_names_itself_and_prints_nothing(capsys):
    with pytest.raises(ClaimFailed) as failure:
        claim("pooled-call-two-trips", SENTENCE, False)
    assert str(failure.value) == (
        "pooled-call-two-trips: A pooled call is two round trips. The experiment did not show it."
    )
    assert isinstance(failure.value, AssertionError)
    assert capsys.readouterr() == ("", "")


def test_a_claim_that_fails_says_what_was_seen():
    trips, limits = 3, {"most": 2}
    with pytest.raises(ClaimFailed, match=r"Seen: trips = 3, limits = {'most': 2}\.$"):
        claim("pooled-call-two-trips", SENTENCE, max(trips, 1) == limits["most"])
    with pytest.raises(ClaimFailed, match=r"Seen: \[0, 1, 2, 3, 4, \.\.\.\]\.$"):
        claim("pooled-call-two-trips", SENTENCE, trips == 2, saw=list(range(100)))


def test_in_a_web_page_a_red_claim_is_a_line_and_ends_nothing(capsys, monkeypatch):
    monkeypatch.setattr(claims, "goes_on_when_red", True)
    trips = 3
    claim("pooled-call-two-trips", SENTENCE, trips == 2)
    assert capsys.readouterr().out == f"does not hold: {SENTENCE} Seen: trips = 3.\n"


def test_a_cell_goes_on_to_its_other_claims_before_it_turns_red():
    source = [
        "from bench import claim; trips = 3",
        f"claim('a-a', '{SENTENCE}', trips == 2)\nclaim('b-b', 'It is odd.', trips % 2 == 1)\n"
        "claim('c-c', 'It is one.', trips == 1)",
        "print('the next cell has nothing to do with it')",
        "claim('d-d', 'It is four.', trips == 4)\n1 / 0",
    ]
    notebook = new_notebook(cells=[new_code_cell(text) for text in source])
    refresh.run(notebook, stop_at_error=False)
    _, red, green, broken = [cell.outputs for cell in notebook.cells]
    assert red[0].text == (
        f"does not hold: {SENTENCE} Seen: trips = 3.\nholds: It is odd.\n"
        "does not hold: It is one. Seen: trips = 3.\n"
    )
    assert (red[1].output_type, red[1].ename) == ("error", "ClaimFailed")
    assert "a-a: " in red[1].evalue
    assert "c-c: " in red[1].evalue
    assert [output.output_type for output in green] == ["stream"]
    assert [output.get("ename") for output in broken] == [None, "ZeroDivisionError"]


@pytest.mark.parametrize(
    "bad", ["", "Two-Trips", "two trips", "two_trips", "-two", "two--trips", 7]
)
def test_a_malformed_id_is_refused(bad):
    with pytest.raises(ValueError, match="joined by dashes"):
        claim(bad, SENTENCE, True)


@pytest.mark.parametrize("bad", ["", ".", "No full stop", "Two\nlines.", "Space. ", "\n", None])
def test_a_malformed_sentence_is_refused(bad):
    with pytest.raises(ValueError, match="The sentence of claim two-trips must"):
        claim("two-trips", bad, True)


@pytest.mark.parametrize("bad", [1, 0, None, "yes", [True], 2.0, object()])
def test_only_a_truth_value_counts(bad, capsys):
    with pytest.raises(TypeError, match=r"Claim two-trips needs True or False .* compare it"):
        claim("two-trips", SENTENCE, bad)
    assert capsys.readouterr().out == ""


def test_a_forgotten_call_is_told_to_call():
    with pytest.raises(TypeError, match=r"got builtin_function_or_method: call it\.$"):
        claim("two-trips", SENTENCE, [].copy)


def test_a_forgotten_await_is_told_to_await_and_leaves_no_warning():
    async def trips() -> bool:
        return True

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeError, match="got coroutine: await it"):
            claim("two-trips", SENTENCE, trips())


def test_the_truth_of_numpy_counts_and_its_arrays_do_not(capsys):
    claim("below-bound", "Every point is below the bound.", (numpy.arange(3) < 3).all())
    assert capsys.readouterr().out == "holds: Every point is below the bound.\n"
    with pytest.raises(ClaimFailed):
        claim("below-bound", "Every point is below the bound.", numpy.bool_(False))
    for bad in (numpy.array([True]), numpy.int64(1)):
        with pytest.raises(TypeError, match="needs True or False"):
            claim("below-bound", "Every point is below the bound.", bad)


def test_the_log_gets_one_line_per_evaluation(tmp_path, monkeypatch):
    log = tmp_path / "claims.jsonl"
    monkeypatch.setenv("BENCH_CLAIMS_LOG", str(log))
    claim("first-one", "One is one.", True)
    with pytest.raises(ClaimFailed):
        claim("second-one", "One is two.", numpy.bool_(False))
    with pytest.raises(TypeError):
        claim("third-one", "One is something.", "one")
    logged = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert logged == [{"id": "first-one", "ok": True}, {"id": "second-one", "ok": False}]


def test_it_needs_the_standard_library_alone():
    # -I -S: no site-packages, no PYTHONPATH; what it imports beyond the library would fail
    program = (
        f"import sys; sys.path.append({str(LABS)!r}); from bench import claim; "
        "claim('one', 'One is one.', True); print('asyncio' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "BENCH_CLAIMS_LOG"},
    )
    assert (run.stdout, run.stderr) == ("holds: One is one.\nFalse\n", "")
