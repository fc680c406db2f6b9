"""aiosqlite gives each connection a thread; here each connection gets a stand-in."""

from __future__ import annotations

import asyncio
from typing import Any

from live_boot import stand_ins
from live_boot.importing import after_import


class Queue:
    """The orders of one connection, in their order."""

    def __init__(self) -> None:
        self.orders: asyncio.Queue[Any] = asyncio.Queue()

    def put_nowait(self, order: Any) -> None:
        self.orders.put_nowait(order)

    def __class_getitem__(cls, item: Any) -> type[Queue]:
        return cls


def mend_aiosqlite(core: Any) -> None:
    class Thread:
        """Takes one order after the other, until aiosqlite says that the connection is closed."""

        def __init__(self, target: Any, args: tuple[Queue]) -> None:
            self.orders = args[0].orders

        def start(self) -> None:
            stand_ins.start(self.run())

        async def run(self) -> None:
            while True:
                future, function = await self.orders.get()
                try:
                    result = function()
                except BaseException as error:
                    if future:
                        core.set_exception(future, error)
                    continue
                if future:
                    core.set_result(future, result)
                if result is core._STOP_RUNNING_SENTINEL:
                    return

    core.SimpleQueue, core.Thread = Queue, Thread


def install() -> None:
    after_import("aiosqlite.core", mend_aiosqlite)
