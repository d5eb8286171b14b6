"""What a job or a submitted run may say, checked once and completed the way Databricks completes it on reading."""

from __future__ import annotations

import json
import re
from typing import Any

from local_workspace.api.http import ApiError, boolean, integer, invalid, text, unsupported
from local_workspace.runs.graph import RUN_IF, BadGraph, Graph
from local_workspace.runs.references import BadReference, check

TASK_TYPES = (
    "notebook_task", "spark_python_task", "python_wheel_task", "spark_jar_task", "spark_submit_task", "sql_task",
    "pipeline_task", "run_job_task", "condition_task", "for_each_task", "dbt_task", "dashboard_task",
    "power_bi_task", "clean_rooms_notebook_task", "gen_ai_compute_task", "dbt_platform_task", "alert_task",
)  # fmt: skip
COMPUTE = ("existing_cluster_id", "new_cluster", "job_cluster_key", "environment_key")
_TASK_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_LEGACY_TASK_FIELDS = (
    *TASK_TYPES, "existing_cluster_id", "new_cluster", "libraries", "max_retries", "min_retry_interval_millis",
    "retry_on_timeout",
)  # fmt: skip
_MAX_TASKS = 1000
_MAX_PARAMETERS_BYTES = 1024 * 1024
_MAX_NOTEBOOK_PARAMS_BYTES = 10_000
LEGACY_TASK_KEY = "main"
_SETTINGS = (
    "name", "description", "tasks", "job_clusters", "parameters", "max_concurrent_runs", "timeout_seconds", "queue",
    "schedule", "trigger", "continuous", "email_notifications", "webhook_notifications", "notification_settings",
    "health", "tags", "run_as", "environments", "edit_mode", "deployment", "performance_target", "budget_policy_id",
    "usage_policy_id", "parent_path",
)  # fmt: skip


def job_settings(values: dict[str, Any], *, queue_by_default: bool) -> dict[str, Any]:
    """The settings of a job as they are kept and read back. Raises: ApiError."""
    settings = {name: values[name] for name in _SETTINGS if values.get(name) is not None}
    settings["name"] = _name(values)
    settings["tasks"] = tasks(values)
    settings["format"] = "MULTI_TASK"
    settings["max_concurrent_runs"] = _bounded(values, "max_concurrent_runs", 1, 1000)
    settings["timeout_seconds"] = _bounded(values, "timeout_seconds", 0, 2**31)
    settings |= {"email_notifications": {}, "webhook_notifications": {}} | settings
    if values.get("parameters"):
        settings["parameters"] = job_parameters(values["parameters"])
    if "queue" in values or queue_by_default:
        settings["queue"] = {"enabled": queue_enabled(values, queue_by_default)}
    _check_tags(settings.get("tags", {}))
    _refuse_unserved(values)
    return settings


def queue_enabled(values: dict[str, Any], default: bool) -> bool:
    queue = values.get("queue")
    if queue is None:
        return default
    if not isinstance(queue, dict):
        raise invalid("queue must be an object with the field 'enabled'.")
    return boolean(queue, "enabled", False)


