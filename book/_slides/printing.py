"""HTML to PDF by a browser that is there: Chromium, Chrome or Edge without a window."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = (
    *("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"),
    "microsoft-edge",
)
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
SECONDS = 60


class NotPrinted(Exception):
    """A browser is there, and made no PDF; the text says of which page, and why."""


def browser() -> str | None:
    """The path of a browser that can print; `CHROMIUM` names another one."""
    if named := os.environ.get("CHROMIUM"):
        return named
    found = [path for name in NAMES if (path := shutil.which(name))]
    return next(iter([*found, *(one for one in PLACES if Path(one).exists())]), None)


def print_pdf(page: Path, target: Path, program: str) -> None:
    """Print the HTML file `page`. Raises NotPrinted, which says what the browser said."""
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="course-print-") as profile:
        command = [program, "--headless", "--disable-gpu", f"--user-data-dir={profile}"]
        command += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command += ["--no-pdf-header-footer", f"--print-to-pdf={target.resolve()}"]
        try:
            done = subprocess.run(
                [*command, page.resolve().as_uri()], capture_output=True, text=True, timeout=SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise NotPrinted(f"{page.name} could not be printed: {problem}") from None
    if done.returncode or not target.exists():
        raise NotPrinted(f"{page.name} could not be printed: {done.stderr[-500:]}")
