"""Real workers for tests: a pool on an event loop of its own, so that many tests share the warm ones."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from local_workspace.engine.catalog import Catalog
from local_workspace.engine.nursery import Nursery
from local_workspace.engine.pool import WorkerPool
from local_workspace.engine.tasks import TaskContext, TaskOutcome, TaskRequest
from local_workspace.storage import Storage

T = TypeVar("T")
HEADER = "# Databricks notebook source\n"
_NEXT = itertools.count(1)


class LoopThread:
    """An event loop in a thread, for objects that outlive a test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 120) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def begin(self, work: Coroutine[Any, Any, T]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Bench:
    """A workspace with a pool: write notebooks, run them, look at what they did."""

    def __init__(self, data_dir: Path, size: int = 2) -> None:
        self.storage = Storage(data_dir)
        self.catalog = Catalog(self.storage)
        self.loop = LoopThread()
        self.nursery = Nursery(self.storage)
        self.pool = WorkerPool(nursery=self.nursery, size=size)

    def write(self, path: str, text: str) -> None:
        file = self.storage.workspace_file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def request(self, source: str, **parameters: str) -> TaskRequest:
        """A request for a new notebook with these cells, each given without the header."""
        number = next(_NEXT)
        self.write(f"/T{number}/nb", HEADER + source)
        return self.request_of(f"/T{number}/nb", number, **parameters)

    def request_of(self, path: str, number: int | None = None, **parameters: str) -> TaskRequest:
        run_id = number or next(_NEXT)
        context = TaskContext(7, 70, run_id, "bronze", "c-1", "me@example.com", "123", "http://127.0.0.1:1")
        upstream = {"first": {"rows": 3}}
        return TaskRequest(run_id, path, parameters, context, upstream, self.storage.run_dir(run_id))

    def run(self, request: TaskRequest | str, **parameters: str) -> TaskOutcome:
        made = self.request(request, **parameters) if isinstance(request, str) else request
        return self.loop.call(self.pool.run(made))

    def cells(self, request: TaskRequest) -> list[dict[str, Any]]:
        file = request.output_dir / "cells.jsonl"
        if not file.exists():
            return []
        lines = file.read_text().split("\n")
        return [json.loads(line) for line in lines if line.endswith("}")]

    def printed(self, request: TaskRequest) -> str:
        outputs = [output for cell in self.cells(request) for output in cell["outputs"]]
        return "".join(output.get("text", "") for output in outputs)


@contextmanager
def bench(data_dir: Path, size: int = 2) -> Iterator[Bench]:
    made = Bench(data_dir, size)
    try:
        made.loop.call(made.pool.start())
        yield made
    finally:
        made.loop.call(made.pool.stop())
        made.loop.call(made.nursery.stop())
        made.loop.close()
