"""The playground in Firefox, and what its quick test leaves out in Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import expect

from answering import answering, firefox_at
from browsers import AXE, chromium
from building import built_book
from strict_serving import BelowHandler, served

PAGE = "book/playground.html"
PATIENCE = 180  # seconds
RUN_ALL = """
(async () => {
  const parts = (box) => [...box.querySelectorAll("table, .pg-call, .pg-answers")];
  const shown = (box) => parts(box).map((part) => part.innerText);
  const found = {};
  for (const box of document.querySelectorAll(".playground[data-name]")) {
    const run = box.querySelector(".pg-bar button");
    run.click();
    while (run.getAttribute("aria-disabled") === "true") {
      await new Promise((go) => setTimeout(go, 50));
    }
    const recorded = box.querySelector(".pg-recorded");
    if (recorded) recorded.open = true;
    found[box.dataset.name] = {
      status: box.querySelector(".pg-status").textContent,
      live: shown(box.querySelector(".pg-live")),
      recorded: recorded && shown(recorded),
    };
  }
  fetch("/answer", { method: "POST", body: JSON.stringify(found) });
})();
"""


def site_that_answers(folder: Path) -> Path:
    """The built book, whose playground runs all its experiments and sends what it shows.

    Its own script does, as the policy of the book lets no other one run.
    """
    site = shutil.copytree(built_book(), folder / "site", copy_function=os.link)
    script = site / "_static" / "live" / "playground.js"
    text = script.read_text("utf-8")
    script.unlink()  # a link to the book's own
    script.write_text(text + RUN_ALL, encoding="utf-8")
    return site


def test_firefox_answers_what_was_recorded(tmp_path: Path) -> None:
    with (
        answering(site_that_answers(tmp_path)) as site,
        firefox_at(f"{site.address}{PAGE}"),
    ):
        found = site.answers.get(timeout=PATIENCE)
    loaded = sum(size for path, size in site.sizes.items() if "/live/pg" in path)
    assert 5 < loaded / 1e6 < 6  # "about six megabytes", says the page
    assert len(found) == 18
    for name, box in found.items():
        assert box["status"] == "Done, in your browser, not on a server.", name
        assert box["live"], name
        if not name.startswith("own-"):
            assert box["live"] == box["recorded"], name


def test_what_is_answered_is_accessible_and_a_stop_leaves_nothing() -> None:
    with served(built_book(), BelowHandler) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(f"{address}{PAGE}")
        for name in ("sqlstates", "index", "first-and-again", "own-messages"):
            box = page.locator(f".playground[data-name='{name}']")
            box.locator(".pg-bar button").first.click()
            expect(box.locator(".pg-status")).to_contain_text("Done", timeout=PATIENCE * 1000)
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("axe.run('.playground', {resultTypes: ['violations']})")["violations"]
        assert [(rule["id"], [str(one["target"]) for one in rule["nodes"]]) for rule in found] == []
        box = page.locator(".playground[data-name='own-sql']")
        box.locator("textarea").fill("create table kept (); select pg_sleep(600)")
        box.locator(".pg-bar button").first.click()
        expect(box.locator(".pg-answers li")).to_have_count(1)
        box.get_by_role("button", name="Stop").click()
        box.locator("textarea").fill("select * from kept")
        box.locator(".pg-bar button").first.click()
        expect(box.locator(".pg-error")).to_contain_text(
            '42P01 relation "kept" does not exist', timeout=PATIENCE * 1000
        )
        box.locator("textarea").fill("copy dishes from stdin")  # the page says what it does
        box.locator(".pg-bar button").first.click()
        expect(box.locator(".pg-status")).to_contain_text("PostgreSQL cannot go on in this page")
