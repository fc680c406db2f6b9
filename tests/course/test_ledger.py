"""The ledger promises nothing that no run keeps, and its page shows exactly what the file says."""

from __future__ import annotations

import copy
import functools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ledger_entries import (
    COURSE,
    LEDGER,
    STEPS,
    VERDICTS,
    Finding,
    LedgerError,
    broken_promises,
    proven,
    read_ledger,
    runs,
)
from run_links import section_of, ways_to_show

from bench.course import BOOK, EVIDENCE
from bench.language import belittling, long_sentences

Data = dict[str, list[dict[str, Any]]]


# --- The real ledger ----------------------------------------------------------------------


def test_every_proof_exists_and_every_run_is_used() -> None:
    assert broken_promises(read_ledger(), runs()) == []


def test_every_place_of_the_document_has_claims() -> None:
    assert {claim.step for claim in read_ledger().claims} == set(STEPS)


def readable() -> Iterator[tuple[str, str]]:
    ledger = read_ledger()
    for entry in ledger.entries():
        yield entry.id, entry.sentence
    for claim in ledger.claims:
        yield claim.id, claim.truth


def test_sentences_have_at_most_25_words() -> None:
    assert [(name, long) for name, text in readable() if (long := long_sentences(text))] == []


def test_no_word_that_belittles_the_difficulty() -> None:
    assert [(name, found) for name, text in readable() if (found := belittling(text))] == []


# --- What the reader of the file refuses --------------------------------------------------


@functools.cache
def _original() -> Data:
    return yaml.load(LEDGER.read_text(encoding="utf-8"), yaml.BaseLoader)


def original() -> Data:
    return copy.deepcopy(_original())


def refusal(tmp_path: Path, data: object) -> str:
    """What is said about such a file; empty when it is accepted."""
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    try:
        read_ledger(path)
    except LedgerError as error:
        return str(error)
    return ""


def first_unproven(data: Data) -> dict[str, Any]:
    return next(claim for claim in data["claims"] if "proof_in" in claim)


def first_audited(data: Data) -> dict[str, Any]:
    return next(claim for claim in data["claims"] if "audit" in claim)


def test_the_original_is_accepted(tmp_path: Path) -> None:
    assert refusal(tmp_path, original()) == ""


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d["claims"][3].update(verdict="doubtful"), "verdict is 'doubtful'; it must be"),
        (lambda d: d["claims"][3].pop("verdict"), "verdict is missing"),
        (lambda d: d["claims"][3].pop("truth"), "truth is missing"),
        (lambda d: d["claims"][3].update(truth=""), "truth is ''; write text"),
        (lambda d: d["claims"][3].update(truth="A word. " * 31), "truth has 62 words; at most 60"),
        (lambda d: d["claims"][3].pop("source"), "source is missing"),
        (lambda d: d["claims"][3].update(step="8"), "step is '8'; it must be one of overview, "),
        (lambda d: d["claims"][3].update(id="Not A Slug"), "id is 'Not A Slug'; use lower case"),
        (lambda d: d["claims"][3].update(note="x"), "unknown field note"),
        (lambda d: d["claims"][3].update(id=d["findings"][0]["id"]), "this id is used twice"),
        (lambda d: first_unproven(d).pop("proof_in"), "give either proven_by or proof_in"),
        (lambda d: first_unproven(d).update(proven_by=["a"]), "give either proven_by or proof_in"),
        (lambda d: first_unproven(d).update(proof_in="9"), "proof_in is '9'; it must be 1, 2, "),
        (lambda d: first_audited(d).pop("audit"), "1 is given 0 times"),
        (lambda d: first_audited(d).update(audit="72"), "1 is given 0 times, 72 is given 2 times"),
        (lambda d: first_audited(d).update(audit="73"), "audit is '73'; it must be one of 1 to 72"),
        (lambda d: d["findings"][0].pop("sentence"), "sentence is missing"),
        (lambda d: d["findings"][0].update(verdict="true"), "unknown field verdict"),
        (lambda d: d.pop("findings"), "findings is missing"),
        (lambda d: d.update(findings="none"), "findings is 'none'; write a list"),
    ],
)
def test_a_spoilt_file_is_refused(
    tmp_path: Path, spoil: Callable[[Data], object], message: str
) -> None:
    data = original()
    spoil(data)
    assert message in refusal(tmp_path, data)


def test_one_message_names_every_mistake(tmp_path: Path) -> None:
    data = original()
    data["claims"][0]["verdict"] = "doubtful"
    data["findings"][0].pop("source")
    said = refusal(tmp_path, data)
    assert data["claims"][0]["id"] in said
    assert data["findings"][0]["id"] in said


# --- Runs ---------------------------------------------------------------------------------


def test_runs_are_found_in_notebooks_and_evidence(tmp_path: Path) -> None:
    test = tmp_path / "tests" / "unit" / "test_c.py"
    notebook = tmp_path / "notebooks" / "text" / "01-a.md"
    script = tmp_path / "labs" / "evidence" / "01" / "b.py"
    for file, text in [
        (notebook, 'claim(\n    "one-inside",\n    "…", n == 1)\nclaim("two", "…", True)'),
        (script, 'claim("three", "…", ok)\nproclaim = claims("four")'),
        (test, 'def test_five(): claim("six", "…", True)\ndef helper(): ...'),
    ]:
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    assert runs(tmp_path) == {"one-inside": notebook, "two": notebook, "three": script} | {
        "test_c.py::test_five": test
    }


