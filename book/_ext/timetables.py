"""Timetables of a class, computed from the minutes that lessons and instructor pages state.

    ```{timetable} 9:00 to 17:00          a session: its clock, and what happens when
    welcome | 15
    lesson 1
    lab 1
    lesson 3, late
    ```
    ```{single-hours} 60          each lesson as one session of so many minutes
    recall | 5
    lesson
    exit question | 5
    ```
    ```{when-late}                what each lesson needs, and what to drop
    ```
    {saved}`01`                   the minutes that dropping saves

A line of a session is a text and its minutes, or `lesson N`, `lesson N, late`, `lab N`. The minutes
of lessons and labs stand in the head of the lesson. What to drop stands in the table of the
instructor page, in its third column: `first` is the whole row, and `the last two, 2 min` a part.

A session that does not fit, or leaves more than a tenth of its time empty, stops the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata
from status_pages import rows_table

from bench.course import BOOK, LESSON_TEXTS, lesson_texts
from bench.quizzes.cards import markdown

SLACK = 0.1
"""The part of a session that may stay empty."""
STYLE = "class-table"

_HEAD = re.compile(r"\*\*Lab\*\* (\d+) min · \*\*Class\*\* (\d+) min")
_TITLE = re.compile(r"^# (\d · .+)$", re.MULTILINE)
_TABLE = re.compile(
    r"^\| section \| minutes \| drop when late \|\n\|.*\n((?:\|.*\n)+)", re.MULTILINE
)
_PART = re.compile(r"(.+), (\d+) min")
_OF_A_LESSON = re.compile(r"(lesson|lab) (\d)(, late)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")


class DoesNotFit(ValueError):
    """A timetable that is malformed, too long, or nearly empty; the text says which."""


@dataclass(frozen=True)
class Section:
    """A row of an instructor's table; `dropped` says what is left out when time is short."""

    name: str
    minutes: int
    dropped: str = ""
    saved: int = 0


@dataclass(frozen=True)
class LessonPlan:
    """The minutes of a lesson with a class. `stem` is the name of its files."""

    stem: str

    @cached_property
    def title(self) -> str:
        return _one(_TITLE, self._text)

    @cached_property
    def lab(self) -> int:
        return self._head[0]

    @cached_property
    def lesson(self) -> int:
        return self._head[1]

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        page = (BOOK / "instructors" / f"{self.stem}.md").read_text(encoding="utf-8")
        return tuple(map(section, _one(_TABLE, page).splitlines()))

    @property
    def saved(self) -> int:
        return sum(one.saved for one in self.sections)

    @property
    def late(self) -> int:
        """The minutes of the lesson without what may be dropped."""
        return self.lesson - self.saved

    @cached_property
    def _text(self) -> str:
        return (LESSON_TEXTS / f"{self.stem}.md").read_text(encoding="utf-8")

    @cached_property
    def _head(self) -> tuple[int, int]:
        found = _HEAD.findall(self._text)
        if len(found) != 1:
            raise DoesNotFit(f"{self.stem} states the minutes of lab and class {len(found)} times")
        return int(found[0][0]), int(found[0][1])


@dataclass(frozen=True)
class Part:
    """What happens in a session, and for how long; `plan` if it is a lesson or a lab."""

    name: str
    minutes: int
    plan: LessonPlan | None = None


def section(row: str) -> Section:
    """A row of an instructor's table, `| name | minutes | drop when late |`."""
    name, minutes, late = (cell.strip() for cell in row.strip().strip("|").split("|"))
    if late in ("", "first"):
        return Section(name, int(minutes), name if late else "", int(minutes) if late else 0)
    if not (found := _PART.fullmatch(late)):
        raise DoesNotFit(f"row {name!r} drops {late!r}: write `first`, or `the last two, 2 min`")
    return Section(name, int(minutes), f"{name}, {found[1]}", int(found[2]))


def plans() -> dict[str, LessonPlan]:
    """The lessons by their two digits, in order."""
    return {path.name[:2]: LessonPlan(path.stem) for path in lesson_texts()}


def parts(lines: Iterable[str], lessons: dict[str, LessonPlan]) -> Iterator[Part]:
    """The lines of a session. Raises DoesNotFit for one that is none."""
    for line in filter(None, map(str.strip, lines)):
        name, _, minutes = (word.strip() for word in line.rpartition("|"))
        if name and minutes.isdecimal():
            yield Part(name, int(minutes))
            continue
        found = _OF_A_LESSON.fullmatch(line)
        plan = lessons.get(f"{int(found[2]):02}") if found else None
        if not found or not plan or (found[1] == "lab" and found[3]):
            raise DoesNotFit(
                f"{line!r}: write a text and its minutes, `lesson 1`, `lesson 1, late` or `lab 1`"
            )
        if found[1] == "lab":
            yield Part(f"Lab {found[2]}", plan.lab, plan)
        else:
            yield Part(line.capitalize(), plan.late if found[3] else plan.lesson, plan)


