"""Does that module have those names?  has.py psycopg Connection.cancel_safe

Without a name: is there that module?
"""

import functools
import importlib
import sys

try:
    thing = importlib.import_module(sys.argv[1])
    for name in sys.argv[2:]:
        functools.reduce(getattr, name.split("."), thing)
except (AttributeError, ModuleNotFoundError):
    print("no")
else:
    print("yes")
