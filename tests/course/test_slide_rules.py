"""What goes on a slide, and what a speaker says, in all lessons; nothing is drawn here."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import nbformat
import pytest

import lesson_cells
from ballots import item_of, letters_that_mean, right_answer
from bench.claim_index import claims_in
from lesson_cells import Code, NotRun, Vote, inline_html, lessons, read_lesson
from slide_rules import FULL, HELD_UP, HOW, LEFT_OUT, Slide, deck
from teaching_notes import read_guide

every_lesson = pytest.mark.parametrize("name", lessons())
LETTER = re.compile(r"<li><b>([A-F])</b> (.*?)</li>")


def slides_of(name: str) -> list[Slide]:
    return deck(read_lesson(name), read_guide(name))


def test_a_deck_is_made_of_each_lesson() -> None:
    assert [name[:2] for name in lessons()] == ["01", "02", "03", "04", "05", "06", "07"]


@every_lesson
def test_each_question_of_the_notebook_has_one_slide(name: str) -> None:
    asked = [
        part.ref
        for section in read_lesson(name).sections
        if section.heading not in LEFT_OUT
        for part in section.parts
        if isinstance(part, Vote)
    ]
    shown = [slide.ref for slide in slides_of(name) if slide.kind == "vote"]
    assert sorted(shown) == sorted(asked)
    assert len(shown) > 5


@every_lesson
def test_one_letter_is_right(name: str) -> None:
    """Of a number; the card of a choice has its own options, one of which is right."""
    for slide in slides_of(name):
        if slide.kind == "vote" and item_of(slide.ref).kind == "number":
            options = LETTER.findall("".join(slide.body))
            right = letters_that_mean(right_answer(item_of(slide.ref)), options)
            assert len(right) == (1 if options else 0), slide.ref
            assert len(options) <= 4, slide.ref
            assert not options or f"<b>{right[0]}, " in "".join(slide.notes), slide.ref
            assert (HELD_UP in "".join(slide.notes)) == (not options), slide.ref


@every_lesson
def test_every_vote_of_the_instructor_s_page_is_in_the_notes(name: str) -> None:
    guide = read_guide(name)
    notes = re.sub(r"<[^>]+>", "", "".join(note for one in slides_of(name) for note in one.notes))
    votes = [hint for said in guide.sections.values() for hint in said if hint.kind == "Vote"]
    assert votes
    for vote in votes:
        first = re.sub(r"[`*]", "", vote.text).split(" · ")[0].split(": ")[-1]
        assert first.replace("'", "&#x27;") in notes or first in notes, vote.text


@every_lesson
def test_code_on_a_slide_claims_nothing_before_it_runs(name: str) -> None:
    for section in read_lesson(name).sections:
        for part in section.parts:
            assert not (isinstance(part, Code) and claims_in(part.source)), part


@every_lesson
def test_what_is_counted_as_full_is_no_more_than_one_piece(name: str) -> None:
    assert [one.heading for one in slides_of(name) if one.size > FULL and len(one.body) > 1] == []


@every_lesson
def test_no_role_of_the_book_is_left_in_a_note(name: str) -> None:
    for slide in slides_of(name):
        for note in slide.notes:
            assert not re.search(r"\{\w+\}(?:`|<code>)", note), note


@every_lesson
def test_a_speaker_has_whole_sentences_for_every_slide(name: str) -> None:
    for slide in slides_of(name):
        assert f"<p>{HOW[slide.kind]}</p>" in slide.notes
        for said in re.findall(r"<p>(.*?)</p>", "".join(slide.notes), re.DOTALL):
            text = re.sub(r"<[^>]+>", "", said).strip()
            assert re.search(r"[.?!:]([\"”’)]|&quot;)*$", text), text
        if slide.kind == "vote":
            assert inline_html(right_answer(item_of(slide.ref)).say) in "".join(slide.notes)


def plain(pieces: list[str]) -> str:
    return unescape(re.sub(r"<[^>]+>", "", "\n".join(pieces)))


def test_the_hook_says_nothing_of_cells_that_are_on_no_slide() -> None:
    beside = "Now make a run of your own."
    hook = read_lesson("01-synchronous-queries").sections[0]
    assert any(getattr(part, "text", "").startswith(beside) for part in hook.parts)
    notes = [note for one in slides_of("01-synchronous-queries") for note in one.notes]
    assert beside not in plain(notes)


def test_a_demo_stands_below_the_heading_of_the_code_that_it_changes() -> None:
    found = []
    for slides in map(slides_of, lessons()):
        for slide in slides:
            for changed in re.findall(r"Demo:\s+Change (.+?) to ", plain(slide.notes)):
                code = [
                    one for one in slides if one.kind == "code" and one.section == slide.section
                ]
                own = [one.heading for one in code if changed in plain(one.body)]
                found += [(changed, slide.heading == own[-1])] if own else []
    assert len(found) > 5
    assert [changed for changed, there in found if not there] == []


@every_lesson
def test_an_answer_in_the_notes_ends_with_one_full_stop(name: str) -> None:
    notes = plain([note for one in slides_of(name) for note in one.notes])
    assert re.findall(r"\.\.(?![./])|\.:", re.sub(r"\.\.\.", "", notes)) == []


def test_a_notebook_without_its_results_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instructor clears all outputs before the class, saves, and wants slides afterwards."""
    name = f"{lessons()[0]}.ipynb"
    notebook = nbformat.read(lesson_cells.COURSE / "notebooks" / name, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook, tmp_path / "notebooks" / name)
    monkeypatch.setattr(lesson_cells, "COURSE", tmp_path)
    with pytest.raises(NotRun, match=f"{name} was saved without its results. Open it, run all"):
        read_lesson(lessons()[0])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("01-synchronous-queries", "the dashed line is a bound"),
        ("04-connections-and-pools", "the first line rises"),
        ("04-connections-and-pools", "Which of the two lines is your database?"),
    ],
)
def test_what_speaks_of_a_line_stands_on_the_figure(name: str, said: str) -> None:
    assert [one.kind for one in slides_of(name) if said in plain(one.notes)] == ["figure"]
