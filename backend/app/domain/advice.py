"""Failures in plain words: what a person can do about them."""

from __future__ import annotations

_BY_CODE = {
    "RUN_EXECUTION_ERROR": "The notebook raised an error. Read the trace, correct the cause, then use Retry.",
    "USER_CANCELED": "Somebody canceled the run. Retry starts what did not finish.",
    "CANCELED": "The run was stopped by the workspace, usually because it passed its time limit.",
    "SKIPPED": "The workspace skipped the run. Retry when no other run is active.",
    "MAX_CONCURRENT_RUNS_EXCEEDED": "Another run of the job was active and queueing is off. Retry when it has ended.",
    "CLUSTER_ERROR": "The cluster failed or could not start. Check it in the workspace, then use Retry.",
    "DRIVER_ERROR": "The cluster's driver stopped answering, often for lack of memory. Retry, or use a larger one.",
    "CLOUD_FAILURE": "The cloud provider could not deliver the machines. Retry in a few minutes.",
    "INVALID_CLUSTER_REQUEST": "The cluster does not exist or may not be used. Check DATABRICKS_CLUSTER_ID.",
    "LIBRARY_INSTALLATION_ERROR": "A library of the task could not be installed. Check the task's libraries.",
    "RESOURCE_NOT_FOUND": "The notebook or another resource is missing in the workspace. Run `petinsure360 deploy`.",
    "UNAUTHORIZED_ERROR": "The job's owner lacks a permission. Ask the workspace's administrator.",
    "STORAGE_ACCESS_ERROR": "The storage could not be read or written. Check the landing path and its permissions.",
    "WORKSPACE_RUN_LIMIT_EXCEEDED": "The workspace has too many runs. Retry in a few minutes.",
    "MAX_JOB_QUEUE_SIZE_EXCEEDED": "The job's queue is full. Retry when some of its runs have ended.",
    "REPOSITORY_CHECKOUT_FAILED": "The job's Git repository could not be read. Check its address and credentials.",
    "FEATURE_DISABLED": "The job uses something that is switched off in the workspace. Ask its administrator.",
    "CLUSTER_REQUEST_LIMIT_EXCEEDED": "The workspace is starting too many clusters. Retry in a few minutes.",
    "CLUSTER_TERMINATED_BY_USER": "Somebody stopped the cluster. Retry starts what did not finish.",
    "INVALID_RUN_CONFIGURATION": "The job's settings cannot be used. Correct the job, or run `petinsure360 deploy`.",
    "MAX_SPARK_CONTEXTS_EXCEEDED": "The cluster has too many users. Retry when other work has ended.",
    "DISABLED": "The job, or the task, is switched off in the workspace. Switch it on there.",
    "BREAKING_CHANGE": "The job needs a change before it can run again. Open the run in the workspace; it says which.",
    "BUDGET_POLICY_LIMIT_EXCEEDED": "The job's budget is used up. Ask whoever keeps the workspace's budgets.",
    "INTERNAL_ERROR": "The workspace had an internal fault. Retry.",
    "workspace_unauthorized": "Check DATABRICKS_TOKEN (or the other credentials) and its expiry, then use Retry.",
    "workspace_unreachable": "Check DATABRICKS_HOST and the network, then use Retry.",
    "workspace_throttled": "The workspace is overloaded. Retry in a few minutes.",
    "workspace_rejected": "The workspace refused. `petinsure360 doctor` checks job, notebooks and permissions.",
    "task_not_mappable": "Deploy our job with `petinsure360 deploy`, or let the job's tasks run our notebooks.",
    "workspace_changed": "The click was meant for another workspace and was not sent again. Retry starts it here.",
}
_BY_RESULT = {
    "TIMEDOUT": "The run passed its time limit. Retry, or raise the limit in the job.",
    "CANCELED": _BY_CODE["USER_CANCELED"],
    "MAXIMUM_CONCURRENT_RUNS_REACHED": _BY_CODE["MAX_CONCURRENT_RUNS_EXCEEDED"],
}
_OTHERWISE = "Open the run in the workspace to see what happened, then use Retry."
_RETRY_IS_USELESS = frozenset({"FEATURE_DISABLED", "DISABLED", "BREAKING_CHANGE"})


def advice(code: str | None, result: str | None = None) -> str:
    """What to do about an end with this termination code and result."""
    return _BY_RESULT.get(result or "") or _BY_CODE.get(code or "") or _OTHERWISE


def is_retryable(code: str | None) -> bool:
    """Whether trying again can help at all."""
    return code not in _RETRY_IS_USELESS
