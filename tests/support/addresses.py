"""Where code listens: every call that opens a server's socket names loopback, as a literal."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SERVERS = {"start_server": 1, "create_server": 1, "create_datagram_endpoint": 1}
"""A function, and which of its arguments is the host; `socket.create_server` has an address."""
OF_AN_ADDRESS = re.compile(r"^(bind|\w*Server)$")
"""What takes `(host, port)` first: `socket.bind`, and the servers of the standard library."""
BY_NAME = {"run", "Config"}  # uvicorn's, which listen on 127.0.0.1 unless they are told a host


def open_addresses(source: str) -> list[str]:
    """`line: call` for each call that listens, or may listen, for more than this machine."""
    tree = ast.parse(source)
    literals = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        f"{call.lineno}: {ast.unparse(call)}"
        for call in sorted(calls, key=lambda call: call.lineno)
        for host in _hosts(call, literals)
        if not (isinstance(host, ast.Constant) and host.value in LOOPBACK)
    ]


def _hosts(call: ast.Call, literals: dict[str, ast.expr]) -> Iterator[ast.expr | None]:
    """What the call gives as host, if it is one that listens; None if it gives none."""

    def literal(node: ast.expr | None) -> ast.expr | None:
        return literals.get(node.id, node) if isinstance(node, ast.Name) else node

    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    named = {word.arg: word.value for word in call.keywords}
    first = literal(call.args[0]) if call.args else None
    if name == "socket.create_server" or (OF_AN_ADDRESS.match(last) and first is not None):
        if isinstance(first, ast.Tuple) and len(first.elts) == 2:
            yield literal(first.elts[0])
        elif last in ("bind", "create_server"):
            yield first  # an address that is made elsewhere
    elif last in SERVERS:
        if "sock" not in named:
            place = SERVERS[last]
            given = call.args[place] if len(call.args) > place else named.get("host")
            yield literal(given)
    elif last in BY_NAME and "host" in named:
        yield literal(named["host"])


def code_of(text: str) -> Iterator[str]:
    """The Python that a page or a lesson shows: of its fences, those that can be parsed."""
    for block in re.findall(r"^```(?:python|\{code-cell\}[^\n]*)\n(.*?)^```", text, re.M | re.S):
        code = re.sub(r"\A(?::[^\n]*\n)+", "", block)
        try:
            ast.parse(code)
        except SyntaxError:
            continue
        yield code
