"""Independent work at the same time: a small query keeps one core busy, not the cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
WIDTH = 4


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two tasks; when both have ended, both answers, or the failure of the first before that of the second."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        beside = pool.submit(second)
        answer = first()
    return answer, beside.result()


def at_once(tasks: Sequence[Callable[[], object]]) -> None:
    """Run all tasks and return when every one has ended; then the first failure in their order is raised."""
    with ThreadPoolExecutor(max_workers=WIDTH) as pool:
        futures = [pool.submit(task) for task in tasks]
    for future in futures:
        future.result()


def nothing() -> None:
    """What is left to be done where all is done."""
