"""One rule for each kind of hit. A rule says nothing where the source does not tell."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, zip_longest

from bench.visit.reading.project import ASYNC_SESSION, SAME, SESSION, Function, Module, Project


@dataclass(frozen=True)
class Hit:
    kind: str
    file: str
    line: int
    code: str
    says: str
    """Why it is one, in a sentence."""
    claim: str
    """The claim of the course whose run explains it."""

    @property
    def at(self) -> str:
        return f"{self.file}:{self.line}"


BLOCKS = {  # dotted name, or its beginning with a dot at the end
    "time.sleep": "it sleeps on the loop's thread",
    "requests.": "requests waits for the network with a blocking socket",
    "urllib.request.urlopen": "urlopen waits for the network with a blocking socket",
    "subprocess.run": "it waits for a process",
    "subprocess.check_output": "it waits for a process",
    "subprocess.check_call": "it waits for a process",
    "psycopg.connect": "psycopg's blocking connection",
    "psycopg.Connection.": "psycopg's blocking connection",
    "psycopg_pool.ConnectionPool.connection": "psycopg's blocking pool",
    "psycopg_pool.ConnectionPool.getconn": "psycopg's blocking pool",
    "psycopg.Cursor.": "psycopg's blocking connection",
    "psycopg2.": "psycopg2 blocks",
    "sqlite3.": "sqlite3 blocks",
    "pymysql.": "pymysql blocks",
    "MySQLdb.": "MySQLdb blocks",
    "sqlalchemy.Connection.": "a blocking connection of SQLAlchemy",
    "sqlalchemy.Engine.connect": "a blocking connection of SQLAlchemy",
    "sqlalchemy.Engine.begin": "a blocking connection of SQLAlchemy",
    f"{SESSION}.": "a blocking session of SQLAlchemy",
    "bcrypt.checkpw": "bcrypt computes for some tenths of a second",
    "bcrypt.hashpw": "bcrypt computes for some tenths of a second",
    "passlib.context.CryptContext.verify": "hashing a password computes for a while",
    "passlib.hash.": "hashing a password computes for a while",
    "argon2.PasswordHasher.": "hashing a password computes for a while",
    "pwdlib.PasswordHash.": "hashing a password computes for a while",
    "passlib.context.CryptContext.hash": "hashing a password computes for a while",
    "boto3.client.": "boto3 waits for the network with a blocking socket",
    "httpx.Client.": "httpx.Client blocks; AsyncClient does not",
    "httpx.get": "httpx.get blocks",
    "httpx.post": "httpx.post blocks",
}
HARMLESS = {  # of what blocks: calls that ask nothing
    f"{SESSION}.{name}" for name in ("add", "add_all", "expunge", "expunge_all", "expire", "close")
} | {
    *("psycopg2.connect.cursor", "psycopg.Connection.cursor", "sqlite3.Connection.cursor"),
    *("psycopg2.connection.cursor", "psycopg2.sql.SQL", "psycopg2.sql.Identifier"),
    *("requests.Session", "sqlite3.register_adapter", "sqlite3.register_converter"),
    *("httpx.Client", "httpx.Client.close", "requests.Session.close", "sqlite3.Connection.close"),
    *("psycopg.Connection.close", "psycopg2.connection.close", "pwdlib.PasswordHash.recommended"),
    *("psycopg2.cursor.fetchone", "psycopg2.cursor.fetchall", "sqlite3.Cursor.fetchone"),
}
ASKS = {  # coroutine methods of what a session, a connection or a pool is
    ASYNC_SESSION: "execute scalar scalars stream stream_scalars commit rollback flush refresh get "
    "get_one merge delete exec close reset run_sync connection",
    "sqlalchemy.ext.asyncio.AsyncConnection": "execute scalar scalars commit rollback run_sync",
    "asyncpg.Connection": "execute executemany fetch fetchrow fetchval close",
    "asyncpg.Pool": "execute executemany fetch fetchrow fetchval close release",
    "psycopg.AsyncConnection": "execute commit rollback close",
    "aiosqlite.Connection": "commit rollback executemany",
}
SQL = re.compile(
    r"\s*(select\b.+\bfrom\b|insert\s+into\b|update\b.+\bset\b|delete\s+from\b|"
    r"where\b|truncate\b|with\b.+\bas\s*\()",
    re.IGNORECASE | re.DOTALL,
)
TAKES_SQL = {
    *("execute", "executemany", "executescript", "fetch", "fetchrow", "fetchval", "fetch_all"),
    *("fetch_one", "fetch_val", "text", "exec_driver_sql", "prepare", "scalar", "scalars", "raw"),
}


def hit(kind: str, function: Function | Module, node: ast.AST, says: str, claim: str) -> Hit:
    module = function if isinstance(function, Module) else function.module
    line = getattr(node, "lineno", 0)
    code = ast.unparse(node).splitlines()[0]
    return Hit(kind, module.shown, line, code[:90] + "…" * (len(code) > 90), says, claim)


# ---- a blocking call on the loop ----


def why_it_blocks(dotted: str) -> str:
    """Why the call of that name blocks its thread; "" if it does not."""
    dotted = next(
        (dotted.replace(a, b, 1) for a, b in SAME.items() if dotted.startswith(f"{a}.")), dotted
    )
    if dotted in HARMLESS:
        return ""
    for name, why in BLOCKS.items():
        if dotted == name or (name.endswith(".") and dotted.startswith(name)):
            return why
    return ""


def blocking_calls(project: Project) -> Iterable[Hit]:
    """In an `async def`: a call that blocks, or of a `def` that leads to one."""

    @cache
    def leads(name: str, depth: int = 0) -> tuple[str, ...]:
        """The way from a `def` to what blocks: places, and at the end why."""
        function = project.functions[name]
        if function.is_async or depth > 6 or is_generator(function):
            return ()
        for call in function.calls():
            if why := why_it_blocks(function.called(call)):
                return (f"{function.module.shown}:{call.lineno}", why)
        for call in function.calls():
            other = project.find(function.called(call))
            if other and other.name != name and (way := leads(other.name, depth + 1)):
                return (f"{function.module.shown}:{call.lineno}", *way)
        return ()

    unserved = lifespans(project) | scripts(project)
    for function in project.functions.values():
        if not function.is_async or function.name in unserved:
            continue
        seen = set()
        for call in function.calls():
            dotted = function.called(call)
            why = why_it_blocks(dotted)
            if not why and (other := project.find(dotted)) and not awaited(function, call):
                way = leads(other.name)
                why = f"it leads to {way[-2]}: {way[-1]}" if way else ""
            if why and not awaited(function, call) and why not in seen:
                seen.add(why)  # of one connection or session, the first call tells enough
                yield hit(
                    "blocking-call",
                    function,
                    call,
                    f"in `async def {function.node.name}`: {why}",
                    "async-def-one-at-a-time",
                )


def lifespans(project: Project) -> set[str]:
    """Functions that run before the first guest and after the last: nobody waits for them."""
    found = {
        function.name
        for function in project.functions.values()
        for decorator in function.node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(".on_event")
    }
    for module in project.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.keyword) and node.arg == "lifespan":
                one = project.find(module.dotted(node.value))
                found |= {one.name} if one else set()
    return found


def scripts(project: Project) -> set[str]:
    """Functions that a program runs with `asyncio.run`: nobody else is on that loop."""
    found = set()
    for module in project.modules:
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name("asyncio" | "anyio"), attr="run"),
                    args=[ast.Call(func=started) | (ast.Name() as started), *_],
                ) if one := project.find(module.dotted(started)):
                    found.add(one.name)
    return found


def awaited(function: Function, call: ast.AST) -> bool:
    return isinstance(function.parents.get(id(call)), ast.Await)


def is_generator(function: Function) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in function.body)


# ---- a coroutine that nobody awaits ----


def forgotten_awaits(project: Project) -> Iterable[Hit]:
    """A call whose coroutine is thrown away, or used as if it were its value."""
    for function in project.functions.values():
        for call in function.calls():
            if not gives_coroutine(project, function, call):
                continue
            parent = function.parents.get(id(call))
            if isinstance(parent, ast.Expr | ast.Attribute | ast.Subscript):
                yield hit(
                    "forgotten-await",
                    function,
                    call,
                    "its coroutine is never awaited, so nothing is asked",
                    "forgotten-await-200-no-row",
                )


def gives_coroutine(project: Project, function: Function, call: ast.Call) -> bool:
    dotted = function.called(call)
    kind, _, method = dotted.rpartition(".")
    kind = SAME.get(kind, kind)
    if kind in ASKS:
        return method in ASKS[kind].split()
    other = project.find(dotted)
    return bool(
        other
        and other.is_async
        and not is_generator(other)
        and not any("contextmanager" in ast.unparse(one) for one in other.node.decorator_list)
        and not other.node.decorator_list
    )


# ---- SQL out of text ----


def sql_in_text(project: Project) -> Iterable[Hit]:
    """Values that are written into SQL, where it is sent."""
    for function in project.functions.values():
        for call in function.calls():
            name = (
                call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
            )
            if name not in TAKES_SQL or not call.args:
                continue
            built: ast.AST = call.args[0]
            if isinstance(built, ast.Name):
                built = last_assigned(function, built.id, call.lineno) or built
            if (found := foreign_value(project, function, built)) and SQL.match(
                constant_words(built)
            ):
                yield hit(
                    "sql-from-text",
                    function,
                    call,
                    f"`{found}` becomes a part of the statement's text",
                    "f-strings-cost-round-trips",
                )


def last_assigned(function: Function, name: str, before: int) -> ast.AST | None:
    """What a name was given last, up to that line; or the list that a loop takes it from."""
    found: ast.Assign | ast.For | None = None
    for node in function.body:
        match node:
            case ast.Assign(targets=[ast.Name(given)]) | ast.For(target=ast.Name(given)):
                if given == name and node.lineno <= before:
                    found = node
    if isinstance(found, ast.For) and isinstance(found.iter, ast.Name):
        return last_assigned(function, found.iter.id, found.lineno - 1) or found.iter
    return None if found is None else found.iter if isinstance(found, ast.For) else found.value


def constant_words(built: ast.AST) -> str:
    """The constant words of a text that is put together, as they stand."""
    words = [node for node in ast.walk(built) if isinstance(node, ast.Constant)]
    words.sort(key=lambda node: (node.lineno, node.col_offset))
    return " ".join(str(node.value) for node in words)


_AT_A_VALUE = re.compile(
    r"""(?:[=<>%]|\b(?:like|ilike|limit|offset|then)|\bbetween|\bbetween\s+\S+\s+and"""
    r"""|\b(?:in|values)\s*\((?:[^()]*,)?)\s*["%]*$""",
    re.IGNORECASE,
)
MARKS = re.compile(r"%s|%\(\w+\)s|%d|\{\w*\}")


def foreign_value(project: Project, function: Function, built: ast.AST) -> str:
    """A value in a text that may come from outside; "" if there is none.

    Where a value stands, a parameter could stand. Names of tables and columns, whole conditions
    and statements inside a statement cannot be parameters: of them nothing is said.
    """
    for before, part, after in values_in(built):
        names_a_table = after.startswith(".")
        if is_at_a_value(before) and not names_a_table and not is_fixed(project, function, part):
            return ast.unparse(part)
    return ""


def is_at_a_value(before: str) -> bool:
    """Whether a value of SQL comes after this text: inside quotes, or after what compares."""
    return before.count("'") % 2 == 1 or _AT_A_VALUE.search(before) is not None


def values_in(built: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    """(the text before it, the expression, the text after it) for all that is put into a text.

    An expression that stands before another is a `?` in its text.
    """
    match built:
        case ast.JoinedStr(values=values):
            yield from between_words(values)
        case ast.BinOp(left=ast.Constant(value=str() as text), op=ast.Mod(), right=right):
            given = [*right.elts] if isinstance(right, ast.Tuple) else [right]
            yield from between_marks(text, given)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format")):
            parts = [*built.args, *(word.value for word in built.keywords)]
            yield from between_marks(text, parts)
        case ast.BinOp(op=ast.Add()):
            yield from between_words([*added(built)])


def between_words(pieces: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST, str]]:
    before = ""
    for piece, following in zip_longest(pieces, pieces[1:]):
        if isinstance(piece, ast.Constant):
            before += str(piece.value)
        else:
            part = piece.value if isinstance(piece, ast.FormattedValue) else piece
            yield before, part, str(following.value) if isinstance(following, ast.Constant) else ""
            before += "?"


def between_marks(text: str, given: Sequence[ast.AST]) -> Iterator[tuple[str, ast.AST, str]]:
    words = MARKS.split(text)
    before = accumulate(words, lambda before, word: f"{before}?{word}")
    return zip(before, given, words[1:], strict=False)


def added(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from added(node.left)
        yield from added(node.right)
    else:
        yield node


NUMBERS = {"int", "float", "bool", "UUID", "uuid.UUID", "date", "datetime"}
IS_SQL = re.compile(r"(?i)(^|_)(sql|expr|clause|conditions?|fragment|placeholders?|columns|cols)$")


def is_fixed(project: Project, function: Function, part: ast.AST) -> bool:
    """Whether it cannot come from a guest: constants, names in capitals, numbers, joins, and what
    a function of the project makes of constants (a placeholder, `now()` in a dialect)."""
    match part:
        case ast.Constant():
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return all(is_fixed(project, function, one) for one in parts)
        case ast.Name(name) | ast.Attribute(attr=name) if name.isupper() or name == "__tablename__":
            return True
        case ast.Call(func=ast.Name("int" | "float" | "len" | "min" | "max")):
            return True
        case ast.Name(name) if function.kinds_written.get(name) in NUMBERS:
            return True
        case ast.Name(name) | ast.Attribute(attr=name) if IS_SQL.search(name):
            return True  # who names it so has put SQL into it
        case ast.JoinedStr():
            inside = values_in(part)
            return all(
                before[-1:] in "$:" or is_fixed(project, function, p)
                for before, p, _ in inside
                if before
            )
        case ast.Call(func=ast.Attribute(attr="join")) | ast.Call(func=ast.Name("quote_ident")):
            return True  # lists of columns and of marks: too many are right
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name), args=given):
            return writes_sql(project, name) and all(isinstance(a, ast.Constant) for a in given)
        case ast.Attribute(attr=name):
            return writes_sql(project, name)
        case ast.Name(name):
            assigned = last_assigned(function, name, part.lineno - 1)
            return assigned is not None and (
                isinstance(assigned, ast.Constant)
                or (not isinstance(assigned, ast.Name) and is_fixed(project, function, assigned))
            )
    return False


