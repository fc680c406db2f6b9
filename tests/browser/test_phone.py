"""Lessons on a phone: words and figures first, code behind folds; and what a page gives."""

from __future__ import annotations

import io
import urllib.request
import zipfile

import pytest
from playwright.sync_api import Browser

from bench.course import COURSE, files_of_the_course, lesson_texts
from bench.course import FOLDER_IN_THE_ZIP as FOLDER
from bench.course import ZIP_OF_THE_COURSE as ZIP

LESSONS = [path.stem for path in lesson_texts()]
CODE = """() => {
  const article = document.querySelector(".bd-article");
  const seen = [...article.querySelectorAll(".highlight pre")].filter(
    (pre) => !pre.closest(".cell_output")
      && pre.checkVisibility({ contentVisibilityAuto: true }));
  const heights = seen.map((pre) => pre.getBoundingClientRect().height);
  return {
    share: heights.reduce((sum, height) => sum + height, 0) / article.offsetHeight,
    cut: seen.filter((pre) => pre.scrollWidth > pre.clientWidth + 1).length,
    blocks: seen.length,
  };
}"""


@pytest.mark.parametrize("lesson", LESSONS)
def test_at_most_a_quarter_of_a_lesson_is_code(lesson: str, browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}notebooks/{lesson}.html")
    folded = page.evaluate(CODE)
    assert folded["share"] <= 0.25
    assert folded["cut"] == 0
    assert page.locator(".claims-fold").count() > 0
    page.locator(".code-fold").first.locator("summary").click()
    assert page.evaluate(CODE)["blocks"] == folded["blocks"] + 1
    page.close()


def test_on_a_wide_screen_code_is_open_and_claims_are_folded(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"{address}notebooks/{LESSONS[0]}.html")
    fold = page.locator(".code-fold:not(.claims-fold)").first
    assert not fold.locator("summary").is_visible()
    assert fold.locator("pre").is_visible()
    claims = page.locator(".claims-fold").first
    assert claims.locator("summary").is_visible()
    assert not claims.locator("pre").is_visible()
    context.close()


def test_the_page_gives_the_whole_course_as_one_file(address: str) -> None:
    with urllib.request.urlopen(f"{address}{ZIP}") as reply:
        packed = zipfile.ZipFile(io.BytesIO(reply.read()))
    names = set(packed.namelist())
    files = {path.relative_to(COURSE).as_posix() for path in files_of_the_course()}
    assert names == {f"{FOLDER}/{name}" for name in files}
    assert {f"{FOLDER}/{name}" for name in ("Makefile", "requirements.txt", "README.md")} <= names
    assert packed.read(f"{FOLDER}/README.md") == (COURSE / "README.md").read_bytes()


def test_the_first_screen_is_the_hook_and_then_how_to_get_the_course(
    browser: Browser, address: str
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}book/intro.html")
    card = page.locator('form[data-quiz="01/one-word"]')
    assert card.bounding_box()["y"] < 600
    assert page.locator("h2").first.text_content().startswith("Get the course")
    card.locator("input[inputmode=decimal]").fill("0.1")
    card.locator("button", has_text="Commit").first.click()
    page.locator("details", has_text="show A and B").first.locator("summary").first.click()
    assert "your guess 0.1 s" in page.locator("async-timeline").first.text_content()
    page.close()
