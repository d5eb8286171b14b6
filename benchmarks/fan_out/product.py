"""The product's stream as a server process: its own log in SQLite, its hub, its routes, its HTTP server."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import uvloop
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import events as events_api
from app.api.security import SecurityMiddleware
from app.api.server import build_server
from app.domain.clock import SystemClock
from app.services.event_log import StoredLog
from app.services.journal import Journal
from app.services.metrics import Metrics
from app.services.replica import SoleReplica
from app.services.snapshot import Snapshots
from app.services.stream import EventHub
from app.store import events
from app.store.engine import Database, create_engine
from app.store.migrate import upgrade
from benchmarks.fan_out.events import draft
from benchmarks.fan_out.process import Usage, usage


async def serve(folder: Path, listening: socket.socket) -> None:
    """Serve until interrupted. POST /burst?count=N commits N events in one transaction, as a poller's tick does."""
    database = Database(create_engine(f"sqlite:///{folder / 'store.db'}"))
    await upgrade(database.engine)
    async with database.write() as db:
        await events.begin_log(db, epoch="benchmark")
    app, clock = FastAPI(), SystemClock()
    hub = EventHub(StoredLog(database), Snapshots(database, clock, _nothing), clock)
    await hub.start()
    journal = Journal(database=database, clock=clock, replica=SoleReplica(), publish=hub.publish)
    app.state.hub, app.state.metrics = hub, Metrics()
    app.include_router(events_api.router)

    @app.post("/burst")
    async def burst(count: int) -> None:
        async with journal.transaction() as transaction:
            await transaction.append([draft(n) for n in range(count)])

    @app.get("/usage")
    async def used() -> Usage:
        return usage()

    app.add_middleware(SecurityMiddleware)
    try:
        await build_server(app, host="127.0.0.1", port=0).serve(sockets=[listening])
    finally:
        await database.dispose()


async def _nothing(db: AsyncConnection) -> dict[str, Any]:
    return {"runs": [], "layers": {}, "workspace": None}


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        uvloop.run(serve(Path(sys.argv[2]), inherited))