def writes_sql(project: Project, name: str, depth: int = 0) -> bool:
    """Whether the one function or property of that name returns nothing but words written there."""
    functions = project.called(name)
    if len(functions) != 1 or depth > 3:
        return False
    returned = [node.value for node in functions[0].body if isinstance(node, ast.Return)]
    return bool(returned) and all(
        isinstance(value, ast.Constant | ast.JoinedStr)
        or (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Name)
            and writes_sql(project, value.func.id, depth + 1)
        )
        for value in returned
    )


# ---- a commit after the reply ----


def commits_after_reply(project: Project) -> Iterable[Hit]:
    """A `yield` dependency that commits after its `yield`, and is used without scope="function"."""
    used = depended_on(project)
    for function in project.functions.values():
        if not is_generator(function) or function.name not in used:
            continue
        if node := commits_after_yield(function):
            yield hit(
                "commit-after-reply",
                function,
                node,
                f"`{function.node.name}` commits after its `yield`: since FastAPI 0.118 the guest "
                'has the reply by then, unless Depends says scope="function"',
                "reply-before-the-commit",
            )


def depended_on(project: Project) -> set[str]:
    """The functions that some `Depends(…)` without scope="function" names."""
    found = set()
    for module in project.modules:
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Depends")):
                continue
            if any(
                word.arg == "scope" and "function" in ast.unparse(word.value)
                for word in node.keywords
            ):
                continue
            if node.args and (one := project.find(module.dotted(node.args[0]))):
                found.add(one.name)
    return found


