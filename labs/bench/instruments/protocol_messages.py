"""The messages of PostgreSQL's protocol, version 3.0: taken out of bytes, and told in words.

The names are those of the manual, "Frontend/Backend Protocol".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SENT = {
    "B": "Bind",
    "C": "Close",
    "D": "Describe",
    "E": "Execute",
    "H": "Flush",
    "P": "Parse",
    "Q": "Query",
    "S": "Sync",
    "X": "Terminate",
}
RECEIVED = {
    "1": "ParseComplete",
    "2": "BindComplete",
    "3": "CloseComplete",
    "C": "CommandComplete",
    "D": "DataRow",
    "E": "ErrorResponse",
    "I": "EmptyQueryResponse",
    "N": "NoticeResponse",
    "S": "ParameterStatus",
    "T": "RowDescription",
    "Z": "ReadyForQuery",
    "n": "NoData",
    "s": "PortalSuspended",
    "t": "ParameterDescription",
}
_TYPES = {
    16: "bool",
    20: "int8",
    21: "int2",
    23: "int4",
    25: "text",
    701: "float8",
    1007: "int4[]",
    1009: "text[]",
    1043: "varchar",
    1184: "timestamptz",
    1700: "numeric",
    2278: "void",
    3802: "jsonb",
}
"""The numbers of some types in PostgreSQL's catalogue, which never change."""


class Message(NamedTuple):
    """One message: its letter, the manual's name for it, and the bytes after letter and length."""

    letter: str
    name: str
    body: bytes

    def packed(self) -> bytes:
        """The message as it travels: letter, length, body."""
        return self.letter.encode() + (4 + len(self.body)).to_bytes(4) + self.body


def messages(data: bytes, names: dict[str, str]) -> Iterator[Message]:
    """The whole messages in `data`; a piece at its end is left out."""
    while len(data) >= 5:
        end = 1 + int.from_bytes(data[1:5])
        if len(data) < end:
            return
        letter = chr(data[0])
        yield Message(letter, names.get(letter, "unknown"), data[5:end])
        data = data[end:]


def meaning(message: Message) -> str:
    """What the bytes of a message say. Values that are not plain text are shown as their bytes."""
    body = message.body
    match message.name:
        case "Query":
            return body[:-1].decode()
        case "Parse":
            statement, sql, _ = body.split(b"\0", 2)
            return f"{statement.decode() or 'without a name'}: {sql.decode()}"
        case "Bind":
            _, statement, rest = body.split(b"\0", 2)
            start = 2 + 2 * int.from_bytes(rest[:2])  # after the formats of the values
            values = ", ".join(map(_shown, columns(rest[start:])))
            return f"{statement.decode() or 'without a name'} with {values or 'no value'}"
        case "Describe" | "Close":
            kind = "statement" if body[:1] == b"S" else "portal"
            return f"{kind} {body[1:-1].decode()}".strip()
        case "Execute":
            most = int.from_bytes(body[-4:])
            return f"at most {most} row{'s' * (most > 1)}" if most else "all rows"
        case "ParameterDescription":
            types = [body[at : at + 4] for at in range(2, len(body), 4)]
            return ", ".join(f"${number} {_type(oid)}" for number, oid in enumerate(types, 1))
        case "RowDescription":
            return ", ".join(f"{name} {_type(oid)}" for name, oid in _fields_of_rows(body))
        case "DataRow":
            return " | ".join(map(_shown, columns(body)))
        case "CommandComplete":
            return body[:-1].decode()
        case "ErrorResponse" | "NoticeResponse":
            said = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
            where = f", at character {said[b'P']}" if b"P" in said else ""
            return f"{said[b'S']} {said[b'C']}: {said[b'M']}{where}"
        case "ReadyForQuery":
            return {b"I": "idle", b"T": "in a transaction", b"E": "in a failed one"}[body]
    return "".join(chr(byte) if 32 <= byte < 127 else " " for byte in body).strip()


def columns(body: bytes) -> list[bytes | None]:
    """The values in a Bind or a DataRow: how many, then each with its length; None is NULL."""
    values: list[bytes | None] = []
    rest = body[2:]
    for _ in range(int.from_bytes(body[:2])):
        length = int.from_bytes(rest[:4], signed=True)
        values.append(rest[4 : 4 + length] if length >= 0 else None)
        rest = rest[4 + max(0, length) :]
    return values


def _shown(value: bytes | None) -> str:
    if value is None:
        return "null"
    if value.isascii() and value.decode("ascii").isprintable():
        return f"'{value.decode()}'"
    return value.hex(" ")


def _type(oid: bytes) -> str:
    number = int.from_bytes(oid)
    return _TYPES.get(number, f"type {number}")


def _fields_of_rows(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Each column's name and the number of its type; 18 bytes stand between two names."""
    rest = body[2:]
    while rest:
        name, rest = rest.split(b"\0", 1)
        yield name.decode(), rest[6:10]
        rest = rest[18:]
