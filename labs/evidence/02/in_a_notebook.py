"""A notebook runs an event loop already: what that means for `asyncio.run`, `await` and tasks.

Runs five cells in a real kernel. A task counts its turns between them.
"""

from __future__ import annotations

import asyncio
import subprocess

import nbformat
from nbclient import NotebookClient

from bench import claim

CELLS = {
    "asyncio.run": """
        import asyncio, time
        coroutine = asyncio.sleep(0)
        try:
            asyncio.run(coroutine)
        except RuntimeError as error:
            print(error)
        coroutine.close()
    """,
    "await": """
        print(await asyncio.sleep(0, "it works"))
    """,
    "start a task": """
        turns = 0

        async def count():
            global turns
            while True:
                turns += 1
                await asyncio.sleep(0.001)

        task = asyncio.create_task(count())
        await asyncio.sleep(0)
        print(turns > 0)
    """,
    "a cell that blocks": """
        before = turns
        time.sleep(0.1)
        print(turns - before)
    """,
    "a cell that awaits": """
        before = turns
        while turns == before:
            await asyncio.sleep(0.001)
        task.cancel()
        print("the task went on")
    """,
}


def text(source: str) -> str:
    lines = source.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines)


async def run_cells() -> dict[str, str]:
    """What each cell prints."""
    cells = [nbformat.v4.new_code_cell(text(source)) for source in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    await client.async_execute(stderr=subprocess.DEVNULL)  # the kernel's own log
    return {
        name: "".join(output.get("text", "") for output in cell.outputs).strip()
        for name, cell in zip(CELLS, notebook.cells, strict=True)
    }


def main() -> None:
    said = asyncio.run(run_cells())
    for name, words in said.items():
        print(f"{name + ':':20} {words}")
    claim(
        "no-second-loop-in-a-notebook",
        "asyncio.run raises RuntimeError in a notebook, where `await` works at the top of a cell.",
        "cannot be called from a running event loop" in said["asyncio.run"]
        and said["await"] == "it works",
    )
    claim(
        "tasks-live-between-cells",
        "A task outlives its cell: it stands still while a cell blocks, and goes on afterwards.",
        (said["a cell that blocks"], said["a cell that awaits"]) == ("0", "the task went on"),
    )


if __name__ == "__main__":
    main()
