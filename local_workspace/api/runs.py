"""Jobs API, runs: run-now, submit, get, list, get-output, cancel, cancel-all, delete, repair, export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import answer, arguments, boolean, integer, invalid, text
from local_workspace.api.jobs import is_current, versioned
from local_workspace.runs.links import RunLinks
from local_workspace.runs.reading import GetOptions, RunReading
from local_workspace.runs.starting import Starter
from local_workspace.runs.stopping import Lifecycle
from local_workspace.store.runs import RunFilter

_RUN_TYPES = ("JOB_RUN", "SUBMIT_RUN", "WORKFLOW_RUN")
_MOST_LISTED = 25
_MOST_LISTED_LEGACY = 1000  # in version 2.0
RenderHtml = Callable[[list[dict[str, Any]]], str]


class RunsApi:
    """The handlers, over starting, stopping and reading."""

    def __init__(
        self, starter: Starter, lifecycle: Lifecycle, reading: RunReading, links: RunLinks, render_html: RenderHtml
    ) -> None:
        self._starter = starter
        self._lifecycle = lifecycle
        self._reading = reading
        self._links = links
        self._render_html = render_html

    async def run_now(self, request: Request) -> Response:
        run = self._starter.run_now(await arguments(request))
        return answer({"run_id": run.run_id, "number_in_job": run.run_id, "run_view_url": self._links.url(run.run_id)})

    async def submit(self, request: Request) -> Response:
        run = self._starter.submit(await arguments(request))
        return answer({"run_id": run.run_id, "run_view_url": self._links.url(run.run_id)})

    async def get(self, request: Request) -> Response:
        values = await arguments(request)
        options = GetOptions(
            include_history=boolean(values, "include_history"),
            include_resolved_values=boolean(values, "include_resolved_values"),
            only_latest=boolean(values, "only_latest"),
            first=integer(values, "page_token") if values.get("page_token") else 0,
        )
        return answer(self._reading.get_run(integer(values, "run_id"), options))

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        told = self._reading.page(
            _filter(values),
            limit=_limit(values, _MOST_LISTED if _is_paged(request) else _MOST_LISTED_LEGACY),
            token=text(values, "page_token", ""),
            offset=integer(values, "offset", 0) if values.get("offset") else 0,
            expand_tasks=boolean(values, "expand_tasks"),
        )
        if is_current(request):
            del told["has_more"]
        return answer(told)

    async def get_output(self, request: Request) -> Response:
        return answer(self._reading.get_output(integer(await arguments(request), "run_id")))

    async def cancel(self, request: Request) -> Response:
        self._lifecycle.cancel(integer(await arguments(request), "run_id"))
        return answer()

    async def cancel_all(self, request: Request) -> Response:
        values = await arguments(request)
        job_id = integer(values, "job_id") if values.get("job_id") else None
        self._lifecycle.cancel_all(job_id, queued_only=boolean(values, "all_queued_runs"))
        return answer()

    async def delete(self, request: Request) -> Response:
        self._lifecycle.delete(integer(await arguments(request), "run_id"))
        return answer()

    async def repair(self, request: Request) -> Response:
        return answer({"repair_id": self._lifecycle.repair(await arguments(request))})

    async def export(self, request: Request) -> Response:
        """The notebooks of a run as they ran; this workspace has no dashboards to export."""
        values = await arguments(request)
        wanted = text(values, "views_to_export", "CODE")
        if wanted not in ("CODE", "DASHBOARDS", "ALL"):
            raise invalid(f"views_to_export must be CODE, DASHBOARDS or ALL; got {wanted!r}.")
        _run, attempts = self._reading.task_runs(integer(values, "run_id"))
        views = [] if wanted == "DASHBOARDS" else attempts
        told = [
            {"content": self._render_html(self._reading.cells(item.run_id)), "name": item.task_key, "type": "NOTEBOOK"}
            for item in views
        ]
        return answer({"views": told})


def routes(api: RunsApi) -> list[Route]:
    return [
        *versioned("/jobs/run-now", api.run_now, "POST"),
        *versioned("/jobs/runs/submit", api.submit, "POST"),
        *versioned("/jobs/runs/get", api.get, "GET"),
        *versioned("/jobs/runs/list", api.list, "GET"),
        *versioned("/jobs/runs/get-output", api.get_output, "GET"),
        *versioned("/jobs/runs/cancel", api.cancel, "POST"),
        *versioned("/jobs/runs/cancel-all", api.cancel_all, "POST"),
        *versioned("/jobs/runs/delete", api.delete, "POST"),
        *versioned("/jobs/runs/repair", api.repair, "POST"),
        *versioned("/jobs/runs/export", api.export, "GET"),
    ]


def _is_paged(request: Request) -> bool:
    return not request.url.path.startswith("/api/2.0/")


def _limit(values: dict[str, Any], most: int) -> int:
    """0 means as many as there may be."""
    limit = integer(values, "limit", 20) if values.get("limit") not in (None, "") else 20
    if not 0 <= limit <= most:
        raise invalid(f"limit must be between 0 and {most}; got {limit}.")
    return limit or most


def _filter(values: dict[str, Any]) -> RunFilter:
    active, completed = boolean(values, "active_only"), boolean(values, "completed_only")
    if active and completed:
        raise invalid("active_only and completed_only cannot both be true.")
    run_type = values.get("run_type") or None
    if run_type is not None and run_type not in _RUN_TYPES:
        raise invalid(f"run_type must be one of {', '.join(_RUN_TYPES)}; got {run_type!r}.")
    return RunFilter(
        job_id=_optional(values, "job_id"),
        active=True if active else False if completed else None,
        run_type=run_type,
        start_time_from=_optional(values, "start_time_from"),
        start_time_to=_optional(values, "start_time_to"),
    )


def _optional(values: dict[str, Any], name: str) -> int | None:
    return integer(values, name) if values.get(name) not in (None, "") else None
