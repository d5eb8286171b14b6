"""What the pages show of the lake, answered from our store alone."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.claim_ids import CLAIM_ID_PATTERN, is_claim_id
from app.domain.clock import iso
from app.domain.errors import ClaimNotFound, InvalidClaimIds, InvalidPageToken
from app.domain.run_states import LEFT_OUT
from app.domain.runs import RunRecord, TaskRecord
from app.services.journal import Journal
from app.store import lake, landing, runs
from app.store.lake import LakeRow, QuarantineEntry, TableFacts

LAYERS = ("bronze", "silver", "gold")
BUCKETS = (*LAYERS, "quarantined")
RECENT_RUNS = 20


class Current(Protocol):
    """Which workspace we talk to."""

    @property
    def workspace_id(self) -> str | None: ...


class LakeView:
    """Layers, pending claims and the place of a claim."""

    def __init__(self, *, journal: Journal, workspace: Current, catalog: str) -> None:
        self._journal = journal
        self._workspace = workspace
        self._catalog = catalog

    async def layers(self, db: AsyncConnection) -> dict[str, Any]:
        """State, freshness, tables and pending claims by layer, as of `db`."""
        found = await self._lake(db)
        facts = await lake.tables(db, found.lake_id) if found else []
        counts = await self._counts(db, found, facts)
        recent = await runs.page(db, before=None, limit=RECENT_RUNS)
        return {
            layer: _layer_view([one for one in facts if one.layer == layer], _latest_task(recent, layer))
            | {"pending": counts[layer]}
            for layer in LAYERS
        }

    async def reading(self) -> dict[str, Any]:
        """How far our knowledge goes: the newest run it covers, when it was read, and what could not be read."""
        async with self._journal.read() as db:
            found = await self._lake(db)
        refreshed_at = found.refreshed_at if found else None
        return {
            "run_id": found.run_id if found else None,
            "refreshed_at": iso(refreshed_at) if refreshed_at else None,
            "detail": found.detail if found else None,
        }

    async def layers_now(self) -> dict[str, Any]:
        """The same as `layers`, as of now."""
        async with self._journal.read() as db:
            return await self.layers(db)

    async def pending_count(self, layer: str) -> int | None:
        """How many claims wait before the layer; None where nobody has looked yet."""
        async with self._journal.read() as db:
            return await self.pending_in(db, layer)

    async def pending_in(self, db: AsyncConnection, layer: str) -> int | None:
        """The same, as this view of the store has it."""
        found = await self._lake(db)
        if found is None:
            return None
        if layer == "bronze":
            return await _waiting(db, found)
        counted = await lake.pending_counts(db, found.lake_id)
        if layer in counted:
            return counted[layer]
        return _nothing(found, await lake.tables(db, found.lake_id), LAYERS[LAYERS.index(layer) - 1])

    async def pending(self, *, bucket: str | None, limit: int, page_token: str | None) -> dict[str, Any]:
        """Counts and a page of ids for each bucket, or for the one asked for. Raises InvalidPageToken."""
        after = _read_token(page_token, BUCKETS if bucket is None else (bucket,))
        async with self._journal.read() as db:
            found = await self._lake(db)
            facts = await lake.tables(db, found.lake_id) if found else []
            counts = await self._counts(db, found, facts)
            answer: dict[str, Any] = {}
            following: dict[str, str] = {}
            for name in BUCKETS if bucket is None else (bucket,):
                last = after.get(name, "" if page_token is None else None)
                ids = await self._ids(db, found, name, last, limit + 1)
                answer[name] = {"count": counts[name], "claim_ids": ids[:limit]}
                if len(ids) > limit:
                    following[name] = ids[limit - 1]
            if found and "bronze" in answer:
                answer["bronze"]["files"] = (await landing.waiting(db, found.lake_id)).files
        return answer | ({"next_page_token": _write_token(following)} if following else {})

    async def claim(self, claim_id: str) -> dict[str, Any]:
        """Where the claim is, layer by layer, and why it is in quarantine if it is.

        Raises: InvalidClaimIds, ClaimNotFound.
        """
        if not is_claim_id(claim_id):
            raise InvalidClaimIds("The claim id is malformed.", invalid=[claim_id[:80]], pattern=CLAIM_ID_PATTERN)
        async with self._journal.read() as db:
            found = await self._lake(db)
            known = await self._claim(db, found.lake_id, claim_id) if found else None
        if known is None:
            raise ClaimNotFound(f"There is no claim {claim_id}.", claim_id=claim_id)
        return known

    async def _claim(self, db: AsyncConnection, lake_id: int, claim_id: str) -> dict[str, Any] | None:
        files = await landing.files_of(db, lake_id, claim_id)
        positions = await lake.positions(db, lake_id, claim_id)
        quarantine = await lake.quarantine_of(db, lake_id, claim_id)
        if not files and positions is None and not quarantine:
            return None
        by_layer = positions.runs if positions else {}
        layers = {layer: await self._position(db, layer, by_layer.get(layer)) for layer in LAYERS}
        landed = [at for at, _ in files if at is not None]
        layers["bronze"] |= {
            "landed_at": iso(max(landed)) if landed else None,
            "waiting": any(waits for _, waits in files),
        }
        return {
            "claim_id": claim_id,
            "layers": layers,
            "quarantine": [_quarantine_view(entry) for entry in quarantine],
        }

    async def _position(self, db: AsyncConnection, layer: str, run: str | None) -> dict[str, Any]:
        run_id = _run_number(run)
        record = None
        if run_id is not None:
            record = await runs.find(db, run_id, workspace_id=self._workspace.workspace_id)
        task = next((one for one in record.latest_tasks() if one.layer == layer), None) if record else None
        at = (task.ended_at if task else None) or (record.ended_at if record else None)
        return {"present": run is not None, "run_id": run_id, "at": iso(at) if at else None}

    async def _lake(self, db: AsyncConnection) -> LakeRow | None:
        return await lake.find(db, self._workspace.workspace_id, self._catalog)

    async def _counts(
        self, db: AsyncConnection, found: LakeRow | None, facts: Sequence[TableFacts]
    ) -> dict[str, int | None]:
        """Nothing can wait before a layer when the one before it holds nothing; otherwise it is what was counted.

        None is what nobody has looked at yet: the landing zone before its first listing, the tables before they were
        first read.
        """
        if found is None:
            return dict.fromkeys(BUCKETS)
        counted = await lake.pending_counts(db, found.lake_id)
        return {
            "bronze": await _waiting(db, found),
            "silver": counted.get("silver", _nothing(found, facts, "bronze")),
            "gold": counted.get("gold", _nothing(found, facts, "silver")),
            "quarantined": await lake.quarantined_count(db, found.lake_id) if found.refreshed_at else None,
        }

    async def _ids(
        self, db: AsyncConnection, found: LakeRow | None, bucket: str, after: str | None, limit: int
    ) -> list[str]:
        if found is None or after is None:
            return []
        if bucket == "bronze":
            return await landing.waiting_page(db, found.lake_id, after=after, limit=limit)
        if bucket == "quarantined":
            return await lake.quarantined_page(db, found.lake_id, after=after, limit=limit)
        return await lake.pending_page(db, found.lake_id, bucket, after=after, limit=limit)


async def _waiting(db: AsyncConnection, found: LakeRow) -> int | None:
    return (await landing.waiting(db, found.lake_id)).claims if found.listed_at else None


def _nothing(found: LakeRow, facts: Sequence[TableFacts], before: str) -> int | None:
    """0 where the tables were read and the layer `before` has none; else nobody knows."""
    return 0 if found.refreshed_at is not None and all(one.layer != before for one in facts) else None


def _latest_task(recent: Sequence[RunRecord], layer: str) -> tuple[RunRecord, TaskRecord] | None:
    """The newest run that has a task of the layer, with that task."""
    for run in recent:
        task = next((one for one in run.latest_tasks() if one.layer == layer), None)
        if task is not None and task.result not in LEFT_OUT:
            return run, task
    return None


def _layer_view(facts: Sequence[TableFacts], latest: tuple[RunRecord, TaskRecord] | None) -> dict[str, Any]:
    """`state` and `result` are the workspace's own words for the newest task; null when none ever ran."""
    updated = [one.updated_at for one in facts if one.updated_at is not None]
    known_run = max((one.run_id for one in facts if one.run_id is not None), default=None)
    run, task = latest if latest else (None, None)
    return {
        "state": task.state if task else None,
        "result": task.result if task else None,
        "last_run_id": run.run_id if run else known_run,
        "updated_at": iso(max(updated)) if updated else None,
        "tables": [{"name": one.name, "rows": one.rows, "version": one.version} for one in facts],
    }


def _quarantine_view(entry: QuarantineEntry) -> dict[str, Any]:
    return {"rule": entry.rule, "message": entry.message, "run_id": _run_number(entry.run), "at": entry.at}


def _run_number(run: str | None) -> int | None:
    """The run id of a row; rows written by hand may carry any text."""
    return int(run) if run and run.isascii() and run.isdigit() and len(run) < 19 else None


def _write_token(following: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(following).encode()).decode().rstrip("=")


def _read_token(token: str | None, allowed: Sequence[str]) -> dict[str, str]:
    if token is None:
        return {}
    try:
        told = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error) as fault:
        raise InvalidPageToken("The page token was not given out by this server.") from fault
    if not isinstance(told, dict) or not all(k in allowed and isinstance(v, str) for k, v in told.items()):
        raise InvalidPageToken("The page token was not given out by this server.")
    return told
