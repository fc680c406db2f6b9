"""Messages of PostgreSQL's protocol whose meaning is known: the two decoders of the course agree.

(direction, letter, the body's bytes as digits, its name, what it says), after the manual's chapter
"Message Formats".
"""

from __future__ import annotations

KNOWN = [
    ("sent", "Q", "73656c656374203100", "Query", "select 1"),
    ("sent", "P", "7300 73656c656374203100 0000", "Parse", "s: select 1"),
    ("sent", "P", "00 73656c6563740000 0000", "Parse", "without a name: select"),
    (
        "sent",
        "B",
        "00 7300 0001 0001 0001 00000004 00000003 0001 0001",
        "Bind",
        "s with 00 00 00 03",
    ),
    (
        "sent",
        "B",
        "00 00 0000 0002 00000001 41 ffffffff 0000",
        "Bind",
        "without a name with 'A', null",
    ),
    ("sent", "B", "00 7300 0000 0000 0000", "Bind", "s with no value"),
    ("sent", "D", "53 7300", "Describe", "statement s"),
    ("sent", "D", "50 00", "Describe", "portal"),
    ("sent", "C", "53 7300", "Close", "statement s"),
    ("sent", "E", "00 00000000", "Execute", "all rows"),
    ("sent", "E", "00 00000001", "Execute", "at most 1 row"),
    ("sent", "E", "00 00000002", "Execute", "at most 2 rows"),
    ("sent", "H", "", "Flush", ""),
    ("sent", "S", "", "Sync", ""),
    ("received", "1", "", "ParseComplete", ""),
    ("received", "t", "0002 00000017 000003ef", "ParameterDescription", "$1 int4, $2 int4[]"),
    ("received", "t", "0000", "ParameterDescription", ""),
    ("received", "n", "", "NoData", ""),
    (
        "received",
        "T",
        "0002 6e00 00000045 0003 00000017 0004 ffffffff 0000"
        " 6100 00000000 0000 000f4240 ffff ffffffff 0001",
        "RowDescription",
        "n int4, a type 1000000",
    ),
    ("received", "D", "0002 00000004 0000044c 00000002 6869", "DataRow", "00 00 04 4c | 'hi'"),
    ("received", "D", "0002 ffffffff 00000001 41", "DataRow", "null | 'A'"),
    ("received", "D", "0001 00000002 c3a4", "DataRow", "c3 a4"),
    ("received", "C", "53454c454354203100", "CommandComplete", "SELECT 1"),
    ("received", "Z", "49", "ReadyForQuery", "idle"),
    ("received", "Z", "54", "ReadyForQuery", "in a transaction"),
    ("received", "Z", "45", "ReadyForQuery", "in a failed one"),
    (
        "received",
        "E",
        "534552524f5200 433432503031 00 4d6e6f206dc3a400 503135 00 00",
        "ErrorResponse",
        "ERROR 42P01: no mä, at character 15",
    ),
    (
        "received",
        "N",
        "534e4f5449434500 433030303030 00 4d686900 00",
        "NoticeResponse",
        "NOTICE 00000: hi",
    ),
]


def as_bytes(letter: str, digits: str) -> bytes:
    """The whole message: letter, length, body."""
    body = bytes.fromhex(digits)
    return letter.encode() + (4 + len(body)).to_bytes(4) + body
