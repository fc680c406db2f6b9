"""Runs the cells of a page, one after the other, in one namespace, as a notebook does."""

from __future__ import annotations

import ast
import builtins
import linecache
import sys
import time
from collections.abc import Callable
from typing import Any

from pyodide.code import CodeRunner

from live_boot.telling import told

_namespace: dict[str, Any] = {"__name__": "__main__"}
_show: Callable[[str, str], None] = lambda mime, data: None  # noqa: E731


def display(*objects: Any) -> None:
    """As in a notebook: the richest form that each object has, after what was printed before."""
    sys.stdout.flush()
    for one in objects:
        _show(*_richest(one))


def _richest(one: Any) -> tuple[str, str]:
    for mime, method in (("text/html", "_repr_html_"), ("image/svg+xml", "_repr_svg_")):
        draw = getattr(one, method, None)
        if draw is not None and not isinstance(one, type) and (data := draw()):
            return mime, data
    return "text/plain", repr(one)


async def run_cell(
    code: str, name: str, script: bool, show: Callable[[str, str], None]
) -> tuple[bool, float]:
    """Run `code`; returns whether it came to its end, and its milliseconds.

    `show(mime, data)` gets what the cell displays, and its traceback as `text/error`. A `script`
    has a namespace of its own, and its `asyncio.run(main())` is awaited: the page's loop runs.
    """
    global _show
    _show = show
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    space = {"__name__": "__main__"} if script else _namespace
    began = time.perf_counter()
    try:
        runner = CodeRunner(code, filename=name, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if script:
            runner.ast = ast.fix_missing_locations(AwaitsItsRun().visit(runner.ast))
        if (value := await runner.compile().run_async(space)) is not None:
            display(value)
        ended = True
    except BaseException as error:
        ended = False
        sys.stdout.flush()
        show("text/error", told(error))
    sys.stdout.flush()
    sys.stderr.flush()
    return ended, (time.perf_counter() - began) * 1000


class AwaitsItsRun(ast.NodeTransformer):
    """`asyncio.run(main())` outside of functions becomes `await main()`."""

    def visit_Call(self, call: ast.Call) -> ast.AST:
        self.generic_visit(call)
        if ast.unparse(call.func) == "asyncio.run" and call.args:
            return ast.copy_location(ast.Await(call.args[0]), call)
        return call

    def visit_FunctionDef(self, function: ast.FunctionDef) -> ast.AST:
        return function

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef  # type: ignore[assignment]


def install() -> None:
    from bench import claims  # not before `impossible` has seen to the names that are not here

    builtins.display = display
    claims.goes_on_when_red = True  # an invited change turns one red; the cells below must run
    sys.stdout.reconfigure(line_buffering=True)
