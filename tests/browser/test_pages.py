"""Each kind of page in Chromium: accessible, quiet, not too wide, usable by keys, without script.

The kinds come from `_toc.yml` (`contents.kinds_of_page`), so a new page of a new kind is tested
without a change here. `COURSE_PAGES=all` tests every page.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browsers import AXE
from building import built_book
from contents import documents, kinds_of_page
from strict_serving import served

KINDS = kinds_of_page()
every_kind = pytest.mark.parametrize("document", KINDS.values(), ids=KINDS.keys())
PHONE, DESK = 390, 1280
DEVICES = [("dark", PHONE), ("light", DESK)]  # both themes, both widths
if os.environ.get("COURSE_PAGES") == "all":
    DEVICES += [("light", PHONE), ("dark", DESK)]

# One function makes all cards of the ledger, and one colours all code: the Tab key and axe look at
# the first six of a page, what is measured is measured of each; `make proof` looks at every one.
MARK_THE_REST = """() => [".ledger-list > li", "article div.highlight"].forEach((many) =>
  [...document.querySelectorAll(many)].slice(6).forEach((one) => { one.dataset.rest = ""; }))"""
REST = "[data-rest]"

SMALL_TEXT = """() => [...document.querySelectorAll("article svg text, article pre")]
  .filter((node) => node.textContent.trim() && node.getClientRects().length)
  .map((node) => [
    node.tagName === "PRE" ? 13 : 11,
    parseFloat(getComputedStyle(node).fontSize) * (node.getScreenCTM ? node.getScreenCTM().a : 1),
    node.textContent.trim().slice(0, 30)])
  .filter(([least, size]) => size < least - 0.05)
  .map(([least, size, text]) => `"${text}" is ${size.toFixed(1)} px, not ${least} px or more`)"""

SMALL_TARGETS = """() => [...document.querySelectorAll("main button, main summary")]
  .filter((node) => node.checkVisibility({checkVisibilityCSS: true}))
  .map((node) => [node.getBoundingClientRect(), node])
  .filter(([box]) => box.height > 0 && (box.height < 43.9 || box.width < 43.9))
  .map(([box, node]) => `${node.tagName} "${(node.innerText || node.title).slice(0, 30)}" is ` +
    `${box.width.toFixed(0)} x ${box.height.toFixed(0)} px, not 44 x 44`)"""

FOCUS = """() => {
  const node = document.activeElement, style = getComputedStyle(node);
  const box = node.getBoundingClientRect();
  const again = "walked" in node.dataset;
  if (node !== document.body) node.dataset.walked = "";
  return {
    again,
    name: `${node.tagName} ${(node.innerText || node.title || node.id).slice(0, 30)}`,
    href: node.getAttribute("href"),
    ring: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
      || style.boxShadow !== "none",
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    top: node === document.body,
  };
}"""


def context_of(width: int, theme: str = "light") -> dict[str, object]:
    phone = width < 600
    return {
        "viewport": {"width": width, "height": 844 if phone else 900},
        "color_scheme": theme,
        "reduced_motion": "reduce",  # no picture of a half-finished animation
        "has_touch": phone,
        "is_mobile": phone,
    }


def walk(page: Page) -> list[dict[str, object]]:
    """Press Tab until the body's end is reached; every stop on the way, as FOCUS describes it.

    A stop that does not let go, or that leads back, is an AssertionError with its name.
    """
    stops = []
    page.keyboard.press("Tab")
    while not (stop := page.evaluate(FOCUS))["top"]:
        assert not stop["again"], f"the Tab key does not leave {stop['name']}"
        stops.append(stop)
        page.keyboard.press("Tab")
    return stops


def wrong_stops(page: Page) -> list[str]:
    """What is wrong with the way of the Tab key through the page: a trap, a stop nobody sees."""
    rest = "([rest, inert]) => document.querySelectorAll(rest).forEach((n) => { n.inert = inert; })"
    page.evaluate(rest, [REST, True])
    try:
        stops = walk(page)
    except AssertionError as trap:
        return [f"keys: {trap}"]
    page.evaluate(rest, [REST, False])
    found = [
        f"keys: {stop['name']} is a stop that nobody sees"
        for stop in stops
        if not (stop["ring"] and stop["inView"])
    ]
    if len(stops) <= 5 or stops[0]["href"] != "#main-content":
        found.append(
            f"keys: of {len(stops)} stops the first leads to {stops[0]['href'] if stops else None}"
        )
    return found


def faults(browser: Browser, url: str, width: int, theme: str) -> list[str]:
    """Open a page as a reader of that screen and theme would; return all that is wrong, in words.

    At a desk the Tab key goes through it first. Then folded parts are opened: what they hide must
    be as good as the rest.
    """
    found: list[str] = []
    own = "/".join(url.split("/")[:3]) + "/"
    context = browser.new_context(**context_of(width, theme))
    try:
        page = context.new_page()
        page.on("console", lambda m: m.type == "error" and found.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: found.append(f"script error: {error}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((own, "data:", "blob:"))
                or found.append(f"foreign request: {request.url}")
            ),
        )
        page.goto(url, wait_until="load")
        if os.environ.get("COURSE_PAGES") != "all":
            page.evaluate(MARK_THE_REST)
        if width == DESK:
            found += wrong_stops(page)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        actual = page.evaluate("document.documentElement.dataset.theme")
        if actual != theme:
            found.append(f"theme: the page is {actual}, the reader asked for {theme}")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            found.append(f"overflow: the page is {overflow} px wider than {width} px")
        if width == PHONE:
            found += [f"small text: {text}" for text in page.evaluate(SMALL_TEXT)]
            found += [f"small target: {text}" for text in page.evaluate(SMALL_TARGETS)]
        found += [f"axe: {text}" for text in violations(page)]
    finally:
        context.close()
    return found


def violations(page: Page) -> list[str]:
    """Return what axe-core finds, one line per rule with the first places."""
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate(
        "rest => axe.run({exclude: [rest]}, {resultTypes: ['violations']})",
        REST,
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: "
        + "; ".join(str(node["target"]) for node in rule["nodes"][:3])
        for rule in result["violations"]
    ]


@pytest.mark.parametrize(("theme", "width"), DEVICES)
@every_kind
def test_page_is_sound(
    browser: Browser, address: str, document: str, theme: str, width: int
) -> None:
    found = faults(browser, f"{address}{document}.html", width, theme)
    assert not found, "\n".join(found)


TRAP = """(trapped) => document.querySelector(trapped).addEventListener("keydown", (event) => {
    if (event.key === "Tab") event.preventDefault(); })"""
ROUND = """(trapped) => document.querySelector(trapped).addEventListener("blur", (event) =>
    document.querySelector("a[href='#main-content']").focus())"""


@pytest.mark.parametrize(
    ("trap", "trapped"),
    [(TRAP, ".theme-switch-button"), (ROUND, ".quiz-number input")],
    ids=["held", "sent back"],
)
def test_the_walk_finds_a_trap(browser: Browser, address: str, trapped: str, trap: str) -> None:
    lesson = next(name for name in documents() if name.startswith("notebooks/"))
    context = browser.new_context(**context_of(DESK))
    page = context.new_page()
    page.goto(f"{address}{lesson}.html")
    page.evaluate(trap, trapped)
    with pytest.raises(AssertionError, match="does not leave"):
        walk(page)
    context.close()


def test_the_skip_link_leads_to_the_content(browser: Browser, address: str) -> None:
    context = browser.new_context(**context_of(DESK))
    page = context.new_page()
    page.goto(f"{address}{documents()[0]}.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = page.evaluate("document.querySelector('main').contains(document.activeElement)")
    context.close()
    assert inside


@every_kind
def test_page_works_without_script(browser: Browser, address: str, document: str) -> None:
    context = browser.new_context(**context_of(PHONE), java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}{document}.html")
    article = page.locator("article")
    expect(article.locator("h1")).to_be_visible()
    assert len(article.inner_text()) > 100
    for figure in article.locator("svg[role=img], figure").all():
        if not figure.locator("xpath=ancestor::details").count():
            expect(figure).to_be_visible()
    assert article.locator("details[open]").count() == 0  # no spoiler stands open
    expect(page.locator(".search-button__button")).to_be_hidden()
    expect(page.locator("nav.bd-docs-nav a").first).to_be_visible()  # one can go on
    context.close()


def test_the_theme_button_goes_round_and_is_remembered(browser: Browser, address: str) -> None:
    context = browser.new_context(**context_of(DESK, "light"))
    page = context.new_page()
    page.goto(f"{address}{documents()[0]}.html")
    root, button = page.locator("html"), page.locator(".theme-switch-button")
    colour = "getComputedStyle(document.body).backgroundColor"
    expect(root).to_have_attribute("data-theme", "light")
    light = page.evaluate(colour)
    button.click()
    expect(root).to_have_attribute("data-mode", "dark")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(button).to_have_attribute("aria-label", "Colour theme: dark")
    assert page.evaluate(colour) != light
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    button.click()
    expect(root).to_have_attribute("data-mode", "light")
    button.click()
    expect(root).to_have_attribute("data-mode", "auto")
    context.close()


def test_what_is_typed_into_the_search_stays_text(browser: Browser, address: str) -> None:
    markup = "<img src=x onerror=window.typed=1>"
    context = browser.new_context(**context_of(DESK))
    page = context.new_page()
    page.goto(f"{address}{documents()[0]}.html")
    page.locator(".search-button__button").first.click()
    page.locator("input[type=search]").first.fill(f"pool {markup}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    page.locator("#search-results h2").wait_for(state="attached")
    assert page.locator("#search-results img").count() == 0
    assert page.evaluate("window.typed") is None
    context.close()


def test_search_finds_a_page_by_a_word_of_its_title(browser: Browser, address: str) -> None:
    document = documents()[1]
    context = browser.new_context(**context_of(PHONE))
    page = context.new_page()
    page.goto(f"{address}{document}.html")
    title = page.locator("h1").inner_text().rstrip("#").split()
    page.locator(".search-button__button").click()
    field = page.locator("input[type=search]")
    expect(field).to_be_focused()
    field.fill(max(title, key=len).strip(":,.?!"))
    field.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    expect(page.locator(f"#search-results a[href*='{document}.html']").first).to_be_visible()
    context.close()


def test_long_lines_of_code_can_be_wrapped(browser: Browser, address: str) -> None:
    lesson = next(name for name in documents() if name.startswith("notebooks/"))
    context = browser.new_context(**context_of(PHONE))
    page = context.new_page()
    page.goto(f"{address}{lesson}.html")
    wide = (
        "[...document.querySelectorAll('pre')].filter((n) => n.scrollWidth > n.clientWidth).length"
    )
    text = (
        "[...document.querySelectorAll('article pre')].map((n) => n.textContent.trimEnd()).join()"
    )
    before = page.evaluate(text)
    button = page.locator("[data-page-action=wrap]")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(wide) == 0
    assert page.evaluate(text) == before  # what the copy button takes is unchanged
    context.close()


BREAKS = {
    "image without a text": ("<img src='../_static/favicon.svg'>", "axe: image-alt"),
    "script from elsewhere": (
        "<script src='https://cdn.example/x.js'></script>",
        "foreign request",
    ),
    "inline handler": ("<button onclick='go()'>Run this</button><script>run()</script>", "console"),
    "too wide": ("<div style='width: 2000px'>wide</div>", "overflow"),
    "pale text": ("<p style='color: #808080; background: #777'>pale</p>", "axe: color-contrast"),
    "tiny figure text": (
        "<svg role='img' aria-label='x' viewBox='0 0 900 90'><text y='50' font-size='12'>ms</text>"
        "</svg>",
        "small text",
    ),
    "small button": ("<button style='height: 20px'>ok</button>", "small target"),
}


def test_these_tests_can_fail(browser: Browser, tmp_path: Path) -> None:
    """Every fault planted into a copy of a page is found and named."""
    site = shutil.copytree(built_book(), tmp_path / "site")
    page = site / f"{documents()[1]}.html"
    text = page.read_text("utf-8")
    assert "</article>" in text
    planted = "".join(html for html, _ in BREAKS.values())
    page.write_text(text.replace("</article>", f"{planted}</article>"), "utf-8")
    with served(site) as address:
        found = faults(browser, f"{address}{documents()[1]}.html", PHONE, "light")
    unseen = [
        fault
        for fault, (_, named) in BREAKS.items()
        if not any(line.startswith(named) for line in found)
    ]
    assert not unseen, "\n".join(found)
