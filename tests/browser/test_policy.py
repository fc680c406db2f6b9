"""The book works below a sub-path of any host, under its own policy, and from a folder of files.

The policy comes twice, as on a host that sends headers: from `book/serve.py` and from each page's
`<meta>`. `test_pages.py` opens every kind of page under both and reports what the browser refuses;
here their buttons are pressed.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from security_policy import FILE

from building import built_book
from strict_serving import BelowHandler, served

REFUSALS = """addEventListener("securitypolicyviolation", (refused) => {
  console.error(`refused: ${refused.violatedDirective} ${refused.blockedURI} ${refused.sample}`);
});
window.print = () => { document.body.dataset.printed = "yes"; };"""
LESSON = "notebooks/01-synchronous-queries.html"


@pytest.fixture(scope="module")
def below() -> Iterator[str]:
    with served(built_book(), handler=BelowHandler) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails a test with what was refused, was not found, or came from elsewhere."""
    context = browser.new_context(reduced_motion="reduce", accept_downloads=True)
    context.add_init_script(REFUSALS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: m.type == "error" and wrong.append(m.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda r: r.status >= 400 and wrong.append(f"{r.status} {r.url}"))
    yield page
    context.close()
    assert wrong == []


def test_the_policy_is_one_line_with_hashes_and_no_inline_scripts() -> None:
    [policy] = (built_book() / FILE).read_text("utf-8").splitlines()
    [scripts] = re.findall(r"script-src ([^;]+)", policy)
    allowed = [word for word in scripts.split() if not word.startswith("'sha256-")]
    assert allowed == ["'self'", "'wasm-unsafe-eval'"]
    assert len(scripts.split()) > len(allowed)
    assert len(policy) < 1000  # some hosts cut what is longer


def test_every_file_comes_with_the_policy(below: str) -> None:
    """Also scripts: the policy of a worker is that of its own script."""
    policy = (built_book() / FILE).read_text("utf-8").strip()
    for path in (LESSON, "_static/page.js"):
        with urllib.request.urlopen(f"{below}{path}", timeout=30) as reply:
            assert reply.headers["Content-Security-Policy"] == policy


def test_the_buttons_of_a_lesson_work(page: Page, below: str) -> None:
    page.goto(f"{below}{LESSON}")
    root = page.locator("html")
    page.locator(".dropdown-download-buttons > button").click()
    page.locator("[data-page-action=print]").click()
    expect(page.locator("body")).to_have_attribute("data-printed", "yes")
    page.locator("[data-page-action=fullscreen]").click()
    expect(page.locator("html:fullscreen")).to_have_count(1)
    page.locator("[data-page-action=fullscreen]").click()
    expect(page.locator("html:fullscreen")).to_have_count(0)
    page.locator("[data-page-action=wrap]").click()
    expect(root).to_have_class(re.compile("wrap-code"))
    page.locator(".theme-switch-button").click()
    expect(root).to_have_attribute("data-mode", "dark")
    card = page.locator("form.quiz").first
    card.locator("input[type=text], input[inputmode]").first.fill("0.1")
    card.get_by_role("button", name="Commit").click()
    expect(card.locator(".quiz-replies")).not_to_be_empty()
    page.get_by_text("I have typed my number").click()
    timeline = page.locator("async-timeline").first
    expect(timeline).to_contain_text("your guess")
    timeline.get_by_role("button", name="Step back").click()
    page.locator(".search-button__button").click()
    page.locator("input[type=search]").fill("pool")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{below}search.html?q=pool")
    expect(page.locator("#search-results a[href*='04-connections']").first).to_be_visible()
    page.goto(f"{below}book/recall.html")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save my answers").click()
    assert saved.value.suggested_filename.endswith(".json")


def test_other_scripts_of_the_book_work(page: Page, below: str) -> None:
    page.goto(f"{below}search.html?q=DeadlockDetectedError")
    expect(page.locator("#search-results a[href*='messages']").first).to_be_visible()
    page.goto(f"{below}book/simulator.html")
    page.locator("input[name=requests]").fill("3")
    page.locator("input[name=requests]").press("Enter")
    expect(page.locator("async-timeline tbody tr")).to_have_count(3)
    page.goto(f"{below}book/evidence/ledger.html")
    page.get_by_label("settled by documents").check()
    expect(page.locator(".ledger-shown")).not_to_contain_text("114 of")


def test_a_folder_of_files_works_under_the_policy_of_its_pages(page: Page) -> None:
    page.goto((built_book() / LESSON).as_uri())
    expect(page.locator("form.quiz[data-ready]").first).to_be_visible()
    page.locator(".theme-switch-button").click()
    expect(page.locator("html")).to_have_attribute("data-mode", "dark")


def test_what_the_book_did_not_ship_is_refused(browser: Browser, below: str) -> None:
    """Without a header: where the host sends none, the page's own policy holds."""
    text = (built_book() / LESSON).read_text("utf-8")
    script = "<script>document.body.dataset.planted = 'yes';</script>"
    button = "<button id=planted onclick=\"document.body.dataset.planted = 'yes'\">Go</button>"
    page = browser.new_page()
    body = text.replace("</article>", f"{script}{button}</article>")
    page.route("**/planted.html", lambda route: route.fulfill(body=body, content_type="text/html"))
    refused: list[str] = []
    page.on("console", lambda m: m.type == "error" and refused.append(m.text))
    page.goto(f"{below}notebooks/planted.html")
    page.locator("#planted").click()
    assert page.locator("body").get_attribute("data-planted") is None
    assert len([line for line in refused if "Content Security Policy" in line]) == 2
    page.close()
