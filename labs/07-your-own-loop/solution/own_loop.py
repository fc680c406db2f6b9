"""The loop of the lesson, with time: `sleep` and `timeout`."""

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
        self.done = False
        self.result = self.error = None
        self.interruption = None
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
    error, task.interruption = task.interruption, None
    try:
        note = task.coroutine.throw(error) if error else task.coroutine.send(None)
        note(task)
    except StopIteration as end:
        task.done, task.result = True, end.value
    except Exception as error:
        task.done, task.error = True, error
    if task.done:
        for joiner in task.joiners:
            wake(joiner)


def wake(task):
    if task not in ready:  # else two of its notes came true at once
        ready.append(task)


async def turn():
    await suspend(ready.append)


async def join(task):
    if not task.done:
        mine = []

        def note(me):
            mine.append(me)
            task.joiners.append(me)

        try:
            await suspend(note)
        except BaseException:
            task.joiners.remove(*mine)
            raise
    return task.outcome()


# Step 3: one question to the operating system
selector = selectors.DefaultSelector()
timers, numbers = [], itertools.count()


def ask(timeout):
    if timers and timeout is None:
        timeout = max(0, timers[0][0] - time.monotonic())
    for key, _ in selector.select(timeout):
        selector.unregister(key.fileobj)
        wake(key.data)
    while timers and timers[0][0] <= time.monotonic():
        wake(heapq.heappop(timers)[-1])


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

    try:
        await suspend(note)
    except BaseException:
        if sock in selector.get_map():
            selector.unregister(sock)
        raise


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


# -- The lab -----------------------------------------------------------------------------------


async def sleep(seconds):
    """Let this task go on after so many seconds; at once in its next turn if they are 0 or less.

    Sleepers wake in the order of their moments, and those of one moment in the order in which
    they came. Meanwhile others run. When nobody is ready, the loop waits in the operating system,
    with one question, until a socket is ready or the next sleeper is due.
    """
    if seconds <= 0:
        return await turn()
    moment, number = time.monotonic() + seconds, next(numbers)
    try:
        await suspend(lambda task: heapq.heappush(timers, (moment, number, task)))
    except BaseException:
        timers[:] = [timer for timer in timers if timer[1] != number]
        heapq.heapify(timers)
        raise


async def timeout(seconds, coroutine):
    """Return what the coroutine returns and raise what it raises, if it is done in time.

    Otherwise raise TimeoutError, after so many seconds. The late coroutine gets a TimeoutError,
    too, at the place where it waits, so that it can tidy up; what it returns then is not wanted.
    Whoever was in time never hears of the deadline again. Whoever was late leaves no note behind:
    not with a socket, not with a task, not with the clock.
    """
    task = Task(coroutine)
    alarm = Task(ring(seconds, task))
    try:
        result = await join(task)
    except BaseException as error:
        interrupt(task, error)  # a deadline around this one has passed
        raise
    finally:
        interrupt(alarm, TimeoutError("Nobody waits for this alarm any more."))
    if alarm.result:
        raise alarm.result  # the late coroutine has caught it
    return result


async def ring(seconds, task):
    await sleep(seconds)
    if not task.done:
        late = TimeoutError(f"It took longer than {seconds} s.")
        interrupt(task, late)
        return late


def interrupt(task, error):
    """Raise an error in a task, at the place where it waits. A task that is done does not care."""
    if not task.done:
        task.interruption = error
        wake(task)
