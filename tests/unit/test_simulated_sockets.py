"""Simulated sockets do what real ones do: each test runs on both kinds."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bench.instruments import simulated_sockets
from bench.instruments.simulated_sockets import SimulatedSelector, WaitsForEver, socketpair
from bench.practice.folders import find
from bench.practice.in_the_page import check_in_the_page

REAL = SimpleNamespace(pair=socket.socketpair, selector=selectors.DefaultSelector)
SIMULATED = SimpleNamespace(pair=socketpair, selector=SimulatedSelector)
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@pytest.fixture(params=[REAL, SIMULATED], ids=["real", "simulated"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def ends(kind: Any) -> Iterator[tuple[Any, Any]]:
    pair = kind.pair()
    for end in pair:
        end.setblocking(False)
    yield pair
    for end in pair:
        end.close()


def test_bytes_arrive_in_order_and_in_pieces(ends: tuple[Any, Any]) -> None:
    here, there = ends
    with pytest.raises(BlockingIOError):
        here.recv(1)
    assert there.send(b"so") == 2
    there.sendall(b"up")
    assert (here.recv(3), here.recv(3)) == (b"sou", b"p")


def test_a_socket_that_nobody_reads_is_full_some_time(kind: Any, ends: tuple[Any, Any]) -> None:
    here, there = ends
    sent = there.send(bytes(2**22))
    assert 2**12 < sent < 2**22, "the checks of lab 7 need a message that does not fit"
    with kind.selector() as asks:
        asks.register(there, WRITE)
        while asks.select(0):
            sent += there.send(bytes(2**22))
    with pytest.raises(BlockingIOError):
        there.send(b"!")
    arrived = 0
    while arrived < sent:
        arrived += len(here.recv(sent))
    assert there.send(b"!") == 1


def test_who_hangs_up_is_noticed(ends: tuple[Any, Any]) -> None:
    here, there = ends
    there.send(b"bye")
    there.close()
    assert (here.recv(9), here.recv(9)) == (b"bye", b"")
    with pytest.raises(BrokenPipeError):
        here.send(b"!")
    with pytest.raises(OSError, match="Bad file descriptor"):
        there.send(b"!")
    assert there.fileno() == -1


def test_half_of_a_connection_can_end(ends: tuple[Any, Any]) -> None:
    here, there = ends
    there.shutdown(socket.SHUT_WR)
    assert here.recv(9) == b""
    here.send(b"still")
    assert there.recv(9) == b"still"
    with pytest.raises(BrokenPipeError):
        there.send(b"!")


def test_the_selector_tells_who_is_ready(kind: Any, ends: tuple[Any, Any]) -> None:
    here, there = ends
    with kind.selector() as selector:
        selector.register(here, READ, "reader")
        selector.register(there, READ | WRITE, "both")
        assert [(key.data, events) for key, events in selector.select(0)] == [("both", WRITE)]
        there.send(b"!")
        assert {key.data: events for key, events in selector.select(0)} == {
            "reader": READ,
            "both": WRITE,
        }
        with pytest.raises(KeyError, match="already registered"):
            selector.register(here, WRITE)
        selector.unregister(there)
        here.recv(1)
        assert selector.select(0.001) == []
        there.close()
        assert [(key.fileobj, events) for key, events in selector.select(None)] == [(here, READ)]


def test_a_closed_socket_is_never_ready(kind: Any, ends: tuple[Any, Any]) -> None:
    here, there = ends
    with kind.selector() as selector:
        selector.register(here, READ)
        there.send(b"!")
        here.close()
        there.close()
        assert selector.select(0) == []


def test_the_number_of_a_closed_socket_is_given_again() -> None:
    """So whoever leaves a note in the selector hears of it, as from a system."""
    here, there = socketpair()
    with SimulatedSelector() as selector:
        selector.register(here, READ)
        for end in here, there:
            end.close()
        near, far = socketpair()
        with pytest.raises(KeyError, match="already registered"):
            selector.register(near, READ)
        for end in near, far:
            end.close()


def test_a_wait_without_an_end_is_named() -> None:
    here, there = socketpair()
    with SimulatedSelector() as selector:
        selector.register(here, READ)
        with pytest.raises(WaitsForEver):
            selector.select(None)
    with pytest.raises(WaitsForEver):
        here.recv(1)
    for end in here, there:
        end.close()


@pytest.mark.parametrize("file", ["starter", "solution"])
def test_lab_7_cannot_tell_them_from_real_ones(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = find("07")
    path = lab.starter if file == "starter" else lab.repaired
    real = check_in_the_page(lab, path)
    monkeypatch.setattr(socket, "socketpair", socketpair)
    monkeypatch.setattr(selectors, "DefaultSelector", SimulatedSelector)
    assert check_in_the_page(lab, path) == real
    assert not simulated_sockets._open, "every socket was closed"
