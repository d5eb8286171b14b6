"""Reading the runs that matter from the workspace, with as few calls as there are pages of 25."""

from __future__ import annotations

from collections.abc import Set
from enum import Enum
from typing import Any, Protocol

import structlog

from app.domain.errors import WorkspaceProtocolError, WorkspaceRejected
from app.domain.observation import SeenRun, read_run
from app.services.targets import JobTarget, NotebookTarget

log = structlog.get_logger()

PAGE = 25
MAX_PAGES = 100
AT_MOST_SINGLY = 3


class Missing(Enum):
    """Why there is no look at a run."""

    GONE = "the workspace does not have it"
    UNREADABLE = "the workspace does not show it to us"


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

        Pages are read until all wanted runs were met, at most as many as they fill, ceil(N/25); the rest comes by
        runs/get, or by a listing of active runs where it is more than a few. Reading goes on through active runs of our
        job that were not known yet.
        """
        enough = max(1, pages_for(wanted))
        seen = await self._newest(target, wanted, enough)
        if len(wanted - seen.keys()) > AT_MOST_SINGLY:
            # Many runs that ended since lie between those we follow; a listing of active ones leaves them out.
            seen |= await self._active(target, enough)
        gone: set[int] = set()
        for run_id in wanted - seen.keys():
            run = await self._one_of_many(run_id)
            if run is Missing.GONE:
                gone.add(run_id)
            elif isinstance(run, SeenRun):
                seen[run_id] = run
        return seen, frozenset(gone)

    async def whole(self, run: SeenRun) -> SeenRun:
        """The run with all its tasks; the listing shows the first 100 only."""
        return (await self.one(run.run_id) or run) if run.incomplete else run

    async def one(self, run_id: int) -> SeenRun | None:
        """The run by runs/get, or None when the workspace does not have it."""
        try:
            raw = await self._workspace.get_run_status(run_id)
        except WorkspaceRejected as fault:
            if fault.status == 404 or fault.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}:
                return None
            raise
        run = _read(raw)
        if run is None:
            raise WorkspaceProtocolError(f"The answer about run {run_id} cannot be read.")
        return run

    async def _one_of_many(self, run_id: int) -> SeenRun | Missing:
        """The same, where one run that cannot be read must not hide the others from us."""
        try:
            return await self.one(run_id) or Missing.GONE
        except (WorkspaceRejected, WorkspaceProtocolError) as fault:
            log.warning("run_unreadable", run_id=run_id, code=fault.code, reason=fault.message)
            return Missing.UNREADABLE

    async def _newest(self, target: JobTarget | NotebookTarget, wanted: Set[int], enough: int) -> dict[int, SeenRun]:
        seen: dict[int, SeenRun] = {}
        token: str | None = None
        for pages_read in range(1, MAX_PAGES + 1):
            found, token = await self._page(target, token)
            seen |= {run.run_id: run for run in found}
            missing = wanted - seen.keys() and pages_read < enough
            if token is None or not (missing or _shows_news(target, found, wanted)):
                break
        return seen

    async def _active(self, target: JobTarget | NotebookTarget, enough: int) -> dict[int, SeenRun]:
        seen: dict[int, SeenRun] = {}
        token: str | None = None
        for _ in range(enough):
            found, token = await self._page(target, token, active_only=True)
            seen |= {run.run_id: run for run in found}
            if token is None:
                break
        return seen

    async def _page(
        self, target: JobTarget | NotebookTarget, token: str | None, *, active_only: bool = False
    ) -> tuple[list[SeenRun], str | None]:
        job = isinstance(target, JobTarget)
        found, following = await self._workspace.list_runs(
            job_id=target.job_id if isinstance(target, JobTarget) else None,
            run_type=None if job else "SUBMIT_RUN",
            page_token=token,
            active_only=active_only,
        )
        return [run for raw in found if (run := _read(raw)) is not None], following


def pages_for(wanted: Set[int]) -> int:
    """How many pages the wanted runs fill."""
    return (len(wanted) + PAGE - 1) // PAGE


def _read(raw: Any) -> SeenRun | None:
    """The run, or None where the answer is not what the API promises: one bad entry must not hide the others."""
    try:
        return read_run(raw)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as fault:
        log.warning("run_answer_unreadable", error=type(fault).__name__)
        return None


def _shows_news(target: JobTarget | NotebookTarget, found: list[SeenRun], wanted: Set[int]) -> bool:
    """Whether a page of our job has active runs that we do not follow yet: then the next may have some too."""
    if not isinstance(target, JobTarget):
        return False
    return any(not run.status.terminal and run.run_id not in wanted for run in found)
