"""Keeps what we know of the lake in step: after every ended run, after landings, and at start when runs were missed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from app.domain.errors import WorkspaceError
from app.domain.events import LAKE_UPDATED, EventDraft
from app.domain.runs import RunRecord
from app.services.journal import Journal
from app.services.lake_refresh import LakeRefresher
from app.services.landing import KnownWorkspace, LandingZone
from app.services.loops import Loops
from app.store import lake, runs

log = structlog.get_logger()

LONGEST_PAUSE_S = 60.0


class LakeState:
    """Decides when the lake and the landing zone are read, and tells the pages when something changed."""

    def __init__(
        self,
        *,
        journal: Journal,
        workspace: KnownWorkspace,
        refresher: LakeRefresher,
        zone: LandingZone,
        catalog: str,
        relist_every_s: float,
    ) -> None:
        self._journal = journal
        self._clock = journal.clock
        self._workspace = workspace
        self._refresher = refresher
        self._zone = zone
        self._catalog = catalog
        self._relist_every_s = relist_every_s
        self._failures = 0
        self._ended: list[RunRecord] = []
        self._landed = False
        self._relist_wanted = True
        self._relisted_at: float | None = None
        self._caught_up = False
        self._awake = asyncio.Event()

    async def on_run_finished(self, record: RunRecord) -> None:
        """Keep what the run tells at once, and read what it changed soon. Called once per ended run and attempt."""
        await self._refresher.note(record)
        self._ended.append(record)
        self._awake.set()

    def claim_landed(self) -> None:
        """Tell the pages, soon, that something waits before bronze."""
        self._landed = True
        self._awake.set()

    def wanted(self) -> None:
        """Somebody looks at what is pending: list the landing zone again, unless that was just done."""
        if self._relisted_at is None or self._clock.monotonic() - self._relisted_at >= self._relist_every_s:
            self._relist_wanted = True
            self._awake.set()

    async def run(self, loops: Loops) -> None:
        """Refresh for ever; what fails because of the workspace is tried again, later and later."""
        self._caught_up = False  # another replica may have led meanwhile
        await loops.for_ever("lake", self._round)

    async def _round(self) -> None:
        self._awake.clear()
        try:
            await self._work()
        except WorkspaceError as fault:
            pause_s = min(LONGEST_PAUSE_S, 2.0**self._failures)
            self._failures = min(self._failures + 1, 10)
            log.info("lake_refresh_postponed", code=fault.code, retry_in_s=pause_s)  # SQL errors quote rows
            await self._clock.sleep(max(pause_s, getattr(fault, "retry_after_s", None) or 0.0))
            return
        self._failures = 0
        await self._clock.wait(self._awake, None)

    async def _work(self) -> None:
        if not self._caught_up:
            await self._catch_up()
        while self._ended:
            # Several runs may have ended meanwhile; the newest state of the tables is that of all of them.
            batch = tuple(self._ended)
            run_id = batch[-1].run_id
            await self._tell(run_id, await self._refresher.refresh(batch, run_id))
            del self._ended[: len(batch)]
            # Other runs leave the landing zone as it is; whoever looks at what is pending has it listed anyway.
            self._relist_wanted |= any(task.layer == "bronze" for run in batch for task in run.tasks)
        if self._relist_wanted:
            self._relist_wanted = False
            self._relisted_at = self._clock.monotonic()
            self._landed = await self._zone.relist() or self._landed
        if self._landed:
            self._landed = False
            await self._tell(None, {"bronze"})

    async def _catch_up(self) -> None:
        """Read everything when a run has ended that our knowledge does not cover, or nothing was ever read."""
        workspace_id = await self._workspace.ensure()
        async with self._journal.read() as db:
            known = await lake.find(db, workspace_id, self._catalog)
            newest = next((run.run_id for run in await runs.page(db, before=None, limit=20) if not run.active), None)
        if known is None or known.refreshed_at is None or known.run_id != newest:
            await self._tell(newest, await self._refresher.refresh((), newest))
        self._caught_up = True

    async def _tell(self, run_id: int | None, layers: Iterable[str]) -> None:
        changed = sorted(layers)
        if not changed:
            return
        workspace_id = await self._workspace.ensure()
        async with self._journal.transaction() as transaction:
            found = await lake.find(transaction.db, workspace_id, self._catalog)
            facts = await lake.tables(transaction.db, found.lake_id) if found else []
            tables = [{"name": one.name, "version": one.version} for one in facts if one.layer == "gold"]
            as_of = {"run_id": run_id, "tables": tables} if tables else None
            await transaction.append([EventDraft(LAKE_UPDATED, {"run_id": run_id, "layers": changed, "as_of": as_of})])
