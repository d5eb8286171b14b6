"""Reads the lake through the workspace's SQL warehouse: one statement per question, after a run, never for a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.claim_ids import is_claim_id
from app.domain.errors import WorkspaceRejected
from app.services import lake_queries
from app.services.right_of_way import RightOfWay
from app.services.workspace_answers import StatementResult
from app.store.lake import QuarantineEntry
from app.store.landing import ManifestEntry

TABLES_API = "/api/2.1/unity-catalog/tables"
MAX_RUN_TEXT = 64


class SqlWorkspace(Protocol):
    """The calls that reading the lake needs."""

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]: ...

    async def list_warehouses(self) -> list[dict[str, Any]]: ...

    async def execute_statement(
        self,
        statement: str,
        *,
        warehouse_id: str,
        catalog: str | None = None,
        parameters: Sequence[Mapping[str, Any]] = (),
        timeout_s: float = 120.0,
    ) -> StatementResult: ...


class NoWarehouse(Exception):
    """The workspace offers no SQL warehouse to us."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Claims that wait before a layer; `count` may be larger than the ids that can be named."""

    count: int
    claim_ids: frozenset[str]


class LakeReader:
    """Statements against one catalog on one warehouse."""

    def __init__(
        self, *, workspace: SqlWorkspace, catalog: str, warehouse_id: str | None, right_of_way: RightOfWay
    ) -> None:
        self._workspace = workspace
        self._right_of_way = right_of_way
        self.catalog = catalog
        self._configured = warehouse_id
        self._found: str | None = None

    async def give_way(self) -> None:
        """Between two steps of reading, or of keeping what was read: clicks first."""
        await self._right_of_way.give_way()

    async def query(self, statement: str, **values: str) -> StatementResult:
        """Run a constant statement with named text values. Raises NoWarehouse, WorkspaceError."""
        await self.give_way()
        parameters = [{"name": name, "value": value, "type": "STRING"} for name, value in values.items()]
        try:
            return await self._workspace.execute_statement(
                statement, warehouse_id=await self._warehouse(), catalog=self.catalog, parameters=parameters
            )
        except WorkspaceRejected:
            self._found = None  # a warehouse that was deleted since is looked for anew
            raise

    async def tables(self) -> frozenset[str]:
        """Which of our tables exist, as `schema.table`. Asks Unity Catalog, so no warehouse wakes up."""
        found: set[str] = set()
        for schema in ("bronze", "silver", "gold"):
            found.update(f"{schema}.{name}" for name in await self._tables_of(schema))
        return frozenset(found & set(lake_queries.TABLES))

    async def row_counts(self, existing: frozenset[str]) -> dict[str, int]:
        """Rows by table."""
        if not existing:
            return {}
        answer = await self.query(lake_queries.row_counts(existing))
        return {str(name): int(rows or 0) for name, rows in answer.rows}

    async def version(self, table: str) -> int | None:
        """The newest Delta version of the table."""
        answer = await self.query(lake_queries.newest_version(table))
        place = answer.columns.index("version")
        return int(answer.rows[0][place] or 0) if answer.rows else None

    async def positions(self, layer: str, run: str | None) -> list[tuple[str, str]]:
        """(claim_id, run) of the claims that `run` wrote to the layer; of all claims without `run`."""
        if run is None:
            answer = await self.query(lake_queries.ALL_POSITIONS[layer])
        else:
            answer = await self.query(lake_queries.POSITIONS_OF_RUN[layer], run=run)
        return [
            (claim_id, (by or "")[:MAX_RUN_TEXT]) for claim_id, by in answer.rows if claim_id and is_claim_id(claim_id)
        ]

    async def pending(self, layer: str, existing: frozenset[str]) -> Pending:
        """Claims that wait before silver or gold."""
        statement = lake_queries.PENDING[layer](existing)
        if statement is None:
            return Pending(0, frozenset())
        rows = (await self.query(statement)).rows
        return Pending(len(rows), frozenset(row[0] for row in rows if row[0] and is_claim_id(row[0])))

    async def quarantine(self) -> list[QuarantineEntry]:
        """Every quarantined claim with the rule it breaks."""
        rows = (await self.query(lake_queries.QUARANTINE)).rows
        return [
            QuarantineEntry(key, rule or "unknown", message, run, _instant(at))
            for key, rule, message, run, at in rows
            if key and is_claim_id(key)
        ]

    async def manifest(self) -> list[ManifestEntry]:
        """The newest state of every file that bronze has taken."""
        rows = (await self.query(lake_queries.MANIFEST)).rows
        return [ManifestEntry(str(path), int(size or 0), int(ms or 0)) for path, size, ms in rows]

    async def _tables_of(self, schema: str) -> Iterable[str]:
        names: list[str] = []
        query: dict[str, Any] = {"catalog_name": self.catalog, "schema_name": schema}
        try:
            while True:
                await self.give_way()
                answer = await self._workspace.get(TABLES_API, query)
                names += [str(table["name"]) for table in answer.get("tables") or []]
                if not (token := answer.get("next_page_token")):
                    return names
                query["page_token"] = token
        except WorkspaceRejected as fault:
            if fault.status == 404:  # no such catalog or schema yet
                return names
            raise

    async def _warehouse(self) -> str:
        if self._configured:
            return self._configured
        if self._found is None:
            offered = await self._workspace.list_warehouses()
            usable = [str(one["id"]) for one in offered if one.get("id") and one.get("state") not in _GONE]
            if not usable:
                raise NoWarehouse
            self._found = usable[0]
        return self._found


_GONE = frozenset({"DELETING", "DELETED"})


def _instant(text: str | None) -> str | None:
    """A SQL timestamp (UTC) as ISO 8601; a text of another form stays as it is."""
    if text is None or "T" in text or " " not in text:
        return text
    return text.replace(" ", "T", 1) + "Z"
