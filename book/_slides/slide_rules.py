"""What of a lesson goes on a slide, decided in one place.

    what the notebook has                   what the deck makes of it
    a heading                               the heading of the slides below it
    `**Question:** …`                       a slide of its own, unless a vote asks the same
    a paragraph with a word in bold         a point; of a long one, the sentences with such a word
    a list, a table, a quotation            points, a table, the sentence to carry away
    any other paragraph                     speaker notes
    `quiz("…")`                             a vote, with a letter for each answer
    `recorded("…")`                         a timeline to play, closed until after the vote
    a cell that measures or draws           what it printed or drew
    a cell that claims                      the sentences that held
    a cell that is folded away              its sentences alone
    any other cell                          its code, and on the next slide what it printed
    "Set-up"                                the code that defines something, no imports
    the hook                                no cell with code, nor the text beside one: the room
                                            plays the recordings
    "Go deeper"                             nothing
    "Carry away", "What you can answer now" after the closing questions, whose answers they tell

A slide is full when the lines on it, counted in lines of code, are more than FULL.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Literal

from sphinx.highlighting import PygmentsBridge

from ballots import Ballot, ballots_of, item_of, letter_of_the_right_one, right_answer
from bench.quizzes.items import Item
from lesson_cells import (
    HOOK,
    Chapter,
    Code,
    Lesson,
    Part,
    Prose,
    Recording,
    Vote,
    html_of,
    inline_html,
)
from teaching_notes import Guide

Kind = Literal["title", "words", "question", "vote", "timeline", "code", "run", "figure"]

FULL = 18.0
"""Lines of code of 20 points below a heading, at 1024 × 768."""
COLUMNS = 60
"""Of code of 20 points."""
LETTERS = 60
"""In one line of a slide's words."""
WORD_LINE = 1.2
"""A line of words, in lines of code."""
GAP = 0.6
"""Between two pieces."""
FIGURE = 13.0
"""A figure without a size of its own: lanes."""
FIGURE_WIDTH = 21.0
"""Of the others: 700 px."""
LONG = 45
"""Words: of a longer paragraph, only the sentences with a word in bold are shown."""
LEFT_OUT = ("Go deeper",)
LAST_OF_ALL = ("Next",)
ANSWERS = "What you can answer now"
FIRST = "Before we begin"
"""What the hook is called."""
QUESTIONS = "Three questions"
"""What it is called after the level, where the lesson's questions stand."""
DROPPED = ("**Level**", "**Phone:**", "**Recall:**")
"""Beginnings of paragraphs that tell a reader how to use the page."""

JOINS: dict[Kind, set[Kind]] = {
    "words": {"words", "run", "figure"},
    "question": {"words"},
    "code": {"code", "words"},
    "run": {"run", "figure", "words"},
}
"""Which piece may stand below which on one slide. Code never stands above what it printed: the room
says first what it expects."""

HOW: dict[Kind, str] = {
    "title": "Open the notebook of this lesson in JupyterLab before the room comes in, and run all "
    "its cells.",
    "words": "Read the slide aloud, one point after the other.",
    "question": "Let everybody write an answer down before you go on.",
    "vote": "Read the question aloud and give one minute in silence; a closing question gets a "
    "quarter of a minute. Count the cards of each letter, then type what most people said: the "
    "reply comes after you commit.",
    "timeline": "Open the recording after the vote. Play it once, then stop it where you like to "
    "ask what happens at that moment.",
    "code": "Give the room half a minute to read the code. If it is a cell of the notebook, run it "
    "then.",
    "run": "These lines are those of the proven run. A time may differ in the room; a claim does "
    "not.",
    "figure": "The figure is that of the proven run. Ask for its shape before you explain it.",
}
"""What a speaker does with such a slide."""

HELD_UP = "This number has no letters: everybody writes it large, and all hold it up at once."
"""What a speaker does where letters would tell the answer."""

