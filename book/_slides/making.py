"""Makes what `make slides` promises: a deck and a handout for each lesson, and the list of them."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.course import COURSE
from deck_pages import deck_html, index_html
from handout_pages import handout_html
from lesson_cells import Lesson, NotRun, lessons, read_lesson
from live_assets import NotWhatIsPinned, OutOfReach
from printing import browser, print_pdf
from reveal_package import reveal_files
from slide_rules import deck
from teaching_notes import read_guide

OUTPUT = COURSE / "_build" / "slides"


def make_all(folder: Path, numbers: list[str], *, pdf: bool = True) -> int:
    """Write everything into `folder`; returns the exit status, and says what failed."""
    wanted = {one.zfill(2) for one in numbers}
    names = [one for one in lessons() if not wanted or one[:2] in wanted]
    if not names:
        print(f"There is no lesson {' or '.join(numbers)}.", file=sys.stderr)
        return 1
    try:
        reveal = reveal_files()
        read = [read_lesson(name) for name in names]
    except (OutOfReach, NotWhatIsPinned, NotRun) as error:
        print(f"Slides: {error}", file=sys.stderr)
        return 1
    program = browser() if pdf else None
    if pdf and not program:
        print(
            "Slides: no Chromium, Chrome or Edge is here, so the handouts stay HTML.",
            file=sys.stderr,
        )
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for lesson in read:
        rows.append(
            (str(int(lesson.number)), lesson.title, make_lesson(lesson, folder, reveal, program))
        )
    if not numbers:
        (folder / "index.html").write_text(index_html(rows), encoding="utf-8")
    made = "1 deck and handout is" if len(names) == 1 else f"{len(names)} decks and handouts are"
    print(f"Slides: {made} in {folder}.")
    return 0


def make_lesson(
    lesson: Lesson, folder: Path, reveal: dict[str, str], program: str | None
) -> list[tuple[str, str]]:
    """Write the files of one lesson; returns (file, what it is). `program` prints the PDF."""
    slides = deck(lesson, read_guide(lesson.name))
    page = folder / f"{lesson.name}.html"
    page.write_text(deck_html(lesson, slides, reveal), encoding="utf-8")
    handout = folder / f"{lesson.name}-handout.html"
    handout.write_text(handout_html(lesson), encoding="utf-8")
    made = [(page.name, f"slides ({len(slides)})"), (handout.name, "handout")]
    if program:
        paper = handout.with_suffix(".pdf")
        print_pdf(handout, paper, program)
        made.append((paper.name, "handout, PDF to print"))
    return made
