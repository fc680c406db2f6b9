"""A table of things to prove: what is not known yet is run, and what held is remembered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Protocol, TypeVar

from memory import Memory


class Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def prove(
    memory: Memory,
    kind: str,
    table: list[tuple[T, str]],
    complaint: Callable[[T], str],
    praise: str,
) -> list[str]:
    """Run each row whose fingerprint is not known; return what each red one complains of.

    A row is something with a name, and its fingerprint. `complaint` runs it and returns '' if all
    is well; `praise` is printed then.
    """
    problems = []
    unproven = [(one, mark) for one, mark in table if not memory.has(f"{kind} {one.name}", mark)]
    print(f"  {len(table) - len(unproven)} of {len(table)} are known", flush=True)
    with ThreadPoolExecutor(3) as pool:  # three at a time: experiments mostly wait
        answers = {pool.submit(complaint, one): (one, mark) for one, mark in unproven}
        for number, answer in enumerate(as_completed(answers), 1):
            (one, mark), problem = answers[answer], answer.result()
            print(f"  [{number}/{len(unproven)}] {one.name} {problem or praise}", flush=True)
            if problem:
                problems.append(f"{kind} {one.name}: {problem}")
            else:
                memory.add(f"{kind} {one.name}", mark)
    return problems
