"""Quiz cards in a real browser, and the directives in a real build of Sphinx."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pydata_sphinx_theme
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Route,
    expect,
)

from bench.quizzes.cards import SCRIPTS, STYLE, Transfer, progress, quiz, quiz_setup, recall
from bench.quizzes.files import load_lessons
from browsers import AXE

ORIGIN = "http://course.test"
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/styles"
FILES = {
    "/theme.css": THEME / "pydata-sphinx-theme.css",
    "/cards.css": STYLE,
    **{f"/{script.name}": script for script in SCRIPTS},
}
LOADED = '<link rel="stylesheet" href="/cards.css">' + "".join(
    f'<script defer src="/{script.name}"></script>' for script in SCRIPTS
)
QUESTIONS = """\
lesson: "01"
title: "Waiting"
items:
  - id: ping
    kind: choice
    prompt: "When does `/ping` answer?"
    follows_from: ping-waits
    options:
      - {text: "At once.", say: "It waits.", misconception: loop-interrupts, refuted_by: ping-waits}
      - {text: "After the query.", right: true, say: "One thread, one query."}
      - {text: "Never.", say: "It comes late.", misconception: cores, refuted_by: ping-waits}
  - id: total
    kind: number
    prompt: "After how many seconds?"
    follows_from: ping-waits
    confidence: true
    answer: 2.0
    unit: s
    accept: {from: 1.9, to: 2.3}
    say: "It is the sum."
    otherwise: "The waits add up."
    near:
      - {value: 0.1, misconception: cores, say: "Too short.", refuted_by: ping-waits}
  - id: threads
    kind: number
    prompt: "How many threads?"
    follows_from: ping-waits
    review_in: "02"
    answer: 1
    unit: threads
    say: "One thread."
    otherwise: "There is one."
