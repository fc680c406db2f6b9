"""Which `async def` of a file holds the event loop: it calls something that blocks.

Linters know `time.sleep` and HTTP clients; they do not know database drivers. Here a call blocks

- if it is one of `BLOCKING` (a driver's `connect`, `time.sleep`, `subprocess.run`, …);
- if it is a method of what such a driver gave, or of what is annotated with a driver's class;
- if it is a method of an asynchronous engine's `sync_engine`;
- if it is a plain function that blocks, of the same file or imported from another one.

Passing a function on blocks nobody: `to_thread(fetch)` is no call of `fetch`. What stands in a
lambda or in an inner function counts where that function is called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from fnmatch import fnmatch

DRIVERS = (  # modules whose connections and cursors block, and the asynchronous classes in them
    ("psycopg.", ("psycopg.Async*",)),
    ("psycopg_pool.", ("psycopg_pool.Async*",)),
    ("psycopg2.", ()),
    ("sqlite3.", ()),
    ("pymysql.", ()),
    ("pg8000.", ()),
    ("sqlalchemy.create_engine", ()),
    ("sqlalchemy.orm.Session", ("sqlalchemy.orm.sessionmaker",)),
)
HARMLESS = ("psycopg.rows.*", "psycopg.sql.*", "psycopg.errors.*", "psycopg.conninfo.*")
BLOCKING = (
    "time.sleep",
    "open",
    "input",
    "os.system",
    "os.wait*",
    "socket.create_connection",
    "subprocess.run",
    "subprocess.call",
    "subprocess.check_*",
    "urllib.request.urlopen",
    "requests.*",
    "httpx.get",
    "httpx.post",
    "httpx.put",
    "httpx.patch",
    "httpx.delete",
    "httpx.request",
    "httpx.stream",
    "httpx.Client*",
    "pathlib.Path.read_*",
)
SYNCHRONOUS = ("sync_engine", "sync_session", "sync_connection")  # of SQLAlchemy's async objects
IN_MEMORY = ("pool", "dialect", "url", "name", "info")  # parts of them that ask no database
Function = ast.FunctionDef | ast.AsyncFunctionDef


def of_a_driver(name: str) -> bool:
    """Whether that full name belongs to a driver that blocks."""
    if any(fnmatch(name, harmless) for harmless in HARMLESS):
        return False
    return any(
        f"{name}.".startswith(f"{prefix.rstrip('.')}.")
        and not any(fnmatch(name, good) for good in async_names)
        for prefix, async_names in DRIVERS
    )


def blocking_calls(source: str) -> list[str]:
    """`function, line: call` for each call that blocks below an `async def`; sorted by line."""
    return File(ast.parse(source)).complaints()


def blocking_calls_of(modules: Mapping[str, str]) -> list[str]:
    """`module: function, line: call` in all of them: {dotted name: source}.

    What one imports from another is followed there.
    """
    files = {name: File(ast.parse(source)) for name, source in modules.items()}
    known: set[str] = set()
    while True:
        blocking = {f"{name}.{one}" for name, file in files.items() for one in file.exported()}
        giving = {f"{name}.{one}" for name, file in files.items() for one in file.giving()}
        if not (new := (blocking | giving) - known):
            return [f"{name}: {one}" for name, file in files.items() for one in file.complaints()]
        known |= new
        for name, file in files.items():
            if file.may_call(new):
                files[name] = File(file.tree, blocking, giving)


class File:
    """One parsed file: what its names stand for, and which of its functions block.

    `foreign` are the full names of functions elsewhere that block, `givers` of those that give a
    connection of a driver.
    """

    def __init__(
        self, tree: ast.Module, foreign: Set[str] = frozenset(), givers: Set[str] = frozenset()
    ) -> None:
        self.tree = tree
        self.foreign, self.givers = foreign, givers
        self.names = dict(_imported(tree))
        self.roots = {name.partition(".")[0] for name in self.names.values()}
        self.all_functions = [n for n in ast.walk(tree) if isinstance(n, Function)]
        self.functions = {n.name: n for n in self.all_functions}
        self.tainted = set(self._tainted(tree))
        self.blocking: set[str] = set()
        while more := {n for n in self._plain() - self.blocking if [*self._of(self.functions[n])]}:
            self.blocking |= more

    def complaints(self) -> list[str]:
        found = {
            (call.lineno, function.name, ast.unparse(call.func))
            for function in self.all_functions
            if isinstance(function, ast.AsyncFunctionDef)
            for call in self._of(function)
        }
        return [f"{name}, line {line}: {call}" for line, name, call in sorted(found)]

    def may_call(self, functions: Set[str]) -> bool:
        """Whether it imports one of these, or a module or package that has one."""
        imported = set(self.names.values())
        return any(
            one == name or one.startswith(f"{name}.") for one in functions for name in imported
        )

    def exported(self) -> set[str]:
        """Its plain functions that block and that another file may import."""
        return {n.name for n in self.tree.body if isinstance(n, ast.FunctionDef)} & self.blocking

    def giving(self) -> set[str]:
        """Its functions that give what blocks, by their annotation."""
        functions = [n for n in self.tree.body if isinstance(n, ast.FunctionDef)]
        return {n.name for n in functions if n.returns and self._names_a_driver(n.returns)}

    def _plain(self) -> set[str]:
        return {n for n, node in self.functions.items() if isinstance(node, ast.FunctionDef)}

    def _of(self, function: Function) -> Iterator[ast.Call]:
        """The blocking calls of one function, without those of functions inside it."""
        tainted = self.tainted | set(self._tainted(function))
        for node in _own_nodes(function):
            if isinstance(node, ast.Call) and self._blocks(node, tainted):
                yield node

    def _blocks(self, call: ast.Call, tainted: set[str]) -> bool:
        name = self._full_name(call.func).removeprefix("self.")
        if name in self.blocking | self.foreign or (
            of_a_driver(name) and name != "sqlalchemy.create_engine"
        ):
            return True
        is_module = "." not in name or name.partition(".")[0] in self.roots
        if is_module and any(fnmatch(name, pattern) for pattern in BLOCKING):
            return True
        return isinstance(call.func, ast.Attribute) and self._is_tainted(call.func.value, tainted)

    def _is_tainted(self, node: ast.expr, tainted: set[str]) -> bool:
        """Whether this expression is a connection, cursor or session of a driver that blocks."""
        if isinstance(node, ast.Await):
            return False
        if isinstance(node, ast.Call):
            name = self._full_name(node.func)
            gives = self.functions.get(name)
            if gives is not None and gives.returns is not None:
                return self._names_a_driver(gives.returns)
            return of_a_driver(name) or name in self.givers or self._is_tainted(node.func, tainted)
        if isinstance(node, ast.Attribute):
            if node.attr in IN_MEMORY:
                return False
            return node.attr in SYNCHRONOUS or self._is_tainted(node.value, tainted)
        return isinstance(node, ast.Name) and node.id in tainted

    def _tainted(self, scope: ast.AST) -> Iterator[str]:
        """Names of this scope that hold such an object."""
        found: set[str] = set()
        if isinstance(scope, Function):
            arguments = scope.args
            for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
                if argument.annotation and self._names_a_driver(argument.annotation):
                    found.add(argument.arg)
        known = getattr(self, "tainted", set())
        for node in _own_nodes(scope):
            pairs = []
            if isinstance(node, ast.Assign):
                pairs = [(target, node.value) for target in node.targets]
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                pairs = [(node.target, node.value)]
            elif isinstance(node, ast.With):
                pairs = [(i.optional_vars, i.context_expr) for i in node.items if i.optional_vars]
            for target, value in pairs:
                if isinstance(target, ast.Name) and self._is_tainted(value, known | found):
                    found.add(target.id)
        yield from found

    def _names_a_driver(self, annotation: ast.expr) -> bool:
        names = [n for n in ast.walk(annotation) if isinstance(n, ast.Name | ast.Attribute)]
        inner = {id(n.value) for n in names if isinstance(n, ast.Attribute)}
        return any(of_a_driver(self._full_name(n)) for n in names if id(n) not in inner)

    def _full_name(self, node: ast.expr) -> str:
        """`psycopg.connect` for `pg.connect` after `import psycopg as pg`; '' for what has none."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            first = self._full_name(node.value)
            return f"{first}.{node.attr}" if first else ""
        return ""


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.partition(".")[0]
                yield (one.asname, one.name) if one.asname else (first, first)
        elif isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `scope` in the order of the text, without the insides of functions in it."""
    body = scope.body if hasattr(scope, "body") else []
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))
