"""Jobs API, definitions: create, get, list, update, reset, delete, in versions 2.0, 2.1 and 2.2."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_workspace.api.http import ApiError, answer, arguments, boolean, integer, invalid, text
from local_workspace.clock import Clock
from local_workspace.runs.definitions import job_settings
from local_workspace.store.ids import Ids
from local_workspace.store.jobs import Job, JobStore

VERSIONS = ("2.0", "2.1", "2.2")
_PAGE = 100  # entries of an array per answer in 2.2
_ARRAYS = ("tasks", "job_clusters", "parameters", "environments")
_KEYS = {"tasks": "task_key", "job_clusters": "job_cluster_key", "environments": "environment_key"}

Handler = Callable[[Request], Awaitable[Response]]


def versioned(path: str, handler: Handler, method: str) -> list[Route]:
    """The same call under every version of the API."""
    return [Route(f"/api/{version}{path}", handler, methods=[method]) for version in VERSIONS]


def is_current(request: Request) -> bool:
    """Version 2.2 and later: queueing is on unless said otherwise."""
    return not request.url.path.startswith(("/api/2.0/", "/api/2.1/"))


class JobsApi:
    """The handlers, over the store."""

    def __init__(self, jobs: JobStore, *, clock: Clock, ids: Ids, user_name: str) -> None:
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._user_name = user_name

    async def create(self, request: Request) -> Response:
        values = await arguments(request)
        settings = job_settings(values, queue_by_default=is_current(request))
        job = Job(self._ids.next(), self._clock.now_ms(), self._user_name, settings)
        self._jobs.save(job)
        return answer({"job_id": job.job_id})

    async def get(self, request: Request) -> Response:
        values = await arguments(request)
        job = self._existing(integer(values, "job_id"))
        first = integer(values, "page_token", 0) if values.get("page_token") else 0
        told = _job_json(job, _page_of(job.settings, first))
        if any(len(job.settings.get(name, ())) > first + _PAGE for name in _ARRAYS):
            told["next_page_token"] = str(first + _PAGE)
        return answer(told)

    async def list(self, request: Request) -> Response:
        values = await arguments(request)
        limit = integer(values, "limit", 20) or 20
        if not 1 <= limit <= 100:
            raise invalid(f"limit must be between 1 and 100; got {limit}.")
        before = integer(values, "page_token") if values.get("page_token") else None
        name = text(values, "name") if values.get("name") else None
        found = self._jobs.page(name=name, before=before, offset=_offset(values), limit=limit + 1)
        return answer(_list_json(found, limit, expand_tasks=boolean(values, "expand_tasks")))

    async def update(self, request: Request) -> Response:
        """Top-level fields are replaced; arrays with keys are merged by them; then fields are removed."""
        values = await arguments(request)
        job = self._existing(integer(values, "job_id"))
        merged = dict(job.settings)
        for name, value in _settings_of(values, "new_settings").items():
            merged[name] = _merged(merged.get(name, []), value, _KEYS[name]) if name in _KEYS else value
        for path in values.get("fields_to_remove") or ():
            _remove(merged, path)
        return self._replace(job, merged)

    async def reset(self, request: Request) -> Response:
        values = await arguments(request)
        job = self._existing(integer(values, "job_id"))
        settings = _settings_of(values, "new_settings")
        if "run_as" not in settings and "run_as" in job.settings:
            settings["run_as"] = job.settings["run_as"]
        if "queue" not in settings and is_current(request):
            settings["queue"] = {"enabled": True}
        return self._replace(job, settings)

    async def delete(self, request: Request) -> Response:
        job_id = integer(await arguments(request), "job_id")
        if not self._jobs.delete(job_id):
            raise _unknown(job_id)
        return answer()

    def _existing(self, job_id: int) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise _unknown(job_id)
        return job

    def _replace(self, job: Job, settings: dict[str, Any]) -> Response:
        completed = job_settings(settings, queue_by_default=False)
        self._jobs.save(Job(job.job_id, job.created_time, job.creator, completed))
        return answer()


def routes(api: JobsApi) -> list[Route]:
    return [
        *versioned("/jobs/create", api.create, "POST"),
        *versioned("/jobs/get", api.get, "GET"),
        *versioned("/jobs/list", api.list, "GET"),
        *versioned("/jobs/update", api.update, "POST"),
        *versioned("/jobs/reset", api.reset, "POST"),
        *versioned("/jobs/delete", api.delete, "POST"),
    ]


def _unknown(job_id: int) -> ApiError:
    """400 with this text is what the SDK turns into ResourceDoesNotExist."""
    return invalid(f"Job {job_id} does not exist.")


def _offset(values: dict[str, Any]) -> int:
    offset = integer(values, "offset", 0) if values.get("offset") else 0
    if not 0 <= offset <= 1000:
        raise invalid(f"offset must be between 0 and 1000; got {offset}.")
    return offset


def _settings_of(values: dict[str, Any], name: str) -> dict[str, Any]:
    settings = values.get(name)
    if not isinstance(settings, dict):
        raise invalid(f"{name} must be an object.")
    return dict(settings)


def _job_json(job: Job, settings: dict[str, Any]) -> dict[str, Any]:
    run_as = job.settings.get("run_as") or {}
    return {
        "job_id": job.job_id,
        "creator_user_name": job.creator,
        "run_as_user_name": run_as.get("user_name") or run_as.get("service_principal_name") or job.creator,
        "created_time": job.created_time,
        "settings": settings,
    }


def _page_of(settings: dict[str, Any], first: int) -> dict[str, Any]:
    """The settings with one page of each array; the arrays alone after the first page would lose the scalars."""
    pages = {name: settings[name][first : first + _PAGE] for name in _ARRAYS if settings.get(name)}
    return settings | pages


def _list_json(found: list[Job], limit: int, *, expand_tasks: bool) -> dict[str, Any]:
    shown, told = found[:limit], {"has_more": len(found) > limit}
    hidden = () if expand_tasks else ("tasks", "job_clusters", "parameters", "environments")
    jobs = []
    for job in shown:
        settings = {name: value for name, value in job.settings.items() if name not in hidden}
        extra = {"has_more": len(job.settings["tasks"]) > _PAGE} if expand_tasks else {}
        jobs.append(_job_json(job, _page_of(settings, 0)) | extra)
    listed: dict[str, Any] = dict(told)
    if jobs:
        listed["jobs"] = jobs
    if told["has_more"]:
        listed["next_page_token"] = str(shown[-1].job_id)
    return listed


def _merged(old: list[dict[str, Any]], new: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    by_key = {item.get(key): item for item in old}
    return list((by_key | {item.get(key): item for item in new}).values())


def _remove(settings: dict[str, Any], path: str) -> None:
    """Remove a top-level field, or one entry of a keyed array (`tasks/task_1`)."""
    field, _, key = path.partition("/")
    if key and field in _KEYS:
        settings[field] = [item for item in settings.get(field, []) if item.get(_KEYS[field]) != key]
    else:
        settings.pop(field, None)