def commits_after_yield(function: Function) -> ast.AST | None:
    lines = [node.lineno for node in function.body if isinstance(node, ast.Yield)]
    for call in function.calls():
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name == "commit" and call.lineno > min(lines):
            return call
        if name in ("begin", "transaction"):
            parent = function.parents.get(id(call))
            while parent is not None and not isinstance(parent, ast.With | ast.AsyncWith):
                parent = function.parents.get(id(parent))
            inside = [] if parent is None else [id(node) for node in ast.walk(parent)]
            if any(id(node) in inside for node in function.body if isinstance(node, ast.Yield)):
                return call
    return None


# ---- pools ----

SIZES = {  # dotted name: (what a pool of it opens at most by default, names of its arguments)
    "asyncpg.create_pool": (10, ("max_size",)),
    "psycopg_pool.AsyncConnectionPool": (4, ("max_size", "min_size")),
    "psycopg_pool.ConnectionPool": (4, ("max_size", "min_size")),
    "sqlalchemy.ext.asyncio.create_async_engine": (15, ("pool_size", "max_overflow")),
    "sqlalchemy.create_engine": (15, ("pool_size", "max_overflow")),
    "sqlmodel.create_engine": (15, ("pool_size", "max_overflow")),
}


def pools(project: Project) -> Iterable[Hit]:
    """Where a pool is opened, and how many connections a worker may have through it."""
    for module in project.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and (size := size_of_pool(module, node)):
                yield hit(
                    "pool",
                    module,
                    node,
                    f"{size} for each worker; times the workers, and twice during a deploy",
                    "app-gets-seventeen",
                )


