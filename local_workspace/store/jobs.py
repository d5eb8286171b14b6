"""Job definitions in the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from local_workspace.store import tables
from local_workspace.store.database import Database, put


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is kept; `settings` in the completed form that jobs/get answers."""

    job_id: int
    created_time: int
    creator: str
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.settings["name"])


class JobStore:
    """Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, job: Job) -> None:
        with self._database.write() as db:
            put(
                db,
                tables.jobs,
                job_id=job.job_id,
                name_folded=job.name.casefold(),
                created_time=job.created_time,
                creator=job.creator,
                settings=job.settings,
            )

    def get(self, job_id: int) -> Job | None:
        with self._database.read() as db:
            row = db.execute(select(tables.jobs).where(tables.jobs.c.job_id == job_id)).mappings().one_or_none()
        return None if row is None else _job(row)

    def page(self, *, name: str | None, before: int | None, offset: int, limit: int) -> list[Job]:
        """Newest first; `name` exact but for case; `before` = only jobs older than that job_id."""
        column = tables.jobs.c
        query = select(tables.jobs).order_by(column.job_id.desc()).offset(offset).limit(limit)
        if name is not None:
            query = query.where(column.name_folded == name.casefold())
        if before is not None:
            query = query.where(column.job_id < before)
        with self._database.read() as db:
            return [_job(row) for row in db.execute(query).mappings()]

    def delete(self, job_id: int) -> bool:
        """Whether there was such a job. Its runs stay."""
        with self._database.write() as db:
            return bool(db.execute(delete(tables.jobs).where(tables.jobs.c.job_id == job_id)).rowcount)


def _job(row: Any) -> Job:
    return Job(row["job_id"], row["created_time"], row["creator"], row["settings"])
