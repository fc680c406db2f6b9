"""Does that function take that argument?  parameter.py sqlalchemy.orm Session close_resets_only"""

import importlib
import inspect
import sys

thing = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
print("yes" if sys.argv[3] in inspect.signature(thing).parameters else "no")