"""


# --- Pages, without a server ---------------------------------------------------------------


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    (folder / "quizzes").mkdir()
    (folder / "misconceptions.yml").write_text("cores: Cores do it.\nloop-interrupts: It does.\n")
    (folder / "quizzes/01-waiting.yml").write_text(QUESTIONS, encoding="utf-8")
    return folder


@pytest.fixture
def device(browser: Browser, book: Path) -> Iterator[Callable[..., Page]]:
    """Opens the test page on a new device; at the end nothing may stand in its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    cards = [quiz(f"01/{name}", book)._repr_html_() for name in ("ping", "total", "threads")]
    body = "\n".join([progress("01", book)._repr_html_(), *cards, Transfer()._repr_html_()])

    def complain(line: ConsoleMessage) -> None:
        if line.type == "error":
            complaints.append(line.text)

    def open_page(
        body: str = body,
        *,
        head: str = LOADED,
        theme: str = "",
        width: int = 1280,
        before: str = "",
        **options: object,
    ) -> Page:
        """`theme` adds the book's style, light or dark; `before` is a script that runs first."""
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        html = document(body, head, theme)

        def answer(route: Route) -> None:
            path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
            if path == "/":
                route.fulfill(content_type="text/html; charset=utf-8", body=html)
            elif path in FILES:
                route.fulfill(path=FILES[path])
            else:
                complaints.append(f"request: {route.request.url}")
                route.abort()

        context.route("**/*", answer)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", complain)
        if before:
            page.add_init_script(before)
        page.goto(f"{ORIGIN}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def document(body: str, head: str, theme: str) -> str:
    style = '<link rel="stylesheet" href="/theme.css">' if theme else ""
    return f"""<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Questions</title>
<link rel="icon" href="data:,">{style}{head}</head>
<body><main class="bd-content" style="display: block; margin: 1rem">
<h1>Questions</h1>{body}</main></body></html>"""


def card(page: Page, name: str) -> Locator:
    return page.locator(f'[data-quiz="01/{name}"]')


def choose(page: Page, option: str) -> None:
    card(page, "ping").get_by_label(option).check()
    card(page, "ping").get_by_role("button").click()


def type_in(page: Page, name: str, text: str) -> None:
    card(page, name).get_by_role("textbox").fill(text)
    card(page, name).get_by_role("button").click()


def replies(page: Page, name: str) -> Locator:
    return card(page, name).locator(".quiz-reply")


def kept(page: Page, name: str) -> list[object]:
    return [
        one["value"] for one in page.evaluate("id => asyncCourse.storage.read(id)", f"01/{name}")
    ]


# --- Commit, reply, second try ---------------------------------------------------------------


def test_there_is_no_reply_before_an_answer_is_committed(device: Callable[..., Page]) -> None:
    page = device()
    ping = card(page, "ping")
    expect(ping.locator("details")).to_be_hidden()
    ping.get_by_role("button", name="Commit to this answer").click()
    expect(ping.locator(".quiz-message")).to_have_text(
        "Choose an answer first, even if it is a guess."
    )
    expect(ping.get_by_label("At once.")).to_be_focused()
    expect(replies(page, "ping")).to_have_count(0)
    assert kept(page, "ping") == []


def test_the_reply_belongs_to_the_chosen_answer_and_a_second_try_stands_beside_it(
    device: Callable[..., Page],
) -> None:
    page = device()
    choose(page, "At once.")
    first, second = replies(page, "ping").nth(0), replies(page, "ping").nth(1)
    expect(first).to_contain_text("First answerAt once.The experiment shows something else.")
    expect(first).to_contain_text("It waits.")
    expect(replies(page, "ping")).to_have_count(1)
    expect(card(page, "ping").locator(".quiz-mark")).to_have_text(["first answer"])

    choose(page, "At once.")
    expect(card(page, "ping").locator(".quiz-message")).to_contain_text("This is your first answer")
    choose(page, "After the query.")
    expect(second).to_contain_text("Second tryAfter the query.✓ The experiment agrees.")
    expect(second).to_contain_text("One thread, one query.")
    expect(first).to_contain_text("It waits.")
    box, beside = first.bounding_box(), second.bounding_box()
    assert box["y"] == beside["y"]
    assert box["x"] < beside["x"]

    for again in range(2):
        expect(card(page, "ping").locator("button")).to_be_hidden()
        expect(card(page, "ping").locator(".quiz-mark")).to_have_text(
            ["first answer", "second try · ✓ right"]
        )
        expect(replies(page, "ping")).to_have_count(2)
        assert kept(page, "ping") == ["loop-interrupts", "right"]
        if not again:
            page.reload()


def test_after_two_tries_the_right_answer_is_explained(device: Callable[..., Page]) -> None:
    page = device()
    choose(page, "At once.")
    choose(page, "Never.")
    expect(replies(page, "ping")).to_have_count(3)
    expect(replies(page, "ping").nth(2)).to_contain_text("The right answerAfter the query.")
    type_in(page, "total", "7")
    type_in(page, "total", "0.1")
    expect(replies(page, "total").nth(0)).to_contain_text("The waits add up.")
    expect(replies(page, "total").nth(1)).to_contain_text("Too short.")
    expect(replies(page, "total").nth(2)).to_contain_text("The right answer2 seconds")


FIRST_NUMBERS = [
    ("0.1", "It would follow from this belief: “Cores do it.”", "a larger number"),
    ("7", "We know no belief that leads to this number.", "a smaller number"),
]


@pytest.mark.parametrize(("number", "meaning", "way"), FIRST_NUMBERS, ids=["known", "unknown"])
def test_a_first_number_is_weighed_before_the_answer_is_told(
    device: Callable[..., Page], number: str, meaning: str, way: str
) -> None:
    page = device()
    type_in(page, "total", number)
    for again in range(2):
        reply = replies(page, "total")
        expect(reply).to_have_count(1)
        expect(reply).to_contain_text(meaning)
        expect(reply).to_contain_text(f"The experiment shows {way}. Which one do you expect now?")
        shown = card(page, "total").inner_text()
        for telling in ("Too short.", "The waits add up.", "2 seconds", "the experiment agrees"):
            assert telling not in shown
        if not again:
            page.reload()
    type_in(page, "total", "2")
    expect(replies(page, "total")).to_have_count(2)
    expect(replies(page, "total").nth(1)).to_contain_text("It is the sum.")
    told = {"0.1": "Too short.", "7": "The waits add up."}[number]
    expect(replies(page, "total").nth(0)).to_contain_text(told)
    expect(replies(page, "total").get_by_text("Which one do you expect now?")).to_have_count(0)


def test_a_right_first_answer_ends_the_question(device: Callable[..., Page]) -> None:
    page = device()
    card(page, "total").get_by_label("Certain").check()
    type_in(page, "total", "2,1 s")
    expect(replies(page, "total")).to_have_count(1)
    expect(replies(page, "total")).to_contain_text("First answer · certain2.1 seconds")
    expect(card(page, "total").locator("button")).to_be_hidden()
    expect(card(page, "total").get_by_role("textbox")).to_be_disabled()
    card(page, "total").locator("summary").click()
    expect(card(page, "total").get_by_text("Any other number")).to_be_visible()


def test_the_keyboard_is_enough(device: Callable[..., Page]) -> None:
    page = device()
    card(page, "ping").get_by_label("At once.").focus()
    for key in ("Space", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(replies(page, "ping")).to_have_count(1)
    expect(card(page, "ping").get_by_role("button")).to_be_focused()
    for key in ("Shift+Tab", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(replies(page, "ping").nth(1)).to_contain_text("One thread")
    expect(card(page, "ping").locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card(page, "ping").locator("li")).to_have_count(3)
    expect(card(page, "ping").locator("li").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(card(page, "total").get_by_role("textbox")).to_be_focused()
    page.keyboard.type("300 ms")
    expect(card(page, "total").locator(".quiz-reading")).to_have_text("= 0.3 seconds")
    page.keyboard.press("Enter")
    assert kept(page, "total") == [0.3]


def test_replies_are_announced_and_errors_are_marked(device: Callable[..., Page]) -> None:
    page = device()
    total = card(page, "total")
    type_in(page, "total", "soon")
    expect(total.get_by_role("textbox")).to_have_attribute("aria-invalid", "true")
    expect(total.get_by_role("textbox")).to_be_focused()
    expect(total.get_by_role("status").filter(has_text="“soon” is not a number")).to_be_visible()
    type_in(page, "total", "2")
    expect(total.get_by_role("textbox")).to_have_attribute("aria-invalid", "false")
    expect(total.get_by_role("status").filter(has_text="It is the sum.")).to_be_visible()


NUMBERS = [
    ("0,3", "s", 0.3),
    ("0.3", "s", 0.3),
    (".3", "s", 0.3),
    (",3", "s", 0.3),
    ("0.3 s", "s", 0.3),
    ("0.3s.", "s", 0.3),
    ("300 ms", "s", 0.3),
    ("300ms", "s", 0.3),
    ("300\u00a0ms", "s", 0.3),
    ("2 000 ms", "s", 2),
    ("1e-1", "s", 0.1),
    ("500 µs", "s", 0.0005),
    ("1.5 Minutes", "s", 90),
    ("~2", "s", 2),
    ("about 2 seconds", "s", 2),
    ("３", "s", 3),
    ("0", "s", 0),
    ("0,300", "s", 0.3),
    ("40", "threads", 40),
    ("1 thread", "threads", 1),
    ("40 threads", "threads", 40),
    ("", "s", "Type a number first"),
    ("soon", "s", "not a number"),
    ("-1", "s", "not a number"),
    ("1/3", "s", "not a number"),
    ("1.2.3", "s", "not a number"),
    ("1 2", "s", "not a number"),
    ("Infinity", "s", "not a number"),
    ("1,000", "s", "Write 1000 or 1.000."),
    ("2 hours", "s", "“hours” is no unit here"),
    ("2 constructor", "s", "“constructor” is no unit here"),
    ("40 s", "threads", "Write the number of threads."),
]


def test_numbers_are_understood_as_people_write_them(device: Callable[..., Page]) -> None:
    page = device()
    for text, unit, expected in NUMBERS:
        found = page.evaluate(
            "([text, unit]) => asyncCourse.numbers.parse(text, unit)", [text, unit]
        )
        if isinstance(expected, str):
            assert expected in found["problem"], text
        else:
            assert found == {"value": expected}, text


# --- What other scripts and other cells rely on --------------------------------------------


LISTEN = """window.heard = [];
document.addEventListener("course:guess", (event) => heard.push(event.detail));"""


def test_other_scripts_hear_a_first_guess_now_after_a_reload_and_when_it_is_forgotten(
    device: Callable[..., Page],
) -> None:
    page = device(before=LISTEN)
    guess = {"id": "01/total", "value": 0.1, "unit": "s"}
    type_in(page, "total", "100 ms")
    assert page.evaluate("heard") == [guess]
    type_in(page, "total", "2")
    choose(page, "Never.")
    assert page.evaluate("heard") == [guess]
    page.reload()
    page.wait_for_function("asyncCourse.cards.guesses().length === 1")
    assert guess in page.evaluate("heard")
    assert page.evaluate("asyncCourse.cards.guesses()") == [guess]
    page.get_by_role("button", name="Forget my answers").click()
    page.get_by_role("button", name="Forget them").click()
    assert page.evaluate("heard.at(-1)") == {**guess, "value": None}
    assert page.evaluate("asyncCourse.cards.guesses()") == []


def test_cards_that_a_notebook_shows_later_work_also_with_the_script_run_twice(
    device: Callable[..., Page], book: Path
) -> None:
    page = device("<div id='cell'></div>")
    page.evaluate(
        "html => { document.getElementById('cell').innerHTML = html; }",
        quiz("01/ping", book)._repr_html_(),
    )
    for script in SCRIPTS:
        page.evaluate(script.read_text(encoding="utf-8"))
    choose(page, "Never.")
    expect(replies(page, "ping")).to_have_count(1)


def test_a_reply_links_to_the_cell_of_its_claim_where_the_page_has_it(
    device: Callable[..., Page], book: Path
) -> None:
    here = quiz("01/ping", book)._repr_html_()
    page = device(f"{here}<p id='claim-ping-waits'>The experiment</p>")
    choose(page, "Never.")
    link = replies(page, "ping").get_by_role("link", name="Go to the experiment")
    expect(link).to_have_attribute("href", "#claim-ping-waits")
    elsewhere = device(here)
    choose(elsewhere, "Never.")
    expect(replies(elsewhere, "ping").get_by_role("link")).to_have_count(0)


def test_without_javascript_one_can_choose_type_and_read_all_replies(
    device: Callable[..., Page],
) -> None:
    page = device(java_script_enabled=False)
    ping, total = card(page, "ping"), card(page, "total")
    ping.get_by_label("Never.").check()
    expect(page.get_by_role("button")).to_have_count(0)
    expect(ping.get_by_text("It comes late.")).to_be_hidden()
    ping.locator("summary").click()
    expect(ping.get_by_text("It comes late.")).to_be_visible()
    expect(ping.get_by_text("the experiment agrees")).to_be_visible()
    total.get_by_role("textbox").fill("2")
    total.get_by_role("textbox").press("Enter")
    expect(total.get_by_role("textbox")).to_have_value("2")
    expect(page.get_by_text("Lesson 1 asks 2 questions.")).to_be_visible()


LIKE_JUPYTERLAB = """() => document.querySelectorAll("main *").forEach((one) => {
    for (const { name } of [...one.attributes]) {
        if (/^(data-|name$|role$|aria-|hidden$|tabindex$)/.test(name)) one.removeAttribute(name);
    }
    if (one.matches("input")) one.disabled = true;
})"""


def test_what_an_untrusted_notebook_shows_can_be_read_and_stops_nothing(
    device: Callable[..., Page], book: Path
) -> None:
    """JupyterLab strips the outputs of a notebook that it does not trust until a cell runs."""
    page = device(head="")
    page.evaluate(LIKE_JUPYTERLAB)
    expect(page.get_by_text("Run this cell: then you can answer here.")).to_have_count(3)
    expect(page.get_by_text("It waits.")).to_be_hidden()
    expect(page.get_by_text("Forget my answers")).to_be_hidden()
    expect(page.get_by_text("Lesson 1 asks 2 questions.")).to_be_visible()

    page.add_style_tag(path=STYLE)
    for script in SCRIPTS:
        page.add_script_tag(path=script)
    total = page.locator(".quiz").nth(1)
    expect(total.get_by_role("button")).to_have_count(0)
    expect(total.get_by_text("Run this cell: then you can answer here.")).to_be_visible()
    run_cell = "(html) => { document.querySelectorAll('.quiz')[0].outerHTML = html; }"
    page.evaluate(run_cell, quiz("01/ping", book)._repr_html_())
    choose(page, "Never.")
    expect(replies(page, "ping")).to_have_count(1)
    bar = "(html) => { document.querySelector('.quiz-progress').outerHTML = html; }"
    page.evaluate(bar, progress("01", book)._repr_html_())
    expect(page.get_by_text("1 of 2 questions answered.")).to_be_visible()


def test_one_broken_card_stops_no_other(device: Callable[..., Page], book: Path) -> None:
    whole = quiz("01/ping", book)._repr_html_()
    broken = quiz("01/total", book)._repr_html_().replace("quiz-replies", "quiz-gone")
    page = device(broken + whole)
    choose(page, "Never.")
    expect(replies(page, "ping")).to_have_count(1)


# --- What a reader types is text ----------------------------------------------------------

MARKUP = "<img src=x onerror=window.typed=1>"
ESCAPED = "<img src=data:, onerror=window.typed=1>"


def is_text(page: Page) -> None:
    """Nothing became an element, and nothing ran."""
    assert page.locator("main img").count() == 0
    assert page.evaluate("window.typed") is None


def test_a_typed_number_stays_text(device: Callable[..., Page]) -> None:
    page = device()
    for text in (MARKUP, f"2 {MARKUP}", f"2{ESCAPED}", f"<b>{MARKUP}</b>"):
        for name in ("total", "threads"):
            type_in(page, name, text)
            expect(card(page, name).locator(".quiz-message")).to_contain_text("<img")
            is_text(page)


def test_stored_answers_stay_text(device: Callable[..., Page]) -> None:
    page = device()
    for name in ("ping", "total"):
        for value in (MARKUP, 2):
            sure = {"sure": MARKUP} if value == 2 else {}
            kept_ = json.dumps({"tries": [{"value": value, "at": 1, **sure}]})
            key = f"async-course:quiz:1:01/{name}"
            page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, kept_])
            page.reload()
            is_text(page)
            expect(replies(page, name)).to_have_count(0)


def test_a_link_and_a_file_stay_text(device: Callable[..., Page]) -> None:
    page = device()
    put(page, "ping", ("cores", 1_800_000_000))
    pack = """(text) => {
      const packed = btoa(text).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
      let sum = 0x811c9dc5;
      for (const one of packed) sum = Math.imul(sum ^ one.charCodeAt(0), 0x01000193) >>> 0;
      return `#p=1.${packed}.${sum.toString(36)}`; }"""
    message = page.locator(".quiz-transfer .quiz-message")
    for text in (
        f"01/ping,{MARKUP}~sk2f3a~c",
        f"{MARKUP},0.1~sk2f3a~",
        f"01/ping,right~sk~{MARKUP}",
    ):
        page.goto(f"{ORIGIN}/{page.evaluate(pack, text)}")
        is_text(page)
    for hash_ in (f"#p={MARKUP}", f"#p=1.{MARKUP}.{MARKUP}"):
        page.goto(f"{ORIGIN}/{hash_}")
        expect(message).to_contain_text("Nothing was changed.")
        is_text(page)
    for content in (
        MARKUP,
        json.dumps({"schema": f"async-course/answers/{MARKUP}", "answers": {}}),
        json.dumps({"schema": "async-course/answers/1", "answers": {MARKUP: []}}),
        json.dumps(
            {
                "schema": "async-course/answers/1",
                "answers": {"01/ping": [{"value": MARKUP, "at": 1}]},
            }
        ),
    ):
        file = {"name": "a.json", "mimeType": "application/json", "buffer": content.encode()}
        page.get_by_label("Open a saved file").set_input_files(file)
        expect(message).to_contain_text("Nothing was changed.")
        is_text(page)
    assert kept(page, "ping") == ["cores"]


# --- Storage, progress, forgetting ---------------------------------------------------------


REFUSED = """Object.defineProperty(window, "localStorage", {
    get() { throw new Error("refused"); } });"""
FULL = """Storage.prototype.setItem = () => {
    throw new DOMException("full", "QuotaExceededError"); };"""


@pytest.mark.parametrize("trouble", [REFUSED, FULL], ids=["refused", "full"])
def test_where_nothing_can_be_stored_the_page_remembers_and_says_so(
    device: Callable[..., Page], trouble: str
) -> None:
    page = device(before=trouble)
    choose(page, "At once.")
    choose(page, "Never.")
    expect(replies(page, "ping")).to_have_count(3)
    expect(page.locator(".quiz-progress .quiz-count")).to_have_text(
        "1 of 2 questions answered. This browser keeps no answers: "
        "they are gone when you leave the page."
    )
    page.locator(".quiz-progress").get_by_role("button", name="Forget my answers").click()
    page.get_by_role("button", name="Forget them").click()
    expect(replies(page, "ping")).to_have_count(0)


def test_foreign_or_damaged_storage_counts_as_no_answer(device: Callable[..., Page]) -> None:
    page = device()
    key = "async-course:quiz:1:01/ping"

    def store(text: str) -> None:
        page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, text])
        page.reload()

    for text in ("{", "null", '{"tries": [{"value": -1, "at": 1}]}', '{"tries": "right"}'):
        store(text)
        expect(replies(page, "ping")).to_have_count(0)
    store('{"tries": [{"value": "gone", "at": 1}]}')
    expect(replies(page, "ping")).to_contain_text("an answer that this question no longer offers")


