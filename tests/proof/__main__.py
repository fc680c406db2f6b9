"""The long proof: everything that `make test` has no time for.

    python tests/proof                         every part
    python tests/proof faults pages            these parts
    python tests/proof faults --only a-claim   the faults whose name holds this text
    python tests/proof changes --only 03       the changes that lesson 3 invites its reader to make
    python tests/proof habits --only 03        what a class does to lesson 3
    python tests/proof since --only thread     the rows of "since when" whose id holds this
    python tests/proof --again                 forget what an interrupted run has proven already

What passed is remembered in .proof/ until a file it depends on changes, so an interrupted proof
goes on where it stopped. Exit status 1 if anything is red; every part runs all the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path += [
    str(ROOT / part) for part in ("book", "book/_ext", "book/_slides", "notebooks", "tests/support")
]

from memory import Memory  # noqa: E402  (they need the folders above)
from parts import PARTS  # noqa: E402

NARROWED = "faults", "changes", "habits", "since"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS)
    )
    parser.add_argument(
        "--only", default="", help=f"of {', '.join(NARROWED)}, those whose name holds this"
    )
    parser.add_argument("--again", action="store_true", help="forget what was proven before")
    arguments = parser.parse_args()
    memory, problems = Memory(arguments.again), []
    for name in arguments.parts or PARTS:
        began = time.perf_counter()
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        problems += PARTS[name](memory, **({"only": arguments.only} if name in NARROWED else {}))
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    for problem in problems:
        print(f"\nRED {problem}", file=sys.stderr)
    print("\nEverything is proven." if not problems else f"\n{len(problems)} red.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
