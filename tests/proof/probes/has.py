"""Does that module have that name?  has.py psycopg Connection.cancel_safe"""

import functools
import importlib
import sys

thing = importlib.import_module(sys.argv[1])
try:
    functools.reduce(getattr, sys.argv[2].split("."), thing)
except AttributeError:
    print("no")
else:
    print("yes")
