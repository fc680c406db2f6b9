"""No second task: `timeout` drives the coroutine itself, and its own notes come with an undo."""

import heapq
import itertools
import selectors
import socket
import time
import types
from collections import deque
from urllib.parse import urlsplit

# Step 1: a list of ready tasks
ready = deque()


class Task:
    def __init__(self, coroutine):
        self.coroutine, self.joiners = coroutine, []
        self.done, self.undo, self.late = False, None, None
        self.result = self.error = None
        ready.append(self)

    def outcome(self):
        if self.error:
            raise self.error
        return self.result


# Step 2: a task stops itself, and says who will wake it
@types.coroutine
def suspend(note):
    yield note


def step(task):
    task.undo = None
    try:
        if task.late:
            error, task.late = task.late, None
            note = task.coroutine.throw(error)
        else:
            note = task.coroutine.send(None)
        task.undo = note(task)
    except StopIteration as end:
        task.done, task.result = True, end.value
    except Exception as error:
        task.done, task.error = True, error
    if task.done:
        ready.extend(task.joiners)


async def turn():
    def note(task):
        ready.append(task)
        return lambda: ready.remove(task)

    await suspend(note)


async def join(task):
    if not task.done:

        def note(me):
            task.joiners.append(me)
            return lambda: task.joiners.remove(me)

        await suspend(note)
    return task.outcome()


# Step 3: one question to the operating system
selector = selectors.DefaultSelector()


timers = []
numbers = itertools.count()


def at(moment, call):
    entry = [moment, next(numbers), call]
    heapq.heappush(timers, entry)

    def undo():
        if entry in timers:
            timers.remove(entry)
            heapq.heapify(timers)

    return undo


def ask(timeout):
    if timers and timeout is None:
        timeout = max(0, timers[0][0] - time.monotonic())
    for key, _ in selector.select(timeout):
        selector.unregister(key.fileobj)
        ready.append(key.data)
    while timers and timers[0][0] <= time.monotonic():
        heapq.heappop(timers)[2]()


def run(coroutine):
    main = Task(coroutine)
    while not main.done:
        ask(0 if ready else None)
        for _ in range(len(ready)):
            step(ready.popleft())
    return main.outcome()


async def wait_for(sock, event):
    def note(task):
        selector.register(sock, event, task)
        return lambda: selector.unregister(sock)

    await suspend(note)


async def recv(sock, size):
    data = b""
    while len(data) < size:
        await wait_for(sock, selectors.EVENT_READ)
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError("The other side has hung up.")
        data += piece
    return data


async def send(sock, data):
    while data:
        await wait_for(sock, selectors.EVENT_WRITE)
        data = data[sock.send(data) :]


# Step 4: PostgreSQL's protocol, version 3
async def answer(sock):
    rows, kind, problem = [], b"", None
    while kind != b"Z":
        head = await recv(sock, 5)
        kind, size = head[:1], int.from_bytes(head[1:])
        body = await recv(sock, size - 4)
        if kind == b"D":
            rows.append(body[6:].decode())
        elif kind == b"E":
            problem = body.replace(b"\0", b" ").decode()
    if problem:
        raise RuntimeError(problem)
    return rows


def packet(kind, body):
    return kind + (len(body) + 4).to_bytes(4) + body


async def query(sock, sql):
    await send(sock, packet(b"Q", sql.encode() + b"\0"))
    return await answer(sock)


async def connect(dsn):
    url = urlsplit(dsn)
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex((url.hostname, url.port))
    user, base = url.username, url.path[1:]
    words = f"user\0{user}\0database\0{base}\0\0"
    hello = b"\0\3\0\0" + words.encode()
    await send(sock, packet(b"", hello))
    await answer(sock)
    return sock


async def sleep(seconds):
    if seconds <= 0:
        return await turn()
    moment = time.monotonic() + seconds
    await suspend(lambda task: at(moment, lambda: ready.append(task)))


@types.coroutine
def _drive(seconds, coroutine):
    limit = time.monotonic() + seconds
    expired = False
    step_ = lambda: coroutine.send(None)
    while True:
        try:
            note = step_()
        except StopIteration as end:
            if expired:
                raise TimeoutError from None
            return end.value
        except Exception:
            if expired:
                raise TimeoutError from None
            raise
        fired = []

        def both(task, note=note, fired=fired):
            undo = note(task)

            def ring():
                fired.append(1)
                if task in ready:
                    return
                undo()
                ready.append(task)

            stop = (lambda: None) if expired else at(limit, ring)

            def undo_both():
                stop()
                undo()

            fired_stop.append(stop)
            return undo_both

        fired_stop = []
        try:
            yield both
        except Exception as error:
            for stop in fired_stop:
                stop()
            step_ = lambda error=error: coroutine.throw(error)
            continue
        for stop in fired_stop:
            stop()
        if fired and not expired:
            expired = True
            step_ = lambda: coroutine.throw(TimeoutError())
        else:
            step_ = lambda: coroutine.send(None)


async def timeout(seconds, coroutine):
    return await _drive(seconds, coroutine)
