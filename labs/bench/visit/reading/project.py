"""The functions of a project, what a name in them stands for, and who calls whom.

Names are resolved by imports and annotations, as a reader would: nothing is imported. What is
assigned in a way that the source does not tell has no kind, and no rule speaks of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

SKIPPED = {
    "node_modules",
    "site-packages",
    "__pycache__",
    "build",
    "dist",
    "alembic",
    "migrations",
    "versions",
    "benchmarks",
    "examples",
    "scripts",
}
SKIPPED_FILES = {"conftest.py", "migrations.py"}
Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Function:
    """One `def` or `async def`. `name` is dotted: "app.orders.Repository.find"."""

    name: str
    node: Def
    module: Module
    owner: str = ""
    """The dotted name of its class, if it is a method."""

    @property
    def is_async(self) -> bool:
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def place(self) -> str:
        return f"{self.module.shown}:{self.node.lineno} {self.node.name}()"

    @cached_property
    def body(self) -> list[ast.AST]:
        """Every node of its own: not those of functions inside it."""
        return list(own_nodes(self.node))

    @cached_property
    def parents(self) -> dict[int, ast.AST]:
        """{id of a node: what holds it}"""
        return {
            id(child): node
            for node in [self.node, *self.body]
            for child in ast.iter_child_nodes(node)
        }

    @cached_property
    def kinds(self) -> dict[str, str]:
        """{name of a variable: the dotted class it has}, from annotations and plain assignments."""
        found: dict[str, str] = {}
        arguments = self.node.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if argument.annotation is not None:
                found[argument.arg] = self.module.kind_of(argument.annotation)
        for node in self.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] = self.module.kind_of(node.annotation)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._assigned(found, node.targets[0], node.value)
            elif isinstance(node, ast.With | ast.AsyncWith):
                for item in node.items:
                    if item.optional_vars is not None:
                        self._assigned(found, item.optional_vars, item.context_expr)
        return {name: kind for name, kind in found.items() if kind}

    @cached_property
    def kinds_written(self) -> dict[str, str]:
        """{name of an argument: its annotation, as it stands}, without `| None`"""
        arguments = self.node.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        return {
            one.arg: ast.unparse(one.annotation).removesuffix(" | None")
            for one in given
            if one.annotation is not None
        }

    def _assigned(self, found: dict[str, str], target: ast.AST, value: ast.AST) -> None:
        if isinstance(target, ast.Name):
            found[target.id] = self.module.kind_made_by(value, found)

    @cached_property
    def own_names(self) -> set[str]:
        """Its arguments and variables: in it, they hide what the file calls so."""
        arguments = self.node.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        stored = (
            node.id
            for node in self.body
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
        return {argument.arg for argument in given} | set(stored)

    def kind(self, node: ast.AST) -> str:
        """The dotted class of an expression, or ""."""
        if isinstance(node, ast.Name) and node.id in self.own_names:
            return self.kinds.get(node.id, "")
        if isinstance(node, ast.Name):
            return self.kinds.get(node.id) or self.module.kinds.get(node.id, "")
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
            return self.module.fields.get(self.owner, {}).get(node.attr, "")
        if isinstance(node, ast.Call) and not self._hidden(node.func):
            return self.module.kind_made_by(node, self.kinds)
        return ""

    def _hidden(self, node: ast.AST) -> bool:
        """Whether the name at the beginning is one of its own, of which nothing is known."""
        while isinstance(node, ast.Attribute | ast.Call):
            node = node.value if isinstance(node, ast.Attribute) else node.func
        return (
            isinstance(node, ast.Name) and node.id in self.own_names and node.id not in self.kinds
        )

    def called(self, call: ast.Call) -> str:
        """The dotted name of what is called, of a library or of the project; or empty."""
        function = call.func
        if isinstance(function, ast.Attribute) and (kind := self.kind(function.value)):
            return f"{kind}.{function.attr}"
        if isinstance(function, ast.Attribute) and ast.unparse(function.value) == "self":
            return f"{self.owner}.{function.attr}" if self.owner else ""
        return "" if self._hidden(function) else self.module.dotted(function)

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.body if isinstance(node, ast.Call))


def own_nodes(function: Def) -> Iterator[ast.AST]:
    stack: list[ast.AST] = [*reversed(function.body)]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, Def | ast.Lambda | ast.ClassDef):
            stack.extend(reversed([*ast.iter_child_nodes(node)]))


@dataclass
class Module:
    """One file. `name` is dotted from the folder that was read."""

    path: Path
    name: str
    shown: str
    tree: ast.Module
    functions: list[Function] = field(default_factory=list)

    @cached_property
    def imported(self) -> dict[str, str]:
        """{name in this file: dotted name of what it stands for}"""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    found[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{base}.{alias.name}".strip(".")
        return found

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        keep = len(package) - node.level + (self.path.name == "__init__.py")
        return ".".join([*package[: max(0, keep)], *([node.module] if node.module else [])])

    @cached_property
    def own(self) -> set[str]:
        """Names that this file defines at its top."""
        named = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return {node.name for node in self.tree.body if isinstance(node, named)}

    def dotted(self, node: ast.AST) -> str:
        """The dotted name of an expression such as `orm.Session`; "" if it is none."""
        if isinstance(node, ast.Name):
            if node.id in self.own:
                return f"{self.name}.{node.id}"
            return self.imported.get(node.id, node.id if node.id in self.kinds else "")
        if isinstance(node, ast.Attribute) and (base := self.dotted(node.value)):
            return f"{base}.{node.attr}"
        return ""

    @cached_property
    def aliases(self) -> dict[str, ast.AST]:
        """{name: the annotation it stands for}: `SessionDep = Annotated[Session, Depends(…)]`"""
        found: dict[str, ast.AST] = {}
        for node in self.tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(name)], value=ast.Subscript() as meant):
                    found[name] = meant
        return found

    def kind_of(self, annotation: ast.AST) -> str:
        """The dotted class that an annotation names; of Annotated[X, …] and X | None it is X's."""
        match annotation:
            case ast.Constant(value=str() as text):
                try:
                    return self.kind_of(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return ""
            case ast.Subscript(value=ast.Name("Annotated") | ast.Attribute(attr="Annotated")):
                inner = annotation.slice
                return self.kind_of(inner.elts[0]) if isinstance(inner, ast.Tuple) else ""
            case ast.Subscript(value=ast.Name("Optional"), slice=inner):
                return self.kind_of(inner)
            case ast.BinOp(left=left, op=ast.BitOr()):
                return self.kind_of(left)
            case ast.Name(name) if name in self.aliases:
                return self.kind_of(self.aliases[name])
        return self.dotted(annotation)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """{name at the top of the file: dotted class}"""
        found: dict[str, str] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = self.kind_made_by(node.value, found)
        return {name: kind for name, kind in found.items() if kind}

    def kind_made_by(self, value: ast.AST, known: dict[str, str]) -> str:
        """The dotted class of what a call makes; for a session factory, of its sessions."""
        if isinstance(value, ast.Await):
            value = value.value
        if not isinstance(value, ast.Call):
            return ""
        function = value.func
        if isinstance(function, ast.Name) and (kind := known.get(function.id)):
            return made_by(f"{kind}()")
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            of = function.value.id
            if kind := known.get(of) or self.kinds_so_far().get(of, ""):
                return made_by(f"{kind}.{function.attr}")
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
            kind = self.kind_made_by(function.value, known)
            return made_by(f"{kind}.{function.attr}") if kind else ""
        name = ""
        if isinstance(function, ast.Name | ast.Attribute):
            name = self._plain(function)
        return made_by(name, value)

    def kinds_so_far(self) -> dict[str, str]:
        return self.__dict__.get("kinds", {})

    def _plain(self, node: ast.AST) -> str:
        if isinstance(node, ast.Name):
            if node.id in self.kinds_so_far():
                return f"{self.kinds_so_far()[node.id]}()"
            return (
                f"{self.name}.{node.id}" if node.id in self.own else self.imported.get(node.id, "")
            )
        if isinstance(node, ast.Attribute) and (base := self._plain(node.value)):
            return f"{base}.{node.attr}"
        return ""

    @cached_property
    def fields(self) -> dict[str, dict[str, str]]:
        """{dotted class of this file: {attribute of `self`: dotted class}}"""
        found: dict[str, dict[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                known: dict[str, str] = {}
                for item in node.body:
                    if isinstance(item, Def):
                        known |= self._fields_set_in(item)
                    elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                        known[item.target.id] = self.kind_of(item.annotation)
                found[f"{self.name}.{node.name}"] = {
                    name: kind for name, kind in known.items() if kind
                }
        return found

    def _fields_set_in(self, method: Def) -> dict[str, str]:
        given = {
            argument.arg: self.kind_of(argument.annotation)
            for argument in [*method.args.args, *method.args.kwonlyargs]
            if argument.annotation is not None
        }
        found = {}
        for node in own_nodes(method):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                target = node.targets[0]
                if isinstance(target.value, ast.Name) and target.value.id == "self":
                    if isinstance(node.value, ast.Name):
                        found[target.attr] = given.get(node.value.id, "")
                    else:
                        found[target.attr] = self.kind_made_by(node.value, given)
        return found


ASYNC_SESSION = "sqlalchemy.ext.asyncio.AsyncSession"
SESSION = "sqlalchemy.orm.Session"
SAME = {
    "sqlalchemy.ext.asyncio.session.AsyncSession": ASYNC_SESSION,
    "sqlmodel.ext.asyncio.session.AsyncSession": ASYNC_SESSION,
    "sqlmodel.Session": SESSION,
    "sqlalchemy.orm.session.Session": SESSION,
}
MAKES = {  # what a call gives: a class of its own name is its own kind
    "sqlalchemy.orm.sessionmaker": "sessions",
    "sqlalchemy.ext.asyncio.async_sessionmaker": "async sessions",
    "sessions()": SESSION,
    "async sessions()": ASYNC_SESSION,
    "sessions().begin": SESSION,
    "sqlalchemy.create_engine": "sqlalchemy.Engine",
    "sqlmodel.create_engine": "sqlalchemy.Engine",
    "sqlalchemy.Engine.connect": "sqlalchemy.Connection",
    "sqlalchemy.Engine.begin": "sqlalchemy.Connection",
    "sqlalchemy.ext.asyncio.create_async_engine": "sqlalchemy.ext.asyncio.AsyncEngine",
    "sqlalchemy.ext.asyncio.AsyncEngine.connect": "sqlalchemy.ext.asyncio.AsyncConnection",
    "sqlalchemy.ext.asyncio.AsyncEngine.begin": "sqlalchemy.ext.asyncio.AsyncConnection",
    "psycopg.connect": "psycopg.Connection",
    "psycopg.Connection.connect": "psycopg.Connection",
    "psycopg.AsyncConnection.connect": "psycopg.AsyncConnection",
    "psycopg.Connection.cursor": "psycopg.Cursor",
    "psycopg_pool.ConnectionPool.connection": "psycopg.Connection",
    "psycopg_pool.AsyncConnectionPool.connection": "psycopg.AsyncConnection",
    "psycopg2.connect": "psycopg2.connection",
    "psycopg2.connection.cursor": "psycopg2.cursor",
    "sqlite3.connect": "sqlite3.Connection",
    "sqlite3.Connection.cursor": "sqlite3.Cursor",
    "asyncpg.connect": "asyncpg.Connection",
    "asyncpg.create_pool": "asyncpg.Pool",
    "asyncpg.Pool.acquire": "asyncpg.Connection",
    "aiosqlite.connect": "aiosqlite.Connection",
    "requests.Session": "requests.Session",
    "httpx.Client": "httpx.Client",
    "passlib.context.CryptContext": "passlib.context.CryptContext",
    "boto3.client": "boto3.client",
}


def made_by(name: str, call: ast.Call | None = None) -> str:
    """The kind of what the call of that dotted name gives; "" if it is not known."""
    if name == "sqlalchemy.orm.sessionmaker" and call is not None:
        for word in call.keywords:  # the way before async_sessionmaker
            if word.arg == "class_" and "Async" in ast.unparse(word.value):
                return "async sessions"
    if name in SAME:
        return SAME[name]
    if name in (ASYNC_SESSION, SESSION):
        return name
    return MAKES.get(name, name if name.rpartition(".")[2][:1].isupper() else "")


class Project:
    """Every module below a folder, and its functions by their dotted names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unread: list[str] = []
        self.modules = list(self._modules())
        self.functions: dict[str, Function] = {}
        for module in self.modules:
            self._functions_of(module, module.tree, module.name, "")
        self.functions = {one.name: one for module in self.modules for one in module.functions}
        self._called: dict[str, list[Function]] = {}
        for one in self.functions.values():
            self._called.setdefault(one.node.name, []).append(one)
        self._found: dict[str, Function | None] = {}
        named: dict[str, list[Module]] = {}
        for module in self.modules:
            named.setdefault(module.name.rpartition(".")[2], []).append(module)
        for module in self.modules:
            self._follow_aliases(module, named)

    def _modules(self) -> Iterator[Module]:
        root = self.folder if self.folder.is_dir() else self.folder.parent
        files = sorted(self.folder.rglob("*.py")) if self.folder.is_dir() else [self.folder]
        for path in files:
            inside = path.relative_to(root)
            if SKIPPED & set(inside.parts) or any(part.startswith(".") for part in inside.parts):
                continue
            if inside.name.startswith("test_") or {"tests", "test"} & set(inside.parts):
                continue
            if inside.name in SKIPPED_FILES:
                continue
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError, ValueError, OSError):
                self.unread.append(inside.as_posix())
                continue
            parts = [*inside.with_suffix("").parts]
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            yield Module(path, ".".join(parts), inside.as_posix(), tree)

    def _functions_of(self, module: Module, node: ast.AST, prefix: str, owner: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Def):
                name = f"{prefix}.{child.name}"
                module.functions.append(Function(name, child, module, owner))
                self._functions_of(module, child, name, owner)
            elif isinstance(child, ast.ClassDef):
                name = f"{prefix}.{child.name}"
                self._functions_of(module, child, name, name)
            else:
                self._functions_of(module, child, prefix, owner)

    def _follow_aliases(self, module: Module, named: dict[str, list[Module]]) -> None:
        """An alias of another file: `from app.deps import SessionDep`."""
        for name, dotted in module.imported.items():
            home, _, attribute = dotted.rpartition(".")
            for other in named.get(home.rpartition(".")[2], []):
                if not ends_with(home, other.name) and not ends_with(other.name, home):
                    continue
                if attribute in other.aliases and name not in module.aliases:
                    kind = other.kind_of(other.aliases[attribute])
                    if kind:
                        module.imported[name] = kind
                elif attribute in other.kinds:
                    module.kinds.setdefault(name, other.kinds[attribute])

    def called(self, name: str) -> list[Function]:
        """The functions and methods that are called so, in all files."""
        return self._called.get(name, [])

    def find(self, dotted: str) -> Function | None:
        """The function of that name, also if the folder that was read is not the import's root."""
        if dotted not in self._found:
            self._found[dotted] = self._find(dotted)
        return self._found[dotted]

    def _find(self, dotted: str) -> Function | None:
        if dotted in self.functions:
            return self.functions[dotted]
        parts = dotted.split(".")
        if len(parts) < 2:
            return None
        fitting = [
            one
            for one in self._called.get(parts[-1], [])
            if ends_with(dotted, one.name) or (len(parts) > 2 and ends_with(one.name, dotted))
        ]
        return fitting[0] if len(fitting) == 1 else None


def ends_with(longer: str, shorter: str) -> bool:
    return bool(shorter) and (longer == shorter or longer.endswith(f".{shorter}"))