def size_of_pool(module: Module, call: ast.Call) -> str:
    name = module.dotted(call.func)
    if name not in SIZES:
        return ""
    default, arguments = SIZES[name]
    said = {word.arg: word.value for word in call.keywords if word.arg}
    if "poolclass" in said:
        kind = ast.unparse(said["poolclass"])
        return "no pool (NullPool): one for each request" if "NullPool" in kind else kind
    if any(word.arg is None for word in call.keywords):
        return "as many connections as a setting says"
    values = [said.get(one) for one in arguments]
    if not any(isinstance(value, ast.AST) for value in values):
        return f"at most {default} connections (the default)"
    numbers = [
        value.value if isinstance(value, ast.Constant) and isinstance(value.value, int) else None
        for value in values
    ]
    if arguments[0] == "pool_size":
        size, overflow = (
            5 if values[0] is None else numbers[0],
            10 if values[1] is None else numbers[1],
        )
        if size is not None and overflow is not None:
            return f"at most {size + overflow} connections" if size else "no limit (pool_size=0)"
    elif said_size := numbers[0] or numbers[-1]:
        return f"at most {said_size} connections"
    return "as many connections as a setting says"


RULES: dict[str, Callable[[Project], Iterable[Hit]]] = {
    "blocking-call": blocking_calls,
    "forgotten-await": forgotten_awaits,
    "sql-from-text": sql_in_text,
    "commit-after-reply": commits_after_reply,
    "pool": pools,
}


def read(project: Project) -> list[Hit]:
    """Every hit, kind by kind in the order of RULES; within a kind by file and line."""
    found = []
    for rule in RULES.values():
        found += sorted(set(rule(project)), key=lambda one: (one.file, one.line))
    return found
