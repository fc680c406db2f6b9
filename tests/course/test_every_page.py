"""What every page promises, seen without a browser: titles, words for figures, links, minutes."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from bench.course import BOOK, COURSE, STATUS, lesson_texts
from building import built_book
from built_pages import Page, page_of
from contents import documents

PAGES = [*documents(), "search", "404"]
every_page = pytest.mark.parametrize("document", PAGES)
FEWEST_WORDS = 8
VAGUE = {"a", "an", "and", "chart", "diagram", "figure", "image", "of", "picture", "plot", "the"}


def title_of(document: str) -> str:
    found = re.search(r"<title>(.*?)</title>", page_of(document).html, re.DOTALL)
    assert found, document
    return " ".join(found[1].split())


def test_no_two_pages_share_a_title() -> None:
    titles = Counter(map(title_of, PAGES))
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_page_that_is_written_stands_in_the_contents() -> None:
    """Else nobody sees it: the build leaves out what `_toc.yml` does not name.

    What 00-ready shows of the computer that built the book is of no use to a reader of it.
    """
    written = [*BOOK.rglob("*.md"), *COURSE.glob("notebooks/*.ipynb")]
    names = {path.relative_to(COURSE).with_suffix("").as_posix() for path in written}
    assert names - set(documents()) == {"notebooks/00-ready"}
    assert set(documents()) <= names


# --- Words for those who do not see a figure --------------------------------------------------


def labels_of(page: Page) -> list[str]:
    """The words that stand for each picture: labels of drawings, alternative texts of images.

    A picture with an empty alternative text, or hidden from speech, is an ornament.
    """
    found = []
    for tag, given in page.elements:
        if given.get("aria-hidden") == "true":
            continue
        if tag == "img" and given.get("alt") != "":
            found.append(given.get("alt", ""))
        elif given.get("role") == "img" and tag != "img":
            found.append(given.get("aria-label", ""))
    return found


def mistakes_in(labels: list[str]) -> list[str]:
    """Labels that tell too little: few words, the same words again, or no more than a kind."""
    found = []
    for label, count in Counter(labels).items():
        words = re.findall(r"\w+", label.lower())
        if len(words) < FEWEST_WORDS:
            found.append(f"{label!r} has {len(words)} words, fewer than {FEWEST_WORDS}")
        elif len(set(words) - VAGUE) < FEWEST_WORDS - 3:
            found.append(f"{label!r} repeats itself")
        if count > 1:
            found.append(f"{label!r} stands for {count} pictures of one page")
    return found


@every_page
def test_every_picture_is_told_in_words(document: str) -> None:
    assert mistakes_in(labels_of(page_of(document))) == []


def test_a_useless_label_is_found() -> None:
    good = "Two routes: seconds until the last of twenty guests is served, with and without async"
    assert mistakes_in([good]) == []
    for bad in ("", "figure", "A figure of a plot", "word word word word word word word word"):
        assert mistakes_in([bad])
    assert mistakes_in([good, good])


def test_pictures_are_found() -> None:
    labels = {document: labels_of(page_of(document)) for document in PAGES}
    assert sum(map(len, labels.values())) > 25
    assert all(labels[name] for name in PAGES if name.startswith("notebooks/"))


# --- Links ------------------------------------------------------------------------------------


@functools.cache
def anchors_of(path: Path) -> frozenset[str]:
    document = path.relative_to(built_book()).with_suffix("").as_posix()
    given = (attributes for _, attributes in page_of(document).elements)
    return frozenset(value for one in given for value in (one.get("id"), one.get("name")) if value)


def leads_somewhere(page: Page, link: str) -> bool:
    """Whether the link has a target in the built book, or is the address of a site."""
    parts = urlsplit(link)
    if parts.scheme in ("http", "https"):
        return "." in parts.netloc and " " not in link
    if parts.scheme or not link:
        return parts.scheme == "mailto"
    target = page.target(link)
    if not target.is_file() or not parts.fragment or target.suffix != ".html":
        return target.is_file()
    return unquote(parts.fragment) in anchors_of(target)


def dead_links(page: Page) -> list[str]:
    links = {given["href"] for tag, given in page.elements if tag == "a" and "href" in given}
    return sorted(link for link in links if not leads_somewhere(page, link))


@every_page
def test_every_link_leads_somewhere(document: str) -> None:
    assert dead_links(page_of(document)) == []


@every_page
def test_no_id_stands_twice(document: str) -> None:
    ids = Counter(given["id"] for _, given in page_of(document).elements if given.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []


def test_a_dead_link_is_found() -> None:
    page = Page(PAGES[0])
    for href in ("nowhere.html", "intro.html#nowhere", "htps://x.example/", "https://nohost/", ""):
        page.elements = [("a", {"href": href})]
        assert dead_links(page) == [href]
    page.elements = [
        ("a", {"href": "intro.html#the-promise"}),
        ("a", {"href": "https://a.example"}),
    ]
    assert dead_links(page) == []


# --- Minutes ----------------------------------------------------------------------------------

MINUTES = re.compile(
    r"\*\*Phone\*\* (\d+) min · \*\*Desk\*\* (\d+) min · \*\*Lab\*\* (\d+) min"
    r" · \*\*Class\*\* (\d+) min"
)
WAYS = ("phone", "desk", "lab", "class")
LESSONS = lesson_texts()


def minutes_of(lesson: Path) -> dict[str, int]:
    [found] = MINUTES.findall(lesson.read_text("utf-8"))
    return dict(zip(WAYS, map(int, found), strict=True))


def minutes(hours: str) -> int:
    """ "3 h 05" or "1 h" in minutes."""
    whole, _, rest = hours.partition(" h")
    return int(whole) * 60 + int(rest or 0)


def test_the_hours_of_the_intro_are_those_of_the_lessons() -> None:
    intro = " ".join((BOOK / "intro.md").read_text("utf-8").split())
    said = re.search(
        r"about (\d+ h(?: \d\d)?) to read on a phone, (\d+ h(?: \d\d)?) at a desk, "
        r"(\d+ h(?: \d\d)?) for the labs",
        intro,
    )
    assert said
    for way, hours in zip(WAYS, said.groups(), strict=False):
        total = sum(minutes_of(lesson)[way] for lesson in LESSONS)
        assert abs(total - minutes(hours)) <= 5, f"{way}: {total} minutes, the intro says {hours}"
    alone = re.search(
        r"Lesson 1 alone: (\d+) minutes on a phone, (\d+) at a desk, (\d+) for", intro
    )
    assert alone
    first = minutes_of(LESSONS[0])
    assert tuple(map(int, alone.groups())) == (first["phone"], first["desk"], first["lab"])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_minutes_of_an_instructor_are_those_of_the_lesson(lesson: Path) -> None:
    page = (BOOK / "instructors" / lesson.name).read_text("utf-8")
    own = minutes_of(lesson)
    said = re.search(r"^(\d+) minutes with 25 people, then (\d+) minutes for the lab", page, re.M)
    assert said
    assert tuple(map(int, said.groups())) == (own["class"], own["lab"])
    table = re.search(r"\| section \| minutes \|.*?\n((?:\|.*\n)+)", page)
    assert table
    sections = re.findall(r"^\|[^|]*\| *(\d+) *\|", table[1], re.M)
    assert sum(map(int, sections)) == own["class"]


SLOWEST, FASTEST = 60, 150  # words of prose in a minute, with the figures and questions beside it
SIBLINGS = sorted((BOOK / "sqlalchemy").glob("*.md"))


def words_in_a_minute(text: str, said: int) -> float:
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    return len(prose.split()) / said


def is_read_in(text: str, said: int) -> bool:
    return SLOWEST <= words_in_a_minute(text, said) <= FASTEST


@pytest.mark.parametrize("page", [*LESSONS, *SIBLINGS], ids=lambda path: str(path)[-30:-3])
def test_the_minutes_of_a_page_are_those_of_its_words(page: Path) -> None:
    text = page.read_text("utf-8")
    found = re.search(r"^\*\*(\d+) minutes\*\*", text, re.MULTILINE)
    said = int(found[1]) if found else minutes_of(page)["phone"]
    assert is_read_in(text, said), f"{words_in_a_minute(text, said):.0f} words in a minute"


def test_too_many_minutes_and_too_few_are_seen() -> None:
    text = f"```\n{'code ' * 900}\n```\n" + "word " * 800
    assert [said for said in (3, 5, 8, 13, 25) if not is_read_in(text, said)] == [3, 5, 25]


# --- What ran ---------------------------------------------------------------------------------


def test_the_page_of_what_ran_shows_each_run_and_version() -> None:
    status = json.loads(STATUS.read_text("utf-8"))
    page = page_of("book/evidence/status").html
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", page)
    shown = {re.sub("<.*?>", "", name): re.findall("<td>(.*?)</td>", rest) for name, rest in rows}
    assert shown["PostgreSQL"] == [status["postgresql"]]
    assert shown["SQLAlchemy"] == [status["versions"]["sqlalchemy"]]
    runs = [
        cells for cells in (re.findall("<td>(.*?)</td>", rest) for _, rest in rows) if cells[1:]
    ]
    told = Counter((ran, took, claims) for ran, took, claims in runs)
    stored = Counter(
        (run["ran"], f"{run['seconds']:g} s", str(len(run["claims"])))
        for run in status["runs"].values()
    )
    assert told == stored
    assert sum('href="' in name for name, _ in rows) > len(stored) * 0.9
