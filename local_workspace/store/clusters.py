"""Clusters and their events in the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select

from local_workspace.clock import Clock
from local_workspace.compute.cluster import ClusterRecord
from local_workspace.store import tables
from local_workspace.store.database import Database, add, put


class ClusterStore:
    """The journal of the all-purpose clusters."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def save(self, record: ClusterRecord) -> None:
        with self._database.write() as db:
            put(db, tables.clusters, cluster_id=record.cluster_id, document=record.document())

    def event(self, cluster_id: str, kind: str, details: dict[str, Any]) -> None:
        at = self._clock.now_ms()
        with self._database.write() as db:
            add(db, tables.cluster_events, cluster_id=cluster_id, timestamp=at, type=kind, details=details)

    def all(self) -> list[ClusterRecord]:
        with self._database.read() as db:
            documents = db.execute(select(tables.clusters.c.document).order_by(tables.clusters.c.cluster_id))
            return [ClusterRecord(**document) for document in documents.scalars()]

    def events(
        self, cluster_id: str, *, newest_first: bool, offset: int, limit: int
    ) -> tuple[list[dict[str, Any]], int]:
        """A page of a cluster's events and how many there are in all."""
        table = tables.cluster_events
        order = table.c.event_id.desc() if newest_first else table.c.event_id
        mine = table.c.cluster_id == cluster_id
        query = select(table).where(mine).order_by(order).offset(offset).limit(limit)
        with self._database.read() as db:
            total = db.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
            rows = [dict(row) for row in db.execute(query).mappings()]
        for row in rows:
            row.pop("event_id")
        return rows, int(total)

    def delete(self, cluster_id: str) -> None:
        with self._database.write() as db:
            db.execute(delete(tables.clusters).where(tables.clusters.c.cluster_id == cluster_id))
            db.execute(delete(tables.cluster_events).where(tables.cluster_events.c.cluster_id == cluster_id))


class NoJournal:
    """For compute that no list shows: serverless and job clusters."""

    def save(self, record: ClusterRecord) -> None:
        return None

    def event(self, cluster_id: str, kind: str, details: dict[str, Any]) -> None:
        return None
