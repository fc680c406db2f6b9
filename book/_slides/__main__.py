"""Slides and handouts of all lessons, into `_build/slides`: `python book/_slides [01 …]`.

Each deck is one HTML file, each handout one of HTML and one of PDF; `index.html` lists them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent), str(HERE.parent / "_ext")]

from making import OUTPUT, make_all  # noqa: E402  (it needs the folders above)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers such as 01; all without one")
    parser.add_argument("--to", type=Path, default=OUTPUT, help="another folder than _build/slides")
    parser.add_argument("--no-pdf", action="store_true", help="handouts as HTML alone")
    arguments = parser.parse_args()
    return make_all(arguments.to, arguments.lessons, pdf=not arguments.no_pdf)


if __name__ == "__main__":
    sys.exit(main())
