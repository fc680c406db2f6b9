"""Which browser the tests of pages take, and what they say when there is none."""

from __future__ import annotations

import subprocess

import pytest

import browsers


def test_the_named_browser_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/somewhere/chromium")
    assert browsers.executable() == "/somewhere/chromium"


@pytest.mark.parametrize("installed", [{"chromium"}, {"chromium", "chromium-headless-shell"}])
def test_of_the_systems_browsers_the_one_without_a_window_comes_first(
    installed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browsers.shutil, "which", lambda name: name if name in installed else None)
    assert browsers.executable() == max(installed, key=len)


@pytest.mark.parametrize("status", [0, 1])
def test_without_one_playwright_is_asked_for_its_own(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        asked.append(command[1:])
        return subprocess.CompletedProcess(command, status)

    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browsers.shutil, "which", lambda name: None)
    monkeypatch.setattr(browsers.subprocess, "run", run)
    if status:
        with pytest.raises(RuntimeError, match="apt install chromium"):
            browsers.executable()
    else:
        assert browsers.executable() is None
    assert asked == [["-m", "playwright", "install", "chromium"]]