PYTHON, SHELL, TEXT = "python3", "sh", "none"
_HIGHLIGHTER = PygmentsBridge("html")
_BOLD = re.compile(r"\*\*[^*]+\*\*")
_RECORDING = re.compile(r"\b(?:play|recording|timelines?)\b")
_DRAWN = re.compile(r"\b(?:dashed|first|two) lines?\b")
_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z`*\d])")


@dataclass
class Slide:
    kind: Kind
    section: str
    kicker: str
    heading: str
    body: list[str] = field(default_factory=list)
    """HTML, one piece below the other."""
    size: float = 0.0
    notes: list[str] = field(default_factory=list)
    """HTML: what a speaker says and does."""
    said: list[str] = field(default_factory=list)
    """Markdown: what the lesson's page says here and the slide does not."""
    ref: str = ""
    """Of a vote: the question."""
    vote: str = ""
    """Of a vote: what the instructor's page says of it."""


def deck(lesson: Lesson, guide: Guide) -> list[Slide]:
    """All slides of a lesson, in order, each with its notes."""
    slides = [_title(lesson)]
    carried: list[Prose] = []
    for section in _ordered(lesson):
        parts = section.parts
        if section.heading == HOOK:
            carried = [one for one in parts if isinstance(one, Prose) and one.kind == "blockquote"]
            parts = [one for one in parts if one not in carried]
        elif section.heading == ANSWERS:
            parts = [*parts, *carried]
        made = _slides_of(Chapter(section.heading, parts), guide)
        _annotate(made, section.heading, guide)
        slides += made
    _annotate_title(slides[0], guide)
    return slides


def _ordered(lesson: Lesson) -> list[Chapter]:
    found = [one for one in lesson.sections if one.heading not in LEFT_OUT]
    late = [one for one in found if one.heading == ANSWERS]
    last = [one for one in found if one.heading in LAST_OF_ALL]
    return [*(one for one in found if one not in [*late, *last]), *late, *last]


def _title(lesson: Lesson) -> Slide:
    level = next(
        one.text
        for one in lesson.sections[0].parts
        if isinstance(one, Prose) and one.text.startswith("**Level**")
    )
    named = dict(re.findall(r"\*\*(\w+)\*\* ([^·]+?)(?= ·|$)", level.splitlines()[0]))
    about = f"<p>{named['Level']} · {named['Class']} in class, {named['Lab']} in the lab</p>"
    return Slide("title", HOOK, f"Lesson {int(lesson.number)}", inline_html(lesson.title), [about])


# --- One section ----------------------------------------------------------------------------


@dataclass
class _Making:
    """The slides of a section so far, and what waits for the next one."""

    section: str
    kicker: str
    heading: str
    slides: list[Slide] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def put(self, kind: Kind, piece: str, size: float) -> Slide:
        """Add a piece to the last slide, or to a new one where JOINS or the size forbid it."""
        last = self.slides[-1] if self.slides else None
        joins = last and last.kind in JOINS.get(kind, ()) and last.heading == self.heading
        if not (last and joins and last.size + size + GAP <= FULL):
            last = Slide(kind, self.section, self.kicker, self.heading)
            self.slides.append(last)
        elif kind in ("code", "question"):
            last.kind = kind
        last.said += self.said
        self.said = []
        last.body.append(f'<div class="{kind}">{piece}</div>')
        last.size += size + GAP
        return last


def _slides_of(section: Chapter, guide: Guide) -> list[Slide]:
    kicker, _, rest = section.heading.partition(": ")
    making = _Making(section.heading, kicker if rest else "", _capital(rest or kicker))
    if section.heading == HOOK:
        making.heading = FIRST
    parts = section.parts
    items = [item_of(one.ref) for one in parts if isinstance(one, Vote)]
    hints = guide.hints(section.heading)
    papers = ballots_of(items, [(one.text, one.ref) for one in hints if one.kind == "Vote"])
    for at, part in enumerate(parts):
        after = parts[at + 1] if at + 1 < len(parts) else None
        if section.heading == HOOK and _beside_code(parts, at):
            continue
        if isinstance(part, Vote):
            _put_vote(making, part, papers.get(part.ref, ([], "")))
        elif isinstance(part, Recording):
            slide = making.put("timeline", part.html, FULL)
            slide.heading = "Recorded" if section.heading == HOOK else slide.heading
        elif isinstance(part, Code):
            _put_code(making, part)
        elif part.kind == "heading":
            making.kicker, making.heading = section.heading.partition(":")[0], _capital(part.text)
        else:
            _put_prose(making, part, after)
    if making.said and making.slides:
        making.slides[-1].said += making.said
    return making.slides


def _beside_code(parts: list[Part], at: int) -> bool:
    """Whether a paragraph leads to a cell or follows one; the hook's cells are on no slide."""
    part = parts[at]
    if not isinstance(part, Prose) or part.text.startswith(DROPPED):
        return False
    return any(isinstance(one, Code) for one in (*parts[max(at - 1, 0) : at], *parts[at + 1 :][:1]))


def _capital(text: str) -> str:
    done = inline_html(text)
    return done[:1].upper() + done[1:]


def _put_vote(making: _Making, part: Vote, paper_and_text: tuple[Ballot, str]) -> None:
    item, (options, text) = item_of(part.ref), paper_and_text
    letters = "".join(f"<li><b>{a}</b> {inline_html(text)}</li>" for a, text in options)
    paper = f'<ul class="ballot">{letters}</ul>' if letters else ""
    slide = making.put("vote", part.html.replace("</legend>", f"</legend>{paper}", 1), FULL)
    about = [one for one in (making.kicker, making.heading) if one]
    slide.kicker, slide.heading, slide.ref = " · ".join(about), "Your vote", part.ref
    held_up = [] if letters or item.kind != "number" else [f"<p>{HELD_UP}</p>"]
    slide.notes = [*held_up, *([html_of(text)] if text else []), *_answers(item, options)]
    slide.vote = text


def _put_code(making: _Making, part: Code) -> None:
    if making.section == HOOK:  # a reader's own run; a class has the recordings and experiment 1
        return
    set_up = making.section == "Set-up"
    folded = "hide-input" in part.tags
    shown = not (folded or part.figure or "nbval-ignore-output" in part.tags)
    if (
        part.source
        and shown
        and (not set_up or re.search(r"^\s*(async )?def ", part.source, re.MULTILINE))
    ):
        _put_source(making, part.source)
    if set_up:
        return
    if part.figure:
        making.put("figure", part.figure, _figure_height(part.figure))
    if part.printed and not folded:
        for piece in _divided(part.printed, "\n"):
            making.put("run", code(piece, TEXT), _lines(piece))
    for claim in part.claims:
        making.put("run", f'<p class="claim">{inline_html(claim)}</p>', _height(claim))


def _put_source(making: _Making, source: str) -> None:
    """One empty line stands for two; what is longer than a slide is divided at an empty line."""
    for piece in _divided(re.sub(r"\n{3,}", "\n\n", source), "\n\n"):
        making.put("code", code(piece, PYTHON), _lines(piece))


def _divided(text: str, between: str) -> list[str]:
    """The text in pieces that fit a slide, divided only at `between`."""
    pieces: list[str] = []
    for part in text.split(between):
        longer = f"{pieces[-1]}{between}{part}" if pieces else part
        if pieces and _lines(longer) + GAP <= FULL:
            pieces[-1] = longer
        else:
            pieces.append(part)
    return pieces


def _figure_height(html: str) -> float:
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', html.partition("bench-figure")[2])
    return FIGURE_WIDTH * float(view[2]) / float(view[1]) + 0.5 if view else FIGURE


def _lines(text: str) -> float:
    """Of code or of output, with the edge around it; a line of more than COLUMNS is wrapped."""
    return sum(math.ceil(len(line) / COLUMNS) or 1 for line in text.splitlines()) + 0.7


def _put_prose(making: _Making, part: Prose, after: object) -> None:
    text = part.text
    leads = isinstance(after, Prose) and after.kind in ("bullet_list", "ordered_list", "fence")
    if part.kind == "fence":
        if part.info == "sh":
            making.put("words", code(text, SHELL), _lines(text))
        else:
            _put_source(making, text)
    elif part.kind in ("bullet_list", "ordered_list"):
        ordered = part.kind == "ordered_list"
        items = re.split(r"^(?:[-*]|\d+\.) ", text, flags=re.MULTILINE)[1:]
        lines = sum(_height(one) + 0.3 for one in items)
        tag = "ol" if ordered else "ul"
        points = "".join(f"<li>{inline_html(_flat(one))}</li>" for one in items)
        making.put("words", f"<{tag}>{points}</{tag}>", lines)
    elif part.kind == "table":
        making.put("words", html_of(text), 1.6 * text.count("\n"))
    elif part.kind == "blockquote":
        making.put("words", f"<blockquote>{html_of(text)}</blockquote>", _height(text) * 1.4)
    elif text.startswith(DROPPED):
        if making.section == HOOK:
            making.heading = QUESTIONS
    elif text.startswith("**Question:**"):
        asked = text.removeprefix("**Question:**").strip()
        if isinstance(after, Vote):
            making.said.append(text)
        else:
            first = asked[:1].upper() + asked[1:]
            making.put("question", html_of(first), _height(asked) * 1.5)
    elif _BOLD.search(text) or (leads and text.endswith((":", "?"))):
        for point in points_of(text):
            making.put("words", f"<p>{inline_html(point)}</p>", _height(point))
        if len(text.split()) > LONG and not _leads(text):
            making.said.append(text)
    else:
        making.said.append(text)


def points_of(text: str) -> list[str]:
    """What a slide shows of a paragraph: a point for each line that begins in bold, or the
    sentences that have a word in bold."""
    if _leads(text):
        return [_flat(one) for one in re.split(r"\n(?=\*\*)", text)]
    flat = _flat(text)
    if len(flat.split()) <= LONG:
        return [flat]
    return [one for one in _SENTENCE.split(flat) if _BOLD.search(one)]


def _leads(text: str) -> bool:
    return text.startswith("**")


def _flat(text: str) -> str:
    return " ".join(text.split())


def _height(text: str) -> float:
    return math.ceil(len(text) / LETTERS) * WORD_LINE


def code(source: str, language: str) -> str:
    return _HIGHLIGHTER.highlight_block(source, language).strip()


# --- Speaker notes --------------------------------------------------------------------------


def _annotate(slides: list[Slide], section: str, guide: Guide) -> None:
    """Put what the instructor's page says of a section where a speaker needs it.

    Notes and questions stand on its first slide, or on the first figure if they speak of a line in
    it; votes stand on the slide of the vote. A demo stands on the first recording if it speaks of
    one, on the last slide below the heading of the code that it changes, or else on the last slide
    with code or what it printed.
    A vote without a slide of its own stands on the first slide, with its answer.
    """
    if not slides:
        return
    first, votes = slides[0], {one.vote for one in slides if one.vote}
    recorded = [one for one in slides if one.kind == "timeline"]
    shown = [one for one in slides if one.kind in ("code", "timeline", "run", "figure")]
    for hint in guide.hints(section):
        place = first
        if hint.kind in ("Note", "Ask") and _DRAWN.search(hint.text):
            place = next((one for one in slides if one.kind == "figure"), first)
        if hint.kind == "Demo":
            plays = recorded and _RECORDING.search(hint.text)
            place = recorded[0] if plays else (_of_its_code(hint.text, shown) or slides)[-1]
        if hint.text not in votes:
            place.notes += [html_of(one) for one in (hint.text, hint.right) if one]
    for slide in slides:
        _finish(slide)
    if minutes := guide.minutes(section):
        first.notes.insert(0, f"<p>{inline_html(minutes)}</p>")


def _of_its_code(demo: str, shown: list[Slide]) -> list[Slide]:
    """The slides below the heading of the code that a demo names first; all, if none has it."""
    named = re.search(r"`([^`]+)`", demo)
    headings = [
        one.heading
        for one in shown
        if named and one.kind == "code" and named[1] in _plain("".join(one.body))
    ]
    return [one for one in shown if not headings or one.heading == headings[-1]]


def _plain(piece: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", piece))


def _annotate_title(slide: Slide, guide: Guide) -> None:
    for heading in ("Before the class", "When something fails", "Ten minutes late"):
        slide.notes.append(f"<h2>{heading}</h2>")
        slide.notes += [html_of(one.text) for one in guide.hints(heading)]
    _finish(slide)


def _finish(slide: Slide) -> None:
    slide.notes.insert(0, f"<p>{HOW[slide.kind]}</p>")
    if slide.said:
        slide.notes.append("<h2>The lesson says here</h2>")
        slide.notes += [html_of(text) for text in slide.said]


def _answers(item: Item, options: Ballot) -> list[str]:
    """For the speaker alone: the right answer, and a reply to each of the others."""
    letter = letter_of_the_right_one(item, options)
    right = right_answer(item)
    text = inline_html(right.text.rstrip("."))
    named = f"{letter}, {text}" if letter else text
    said = [
        f"<li>{inline_html(one.text.rstrip('.'))}: {inline_html(one.say)}</li>"
        for one in item.answers
        if not one.right
    ]
    return [
        f"<h2>The answer</h2><p><b>{named}.</b> {inline_html(right.say)}</p>",
        f"<h2>What to say to the others</h2><ul>{''.join(said)}</ul>",
    ]
