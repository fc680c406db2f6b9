"""Which arguments does Depends take?"""

import inspect
import sys

from fastapi import Depends

print("yes" if sys.argv[1] in inspect.signature(Depends).parameters else "no")
