"""The history that a new store begins with: what the workspace still shows of runs that ended before it was met."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import structlog

from app.domain.fold import adopted
from app.domain.observation import SeenRun
from app.domain.runs import RunRecord, TaskRecord
from app.services.journal import Journal
from app.services.recording import first_record
from app.services.task_details import OutputsPending, TaskDetails
from app.store import runs

log = structlog.get_logger()

NEWEST = 25
WITH_OUTPUTS = 5
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Adoption:
    """Takes ended runs of our job into a store that knows nothing older. Once per workspace, and no news to anybody."""

    def __init__(self, *, journal: Journal, details: TaskDetails) -> None:
        self._journal = journal
        self._details = details
        self._met: set[str] = set()

    async def take(self, workspace_id: str, met_at: datetime, shown: Iterable[SeenRun]) -> None:
        """Adopt the newest of the runs shown, which are all of our job, that ended before `met_at`."""
        if workspace_id in self._met:
            return
        async with self._journal.read() as db:
            knows_older = await runs.any_before(db, workspace_id, met_at)
        ended = [] if knows_older else _newest_ended(shown, met_at)
        found = [await self._read(workspace_id, run, place) for place, run in enumerate(ended)]
        if found:
            async with self._journal.transaction() as transaction:
                for run, record, tasks in reversed(found):
                    if await runs.load(transaction.db, workspace_id, run.run_id) is None:
                        await transaction.record_run(None, [adopted(record, run, tasks)])
            log.info("runs_adopted", runs=len(found))
        self._met.add(workspace_id)

    async def _read(
        self, workspace_id: str, run: SeenRun, place: int
    ) -> tuple[SeenRun, RunRecord, tuple[TaskRecord, ...]]:
        """The run with its tasks; their outputs are asked for only of the newest runs."""
        record = first_record(workspace_id, run, None, run.started_at or _LONG_AGO)
        if place < WITH_OUTPUTS:
            try:
                return run, record, await self._details.read(run, record)
            except OutputsPending:
                log.info("adopted_without_outputs", run_id=run.run_id)
        return run, record, self._details.as_listed(run, record)


def _newest_ended(shown: Iterable[SeenRun], met_at: datetime) -> list[SeenRun]:
    ended = [run for run in shown if run.status.terminal and run.started_at is not None and run.started_at < met_at]
    return sorted(ended, key=lambda run: run.started_at or _LONG_AGO, reverse=True)[:NEWEST]
