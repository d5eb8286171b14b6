"""Reading the runs that matter from the workspace, with as few calls as there are pages of 25."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Protocol

import structlog

from app.domain.errors import WorkspaceRejected
from app.domain.observation import SeenRun, read_run
from app.services.targets import JobTarget, NotebookTarget

log = structlog.get_logger()

PAGE = 25
MAX_PAGES = 100


class RunsApi(Protocol):
    """The calls this module makes."""

    async def list_runs(
        self,
        *,
        job_id: int | None = None,
        active_only: bool = False,
        run_type: str | None = None,
        page_token: str | None = None,
        limit: int = PAGE,
    ) -> tuple[list[dict[str, Any]], str | None]: ...

    async def get_run_status(self, run_id: int, *, include_history: bool = False) -> dict[str, Any]: ...


class RunListing:
    """One listing finds the runs we follow and those that others started."""

    def __init__(self, *, workspace: RunsApi) -> None:
        self._workspace = workspace

    async def read(
        self, target: JobTarget | NotebookTarget, wanted: Set[int]
    ) -> tuple[dict[int, SeenRun], frozenset[int]]:
        """What the workspace shows of the target's newest runs and of `wanted`; and which wanted ones it does not have.

        Pages are read until all wanted runs were met, at most ceil(N/25) + 1, the rest comes by runs/get; and on
        through active runs of our job that were not known yet.
        """
        seen: dict[int, SeenRun] = {}
        token: str | None = None
        for pages_read in range(1, MAX_PAGES + 1):
            found, token = await self._page(target, token)
            seen |= {run.run_id: run for run in found}
            missing = wanted - seen.keys() and pages_read <= (len(wanted) + PAGE - 1) // PAGE
            if token is None or not (missing or _shows_news(target, found, wanted)):
                break
        gone: set[int] = set()
        for run_id in wanted - seen.keys():
            run = await self.one(run_id)
            if run is None:
                gone.add(run_id)
            else:
                seen[run_id] = run
        return seen, frozenset(gone)

    async def whole(self, run: SeenRun) -> SeenRun:
        """The run with all its tasks; the listing shows the first 100 only."""
        return (await self.one(run.run_id) or run) if run.incomplete else run

    async def one(self, run_id: int) -> SeenRun | None:
        """The run by runs/get, or None when the workspace does not have it."""
        try:
            return read_run(await self._workspace.get_run_status(run_id))
        except WorkspaceRejected as fault:
            if fault.status == 404 or fault.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}:
                return None
            raise

    async def _page(self, target: JobTarget | NotebookTarget, token: str | None) -> tuple[list[SeenRun], str | None]:
        if isinstance(target, JobTarget):
            found, following = await self._workspace.list_runs(job_id=target.job_id, page_token=token)
        else:
            found, following = await self._workspace.list_runs(run_type="SUBMIT_RUN", page_token=token)
        return [read_run(raw) for raw in found], following


def _shows_news(target: JobTarget | NotebookTarget, found: list[SeenRun], wanted: Set[int]) -> bool:
    """Whether a page of our job has active runs that we do not follow yet: then the next may have some too."""
    if not isinstance(target, JobTarget):
        return False
    return any(not run.status.terminal and run.run_id not in wanted for run in found)
