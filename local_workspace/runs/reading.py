"""Everything that can be read about runs, in the shapes of the Jobs API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from local_workspace.api.http import invalid
from local_workspace.runs.links import RunLinks
from local_workspace.runs.records import Output, Run, TaskRun, latest_attempts
from local_workspace.runs.rendering import (
    original_json,
    repair_json,
    run_json,
    task_run_json,
    with_tasks,
)
from local_workspace.store.runs import RunFilter, RunStore

_NO_PARENT_OUTPUT = (
    "Retrieving the output of runs with multiple tasks is not supported. "
    "Please retrieve the output of each individual task run instead."
)


@dataclass(frozen=True, slots=True)
class GetOptions:
    """The options of runs/get; `first` is where the page of tasks begins."""

    include_history: bool = False
    include_resolved_values: bool = False
    only_latest: bool = False
    first: int = 0


class RunReading:
    """Reads the store only, so it may be called from any thread."""

    def __init__(self, runs: RunStore, links: RunLinks, runs_dir: Path) -> None:
        self._runs = runs
        self._links = links
        self._runs_dir = runs_dir

    def get_run(self, run_id: int, options: GetOptions | None = None) -> dict[str, Any]:
        """A run with its tasks, or a task run. Raises: ApiError."""
        options = options or GetOptions()
        run = self._runs.run(run_id)
        if run is None:
            return self._get_task_run(run_id)
        attempts = self._runs.attempts(run_id)
        shown = list(latest_attempts(attempts).values()) if options.only_latest else attempts
        told = with_tasks(run, shown, self._links, first=options.first, resolved=options.include_resolved_values)
        if options.include_history and options.first == 0:
            told["repair_history"] = self._history(run, attempts)
        return told

    def get_output(self, run_id: int) -> dict[str, Any]:
        """The output of a task run; metadata alone while it runs. Raises: ApiError."""
        attempt = self._runs.task_run(run_id)
        if attempt is not None:
            parent = self._parent(attempt)
            return self._output(task_run_json(parent, attempt, self._links), attempt)
        run = self._existing(run_id)
        if not run.single_task:
            raise invalid(_NO_PARENT_OUTPUT)
        attempt = next(iter(latest_attempts(self._runs.attempts(run_id)).values()))
        return self._output(self.get_run(run_id), attempt)

    def cells(self, task_run_id: int) -> list[dict[str, Any]]:
        """The cells of a task run as far as they have run; the last line may still be in the making."""
        path = self._runs_dir / str(int(task_run_id)) / "cells.jsonl"
        if not path.exists():
            return []
        found: list[dict[str, Any]] = []
        for line in path.read_bytes().split(b"\n"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def page(self, wanted: RunFilter, *, limit: int, token: str, offset: int, expand_tasks: bool) -> dict[str, Any]:
        """runs/list: newest first, with tokens for the pages on either side. Raises: ApiError."""
        before, after = _position(token)
        found = self._runs.page(wanted, limit=limit + 1, before=before, after=after, offset=offset)
        extra = len(found) > limit
        shown = (found[1:] if extra else found) if after is not None else found[:limit]
        told: dict[str, Any] = {"has_more": extra or after is not None}
        if shown:
            told["runs"] = self._expanded(shown) if expand_tasks else self._plain(shown)
        if shown and (extra or after is not None):
            told["next_page_token"] = f"before-{shown[-1].run_id}"
        if shown and (before is not None or (after is not None and extra)):
            told["prev_page_token"] = f"after-{shown[0].run_id}"
        return told

    def task_runs(self, run_id: int) -> tuple[Run, list[TaskRun]]:
        """A run and the attempts that an export of `run_id` (of a run or of a task run) means. Raises: ApiError."""
        attempt = self._runs.task_run(run_id)
        if attempt is not None:
            return self._parent(attempt), [attempt]
        run = self._existing(run_id)
        return run, list(latest_attempts(self._runs.attempts(run_id)).values())

    def _plain(self, runs: list[Run]) -> list[dict[str, Any]]:
        told = [run_json(run, [], self._links) for run in runs]
        for run, item in zip(runs, told, strict=True):
            item |= {"job_parameters": run.job_parameters} if run.job_parameters else {}
        return told

    def _expanded(self, runs: list[Run]) -> list[dict[str, Any]]:
        attempts = self._runs.attempts(*(run.run_id for run in runs))
        attempts.sort(key=lambda attempt: (attempt.parent_run_id, attempt.run_id))
        grouped = {run_id: list(items) for run_id, items in groupby(attempts, lambda item: item.parent_run_id)}
        told = [with_tasks(run, grouped.get(run.run_id, []), self._links) for run in runs]
        for item in told:
            item["has_more"] = item.pop("next_page_token", None) is not None
        return told

    def _get_task_run(self, run_id: int) -> dict[str, Any]:
        attempt = self._runs.task_run(run_id)
        if attempt is None:
            raise _unknown(run_id)
        return task_run_json(self._parent(attempt), attempt, self._links)

    def _existing(self, run_id: int) -> Run:
        run = self._runs.run(run_id)
        if run is None:
            raise _unknown(run_id)
        return run

    def _parent(self, attempt: TaskRun) -> Run:
        return self._existing(attempt.parent_run_id)

    def _history(self, run: Run, attempts: list[TaskRun]) -> list[dict[str, Any]]:
        items = self._runs.repairs(run.run_id)
        if not items:
            return [original_json(run, attempts)]
        return [repair_json(item, run, is_latest=item is items[-1]) for item in items]

    def _output(self, metadata: dict[str, Any], attempt: TaskRun) -> dict[str, Any]:
        told: dict[str, Any] = {"metadata": metadata}
        output = self._runs.output(attempt.run_id) if attempt.state.is_terminal else None
        return told | output_json(output) if output is not None else told


def output_json(output: Output) -> dict[str, Any]:
    """`notebook_output` is there, perhaps empty, also beside an error."""
    notebook: dict[str, Any] = {}
    if output.result is not None:
        notebook = {"result": output.result, "truncated": output.truncated}
    told: dict[str, Any] = {"notebook_output": notebook}
    told |= {"error": output.error} if output.error is not None else {}
    return told | ({"error_trace": output.error_trace} if output.error_trace is not None else {})


def _unknown(run_id: int) -> Exception:
    """400 with this text is what the SDK turns into ResourceDoesNotExist."""
    return invalid(f"Run {run_id} does not exist.")


def _position(token: str) -> tuple[int | None, int | None]:
    side, _, number = token.partition("-")
    if not token:
        return None, None
    if side not in ("before", "after") or not (number.isascii() and number.isdigit()):
        raise invalid("The page_token is not one that this workspace gave.")
    return (int(number), None) if side == "before" else (None, int(number))
