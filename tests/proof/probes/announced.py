"""Which version of ASGI does uvicorn announce?"""

import inspect
import re

from uvicorn.protocols.http import h11_impl

print(re.search(r'"spec_version": "([\d.]+)"', inspect.getsource(h11_impl))[1])
