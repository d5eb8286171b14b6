"""The landing zone: claims that the API lands there, and what lies there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

import structlog

from app.domain.errors import WorkspaceRejected
from app.domain.landed_claim import LandedClaim, read_claim
from app.services.journal import Journal
from app.services.workspace_answers import DirectoryEntry
from app.store import audit, lake, landing
from app.store.landing import ListedFile

log = structlog.get_logger()

# The nearest folder of one of these names decides the table; the formats are those that bronze reads.
TABLE_FOLDERS = frozenset({"customers", "pets", "policies", "vet_providers", "claims"})
FORMATS = (".csv", ".jsonl", ".ndjson", ".json")
API_FOLDER = "claims/api"


class LandingFiles(Protocol):
    """The Files API calls that the landing zone needs."""

    async def write_file(self, path: str, content: bytes) -> None: ...

    async def list_directory(self, path: str) -> list[DirectoryEntry]: ...


class KnownWorkspace(Protocol):
    """Which workspace we talk to."""

    @property
    def workspace_id(self) -> str | None: ...

    async def ensure(self) -> str: ...


class LandingZone:
    """Lands claims and keeps the last listing of the zone in our store."""

    def __init__(
        self,
        *,
        files: LandingFiles,
        workspace: KnownWorkspace,
        journal: Journal,
        catalog: str,
        landing_path: str,
        on_change: Callable[[], None],
    ) -> None:
        self._files = files
        self._workspace = workspace
        self._journal = journal
        self._clock = journal.clock
        self._catalog = catalog
        self._root = landing_path.rstrip("/")
        self._on_change = on_change
        self._listing = asyncio.Lock()

    async def land(self, body: bytes, *, requested_by: str) -> str:
        """Put one claim into the raw zone and return its id.

        The file is written first: should we die before it is noted, the next listing finds it.
        Raises: BrokenJson, InvalidRequest, InvalidClaimIds, WorkspaceError.
        """
        now = self._clock.now()
        claim = read_claim(body, new_id=f"CLM-{uuid4().hex[:16].upper()}")
        workspace_id = await self._workspace.ensure()
        content = f"{claim.line}\n".encode()
        path = _path_of(claim, content, now)
        await self._files.write_file(f"{self._root}/{path}", content)
        # The time from before the write is not later than the file's own, whatever that is.
        file = ListedFile(path, claim.claim_id, len(content), int(now.timestamp() * 1000))
        async with self._journal.transaction() as transaction:
            db = transaction.db
            lake_id = (await lake.ensure(db, workspace_id, self._catalog)).lake_id
            await landing.save_listed(db, lake_id, [file], at=now, landed=True)
            what = {"path": path, "bytes": len(content)}
            await audit.write(db, at=now, who=requested_by, action="land_claim", subject=claim.claim_id, what=what)
        log.info("claim_landed", claim_id=claim.claim_id, bytes=len(content))
        self._on_change()
        return claim.claim_id

    async def relist(self) -> bool:
        """List the zone and keep what is there; True at the first time, and when something is new or gone.

        Folders of claims that the API landed are opened once only: their files never change.
        """
        async with self._listing:
            workspace_id = await self._workspace.ensure()
            async with self._journal.transaction() as transaction:
                known = await lake.ensure(transaction.db, workspace_id, self._catalog)
                lake_id = known.lake_id
                before = await landing.listed(transaction.db, lake_id)
            at = self._clock.now()
            opened = {path.rsplit("/", 1)[0] for path in before if path.startswith(f"{API_FOLDER}/")}
            found = {file.path: file async for file in self._walk("", opened)}
            changed = [file for path, file in found.items() if before.get(path) != file]
            gone = [path for path in before if path not in found and path.rsplit("/", 1)[0] not in opened]
            if not changed and not gone and known.listed_at is not None:
                return False
            async with self._journal.transaction() as transaction:
                await lake.listed(transaction.db, lake_id, at=at)
                await landing.save_listed(transaction.db, lake_id, changed, at=at)
                await landing.forget(transaction.db, lake_id, gone)
                await landing.settle(transaction.db, lake_id)
            return True

    async def _walk(self, below: str, opened: set[str]) -> AsyncIterator[ListedFile]:
        for entry in await self._entries(below):
            path = f"{below}{entry.name}"
            if entry.name.startswith((".", "_")):  # not data by Spark's convention: bronze passes over it too
                continue
            if entry.is_directory and path not in opened:
                async for file in self._walk(f"{path}/", opened):
                    yield file
            elif not entry.is_directory and is_landed(path):
                yield ListedFile(path, claim_of(path), entry.size_bytes, _milliseconds(entry.modified_at))

    async def _entries(self, below: str) -> Sequence[DirectoryEntry]:
        try:
            return await self._files.list_directory(f"{self._root}/{below}".rstrip("/"))
        except WorkspaceRejected as fault:
            if fault.status == 404:  # nothing has landed yet, or the folder went while we walked
                return ()
            raise


def is_landed(path: str) -> bool:
    """Whether bronze would read the file at `path`, which is relative to the landing path."""
    folders = path.split("/")[:-1]
    return path.lower().endswith(FORMATS) and not TABLE_FOLDERS.isdisjoint(folders)


def claim_of(path: str) -> str | None:
    """The claim of a file that the API landed; None for files whose claims only bronze will know."""
    folder, _, rest = path.partition(f"{API_FOLDER}/")
    claim_id, slash, _ = rest.partition("/")
    return claim_id if slash and not folder else None


def _path_of(claim: LandedClaim, content: bytes, at: datetime) -> str:
    """A name that sorts by time and is not used twice: corrections of a claim lie beside what they correct."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    short_hash = hashlib.sha256(content).hexdigest()[:12]
    return f"{API_FOLDER}/{claim.claim_id}/{stamp}-{short_hash}.json"


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)
