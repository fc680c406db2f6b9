"""The page's side of live cells: buttons, editor, words. A worker that only pretends answers.

`test_live_engine.py` runs Python itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bench.traces.recordings import page_html
from bench.traces.timelines import timeline
from browsers import AXE
from live_book import live_book
from live_page import ADDRESS, STUCK, LiveCell, answer_with, cell, written_page
from small_traces import trace_of
from strict_serving import served

TWO = (cell("print one", "one, recorded"), cell("print two", "two, recorded"))
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
SAVES_DATA = "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page with these cells; at the end nothing may stand in its console as an error."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        *cells: str, width: int = 1280, theme: str = "light", before: str = "", loading: str = ""
    ) -> Page:
        phone = width < 600
        context = browser.new_context(
            viewport={"width": width, "height": 844}, has_touch=phone, reduced_motion="reduce"
        )
        contexts.append(context)
        answer_with(context, written_page(*cells, theme=theme), loading)
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.goto(ADDRESS)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


# --- Running --------------------------------------------------------------------------------


def test_nothing_is_loaded_before_the_first_run(browser: Browser) -> None:
    context = browser.new_context()
    asked = answer_with(context, written_page(*TWO))
    page = context.new_page()
    page.goto(ADDRESS)
    expect(page.locator(".live-about")).to_be_visible()
    assert "/_static/live/live-worker.mjs" not in asked()
    LiveCell(page, 1).run()
    LiveCell(page, 1).expect("done")
    assert "/_static/live/live-worker.mjs" in asked()
    context.close()


def test_live_cells_above_run_first_and_once(opened: Callable[..., Page]) -> None:
    page = opened(*TWO, cell("print three"))
    first, second, third = (LiveCell(page, number) for number in (1, 2, 3))
    second.run()
    second.expect("done")
    expect(first.output).to_have_text("one")
    expect(second.output).to_have_text("two")
    expect(second.status).to_have_text("Done in 0.21 s, in your browser.")
    expect(third.output).to_be_hidden()
    first.output.evaluate("box => box.append('kept')")
    third.run()
    third.expect("done")
    expect(first.output).to_contain_text("kept")  # it did not run again
    expect(page.locator(".live-about")).to_contain_text(
        "in your browser, not on a server, with Python 3.14.2"
    )
    expect(page.locator(".live-about")).to_contain_text("recorded by the book’s own Python, 3.11.7")


def test_a_changed_cell_and_those_below_it_run_again(opened: Callable[..., Page]) -> None:
    page = opened(*TWO, cell("print three"))
    first, second, third = (LiveCell(page, number) for number in (1, 2, 3))
    third.run()
    third.expect("done")
    first.code.fill("print uno")
    expect(first.status).to_contain_text("Changed.")
    expect(third.status).to_contain_text("A cell above has changed")
    second.run()
    second.expect("done")
    expect(first.output).to_have_text("uno")
    expect(third.status).to_contain_text("A cell above has changed")


def test_an_error_ends_the_row_and_opens_the_code(opened: Callable[..., Page]) -> None:
    page = opened(cell("fail", "recorded", fold=True), cell("print two"))
    first, second = LiveCell(page, 1), LiveCell(page, 2)
    fold = first.element.locator("details")
    second.run()
    first.expect("failed")
    expect(first.output).to_contain_text("NameError: ham")
    expect(fold).to_have_attribute("open", "")
    expect(fold.locator("summary")).to_have_text("Code, yours to change: 1 lines")
    expect(second.status).to_have_text("Not run: live cell 1 above it ended in an error.")
    expect(second.output).to_be_hidden()


def test_stop_ends_what_never_ends_and_says_what_is_gone(opened: Callable[..., Page]) -> None:
    page = opened(cell("print one"), cell("print before\nforever"))
    first, second = LiveCell(page, 1), LiveCell(page, 2)
    second.run()
    expect(second.output).to_have_text("before")
    [endless] = page.workers
    with endless.expect_event("close"):  # a browser may let it spin for two seconds
        second.button("Stop").click()
    second.expect("stopped")
    expect(second.status).to_contain_text("What the cells had made is gone")
    expect(second.button("Run")).to_be_focused()  # the pressed button is no longer there
    second.code.fill("print after")
    first.output.evaluate("box => box.replaceChildren()")
    second.run()
    second.expect("done")
    expect(first.output).to_have_text("one")  # it ran again
    expect(second.output).to_have_text("after")


def test_a_cell_that_prints_without_end_is_stopped(opened: Callable[..., Page]) -> None:
    only = LiveCell(opened(cell("flood")), 1)
    only.run()
    only.expect("stopped")
    expect(only.status).to_contain_text("it printed without end")
    expect(only.output).to_contain_text("the page shows the first 20,000 characters")


def test_what_was_recorded_can_be_seen_beside_the_run(opened: Callable[..., Page]) -> None:
    only = LiveCell(opened(cell("print one", "one, recorded")), 1)
    expect(only.recorded).to_be_visible()
    only.run()
    only.expect("done")
    expect(only.recorded).to_be_hidden()
    recorded = only.button("Recorded")
    recorded.click()
    expect(recorded).to_have_attribute("aria-expanded", "true")
    expect(only.recorded).to_be_visible()
    expect(only.output).to_be_visible()


def test_figures_get_ids_of_their_own_and_run_nothing(opened: Callable[..., Page]) -> None:
    drawn = (
        "<svg id='a'><pattern id='b'></pattern><rect fill='url(#b)'></rect><use href='#a'></use>"
        "</svg><p aria-labelledby='a b'>x</p><script>window.hit = 1</script>"
    )
    page = opened(f"{cell(f'show {drawn}')}<svg id='a'></svg>")
    only = LiveCell(page, 1)
    only.run()
    only.expect("done")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(({id}) => id)")
    assert len(ids) == len(set(ids))
    svg = only.output.locator("svg")
    own = svg.get_attribute("id")
    assert own
    assert own.endswith("-a")
    assert own != "a"
    assert svg.locator("rect").get_attribute("fill") == f"url(#{own[:-1]}b)"
    assert svg.locator("use").get_attribute("href") == f"#{own}"
    assert only.output.locator("p").get_attribute("aria-labelledby") == f"{own} {own[:-1]}b"
    assert page.evaluate("window.hit") is None


AXES = {"plot": [0, 0, 90, 30], "guess": "x"} | {
    "x": {"scale": "linear", "at": [[0, 0], [90, 2]]},
    "y": {"scale": "linear", "at": [[30, 0], [0, 1]]},
}
CHART = (
    f"<figure data-axes='{json.dumps(AXES)}' data-guess='01/one-word'>"
    "<svg viewBox='0 0 90 30' role='img' aria-label='a chart'></svg></figure>"
)
GUESSED = """(window.asyncCourse ??= {}).cards = {
  guesses: () => [{ id: "01/one-word", value: 1.5, unit: "s" }] };"""


def test_figures_come_alive_with_the_reader_s_guess(opened: Callable[..., Page]) -> None:
    """A timeline plays, and both kinds of figure get the guess that was made before the run."""
    played = page_html("01-async-def", "one", {"guess": "01/one-word"})
    show = f"show {played}".replace("\n", " ")
    drawn = timeline(trace_of([[("running", 0.0, 2.0)]]), guess_from="01/one-word")._repr_html_()
    own = f"show {drawn}".replace("\n", " ")
    page = opened(cell(f"{show}\nshow {CHART}\n{own}"), before=GUESSED)
    only = LiveCell(page, 1)
    only.run()
    only.expect("done")
    expect(only.output.locator("async-timeline")).to_contain_text("your guess 1.5 s")
    expect(only.output.locator("figure[data-axes] svg")).to_have_text("your guess 1.5 s")
    line = only.output.locator(".timeline-figure line.timeline-guess")
    assert line.get_attribute("x1") == "75%"
    expect(only.output.locator(".timeline-figure .timeline-svg")).to_contain_text(
        "your guess 1.5 s"
    )
    only.output.get_by_role("button", name="Step back").click()
    expect(only.output.locator(".timeline-now")).not_to_be_empty()


# --- The editor -----------------------------------------------------------------------------


def test_an_edit_survives_until_reset(opened: Callable[..., Page]) -> None:
    page = opened(*TWO)
    first = LiveCell(page, 1)
    first.code.fill("print mine")
    page.reload()
    expect(first.code).to_have_value("print mine")
    expect(first.status).to_contain_text("This is your version of the code")
    first.run()
    first.expect("done")
    expect(first.output).to_have_text("mine")
    first.button("Reset").click()
    expect(first.code).to_have_value("print one")
    expect(first.output).to_be_hidden()
    expect(first.recorded).to_be_visible()
    expect(first.button("Reset")).to_be_hidden()
    page.reload()
    expect(first.code).to_have_value("print one")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_it_is_used_by_keys_alone(opened: Callable[..., Page]) -> None:
    page = opened(cell("print one", "one"))
    only = LiveCell(page, 1)
    before = only.button("Run").bounding_box()
    page.keyboard.press("Tab")
    expect(only.code).to_be_focused()
    expect(page.locator(".live-keys")).to_be_visible()
    assert only.button("Run").bounding_box() == before  # a click lands where it was aimed
    page.keyboard.press("Tab")
    expect(only.button("Run")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+End")
    page.keyboard.type(" more")
    page.keyboard.press("Shift+Enter")
    only.expect("done")
    expect(only.output).to_have_text("one more")
    expect(only.code).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("if x:  # why\nprint two")
    expect(only.code).to_have_value("if x:  # why\n    print two")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Enter")
    only.expect("done")
    page.keyboard.press("Escape")
    expect(only.button("Run")).to_be_focused()


CODE = '''@app.get("/order")
async def order(n: int = 2) -> str:  # the "kitchen"
    text = f"it's {n!r} of 1_000" + 'x' + """a
    b"""
    return text if n in (1, 2.5e3) and not None else repr(n)
größe = "unclosed
'''


def test_typed_code_is_coloured_and_stays_what_it_is(opened: Callable[..., Page]) -> None:
    page = opened(cell("print one"))
    only = LiveCell(page, 1)
    only.code.fill(CODE)
    printed = only.element.locator("pre").first
    assert printed.text_content() == f"{CODE}\n"
    parts = printed.locator("span").evaluate_all(
        "all => all.map((p) => [p.className, p.innerText])"
    )
    for part in (
        ["nd", "@app.get"],
        ["nf", "order"],
        ["c1", '# the "kitchen"'],
        ["s2", 'f"it\'s {n!r} of 1_000"'],
        ["s2", '"""a\n    b"""'],
        ["mi", "2.5e3"],
        ["ow", "in"],
        ["k", "async"],
        ["nb", "repr"],
        ["n", "größe"],
        ["s2", '"unclosed'],
    ):
        assert part in parts


SAME_LINES = """area => {
  const [seen, own] = [area.previousElementSibling, area].map((one) => getComputedStyle(one));
  const same = ["fontFamily", "fontSize", "lineHeight", "letterSpacing", "paddingLeft",
    "paddingTop", "whiteSpace", "overflowWrap", "wordBreak", "tabSize", "width"];
  return [same.filter((name) => seen[name] !== own[name]), area.scrollHeight - area.clientHeight,
    area.scrollWidth - area.clientWidth];
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_letters_and_cursor_stand_in_one_place(opened: Callable[..., Page], width: int) -> None:
    page = opened(cell("print one"), width=width)
    only = LiveCell(page, 1)
    only.code.fill("print " + "long " * 40 + "\n\n" + "x" * 200 + "\n")
    assert only.code.evaluate(SAME_LINES) == [[], 0, 0]
    assert page.evaluate(OVERFLOW) <= 0


# --- Loading --------------------------------------------------------------------------------


def test_loading_says_the_size_in_words_and_can_be_stopped(opened: Callable[..., Page]) -> None:
    page = opened(*TWO, loading=STUCK)
    second = LiveCell(page, 2)
    second.run()
    second.expect("loading")
    expect(second.status).to_have_text("Loading Python for your browser, 9 MB, once …")
    expect(second.element.locator(".live-progress")).to_have_text("3.4 of 9.1 MB")
    second.button("Stop").click()
    second.expect("idle")
    expect(second.status).to_have_text("Stopped. Nothing has run.")
    expect(second.recorded).to_be_visible()


def test_a_download_that_fails_says_what_to_do_and_can_be_tried_again(browser: Browser) -> None:
    context = browser.new_context()
    answer_with(context, written_page(*TWO))
    page = context.new_page()
    page.goto(ADDRESS)
    first = LiveCell(page, 1)
    context.route("**/live-worker.mjs", lambda route: route.abort())
    first.run()
    first.expect("failed")
    expect(first.status).to_contain_text("Python did not arrive")
    expect(first.element.locator(".live-note")).to_contain_text("press Run again")
    expect(first.element.locator(".live-note")).to_contain_text("networks hold back files")
    expect(first.recorded).to_be_visible()
    context.unroute("**/live-worker.mjs")
    first.run()
    first.expect("done")
    expect(first.element.locator(".live-note")).to_be_empty()
    context.close()


def test_a_file_that_is_missing_is_named(opened: Callable[..., Page]) -> None:
    page = opened(*TWO, loading="return say({ type: 'fatal', text: 'site.zip is missing (404)' });")
    first = LiveCell(page, 1)
    first.run()
    first.expect("failed")
    expect(first.status).to_contain_text("Python did not arrive (site.zip is missing (404)).")


def test_who_saves_data_is_asked_first(opened: Callable[..., Page]) -> None:
    page = opened(*TWO, before=SAVES_DATA)
    first, second = LiveCell(page, 1), LiveCell(page, 2)
    first.run()
    question = page.get_by_role("group", name="Your browser saves data.")
    expect(question).to_be_focused()
    expect(question).to_contain_text("9 MB, once")
    page.get_by_role("button", name="Not now").click()
    expect(first.button("Run")).to_be_focused()
    first.expect("idle")
    first.run()
    page.get_by_role("button", name="Load 9 MB and run").click()
    first.expect("done")
    second.run()
    second.expect("done")  # asked once


# --- Where it cannot run --------------------------------------------------------------------


def test_without_support_one_sentence_says_why(opened: Callable[..., Page]) -> None:
    page = opened(*TWO, before="delete window.DecompressionStream")
    expect(page.locator(".live-refusal")).to_contain_text("since it has no DecompressionStream")
    expect(page.locator(".live-refusal")).to_have_count(1)
    expect(page.locator("button, textarea")).to_have_count(0)
    expect(page.get_by_text("two, recorded")).to_be_visible()
    missing = "page => asyncCourse.liveWords.missing({Worker, WebAssembly, ...page})"
    assert "opened as a file" in page.evaluate(missing, {"location": {"protocol": "file:"}})
    bare = {"location": {"protocol": "https:"}, "Worker": None, "DecompressionStream": 1}
    assert "since it has no Worker:" in page.evaluate(missing, bare)


def test_without_jspi_cells_that_need_it_say_so(opened: Callable[..., Page]) -> None:
    needs = "tag_needs-jspi"
    page = opened(
        cell("print a", "a", needs), cell("print b", "b", needs), cell("print c"),
        before="delete WebAssembly.Suspending",
    )  # fmt: skip
    expect(page.locator(".live-refusal")).to_have_count(2)
    expect(page.locator(".live-refusal").first).to_contain_text("this browser lacks JSPI")
    third = LiveCell(page, 1)  # the one that can run
    third.run()
    third.expect("done")
    expect(third.output).to_have_text("c")


def test_without_javascript_the_page_is_as_before(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    answer_with(context, written_page(*TWO))
    page = context.new_page()
    page.goto(ADDRESS)
    expect(page.get_by_text("one, recorded")).to_be_visible()
    expect(page.locator("button, textarea, .live-about")).to_have_count(0)
    context.close()


# --- For everybody --------------------------------------------------------------------------

SMALL = """() => [...document.querySelectorAll("main button, main summary")]
  .map((one) => [one.getBoundingClientRect(), one.innerText])
  .filter(([box]) => box.height && (box.height < 44 || box.width < 44)).map(([, words]) => words)"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_state_is_accessible_on_a_phone(opened: Callable[..., Page], theme: str) -> None:
    page = opened(
        cell("print one\nshow <b>bold</b>", "one", fold=True),
        cell("fail", "two"),
        cell("forever", "three"),
        width=390, theme=theme,
    )  # fmt: skip
    first, second, third = (LiveCell(page, number) for number in (1, 2, 3))
    second.run()
    second.expect("failed")
    first.button("Recorded").click()
    second.code.fill("print fine")
    third.run()
    third.expect("running")
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found] == []
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(SMALL) == []


def test_paper_has_the_code_and_no_buttons(opened: Callable[..., Page]) -> None:
    page = opened(*TWO)
    page.emulate_media(media="print")
    expect(page.locator(".live-bar").first).to_be_hidden()
    expect(page.locator("textarea").first).to_be_hidden()
    expect(page.locator(".cell_input pre").first).to_be_visible()


# --- With Python itself -----------------------------------------------------------------------


def test_python_runs_is_stopped_and_begins_afresh(browser: Browser, tmp_path: Path) -> None:
    book = live_book(tmp_path, "import asyncio\nguests = 20\nguests", "while guests:\n    pass")
    page = browser.new_page()
    with served(book) as address:
        page.goto(f"{address}index.html")
        first, second = LiveCell(page, 1), LiveCell(page, 2)
        second.run()
        expect(first.output).to_have_text("20", timeout=60_000)
        second.expect("running")
        second.button("Stop").click()
        second.expect("stopped")
        second.code.fill("await asyncio.sleep(0)\nprint(guests + ham)")
        second.run()
        expect(second.output).to_contain_text("NameError: name 'ham'", timeout=60_000)
        expect(second.output).to_contain_text("line 2")
    page.close()
