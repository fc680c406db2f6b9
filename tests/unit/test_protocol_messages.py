"""Messages of PostgreSQL's protocol are taken out of bytes, and told in words."""

from __future__ import annotations

import pytest

from bench.instruments.protocol_messages import RECEIVED, SENT, meaning, messages
from known_messages import KNOWN, as_bytes

NAMES = {"sent": SENT, "received": RECEIVED}


@pytest.mark.parametrize(("way", "letter", "digits", "name", "says"), KNOWN)
def test_a_known_message_is_told(way: str, letter: str, digits: str, name: str, says: str) -> None:
    data = as_bytes(letter, digits)
    [message] = messages(data, NAMES[way])
    assert (message.name, meaning(message)) == (name, says)
    assert message.packed() == data


def test_messages_are_cut_and_a_piece_is_left_out() -> None:
    data = b"Z\0\0\0\x05I" + b"C\0\0\0\x0dSELECT 1\0" + b"D\0\0"
    heard = list(messages(data, {"Z": "ReadyForQuery"}))
    assert [(m.letter, m.name, m.body) for m in heard] == [
        ("Z", "ReadyForQuery", b"I"),
        ("C", "unknown", b"SELECT 1\0"),
    ]
    assert [meaning(message) for message in heard] == ["idle", "SELECT 1"]
