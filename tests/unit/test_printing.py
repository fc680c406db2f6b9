"""A browser that does not print is named in a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from printing import NotPrinted, print_pdf


@pytest.mark.parametrize("program", ["no-such-browser", shutil.which("false")])
def test_what_could_not_be_printed_is_named(program: str, tmp_path: Path) -> None:
    page, paper = tmp_path / "01.html", tmp_path / "01.pdf"
    page.touch()
    with pytest.raises(NotPrinted, match=r"^01\.html could not be printed"):
        print_pdf(page, paper, program)
    assert not paper.exists()
