"""Chromium for the tests of pages: the one that `CHROMIUM` names, the system's, or Playwright's.

Debian's `chromium-headless-shell` comes before `chromium`: it has no window, so a new page costs a
fifth of the processor time. Playwright's own is of that kind, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Browser, sync_playwright

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """The browser's path; None for the one that Playwright has installed, or installs now.

    Raises RuntimeError with one sentence that says what to do when there is none to be had.
    """
    named = os.environ.get("CHROMIUM")
    if found := named or shutil.which("chromium-headless-shell") or shutil.which("chromium"):
        return found
    install = [sys.executable, "-m", "playwright", "install", "chromium"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            "No browser for the tests of pages: install Chromium (Debian: apt install chromium), "
            "or set CHROMIUM to the path of one; Playwright could not bring its own."
        )
    return None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium. Close it before a test calls asyncio.run: Playwright's loop is in its way."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
