"""The page of the ledger in Chromium: its filter counts, and links show what it hid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_entries import VERDICTS, proven, read_ledger, runs
from playwright.sync_api import Browser, Page

from small_book import small_book


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_book(tmp_path_factory.mktemp("book"))


@pytest.fixture
def page(book: Path, browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.goto((book / "book" / "evidence" / "ledger.html").as_uri())
    yield page
    page.close()


def visible(page: Page) -> int:
    return page.locator(".ledger-card[data-verdict]:visible").count()


def test_the_filter_shows_what_it_says(page: Page) -> None:
    claims = read_ledger().claims
    wanted = [one for one in claims if one.verdict == "dangerous" and one.step == "5"]
    for verdict in set(VERDICTS) - {"dangerous"}:
        page.uncheck(f"input[value={verdict}]")
    page.select_option("select[name=step]", "5")
    assert visible(page) == len(wanted) > 0
    shown = page.locator("form.ledger-filter [aria-live=polite]")
    assert shown.inner_text() == f"{len(wanted)} of {len(claims)} claims shown."
    page.click("form.ledger-filter button[type=reset]")
    page.get_by_text(f"{len(claims)} of {len(claims)} claims shown.").wait_for()
    assert visible(page) == len(claims)


def test_the_proof_filter_counts_as_the_ledger_does(page: Page) -> None:
    claims, files = read_ledger().claims, runs()
    page.check("input[name=proof][value=proven]")
    assert visible(page) == sum(proven(one, files) for one in claims) > 0
    page.check("input[name=proof][value='']")
    assert visible(page) == len(claims)


def test_a_link_to_a_hidden_entry_shows_it(page: Page) -> None:
    page.uncheck("input[value=wrong]")
    entry = page.locator("#claim-one-query-at-a-time")
    assert entry.is_hidden()
    page.evaluate("location.hash = 'claim-one-query-at-a-time'")
    entry.wait_for(state="visible")
    assert page.is_checked("input[value=wrong]")


def test_without_javascript_everything_is_shown(book: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto((book / "book" / "evidence" / "ledger.html").as_uri())
    assert visible(plain) == len(read_ledger().claims)
    assert plain.locator("form.ledger-filter").is_hidden()
    context.close()
