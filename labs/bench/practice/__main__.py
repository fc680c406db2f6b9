"""`python -m bench.practice 01`: check a lab in a terminal (see `bench.practice.commands`)."""

import io
import sys

from bench.practice.commands import main

if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal may not know “ and …
    sys.exit(main(sys.argv[1:]))
