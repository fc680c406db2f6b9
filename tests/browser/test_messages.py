"""The words on somebody's screen, typed into the book's search: the message's entry comes first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from browsers import AXE
from building import built_book

ENTRIES = r'<script type="application/json" id="message-entries">(.*?)</script>'
FIRST = """query => {
  const found = Search._performSearch(...Search._parseQuery(query)).at(-1);
  return found && found[0] === "book/messages" ? found[2].slice(1) : "";
}"""
FIRST_OF_ALL = f"queries => queries.map({FIRST})"
TRACEBACK = """Traceback (most recent call last):
  File "/app/orders/main.py", line 42, in order
    rows = await session.execute(select(Dish).where(Dish.id == 7))
sqlalchemy.exc.DBAPIError: (sqlalchemy.dialects.postgresql.asyncpg.Error) {}
[SQL: SELECT dish.id, dish.name FROM dish WHERE dish.id = $1::INTEGER]
[parameters: (7,)]
(Background on this error at: https://sqlalche.me/e/20/dbapi)"""
WORN = {
    "below a traceback": TRACEBACK.format,
    "in a line of a log": "2026-11-28 13:05:11,204 ERROR [77] uvicorn.error: {} id=5f".format,
    "behind its class": "asyncpg.exceptions._base.InterfaceError: {}".format,
    "told by psycopg": (
        'connection failed: connection to server at "10.0.0.5", port 6432 failed: FATAL:  {}'.format
    ),
    "with curly quotes": lambda message: message.replace("'", "’").replace('"', "”"),
    "without quotes": lambda message: re.sub("[\"'`]", "", message),
    "with other numbers": lambda message: re.sub(r"\b\d+\b", "77", message),
    "with other names": lambda message: re.sub('"[^" ]+"', '"zebra"', message),
    "in capitals": str.upper,
}
PASTED = {
    "asyncpg.exceptions.TooManyConnectionsError: sorry, too many clients already": "sorry-too",
    'connection failed: FATAL:  sorry, too many clients already (server "10.0.0.5")': "sorry-too",
    "QueuePool limit of size 20 overflow 40 reached, connection timed out, timeout 30.00 "
    "(Background on this error at: https://sqlalche.me/e/20/3o7r)": "queuepool-limit",
    'prepared statement "__asyncpg_stmt_a3f__" does not exist': "prepared-statement",
    "psycopg.errors.SerializationFailure: could not serialize access due to read/write "
    "dependencies among transactions": "could-not-serialize",
    "RuntimeWarning: coroutine 'pay' was never awaited": "coroutine-was-never",
    "DeadlockDetectedError": "deadlock",
    "RuntimeError: Task <Task pending name='Task-7' coro=<t() running at a.py:3>> got Future "
    "<Future pending> attached to a different loop": "attached-to",
    "AttributeError: 'State' object has no attribute 'database_pool'": "state-object",
    "sqlalchemy.exc.TimeoutError: QueuePool limit of size 20 overflow 0 reached": "queuepool-limit",
    "psycopg_pool.PoolTimeout: couldn't get a connection after 10.00 sec": "couldn-t-get",
    "PoolTimeout": "couldn-t-get",
    "sqlalchemy.exc.MissingGreenlet": "greenlet-spawn",
    "greenlet_spawn has not been called; can't call await_only() here.": "greenlet-spawn",
    "PendingRollbackError": "this-session-s",
    "TypeError: connect() got an unexpected keyword argument 'sslmode'": "connect-got-an",
    "NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:postgres": "can-t-load",
    "StaleDataError": "update-statement",
    "UPDATE statement on table 'orders' expected to update 1 row(s); 0 were matched.": (
        "update-statement"
    ),
    "UndefinedFunctionError: operator does not exist: uuid = character varying": "operator-does",
    'permission denied for table "orders"': "permission-denied",
    "fastapi.exceptions.ResponseValidationError: 1 validation errors: {'type': "
    "'get_attribute_error', 'loc': ('response', 'orders'), 'msg': \"Error extracting attribute: "
    "MissingGreenlet: greenlet_spawn has not been called; can't call await_() here. Was IO "
    'attempted in an unexpected place?"}': "get-attribute-error",
    "ModuleNotFoundError: No module named 'greenlet'": "no-module",
    "ModuleNotFoundError: No module named 'psycopg2'": "the-asyncio-extension",
    'asyncpg.exceptions.UndefinedTableError: relation "users" does not exist': "relation",
    "UndefinedColumnError: column users.nmae does not exist": "column",
    'FATAL:  database "shop" does not exist': "database-bistro",
    'FATAL: password authentication failed for user "shop"': "password",
    "TypeError: object CursorResult can't be used in 'await' expression": "object-list",
    "AttributeError: 'coroutine' object has no attribute 'fetchall'": "coroutine-object",
    "'async_generator' object has no attribute 'query'": "async-generator",
    "'coroutine' object has no attribute 'query'": "coroutine-object",
    "AttributeError: 'AsyncSession' object has no attribute 'query'": (
        "asyncsession-object-has-no-attribute-query"
    ),
    "AttributeError: 'AsyncSession' object has no attribute 'exec'": (
        "asyncsession-object-has-no-attribute-exec"
    ),
    "asyncpg.exceptions._base.InterfaceError": "interfaceerror",
    "sqlalchemy.exc.InterfaceError": "interfaceerror",
    "InterfaceError": "interfaceerror",
    "sqlalchemy.exc.InterfaceError: (sqlalchemy.dialects.postgresql.asyncpg.InterfaceError) <class "
    "'asyncpg.exceptions._base.InterfaceError'>: cannot perform operation: another operation is in "
    "progress": "cannot-perform",
    "asyncpg.exceptions._base.InterfaceError: connection is closed": "the-underlying",
    "socket.gaierror: [Errno -2] Name or service not known": "errno-2",
    "socket.gaierror: [Errno -3] Temporary failure in name resolution": "errno-2",
    "psycopg.OperationalError: failed to resolve host 'postgres': [Errno -2] Name or service not "
    "known": "errno-2",
    "NameError: name 'sqlmodel' is not defined": "name-sqlmodel",
    "pydantic_core._pydantic_core.PydanticSerializationError: Unable to serialize unknown type: "
    "<class 'app.models.User'>": "unable-to-serialize",
    "fastapi.exceptions.FastAPIError: Invalid args for response field! Hint: check that <class "
    "'sqlalchemy.ext.asyncio.session.AsyncSession'> is a valid Pydantic field type": "invalid-args",
    "Invalid args for response field!": "invalid-args",
    "sqlalchemy.exc.InvalidRequestError: The unique() method must be invoked on this Result": (
        "the-unique"
    ),
    "Failed: async def functions are not natively supported.": "async-def-functions",
    "'test_read_main' requested an async fixture 'db_session', with no plugin or hook that handled "
    "it. This is an error, as pytest does not natively support it.": "test-order-requested",
    "Method 'commit()' can't be called here; method 'flush()' is already in progress": "method",
}


@pytest.fixture(scope="module")
def entries() -> list[dict[str, list[str]]]:
    page = (built_book() / "search.html").read_text("utf-8")
    [data] = re.findall(ENTRIES, page, re.DOTALL)
    return json.loads(data)["entries"]


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page of the search, whose index answers all questions of this file."""
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto(f"{address}search.html")
        yield opened


def test_words_typed_lead_to_the_entry(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}search.html")
        field = page.locator("input[type=search]")
        field.fill("too many clients")
        field.press("Enter")
        first = page.locator("#search-results li a").first
        expect(page.locator("#search-results .search-summary")).to_contain_text("finished")
        leads_to = first.get_attribute("href") or ""
        assert leads_to.startswith("book/messages.html#message-sorry-too")
        first.click()
        expect(page.locator(f"[id='{leads_to.partition('#')[2]}']")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("words", "entry"),
    [("53300", "sorry-too"), ("40001", "could-not-serialize"), ("too many clients", "sorry-too")],
)
def test_a_number_or_a_few_words_find_the_entry(page: Page, words: str, entry: str) -> None:
    assert page.evaluate(FIRST, words).startswith(f"message-{entry}")


def plain(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def lost(page: Page, asked: list[tuple[str, str, str]], entries: list) -> list[tuple[str, str]]:
    """Which of these queries do not lead to the entry of their message first, and where they lead.

    Each is the query, the entry's anchor, and words of the message. Another entry may come first if
    one of its messages holds the same words.
    """
    found = page.evaluate(FIRST_OF_ALL, [query for query, _, _ in asked])
    messages = {entry["anchor"]: entry["messages"] for entry in entries}
    return [
        (query, first)
        for (query, anchor, said), first in zip(asked, found, strict=True)
        if first != anchor
        and not any(plain(said) <= plain(other) for other in messages.get(first, []))
    ]


def test_any_four_words_in_a_row_of_any_message_find_it_first(page: Page, entries: list) -> None:
    windows = [
        (" ".join(words[start : start + 4]), entry["anchor"], " ".join(words[start : start + 4]))
        for entry in entries
        for message in entry["messages"]
        for words in [re.findall(r"\w+", message)]
        for start in range(max(1, len(words) - 3))
    ]
    assert len(entries) >= 60
    assert len(windows) > 400
    assert lost(page, windows, entries) == []


@pytest.mark.parametrize("worn", WORN)
def test_a_message_as_it_is_pasted_finds_its_entry_first(
    page: Page, entries: list, worn: str
) -> None:
    pasted = [
        (WORN[worn](message), entry["anchor"], message)
        for entry in entries
        for message in entry["messages"]
    ]
    assert lost(page, pasted, entries) == []


def test_every_sqlstate_and_class_finds_an_entry_that_names_it(page: Page, entries: list) -> None:
    keys = {key for entry in entries for key in entry["keys"]}
    assert {"53300", "40001", "TooManyConnectionsError", "SerializationFailure"} <= keys
    lost = [
        key
        for key in keys
        if page.evaluate(FIRST, key) not in [e["anchor"] for e in entries if key in e["keys"]]
    ]
    assert not lost


@pytest.mark.parametrize("pasted", PASTED)
def test_a_pasted_message_with_names_of_its_own_finds_its_entry(page: Page, pasted: str) -> None:
    assert page.evaluate(FIRST, pasted).startswith(f"message-{PASTED[pasted]}")


@pytest.mark.parametrize("words", ["pools", "transaction", "round trip", "the event loop", "await"])
def test_a_common_word_still_leads_to_lessons(page: Page, words: str) -> None:
    assert page.evaluate(FIRST, words) == ""


def test_the_results_are_readable_on_a_dark_phone_and_hold_no_markup_of_the_query(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{address}search.html?q=%3Cimg src=x onerror=alert(1)%3E too many clients")
    expect(page.locator("#search-results .search-summary")).to_contain_text("finished")
    assert page.locator("main img").count() == 0
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(rule["id"], [str(node["target"]) for node in rule["nodes"]]) for rule in found] == []
    context.close()


def test_who_has_a_message_on_the_screen_is_led_here_from_everywhere() -> None:
    book = built_book()
    rooms = ("notebooks", "book/labs", "book/sqlalchemy")
    pages = [page for room in rooms for page in (book / room).glob("*.html")]
    pages += [book / f"book/{name}.html" for name in ("testing", "migrations", "behind-a-pooler")]
    pages += [book / "book/intro.html", book / "404.html", book / "book/pitfalls.html"]
    assert len(pages) > 20
    contents = re.compile(r'<nav class="bd-links".*?</nav>', re.DOTALL)
    lost = [
        page.name
        for page in pages
        if "messages.html" not in contents.sub("", page.read_text("utf-8"))
    ]
    assert lost == []
