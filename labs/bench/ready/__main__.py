"""`python -m bench.ready`: see `bench.ready`."""

from __future__ import annotations

import sys

from bench.ready.verdict import command

if __name__ == "__main__":
    try:
        sys.exit(command())
    except KeyboardInterrupt:
        print("Stopped; nothing is left running.", file=sys.stderr)
        sys.exit(130)
