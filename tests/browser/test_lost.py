"""A reader whose address does not exist sees the book's own page, whatever folder it names."""

from __future__ import annotations

from playwright.sync_api import Browser

WIDTH = 390


def test_the_lost_page_looks_like_the_book_and_leads_on(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": 844})
    missing: list[str] = []
    page.on("response", lambda reply: reply.status >= 400 and missing.append(reply.url))
    reply = page.goto(f"{address}book/an/old/address.html")
    assert reply
    assert reply.status == 404
    assert page.locator("h1").inner_text().startswith("This page does not exist")
    assert missing == [reply.url]  # its styles and scripts were found
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    page.get_by_role("link", name="the message you see").click()
    page.wait_for_url(f"{address}book/messages.html")
    page.close()
