"""Slides and handouts in Chromium, from `file://`: on a projector, on a phone, on paper.

One lesson here; `make proof` takes all seven (COURSE_SLIDES=all).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ballots import item_of, right_answer
from browsers import AXE, executable
from decks import LESSONS, make_decks
from lesson_cells import Code, Lesson, Vote, read_lesson
from printing import browser as printing_browser
from printing import print_pdf
from slide_rules import deck
from teaching_notes import read_guide

EXEMPT: dict[tuple[str, int], str] = {}
"""(lesson, slide) → why that slide may overflow. An entry that is not needed fails its test."""

KINDS = ["vote", "timeline", "figure", "code"]
SIZES = [(1024, 768), (1920, 1080)]

MEASURED = """(slide) => {
  const scale = slide.getBoundingClientRect().width / 1024, body = slide.querySelector(".body");
  const found = [], more = (name, much) => much > 1 && found.push(`${name} by ${much} px`);
  more("too tall", body.scrollHeight - body.clientHeight);
  more("too wide", body.scrollWidth - body.clientWidth);
  more("behind the edge", Math.round(slide.getBoundingClientRect().bottom - innerHeight));
  for (const pre of slide.querySelectorAll("pre")) {
    more("code too wide", pre.scrollWidth - pre.clientWidth);
    const size = parseFloat(getComputedStyle(pre).fontSize) * scale;
    if (size < 20 * 96 / 72 - 0.1) found.push(`code of ${size} px`);
  }
  return found;
}"""

WALK = """(measured) => [...document.querySelectorAll(".slides > section")].map((slide, at) => {
  const press = { keyCode: 39, key: "ArrowRight", bubbles: true };
  if (at) document.dispatchEvent(new KeyboardEvent("keydown", press));
  const measure = eval(measured), all = (query) => [...slide.querySelectorAll(query)];
  const seen = {
    shown: slide.matches(".present") && slide.checkVisibility(),
    text: slide.querySelector(".body").innerText,
    closed: all(".timeline-reveal").every((one) => !one.open),
    spoilers: all(".quiz-reply, .quiz-say").filter((one) => one.checkVisibility()).length,
    problems: measure(slide),
    notes: slide.querySelector(".notes").textContent,
  };
  for (const recording of all(".timeline-reveal")) recording.open = true;
  for (const value of [998, 999]) { // as somebody who is wrong twice: a card has most to reply then
    const button = slide.querySelector(".quiz-commit:not([hidden])");
    if (!button) break;
    const number = slide.querySelector(".quiz-number input");
    if (number) number.value = value;
    else slide.querySelectorAll(".quiz-ask input[type=radio]")[value - 998].checked = true;
    button.click();
  }
  document.activeElement.blur();
  seen.problems.push(...measure(slide).map((one) => `after the vote ${one}`));
  return seen;
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("slides")
    make_decks(made)
    return made


@contextmanager
def opened(
    browser: Browser, path: Path, size: tuple[int, int], script: bool = True
) -> Iterator[Page]:
    """The file in a page of that size; nothing may go wrong there, nor be asked of a network."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=script
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.on("request", lambda one: one.url.startswith(("file:", "data:")) or wrong.append(one.url))
    try:
        page.goto(path.as_uri())
        yield page
        assert not wrong
    finally:
        context.close()


@pytest.mark.parametrize("size", SIZES, ids=["old projector", "new projector"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_slide_fits_also_with_its_replies_and_its_recording(
    browser: Browser, folder: Path, lesson: str, size: tuple[int, int]
) -> None:
    with opened(browser, folder / f"{lesson}.html", size) as page:
        seen = page.evaluate(WALK, MEASURED)
    assert len(seen) > 20
    assert all(one["shown"] for one in seen)
    found = {at: one["problems"] for at, one in enumerate(seen, 1) if one["problems"]}
    exempt = {number for name, number in EXEMPT if name == lesson}
    assert {number: said for number, said in found.items() if number not in exempt} == {}
    assert exempt <= found.keys(), "a slide on the list fits: take it off"


def test_a_slide_that_does_not_fit_is_seen(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / f"{LESSONS[0]}.html", SIZES[0]) as page:
        page.evaluate(
            """() => { for (const pre of document.querySelectorAll(".slide pre")) {
              pre.style.fontSize = "19pt";
              pre.append("\\n".repeat(30));
            } }"""
        )
        found = " ".join(
            one for slide in page.evaluate(WALK, MEASURED) for one in slide["problems"]
        )
    assert "too tall by" in found
    assert "code of 25." in found


def claims_after(lesson: Lesson) -> dict[str, list[str]]:
    """{question: the claims' sentences that its notebook shows later than the question}."""
    later: dict[str, list[str]] = {}
    for section in lesson.sections:
        for part in section.parts:
            if isinstance(part, Vote):
                later[part.ref] = []
            elif isinstance(part, Code):
                for sentences in later.values():
                    sentences += part.claims
    return later


@pytest.mark.parametrize("lesson", LESSONS)
def test_before_the_vote_nobody_sees_the_answer(
    browser: Browser, folder: Path, lesson: str
) -> None:
    """Neither on the slide of a prediction nor on one before it; the speaker's notes have it."""
    read = read_lesson(lesson)
    slides, later = deck(read, read_guide(lesson)), claims_after(read)
    with opened(browser, folder / f"{lesson}.html", SIZES[0]) as page:
        walked = page.evaluate(WALK, MEASURED)
    said = ""
    for made, seen in zip(slides, walked, strict=True):
        said += seen["text"]
        assert seen["closed"]
        if made.kind == "vote":
            assert not seen["spoilers"], made.ref
            assert right_answer(item_of(made.ref)).say[:20] not in said, made.ref
            assert [one for one in later[made.ref] if one in said] == [], made.ref
            assert "Carry away" not in said


def test_the_speaker_s_window_follows_the_room_and_moves_it(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / f"{LESSONS[0]}.html", SIZES[0]) as page:
        current = page.locator(".slides > section.present")
        with page.expect_popup() as popup:
            page.keyboard.press("s")
        speaker = popup.value
        expect(speaker.locator("h1")).to_have_text("Synchronous queries")
        expect(speaker.locator("main")).to_contain_text("Before the class")
        expect(speaker.locator("time")).to_contain_text("since you began")
        for _ in range(2):
            speaker.keyboard.press("ArrowRight")
        expect(current).to_have_id("slide-3")
        expect(speaker.locator("main")).to_contain_text("C, 2 s")
        expect(speaker.locator("body > p")).to_have_text("Next slide: Your vote")
        page.keyboard.press("ArrowLeft")
        expect(speaker.locator("h1")).to_have_text("Before we begin")


def violations(page: Page, place: str = "html") -> list[tuple[str, str]]:
    """What axe-core finds there: (rule, a place). A contrast that it cannot measure counts, too,
    but that of a word in a drawing, which lines cross."""
    found = page.evaluate("(place) => axe.run(place)", place)
    places = [
        (one["id"], node["html"][:200]) for one in found["violations"] for node in one["nodes"]
    ]
    for one in found["incomplete"]:
        if one["id"] == "color-contrast":
            places += [(one["id"], node["html"][:200]) for node in one["nodes"]]
    return [(rule, html) for rule, html in places if not html.startswith("<text")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_slide_is_readable_for_everybody(browser: Browser, folder: Path, theme: str) -> None:
    """A vote, a recording, code and a figure; `make test` looks at two of them in each theme."""
    with opened(browser, folder / f"{LESSONS[0]}.html", SIZES[0]) as page:
        if theme == "dark":
            page.keyboard.press("t")
        page.evaluate(AXE.read_text("utf-8"))
        for kind in KINDS if len(LESSONS) > 1 else KINDS[theme == "dark" :: 2]:
            go = "(kind) => { location.hash = document.querySelector(kind).id; }"
            page.evaluate(go, f".{kind}")
            slide = page.locator(f".slides > section.present.{kind}")
            slide.wait_for()
            for recording in slide.locator(".timeline-reveal > summary").all():
                recording.click()
            assert violations(page, ".slides > section.present") == [], kind


def test_on_a_phone_and_without_scripts_the_slides_stand_below_one_another(
    browser: Browser, folder: Path
) -> None:
    path = folder / f"{LESSONS[0]}.html"
    for size, script in (((390, 844), True), (SIZES[0], False)):
        with opened(browser, path, size, script) as page:
            slides = page.locator(".slides > section")
            assert all(one.is_visible() for one in slides.all())
            if script:
                wide = page.evaluate("() => document.documentElement.scrollWidth")
                assert wide <= size[0]
            assert not page.locator(".quiz-say").first.is_visible()


# --- Handouts -------------------------------------------------------------------------------

TOO_LONG = """() => [...document.querySelectorAll(".page")].map((page) => {
  const box = page.getBoundingClientRect(), edge = parseFloat(getComputedStyle(page).paddingBottom);
  return Math.round(page.lastElementChild.getBoundingClientRect().bottom - (box.bottom - edge));
}).filter((much) => much > 1)"""
COLOURS = """() => [...document.querySelectorAll("body, body *")].flatMap((node) => {
  const { color, backgroundColor, borderTopColor } = getComputedStyle(node);
  return [color, backgroundColor, borderTopColor];
})"""


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_handout_is_two_grey_pages_of_paper(
    browser: Browser, folder: Path, lesson: str, tmp_path: Path
) -> None:
    path = folder / f"{lesson}-handout.html"
    with opened(browser, path, (794, 1123)) as page:
        page.evaluate(AXE.read_text("utf-8"))
        assert violations(page) == []
        page.emulate_media(media="print")
        assert page.evaluate(TOO_LONG) == []
        colours = set(page.evaluate(COLOURS))
        grey = [set(re.findall(r"\d+", one)[:3]) for one in colours]
        assert all(len(one) == 1 for one in grey), colours
    program = printing_browser() or executable()
    assert program
    print_pdf(path, tmp_path / "one.pdf", program)
    pages = re.findall(rb"/Type ?/Page\b", (tmp_path / "one.pdf").read_bytes())
    assert len(pages) == 2