def test_progress_counts_this_lesson_and_forgetting_asks_first(device: Callable[..., Page]) -> None:
    page = device()
    bar = page.get_by_role("progressbar", name="Questions answered in lesson 1")
    expect(page.locator(".quiz-progress .quiz-count")).to_have_text("0 of 2 questions answered.")
    expect(page.get_by_role("button", name="Forget my answers")).to_be_hidden()
    choose(page, "Never.")
    type_in(page, "threads", "3")
    expect(page.locator(".quiz-progress .quiz-count")).to_have_text("1 of 2 questions answered.")
    assert bar.evaluate("bar => bar.value") == 1

    page.get_by_role("button", name="Forget my answers").click()
    page.get_by_role("button", name="Keep them").click()
    assert kept(page, "ping") == ["cores"]
    page.get_by_role("button", name="Forget my answers").click()
    page.get_by_role("button", name="Forget them").click()
    expect(replies(page, "ping")).to_have_count(0)
    expect(card(page, "ping").get_by_label("Never.")).not_to_be_checked()
    expect(page.locator(".quiz-progress")).to_be_focused()
    assert kept(page, "ping") == []
    assert kept(page, "threads") == [3]

    page.get_by_role("button", name="Forget all my answers").click()
    page.get_by_role("button", name="Forget them").click()
    assert kept(page, "threads") == []


