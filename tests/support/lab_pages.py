"""A lab in the page, as a reader meets it: an editor, Check, the outcome, the hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from bench.practice.in_the_page import as_data
from bench.practice.printed_outcomes import Outcome


@dataclass(frozen=True)
class LabPage:
    """The lab of that name on a page that is open."""

    page: Page
    name: str

    @property
    def cell(self) -> Any:
        return self.page.locator(f'.live-lab:has([data-lab*="{self.name}"])')

    @property
    def text(self) -> str:
        return self.cell.evaluate("element => element.live.text")

    def write(self, text: str) -> None:
        """Put `text` into the editor, as one edit."""
        self.cell.evaluate("(element, text) => { element.live.text = text; }", text)

    def button(self, name: str) -> Any:
        return self.cell.get_by_role("button", name=name)

    def begin(self) -> None:
        self.button("Check").click()

    def ended(self) -> dict[str, Any]:
        """Wait for the end of the run; what the page shows then, in the form of `shown_for`."""
        ended = ", ".join(f"[data-live-state={state}]" for state in ("done", "failed", "stopped"))
        self.cell.and_(self.page.locator(ended)).wait_for(timeout=120_000)
        outcome = self.cell.locator(".lab-outcome")
        code = outcome.locator("pre")
        return {
            "checks": outcome.locator("li").all_text_contents(),
            "said": outcome.locator(".lab-said").text_content(),
            "code": code.text_content() if code.count() else "",
        }

    def check(self, text: str) -> dict[str, Any]:
        """Write `text`, check it, and return what is shown."""
        self.write(text)
        self.begin()
        return self.ended()


def shown_for(outcome: Outcome) -> dict[str, Any]:
    """What a page shows for an outcome: its words, and code without the backticks."""
    data = as_data(outcome)
    return {
        "checks": [f"{one['state']}: {one['title']}".replace("`", "") for one in data["checks"]],
        "said": f"{data['headline']}: {data['message']}".replace("`", ""),
        "code": data["code"],
    }
