"""Reading the lake after runs: what their exit values tell is taken from there, the rest is asked once through SQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from app.domain.runs import RunRecord
from app.services.journal import Journal
from app.services.lake_queries import TABLES, layer_of
from app.services.lake_reader import LakeReader, NoWarehouse, Pending
from app.services.landing import KnownWorkspace
from app.store import lake, landing
from app.store.lake import TableFacts

log = structlog.get_logger()

AT_ONCE = 1_000
FEWER_AT_ONCE = 500
NO_WAREHOUSE = (
    "There is no SQL warehouse to read the tables with: create one, or name one in DATABRICKS_WAREHOUSE_ID. "
    "Counts and figures stay as they were."
)
CLAIM_TABLES = {"bronze": "bronze.claims", "silver": "silver.claims", "gold": "gold.claims_analytics"}
# What waits before a layer changes with these layers.
PENDING_SOURCES = {"silver": {"bronze", "silver"}, "gold": {"silver", "gold"}}

# lake_id, the gold tables that changed, and the facts of all gold tables, by `schema.table`.
OnGoldChanged = Callable[[int, frozenset[str], dict[str, TableFacts]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Refresh:
    """What one refresh is about. Without `ended` everything is read."""

    lake_id: int
    run_id: int | None
    ended: tuple[RunRecord, ...]
    existing: frozenset[str]


class LakeRefresher:
    """Brings our store in step with the lake. Repeating a refresh is harmless."""

    def __init__(
        self, *, journal: Journal, workspace: KnownWorkspace, reader: LakeReader, on_gold_changed: OnGoldChanged
    ) -> None:
        self._journal = journal
        self._workspace = workspace
        self._reader = reader
        self._on_gold_changed = on_gold_changed

    async def note(self, run: RunRecord) -> None:
        """Keep at once what the run's exit values tell of its tables; `refresh` then reads what they hold."""
        facts = self._told_facts(run)
        if facts:
            async with self._journal.transaction() as transaction:
                found = await lake.ensure(transaction.db, run.workspace_id, self._reader.catalog)
                for one in facts:
                    await lake.save_table(transaction.db, found.lake_id, one)

    async def refresh(self, ended: tuple[RunRecord, ...], run_id: int | None) -> set[str]:
        """Read what the ended runs changed, or everything; returns the layers that had changed.

        `run_id` is the newest run that this covers. Raises WorkspaceError.
        """
        workspace_id = await self._workspace.ensure()
        async with self._journal.transaction() as transaction:
            found = await lake.ensure(transaction.db, workspace_id, self._reader.catalog)
        since = ended if found.refreshed_at is not None else ()
        job = _Refresh(found.lake_id, run_id, since, await self._reader.tables())
        layers: set[str] = set()
        detail: str | None = None
        try:
            layers = await self._read(job)
        except NoWarehouse:
            detail = NO_WAREHOUSE
            log.warning("lake_not_read", reason=detail)
        async with self._journal.transaction() as transaction:
            await lake.refreshed(transaction.db, job.lake_id, run_id=run_id, at=transaction.now, detail=detail)
        log.info("lake_refreshed", run_id=run_id, layers=sorted(layers))
        return layers

    async def _read(self, job: _Refresh) -> set[str]:
        facts = await self._new_facts(job)
        layers = {one.layer for one in facts}
        for layer in sorted(layers):
            await self._read_positions(job, layer)
        await self._read_manifest(job, changed="bronze" in layers)
        if "silver" in layers and "silver.quarantine" in job.existing:
            await self._read_quarantine(job.lake_id)
        for layer, sources in PENDING_SOURCES.items():
            if layers & sources:
                await self._save_pending(job.lake_id, layer, await self._reader.pending(layer, job.existing))
        if "gold" in layers:
            await self._gold_changed(job.lake_id, facts)
        async with self._journal.transaction() as transaction:
            await lake.mark_read(transaction.db, job.lake_id, facts)
        return layers

    # Tables --------------------------------------------------------------------------------------------------------

    async def _new_facts(self, job: _Refresh) -> list[TableFacts]:
        """Tables that hold something we have not read; without ended runs every table counts as such."""
        silent = {layer for run in job.ended for layer in _silent_layers(run)}
        asked = job.existing if not job.ended else frozenset(n for n in job.existing if layer_of(n) in silent)
        await self._save_tables(job.lake_id, await self._asked_facts(asked, job.run_id))
        async with self._journal.read() as db:
            known = await (lake.unread(db, job.lake_id) if job.ended else lake.tables(db, job.lake_id))
        facts = [one for one in known if self._short(one.name) in job.existing]
        uncounted = frozenset(self._short(one.name) for one in facts if one.rows is None)
        counts = await self._reader.row_counts(uncounted)
        counted = [replace(one, rows=counts.get(self._short(one.name), one.rows)) for one in facts]
        await self._save_tables(job.lake_id, counted)
        return counted

    def _told_facts(self, run: RunRecord) -> list[TableFacts]:
        told: list[TableFacts] = []
        for task in run.latest_tasks():
            for table in task.tables or ():
                name = self._short(str(table.get("name") or ""))
                version, rows = _whole(table.get("version_after")), _whole(table.get("rows"))
                if name in TABLES and layer_of(name) == task.layer and version is not None:
                    at = task.ended_at or run.ended_at
                    told.append(TableFacts(self._long(name), task.layer, version, rows, run.run_id, at))
        return told

    async def _asked_facts(self, existing: frozenset[str], run_id: int | None) -> list[TableFacts]:
        counts = await self._reader.row_counts(existing)
        now = self._journal.clock.now()
        return [
            TableFacts(self._long(name), layer_of(name), await self._reader.version(name), rows, run_id, now)
            for name, rows in sorted(counts.items())
        ]

    async def _save_tables(self, lake_id: int, facts: Iterable[TableFacts]) -> None:
        async with self._journal.transaction() as transaction:
            for one in facts:
                await lake.save_table(transaction.db, lake_id, one)

    async def _gold_changed(self, lake_id: int, facts: Iterable[TableFacts]) -> None:
        changed = frozenset(self._short(one.name) for one in facts if one.layer == "gold")
        async with self._journal.read() as db:
            known = await lake.tables(db, lake_id)
        gold = {self._short(one.name): one for one in known if one.layer == "gold"}
        await self._on_gold_changed(lake_id, changed, gold)

    # Claims --------------------------------------------------------------------------------------------------------

    async def _read_positions(self, job: _Refresh, layer: str) -> None:
        """Which claims the runs wrote to the layer."""
        if CLAIM_TABLES[layer] not in job.existing:
            return
        runs: Iterable[str | None] = [str(run.run_id) for run in job.ended] or [None]
        for run in runs:
            rows = await self._reader.positions(layer, run)
            for start in range(0, len(rows), AT_ONCE):  # short transactions: a click must not wait for a long one
                await self._reader.give_way()
                async with self._journal.transaction() as transaction:
                    await lake.save_positions(transaction.db, job.lake_id, layer, rows[start : start + AT_ONCE])

    async def _read_manifest(self, job: _Refresh, *, changed: bool) -> None:
        """What bronze has taken of the landing zone."""
        entries = await self._reader.manifest() if changed and "bronze.manifest" in job.existing else []
        async with self._journal.transaction() as transaction:
            await landing.save_manifest(transaction.db, job.lake_id, entries)
            await landing.settle(transaction.db, job.lake_id)
            for run in job.ended:
                if (since := _took_everything_since(run)) is not None:
                    await landing.looked_at(transaction.db, job.lake_id, before=since)

    async def _read_quarantine(self, lake_id: int) -> None:
        quarantined = await self._reader.quarantine()
        async with self._journal.transaction() as transaction:
            await lake.replace_quarantine(transaction.db, lake_id, quarantined)

    async def _save_pending(self, lake_id: int, layer: str, pending: Pending) -> None:
        async with self._journal.read() as db:
            before = await lake.pending_ids(db, lake_id, layer)
        gone, new = sorted(before - pending.claim_ids), sorted(pending.claim_ids - before)
        for start in range(0, len(gone), FEWER_AT_ONCE):
            await self._reader.give_way()
            async with self._journal.transaction() as transaction:
                await lake.remove_pending(transaction.db, lake_id, layer, gone[start : start + FEWER_AT_ONCE])
        for start in range(0, len(new), AT_ONCE):
            await self._reader.give_way()
            async with self._journal.transaction() as transaction:
                await lake.add_pending(transaction.db, lake_id, layer, new[start : start + AT_ONCE])
        async with self._journal.transaction() as transaction:
            await lake.save_pending_count(transaction.db, lake_id, layer, pending.count)

    def _short(self, name: str) -> str:
        return name.removeprefix(f"{self._reader.catalog}.")

    def _long(self, short: str) -> str:
        return f"{self._reader.catalog}.{short}"


def _silent_layers(run: RunRecord) -> set[str]:
    """Layers of tasks that ran and told nothing about their tables: failed ones, and notebooks not written by us."""
    return {task.layer for task in run.latest_tasks() if task.layer and task.started_at and not task.tables}


def _took_everything_since(run: RunRecord) -> datetime | None:
    """When a bronze task that was limited to no claims, and succeeded, began."""
    task = next((one for one in run.latest_tasks() if one.layer == "bronze"), None)
    return task.started_at if task and task.result == "SUCCESS" and not run.claim_ids else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
