"""Independent tables at the same time: a small query keeps one core busy, not the cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

WIDTH = 4


def at_once(tasks: Sequence[Callable[[], object]]) -> None:
    """Run all tasks and return when every one has ended; then the first failure in their order is raised."""
    with ThreadPoolExecutor(max_workers=WIDTH) as pool:
        futures = [pool.submit(task) for task in tasks]
    for future in futures:
        future.result()
