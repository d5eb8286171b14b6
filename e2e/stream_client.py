"""A plain WebSocket client of the event stream, as any other program would write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import connect

TERMINAL = ("databricks_job_completed", "databricks_job_failed")


class StreamClient:
    """Reads envelopes one by one; a frame may hold several, separated by newlines."""

    def __init__(self, url: str, query: str = "") -> None:
        self._address = url.replace("http://", "ws://") + "/ws" + query
        self._open = ExitStack()
        self.seen: list[dict[str, Any]] = []
        self._waiting: list[dict[str, Any]] = []

    def __enter__(self) -> StreamClient:
        self._socket = self._open.enter_context(connect(self._address, compression=None, proxy=None))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def next(self, within_s: float = 90.0) -> dict[str, Any]:
        """The next envelope."""
        while not self._waiting:
            frame = self._socket.recv(timeout=within_s)
            self._waiting = [json.loads(line) for line in str(frame).split("\n") if line]
        event = self._waiting.pop(0)
        self.seen.append(event)
        return event

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next envelope that is wanted; those before it stay in `seen`."""
        while not wanted(event := self.next()):
            pass
        return event

    def run_to_its_end(self, run_id: int) -> list[dict[str, Any]]:
        """All events of one run up to and with its terminal event."""
        self.until(lambda event: event["type"] in TERMINAL and event["data"]["run_id"] == run_id)
        return [event for event in self.seen if event["data"].get("run_id") == run_id and event["type"] != "snapshot"]