def test_two_tabs_show_the_same_answers(device: Callable[..., Page]) -> None:
    page = device()
    other = page.context.new_page()
    other.goto(f"{ORIGIN}/")
    choose(page, "Never.")
    expect(replies(other, "ping")).to_contain_text("It comes late.")


# --- From the phone to the laptop ----------------------------------------------------------


def put(page: Page, name: str, *tries: tuple[object, int]) -> None:
    """Answers as of an earlier day."""
    text = json.dumps({"tries": [{"value": value, "at": at} for value, at in tries]})
    key = f"async-course:quiz:1:01/{name}"
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, text])
    page.reload()


def link_of(page: Page) -> str:
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator(".quiz-transfer .quiz-message")).to_contain_text("on the other device")
    return page.get_by_label("The link").input_value()


def test_a_link_carries_answers_and_the_earlier_answer_stays_the_first(
    device: Callable[..., Page],
) -> None:
    phone, laptop = device(width=390), device()
    put(phone, "ping", ("loop-interrupts", 1_800_000_000), ("right", 1_800_000_100))
    put(phone, "total", (0.1, 1_800_000_200))
    put(laptop, "total", (2, 1_800_000_300))
    link = link_of(phone)
    assert link.startswith(f"{ORIGIN}/#p=1.")
    assert len(link) < 200

    laptop.goto(link)
    question = laptop.get_by_role("group", name="Add these answers?")
    expect(question).to_be_focused()
    expect(question).to_contain_text("This link holds 2 answers, 1 of them new here.")
    assert kept(laptop, "ping") == []
    assert "#" not in laptop.url
    laptop.get_by_role("button", name="Change nothing").click()
    assert (kept(laptop, "ping"), kept(laptop, "total")) == ([], [2])

    laptop.goto(link)
    laptop.get_by_role("button", name="Add them to mine").click()
    expect(laptop.locator(".quiz-transfer .quiz-message")).to_have_text("2 answers added.")
    expect(replies(laptop, "ping")).to_have_count(2)
    assert kept(laptop, "ping") == ["loop-interrupts", "right"]
    assert kept(laptop, "total") == [0.1, 2]
    assert laptop.evaluate("asyncCourse.cards.guesses()[0].value") == 0.1

    phone.goto(link_of(laptop))
    phone.get_by_role("button", name="Add them to mine").click()
    assert kept(phone, "total") == [0.1, 2]
    assert link_of(phone) == link_of(laptop)