def check_length(name: str, every: Iterable[Part], minutes: int) -> int:
    """The sum of the parts. Raises DoesNotFit unless it fills nine tenths of the session."""
    needed = sum(part.minutes for part in every)
    if not minutes * (1 - SLACK) <= needed <= minutes:
        raise DoesNotFit(f"{name}: its parts need {needed} minutes of {minutes}")
    return needed


def clock(text: str) -> int:
    """The minute of the day of "9:05". Raises DoesNotFit."""
    if not (found := _CLOCK.fullmatch(text)):
        raise DoesNotFit(f"{text!r} is no time of day: write it like 9:05")
    return int(found[1]) * 60 + int(found[2])


def time_of_day(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


class PlanDirective(SphinxDirective):
    """What the directives share: they read the lessons, and a mistake stops the build."""

    def run(self) -> list[nodes.Node]:
        lessons = plans()
        for plan in lessons.values():
            for folder in LESSON_TEXTS, BOOK / "instructors":
                self.env.note_dependency(str(folder / f"{plan.stem}.md"))
        try:
            return self.table(lessons)
        except DoesNotFit as error:
            raise self.error(f"{{{self.name}}} {error}") from error

    def table(self, lessons: dict[str, LessonPlan]) -> list[nodes.Node]:
        raise NotImplementedError

    def link(self, plan: LessonPlan, text: str, folder: str = "notebooks") -> str:
        uri = self.env.app.builder.get_relative_uri(self.env.docname, f"{folder}/{plan.stem}")
        return f'<a href="{escape(uri)}">{escape(text)}</a>'

    def shown(self, part: Part) -> str:
        if part.plan is None:
            return escape(part.name)
        return self.link(part.plan, part.name)


class TimetableDirective(PlanDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def table(self, lessons: dict[str, LessonPlan]) -> list[nodes.Node]:
        name = self.arguments[0]
        begin, _, end = name.partition(" to ")
        minute, session = clock(begin), list(parts(self.content, lessons))
        needed = check_length(name, session, clock(end) - minute)
        rows = []
        for part in session:
            rows.append((time_of_day(minute), self.shown(part), str(part.minutes)))
            minute += part.minutes
        rows.append((time_of_day(minute), "<strong>the end</strong>", f"<strong>{needed}</strong>"))
        return [rows_table(("At", "What", "Minutes"), rows, STYLE)]


class SingleHoursDirective(PlanDirective):
    required_arguments = 1
    has_content = True

    def table(self, lessons: dict[str, LessonPlan]) -> list[nodes.Node]:
        length, rows = int(self.arguments[0]), []
        frame = [list(parts([line], lessons)) if "|" in line else [] for line in self.content]
        head = ["Lesson", *(one[0].name if one else "the lesson" for one in frame)]
        for number, plan in lessons.items():
            own = [one[0] if one else Part("lesson", plan.lesson) for one in frame]
            needed = check_length(f"lesson {int(number)}", own, length)
            lab = str(length - needed) if needed < length else "at home"
            minutes = [str(part.minutes) for part in own]
            rows.append((self.link(plan, plan.title), *minutes, lab, str(length)))
        return [rows_table((*head, "the lab is begun", "sum"), rows, STYLE)]


class WhenLateDirective(PlanDirective):
    def table(self, lessons: dict[str, LessonPlan]) -> list[nodes.Node]:
        rows = []
        for plan in lessons.values():
            dropped = "; ".join(one.dropped for one in plan.sections if one.saved)
            own = self.link(plan, plan.title, "book/instructors")
            minutes = map(str, (plan.lesson, plan.lab, plan.late))
            rows.append((own, *minutes, markdown(dropped)))
        every = lessons.values()
        sums = [sum(getattr(plan, name) for plan in every) for name in ("lesson", "lab", "late")]
        rows.append(("Together", *map(str, sums), ""))
        head = "Lesson", "class", "lab", "late", "what to drop when late"
        return [rows_table(head, rows, STYLE)]


class SavedRole(SphinxRole):
    """`{saved}`: the minutes that dropping saves in a lesson."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        plan = plans().get(self.text)
        if plan is None:
            message = f"{{saved}}: there is no lesson {self.text!r}"
            return [], [self.inliner.reporter.warning(message, line=self.lineno)]
        return [nodes.Text(f"{plan.saved} minutes")], []


def _one(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.findall(text)
    if len(found) != 1:
        raise DoesNotFit(f"{pattern.pattern!r} is found {len(found)} times, not once")
    return str(found[0])


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("timetable", TimetableDirective)
    app.add_directive("single-hours", SingleHoursDirective)
    app.add_directive("when-late", WhenLateDirective)
    app.add_role("saved", SavedRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
