"""How far a task is, in one small file that the backend reads while the task runs."""

import json
from threading import Lock

from medallion.run import Run


class Progress:
    """Rewrites `<control_path>/progress/<run_id>/<task_key>.json` whole at each step; `done` never falls.

    Progress is a courtesy: a control folder that cannot be written is remembered in `failure` and never ends a run.
    """

    def __init__(self, run: Run, steps: tuple[str, ...]) -> None:
        self._run = run
        self._steps = steps
        self._done: set[str] = set()
        self._lock = Lock()
        self._path = f"{run.control_path}/progress/{run.batch_id}/{run.task_key}.json"
        self.failure: str | None = None
        self._write(steps[0])

    def did(self, *steps: str) -> None:
        """Say that steps are done; steps may end in any order, also at the same time."""
        with self._lock:
            self._done.update(steps)
            self._write(next((step for step in self._steps if step not in self._done), "done"))

    def finished(self) -> None:
        self.did(*self._steps)

    def _write(self, step: str) -> None:
        if self.failure is not None:
            return
        at = self._run.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = json.dumps({"done": len(self._done), "total": len(self._steps), "step": step, "at": at})
        try:
            self._run.files.put(self._path, text, True)
        except Exception as cause:  # noqa: BLE001 - every workspace has its own errors, and none matters here
            self.failure = f"progress could not be written to {self._path}: {type(cause).__name__}"