def test_a_bad_link_says_so_and_changes_nothing(device: Callable[..., Page]) -> None:
    page = device()
    put(page, "ping", ("cores", 1_800_000_000))
    link = link_of(page)
    head, packed, sum_ = link.split(".")[-3:]
    bad = {
        "cut off": link[:-9],
        "one letter": f"{ORIGIN}/#p=1.{packed.swapcase()}.{sum_}",
        "no answers": f"{ORIGIN}/#p=1.",
        "not base64": page.evaluate("`${location.origin}/#p=1.%%%.7`"),
        "longer": link + ".x",
        "nonsense": f"{ORIGIN}/#p=hello",
    }
    assert head.endswith("#p=1")
    for name, address in bad.items():
        page.goto(address)
        message = page.locator(".quiz-transfer .quiz-message")
        expect(message, name).to_have_text(
            "This link is damaged or cut off. Copy it again. Nothing was changed."
        )
        expect(page.get_by_role("group", name="Add these answers?")).to_be_hidden()
        assert kept(page, "ping") == ["cores"]
    page.goto(f"{ORIGIN}/#p=2.{packed}.{sum_}")
    expect(message).to_contain_text("another version of the course. Nothing was changed.")


def test_answers_travel_as_a_file_and_a_bad_file_changes_nothing(
    device: Callable[..., Page],
) -> None:
    phone, laptop = device(), device()
    put(phone, "ping", ("cores", 1_800_000_000))
    with phone.expect_download() as saved:
        phone.get_by_role("button", name="Save my answers").click()
    assert saved.value.suggested_filename == "my-answers.json"
    text = saved.value.path().read_text(encoding="utf-8")

    def upload(content: str) -> None:
        file = {"name": "a.json", "mimeType": "application/json", "buffer": content.encode()}
        laptop.get_by_label("Open a saved file").set_input_files(file)

    put(laptop, "total", (2, 1_800_000_300))
    message = laptop.locator(".quiz-transfer .quiz-message")
    for content, words in {
        "{": "This file holds no answers of this course.",
        "[]": "This file holds no answers of this course.",
        text.replace("answers/1", "answers/2"): "This file comes from another version",
        text.replace("180", "-180"): "This file is damaged.",
        text.replace("01/ping", "<b>"): "This file is damaged.",
    }.items():
        upload(content)
        expect(message).to_contain_text(words)
        expect(message).to_contain_text("Nothing was changed.")
    assert kept(laptop, "ping") == []
    upload(text)
    laptop.get_by_role("button", name="Add them to mine").click()
    expect(replies(laptop, "ping")).to_contain_text("It comes late.")
    assert kept(laptop, "total") == [2]