def test_a_missing_run_and_an_unlisted_run_are_named() -> None:
    ledger = read_ledger()
    promised = {run for entry in ledger.entries() for run in entry.proven_by}
    gone = min(promised)
    said = "\n".join(broken_promises(ledger, promised - {gone} | {"in-no-list"}))
    assert f"has claim '{gone}'" in said
    assert "claim 'in-no-list' stands in no list" in said
    assert broken_promises(ledger, promised) == []


def test_a_test_may_prove_an_entry_and_need_not(tmp_path: Path) -> None:
    ledger = read_ledger()
    promised = {run for entry in ledger.entries() for run in entry.proven_by}
    named = {run for run in promised if "::" in run}
    assert named
    assert broken_promises(ledger, promised | {"test_x.py::test_y"}) == []
    assert len(broken_promises(ledger, promised - named)) == len(named)


def finding(**proof: Any) -> Finding:
    return Finding(id="x", sentence="A sentence.", source="measured", **proof)


def test_an_entry_is_proven_by_all_of_its_runs_or_not_at_all() -> None:
    entry = finding(proven_by=("a", "b"))
    assert proven(entry, {"a", "b", "c"})
    assert not proven(entry, {"a"})
    assert not proven(finding(proof_in="5"), {"a"})


# --- The page -----------------------------------------------------------------------------


def ledger_html(book: Path) -> str:
    return (book / "book" / "evidence" / "ledger.html").read_text(encoding="utf-8")


def test_every_entry_has_its_anchor_once(book: Path) -> None:
    anchors = Counter(re.findall(r'<li id="claim-([a-z0-9-]+)"', ledger_html(book)))
    assert anchors == Counter(entry.id for entry in read_ledger().entries())


def test_other_pages_can_link_to_an_entry(book: Path) -> None:
    index = (book / "index.html").read_text(encoding="utf-8")
    assert 'href="book/evidence/ledger.html#claim-one-query-at-a-time"' in index


def test_a_sentence_links_to_the_run_that_shows_it(book: Path) -> None:
    index = (book / "index.html").read_text(encoding="utf-8")
    lesson = r'href="notebooks/01-synchronous-queries.html#[a-z0-9-]+">lesson 1</a>'
    assert re.search(lesson, index)
    assert re.search(r'href="book/evidence/01-lesson.html#memory">evidence 1</a>', index)


def test_a_link_to_a_run_that_nobody_has_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("# Index\n\n{run}`invented`\n", encoding="utf-8")
    (tmp_path / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(COURSE / 'book' / '_ext')!r})\n"
        "extensions = ['myst_parser', 'ledger_pages']\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "dummy", tmp_path, tmp_path / "b"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "no page shows a run with claim 'invented'" in done.stderr


def test_a_proven_claim_links_to_the_lesson(book: Path) -> None:
    card = ledger_html(book).split('<li id="claim-mixing-is-unsafe"')[1].split("</li>")[0]
    assert 'data-proof="proven"' in card
    link = r'href="../../notebooks/01-synchronous-queries.html#[a-z0-9-]+"><code>ping-answers'
    assert re.search(link, card)


def test_an_evidence_script_links_to_the_page_that_shows_it(book: Path) -> None:
    card = ledger_html(book).split('<li id="claim-threads-use-more-memory"')[1].split("</li>")[0]
    assert 'href="01-lesson.html#memory"><code>waiting-task-cheaper-than-thread' in card


def test_a_script_that_is_a_live_cell_is_found_in_its_section() -> None:
    script = EVIDENCE / "01" / "one_waiter.py"
    anchor = section_of(*ways_to_show(script), file=BOOK / "mental-model.md")
    assert anchor == "#one-waiter-in-your-browser"


def test_the_counts_are_those_of_the_file(book: Path) -> None:
    claims, files = read_ledger().claims, runs()
    verdicts = Counter(claim.verdict for claim in claims)
    text = re.search(r'<p class="ledger-counts">(.+?)</p>', ledger_html(book))[1]
    assert f"{len(claims)} claims" in text
    assert all(f"{verdicts[one]} {one}" in text for one in VERDICTS)
    assert f"{sum(proven(one, files) for one in claims)} proven so far" in text


def test_only_the_page_of_the_ledger_loads_its_files(book: Path) -> None:
    index = (book / "index.html").read_text(encoding="utf-8")
    for name in ("ledger/ledger.css", "ledger/ledger.js"):
        assert ledger_html(book).count(name) == 1
        assert name not in index
        assert (book / "_static" / name).is_file()


def test_no_inline_script_or_style_comes_with_the_ledger(book: Path) -> None:
    lists = "".join(re.findall(r'<div class="ledger-card.+?</div></dl></div>', ledger_html(book)))
    form = re.search(r"<form.+?</form>", ledger_html(book), re.DOTALL)[0]
    assert lists
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=", lists + form)
