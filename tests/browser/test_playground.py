"""The playground: a PostgreSQL in the page answers as the course's own does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from bench.course import EVIDENCE
from known_messages import KNOWN, as_bytes

RECORDED = json.loads((EVIDENCE / "playground" / "recorded.json").read_text("utf-8"))
PAGE = "book/playground.html"
A_MINUTE = 60_000  # milliseconds; PostgreSQL needs two seconds to start, on a quiet machine
SHOWN = (
    """box => [...box.querySelectorAll("table, .pg-call, .pg-answers")].map((n) => n.innerText)"""
)


@pytest.fixture(scope="module")
def requested() -> list[str]:
    """What the page of this file has asked for so far."""
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, address: str, requested: list[str]) -> Iterator[Page]:
    """One page for all tests of this file: PostgreSQL is loaded once."""
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        opened = context.new_page()
        opened.on("request", lambda request: requested.append(request.url))
        opened.goto(f"{address}{PAGE}")
        assert not any("pglite" in url for url in requested)
        yield opened


def box_of(page: Page, name: str) -> Locator:
    return page.locator(f".playground[data-name='{name}']")


def done(box: Locator) -> str:
    """Wait until the box has ended its work; what it says then."""
    expect(box.get_by_role("button", name="Stop")).to_be_hidden(timeout=A_MINUTE)
    return box.locator(".pg-status").inner_text()


def run(box: Locator, text: str | None = None) -> str:
    if text is not None:
        box.locator("textarea").fill(text)
    box.locator(".pg-bar button").first.click()
    return done(box)


def live(box: Locator) -> str:
    return box.locator(".pg-live").inner_text()


# -- The same answers ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*RECORDED["statements"], *RECORDED["conversations"]])
def test_the_page_answers_what_was_recorded(page: Page, name: str) -> None:
    """Rows, tags, SQLSTATEs, positions, notices, messages: word for word."""
    box = box_of(page, name)
    assert run(box) == "Done, in your browser, not on a server."
    box.locator(".pg-recorded > summary").click()
    answered, recorded = (
        part.evaluate(SHOWN) for part in (box.locator(".pg-live"), box.locator(".pg-recorded"))
    )
    assert answered == recorded
    assert len("".join(recorded)) > 100


def test_all_of_it_comes_from_the_book_s_own_server(
    page: Page, requested: list[str], address: str
) -> None:
    run(box_of(page, "money"))
    assert any("pglite.wasm" in url for url in requested)
    assert [url for url in requested if not url.startswith((address, "data:"))] == []


def test_no_answer_is_wider_than_a_phone(page: Page) -> None:
    assert page.locator(".pg-live table").count() > 5
    assert page.evaluate("document.documentElement.scrollWidth") == 390


# -- The protocol ----------------------------------------------------------------------------------


def module(page: Page, name: str, then: str, *given: object) -> object:
    """Evaluate `then` with the module `m` and `given` of a script of the page."""
    script = f"""async (given) => {{
      const src = document.querySelector("script[src*='playground.js']").src;
      const m = await import(new URL("{name}", src));
      return ({then});
    }}"""
    return page.evaluate(script, list(given))


TOLD = """given.map(([way, bytes]) => {
  const names = way === "sent" ? m.SENT : m.RECEIVED;
  const heard = m.messages(Uint8Array.from(bytes), names);
  return heard.map((one) => ({
    letter: one.letter, name: one.name, says: m.meaning(one), bytes: m.hex(one.bytes),
  }));
})"""


def test_known_messages_are_told_as_lesson_7_tells_them(page: Page) -> None:
    known = [[way, list(as_bytes(letter, digits))] for way, letter, digits, _, _ in KNOWN]
    told = module(page, "pg-messages.mjs", TOLD, *known)
    assert [[(one["name"], one["says"]) for one in heard] for heard in told] == [
        [(name, says)] for *_, name, says in KNOWN
    ]


def test_every_recorded_message_is_told_alike(page: Page) -> None:
    calls = [call for calls in RECORDED["conversations"].values() for call in calls]
    heard = [
        (way, lines) for call in calls for trip in call["trips"] for way, lines in trip.items()
    ]
    given = [
        [way, list(bytes.fromhex(" ".join(one["bytes"] for one in lines)))] for way, lines in heard
    ]
    assert len(heard) > 15
    assert module(page, "pg-messages.mjs", TOLD, *given) == [lines for _, lines in heard]


def test_the_page_makes_the_very_bytes_of_asyncpg(page: Page) -> None:
    first, again = RECORDED["conversations"]["first-and-again"]
    sent = [[one["bytes"] for one in trip["sent"]] for trip in first["trips"] + again["trips"]]
    name, sql = first["trips"][0]["sent"][0]["says"].split(": ")
    made = """[
      [m.parse(given[0], given[1]), m.describe("S", given[0]), m.flush()],
      ...[3, 4].map((id) => [
        m.bind(given[0], [{ bytes: m.asInt4(id), binary: true }], 1), m.execute(1), m.sync(),
      ]),
    ].map((trip) => trip.map(m.hex))"""
    assert module(page, "pg-messages.mjs", made, name, sql) == sent


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("select 1; select 2", [["select 1", []], ["select 2", []]]),
        ("select ';' ;\n\n-- no; more\n;", [["select ';'", []]]),
        ("select 'it''s;', \"a;b\"; x", [["select 'it''s;', \"a;b\"", []], ["x", []]]),
        ("do $$ a; b $$; do $f$ ; $$ ; $f$", [["do $$ a; b $$", []], ["do $f$ ; $$ ; $f$", []]]),
        ("/* ; */ select 1 - 2 / 3", [["/* ; */ select 1 - 2 / 3", []]]),
        ("-- $1 = [1, 2]\n-- $2 = null\nselect $1, $2;", [["select $1, $2", [[1, 2], None]]]),
        (r"select E'it\'s; one'; x", [[r"select E'it\'s; one'", []], ["x", []]]),
        ("do $q1$ a; b $q1$; x", [["do $q1$ a; b $q1$", []], ["x", []]]),
        ("select 'left open; ", [["select 'left open;", []]]),
        ("", []),
    ],
)
def test_a_text_is_cut_into_statements(page: Page, text: str, statements: list) -> None:
    cut = "m.statementsOf(given[0]).map(({ sql, values }) => [sql, values])"
    assert module(page, "pg-statements.mjs", cut, text) == statements


def test_a_value_becomes_what_postgresql_reads(page: Page) -> None:
    texts = "given.map((one) => m.textOf(m.asText(one)))"
    given = [3, "two", None, [1, None], ['a"b', "c,d", "e\\f"], True]
    wanted = ["3", "two", None, "{1,NULL}", '{"a\\"b","c,d","e\\\\f"}', "true"]
    assert module(page, "pg-messages.mjs", texts, *given) == wanted


# -- What a reader does ----------------------------------------------------------------------------


def test_a_prediction_is_compared(page: Page) -> None:
    box = box_of(page, "money")
    box.get_by_text("float8 alone").click()
    run(box)
    expect(box.locator(".pg-said")).to_have_text("You said “float8 alone”. It is “numeric alone”.")


def test_own_sql_goes_on_and_stays_text(page: Page) -> None:
    box = box_of(page, "own-sql")
    run(box, "rollback; begin; select '<img src=x onerror=window.typed=1>' as picture;")
    assert "<img src=x onerror=window.typed=1>" in live(box)
    assert page.evaluate("window.typed") is None
    box.locator("textarea").fill("select 7 as seven")
    box.locator("textarea").press("Control+Enter")
    done(box)
    assert "SELECT 1 · in a transaction" in live(box)
    run(box, "select n from generate_series(1, 1000) as n")
    assert "The first 200 of 1000 rows" in live(box)
    assert "There is no statement" in run(box, " ")
    assert "is not JSON" in run(box, "-- $1 = one\nselect $1")
    run(box, "rollback; set statement_timeout = 1; select pg_sleep(0.01)")
    assert "ERROR" not in live(box)  # the page says that it is ignored here


def test_own_messages_are_counted(page: Page) -> None:
    run(box_of(page, "money"))  # a fresh kitchen book: nothing is prepared
    box = box_of(page, "own-messages")
    trips = box.locator(".pg-live table")
    box.get_by_text("as asyncpg from then on").click()
    run(box)
    assert '26000: prepared statement "yours_1" does not exist' in live(box)
    box.get_by_text("as asyncpg the first time").click()
    run(box)
    assert trips.count() == 2
    box.get_by_text("as asyncpg from then on").click()
    run(box)
    assert trips.count() == 1
    assert "'Lentil stew'" in live(box)
    run(box, "select 7")  # another text: what is prepared is not its statement
    assert '26000: prepared statement "yours_2" does not exist' in live(box)
    box.get_by_text("as asyncpg the first time").click()
    run(box, "-- $1 = 3000000000\nselect name from dishes where id = $1")
    assert "out of range for type integer" in live(box)
    box.get_by_text("as a text").click()
    assert "carries no values" in run(box)


def test_the_tab_key_leaves_the_editor(page: Page) -> None:
    editor = box_of(page, "money").locator("textarea")
    editor.focus()
    page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()


def test_a_query_is_stopped_and_the_page_goes_on(page: Page) -> None:
    box = box_of(page, "own-sql")
    box.locator("textarea").fill("select 1; select pg_sleep(600)")
    box.locator(".pg-bar button").first.click()
    expect(box.locator(".pg-answers li")).to_have_count(1)
    [worker] = page.workers
    assert page.evaluate("new Promise((go) => setTimeout(() => go(7), 10))") == 7
    with worker.expect_event("close"):
        box.get_by_role("button", name="Stop").click()
    assert "fresh database" in done(box)


# -- Other browsers --------------------------------------------------------------------------------


def test_a_reader_who_saves_data_is_asked_first(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(
            "Object.defineProperty(navigator, 'connection', {value: {saveData: true}})"
        )
        loaded = []
        page.on("request", lambda request: loaded.append(request.url))
        page.goto(f"{address}{PAGE}")
        assert "Press again" in run(box_of(page, "money"))
        assert not any("pglite" in url for url in loaded)


def test_files_that_do_not_come_are_told_and_loading_can_be_stopped(
    browser: Browser, address: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/pglite.data.gz", lambda route: route.fulfill(status=404))
        page.goto(f"{address}{PAGE}")
        box = box_of(page, "money")
        assert "pglite.data is missing (404)" in run(box)
        page.unroute("**/pglite.data.gz")
        box.locator(".pg-bar button").first.click()
        box.get_by_role("button", name="Stop").click()
        assert "fresh database" in done(box)


def test_without_support_a_sentence_says_why(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script("delete window.DecompressionStream")
        page.goto(f"{address}{PAGE}")
        expect(page.locator(".pg-hindrance")).to_contain_text("it has no DecompressionStream")
        assert page.locator(".pg-bar").count() == 0
        box = box_of(page, "money")
        box.locator(".pg-recorded > summary").click()
        expect(box.locator(".pg-answers")).to_be_visible()
