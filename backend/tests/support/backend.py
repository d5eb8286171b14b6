"""The application under test, in this process, against a workspace over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from app.main import WorkspaceConnection, create_app
from app.settings import Settings
from backend.tests.support.sqlite import lay_store
from backend.tests.support.waiting import until

RUNS = "/api/pipeline/databricks/runs"
TRIGGER = "/api/pipeline/databricks/trigger"


@dataclass
class Backend:
    app: FastAPI
    http: httpx.AsyncClient

    async def trigger(self, layer: str = "all", **body: Any) -> dict[str, Any]:
        answer = await self.http.post(TRIGGER, json={"layer": layer, **body})
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def run(self, run_id: int) -> dict[str, Any]:
        answer = await self.http.get(f"{RUNS}/{run_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def runs(self, **query: Any) -> list[dict[str, Any]]:
        return (await self.http.get(RUNS, params=query)).json()["runs"]

    async def events(self, *types: str) -> list[dict[str, Any]]:
        answer = (await self.http.get("/api/events/poll", params={"after": 0, "wait_s": 0})).json()
        return [event for event in answer["events"] if not types or event["type"] in types]

    async def until_event(self, event_type: str, *, count: int = 1, within_s: float = 20.0) -> dict[str, Any]:
        """The `count`-th event of the type, as soon as the log has it."""

        async def there() -> bool:
            return len(await self.events(event_type)) >= count

        await until(there, within_s=within_s)
        return (await self.events(event_type))[count - 1]

    async def seen(self, run_id: int) -> dict[str, Any]:
        """The run as soon as it was looked at: a click is answered before."""

        async def looked_at() -> bool:
            return (await self.run(run_id))["state"] is not None

        await until(looked_at)
        return await self.run(run_id)

    async def ended(self, run_id: int, *, within_s: float = 60.0) -> dict[str, Any]:
        async def over() -> bool:
            return not (await self.run(run_id))["active"]

        await until(over, within_s=within_s)
        return await self.run(run_id)


def settings(data_dir: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, petinsure_data_dir=data_dir, **given)  # type: ignore[call-arg]


@asynccontextmanager
async def running_backend(
    data_dir: Path,
    host: str,
    token: str,
    *,
    kind: str = "databricks",
    poll_interval_s: float = 0.05,
    prepared: asyncio.Event | None = None,
    **given: Any,
) -> AsyncIterator[Backend]:
    """Start the application, as the server would, and stop it in the same way."""
    connection = WorkspaceConnection(
        kind=kind,
        name="a workspace",
        host=host,
        token=token,
        poll_interval_s=poll_interval_s,
        prepared=prepared,
    )
    told = settings(data_dir, **given)
    lay_store(told.store_url)
    app = create_app(told, workspace=connection)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as http:
            yield Backend(app, http)


def data_of(event: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(event["data"]))
