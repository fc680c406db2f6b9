"""Run by Python for the browser: put bytecode in the place of the modules that cells import.

Compiling takes most of the time between a reader's first click and the first output. What is not
imported here stays source, since bytecode is larger. Docstrings of functions go: nobody reads them
in a page.
"""

from __future__ import annotations

import ast
import importlib
import pathlib
import shutil
import sys
import zipfile
from importlib._bootstrap_external import _code_to_hash_pyc

IMPORTED = (
    *("fastapi", "fastapi.responses", "httpx", "aiosqlite", "anyio._backends._asyncio"),
    *("asyncio", "ast", "dataclasses", "email.message", "hashlib", "json", "linecache", "sqlite3"),
    *("contextvars", "statistics", "tempfile", "traceback", "warnings", "zipfile"),
)
"""What the pages' cells import, and the worker before them."""
STAYS_SOURCE = ("anyio/",)
"""AnyIO reads its own source while it is imported."""
ARCHIVES = {"python_stdlib.zip": "/lib/python314.zip/", "packages.zip": "/live/packages/"}
"""{archive in /work: where its files are in the page's Python}"""


class WithoutDocstrings(ast.NodeTransformer):
    """Those of classes stay: dataclasses would write them anew, with every import."""

    def visit_FunctionDef(self, function: ast.FunctionDef) -> ast.AST:
        self.generic_visit(function)
        if ast.get_docstring(function, clean=False) is not None:
            function.body[0] = ast.copy_location(ast.Pass(), function.body[0])
        return function

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]


def bytecode(source: bytes, name: str) -> bytes:
    """What a `.pyc` holds; Python takes it without looking for a source."""
    code = compile(WithoutDocstrings().visit(ast.parse(source)), name, "exec", dont_inherit=True)
    return _code_to_hash_pyc(code, bytes(8), False)


def convert(archive: str, place: str, imported: set[str]) -> None:
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(f"{archive}.new", "w") as new:
        for name in old.namelist():
            body = old.read(name)
            source = name.endswith(".py") and not name.startswith(STAYS_SOURCE)
            if source and place + name in imported:
                name, body = f"{name}c", bytecode(body, place + name)
            new.writestr(zipfile.ZipInfo(name), body)
    shutil.move(f"{archive}.new", archive)


async def one_request() -> None:
    """FastAPI, httpx and AnyIO import some modules only when they need them."""
    import httpx
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/tables/{number}")
    async def table(number: int, guests: int = 2) -> dict[str, int]:
        return {"number": number, "guests": guests}

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bistro") as web:
        (await web.get("/tables/7")).raise_for_status()


async def main() -> None:
    zipfile.ZipFile("/work/packages.zip").extractall("/live/packages")
    sys.path.insert(0, "/live/packages")
    for name in IMPORTED:
        importlib.import_module(name)
    await one_request()
    imported = {getattr(module, "__file__", None) or "" for module in sys.modules.values()}
    for name, place in ARCHIVES.items():
        convert(f"/work/{name}", place, imported)
    pathlib.Path("/work/compiled").touch()  # noqa: ASYNC240 -- everything went well


await main()  # noqa: F704