def tasks(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The tasks of a job or of a submitted run, in either shape. Raises: ApiError."""
    given = values.get("tasks")
    if given is None and any(values.get(kind) for kind in TASK_TYPES):
        given = [legacy_task(values)]
    if not isinstance(given, list) or len(given) > _MAX_TASKS:
        raise invalid(f"tasks must be a list of at most {_MAX_TASKS} tasks.")
    declared = {item.get("job_cluster_key") for item in values.get("job_clusters") or () if isinstance(item, dict)}
    completed = [_task(item, declared) for item in given]
    keys = [task["task_key"] for task in completed]
    if len(set(keys)) < len(keys):
        raise invalid("The task keys of a job must be unique.")
    try:
        Graph({task["task_key"]: _upstream(task) for task in completed}).order()
    except BadGraph as fault:
        raise invalid(str(fault)) from fault
    return completed


def legacy_task(values: dict[str, Any]) -> dict[str, Any]:
    """The one task of the single-task shape, whose fields stand at the top level."""
    fields = {name: values[name] for name in _LEGACY_TASK_FIELDS if values.get(name) is not None}
    return {"task_key": LEGACY_TASK_KEY} | fields


def job_parameters(given: Any) -> list[dict[str, str]]:
    """Declared job parameters. Raises: ApiError."""
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid("parameters must be a list of objects with name and default.")
    declared = [{"name": _parameter_name(text(item, "name")), "default": text(item, "default", "")} for item in given]
    if len({item["name"] for item in declared}) < len(declared):
        raise invalid("The names of job parameters must be unique.")
    for item in declared:
        _check_references(item["default"])
    return declared


def parameter_values(
    values: dict[str, Any], name: str, limit_bytes: int = _MAX_NOTEBOOK_PARAMS_BYTES
) -> dict[str, str]:
    """A map of parameters to strings, as run-now sends them. Raises: ApiError."""
    given = values.get(name) or {}
    if not isinstance(given, dict):
        raise ApiError(400, "MALFORMED_REQUEST", f"Expected object for field '{name}', found {type(given).__name__}.")
    if len(json.dumps(given)) > limit_bytes:
        raise invalid(f"The JSON of {name} must not exceed {limit_bytes} bytes.")
    return {_parameter_name(key): _plain(key, value) for key, value in given.items()}


def _task(given: Any, declared_clusters: set[Any]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise invalid("Each task must be an object.")
    key = text(given, "task_key")
    if not _TASK_KEY.fullmatch(key):
        raise invalid(f"The task key {key!r} may hold letters, digits, '_' and '-' only, at most 100.")
    task = {name: value for name, value in given.items() if value is not None}
    task["notebook_task"] = _notebook_task(key, given)
    task["depends_on"] = _depends_on(key, given)
    if not task["depends_on"]:
        del task["depends_on"]
    task["run_if"] = _run_if(key, given)
    task["timeout_seconds"] = _bounded(given, "timeout_seconds", 0, 2**31)
    task["email_notifications"] = given.get("email_notifications") or {}
    _check_retries(given)
    _check_compute(key, given, declared_clusters)
    return task


def _notebook_task(key: str, given: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in TASK_TYPES if given.get(kind) is not None]
    if len(kinds) != 1:
        raise invalid(f"Task {key!r} must have exactly one task type; it has {len(kinds)}.")
    if kinds != ["notebook_task"]:
        raise unsupported(f"Task {key!r}: the task type {kinds[0]}")
    notebook = given["notebook_task"]
    if not isinstance(notebook, dict):
        raise invalid(f"Task {key!r}: notebook_task must be an object.")
    if notebook.get("source", "WORKSPACE") != "WORKSPACE":
        raise unsupported(f"Task {key!r}: a notebook from {notebook['source']}")
    path = text(notebook, "notebook_path")
    if not path.startswith(("/", "{{")):
        raise invalid(f"Task {key!r}: only absolute notebook paths are supported; got {path!r}.")
    completed = {**notebook, "notebook_path": path, "source": "WORKSPACE"}
    _check_references(path)
    if notebook.get("base_parameters"):
        completed["base_parameters"] = parameter_values(notebook, "base_parameters", _MAX_PARAMETERS_BYTES)
        for value in completed["base_parameters"].values():
            _check_references(value)
    return completed


def _depends_on(key: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    upstream = given.get("depends_on") or []
    if not isinstance(upstream, list) or not all(isinstance(item, dict) for item in upstream):
        raise invalid(f"Task {key!r}: depends_on must be a list of objects with task_key.")
    return sorted(({"task_key": text(item, "task_key")} for item in upstream), key=lambda item: item["task_key"])


def _upstream(task: dict[str, Any]) -> tuple[str, ...]:
    return tuple(item["task_key"] for item in task.get("depends_on", ()))


def _run_if(key: str, given: dict[str, Any]) -> str:
    run_if = given.get("run_if") or "ALL_SUCCESS"
    if run_if not in RUN_IF:
        raise invalid(f"Task {key!r}: run_if must be one of {', '.join(RUN_IF)}; got {run_if!r}.")
    return str(run_if)


def _check_retries(given: dict[str, Any]) -> None:
    if integer(given, "max_retries", 0) < -1:
        raise invalid("max_retries must be -1 (no limit) or more.")
    _bounded(given, "min_retry_interval_millis", 0, 2**31)
    boolean(given, "retry_on_timeout", False)


def _check_compute(key: str, given: dict[str, Any], declared_clusters: set[Any]) -> None:
    named = [kind for kind in COMPUTE if given.get(kind)]
    if len(named) > 1:
        raise invalid(f"Task {key!r} names more than one compute: {', '.join(named)}.")
    cluster_key = given.get("job_cluster_key")
    if cluster_key and cluster_key not in declared_clusters:
        raise invalid(f"Task {key!r}: job_cluster_key {cluster_key!r} is not among job_clusters.")


def _name(values: dict[str, Any]) -> str:
    name = text(values, "name", "Untitled") or "Untitled"
    if len(name.encode()) > 4096:
        raise invalid("name must not exceed 4096 bytes.")
    return name


def _bounded(values: dict[str, Any], name: str, default: int, most: int) -> int:
    number = integer(values, name, default) if values.get(name) is not None else default
    if not 0 <= number <= most:
        raise invalid(f"{name} must be between 0 and {most}; got {number}.")
    return number


def _check_tags(tags: Any) -> None:
    if not isinstance(tags, dict) or len(tags) > 25:
        raise invalid("tags must be an object of at most 25 entries.")


def _refuse_unserved(values: dict[str, Any]) -> None:
    """Nothing is kept that would look as if it worked: this workspace starts no run by itself."""
    for field in ("schedule", "trigger", "continuous"):
        if values.get(field) and values[field].get("pause_status") != "PAUSED":
            raise unsupported(f"{field} (unless its pause_status is PAUSED)")
    if values.get("git_source"):
        raise unsupported("git_source")


def _parameter_name(name: str) -> str:
    if not _PARAMETER_NAME.fullmatch(name):
        raise invalid(f"The parameter name {name!r} may hold letters, digits, '_', '-' and '.' only.")
    return name


def _plain(name: str, value: Any) -> str:
    if isinstance(value, dict | list):
        raise invalid(f"The value of parameter {name!r} must be a string.")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _check_references(value: str) -> None:
    try:
        check(value)
    except BadReference as fault:
        raise invalid(str(fault)) from fault