# --- For every reader ----------------------------------------------------------------------


def whole_lesson() -> str:
    refs = [item.ref for item in load_lessons()["01"].items]  # all kinds of card are among them
    cards = [quiz(ref)._repr_html_() for ref in refs]
    ends = [recall("01", lambda claim: f"#{claim}"), Transfer()._repr_html_()]
    return "\n".join([progress("01")._repr_html_(), *cards, *ends])


ANSWER_ALL_BUT_THE_LAST = """() => {
    const questions = [...document.querySelectorAll(".quiz")].slice(0, -1);
    for (const question of questions) {
        const number = question.querySelector(".quiz-number input");
        const radio = question.querySelector(".quiz-ask input[type=radio]");
        if (number) {
            number.value = "7";
            number.dispatchEvent(new Event("input", {bubbles: true}));
        }
        if (radio) radio.click();
        question.querySelector("button").click();
    }
}"""


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}" for one in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_lesson_1_is_accessible_in_every_state(
    device: Callable[..., Page], theme: str, width: int
) -> None:
    page = device(whole_lesson(), theme=theme, width=width)
    page.evaluate(ANSWER_ALL_BUT_THE_LAST)
    page.locator(".quiz-progress [data-do=forget]").click()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.locator(".quiz-reply").count() >= page.locator(".quiz").count() - 1
    assert violations(page) == []
    wide = page.evaluate(
        """() => [...document.body.querySelectorAll("*")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth)
        .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, .quiz-option, .quiz-number input")]
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
        .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_in_forced_colours_the_choice_is_still_seen(device: Callable[..., Page]) -> None:
    page = device(forced_colors="active")
    option = card(page, "ping").locator(".quiz-option").first
    assert option.evaluate("one => getComputedStyle(one).outlineStyle") == "none"
    option.locator("input").check()
    page.mouse.click(5, 5)
    assert option.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_jupyterlab_leaves_the_keys_to_every_control(device: Callable[..., Page]) -> None:
    page = device()
    open_to_lab = page.evaluate(
        """() => [...document.querySelectorAll("input, button, summary")]
        .filter((one) => !one.hasAttribute("data-lm-suppress-shortcuts"))
        .map((one) => one.outerHTML)"""
    )
    assert open_to_lab == []


def test_enter_commits_also_where_the_page_takes_it_away(device: Callable[..., Page]) -> None:
    page = device(
        before="""addEventListener("keydown", (event) => {
            if (event.key === "Enter") event.preventDefault(); });"""
    )
    card(page, "total").get_by_role("textbox").fill("0,1")
    card(page, "total").get_by_role("textbox").press("Enter")
    expect(replies(page, "total")).to_have_count(1)


def test_the_setup_cell_alone_makes_a_notebook_s_cards_work(
    device: Callable[..., Page], book: Path
) -> None:
    page = device(quiz("01/ping", book)._repr_html_(), head=quiz_setup()._repr_html_())
    choose(page, "Never.")
    expect(replies(page, "ping")).to_have_count(1)
