"""The running backend as the command line sees it: its HTTP API, with refusals in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

POLL_WAIT_S = 25
TERMINAL_EVENTS = ("databricks_job_completed", "databricks_job_failed")


class RemoteRefusal(Exception):
    """The backend refused or could not be reached; the text is for the user."""


class RemoteBackend:
    """Calls to one backend address (PETINSURE_URL)."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = url
        self._http = httpx.Client(base_url=url, timeout=POLL_WAIT_S + 15, trust_env=False, headers=headers)

    def trigger(self, layer: str, claim_ids: list[str], reason: str | None, if_active: str) -> dict[str, Any]:
        """Start a layer; the answer of POST /api/pipeline/databricks/trigger."""
        body = {"layer": layer, "claim_ids": claim_ids, "reason": reason, "if_active": if_active}
        return self._call("POST", "/api/pipeline/databricks/trigger", json=body)

    def runs(self, limit: int) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        runs: list[dict[str, Any]] = self._call("GET", "/api/pipeline/databricks/runs", params={"limit": limit})["runs"]
        return runs

    def run(self, run_id: int) -> dict[str, Any]:
        """One run with its tasks."""
        return self._call("GET", f"/api/pipeline/databricks/runs/{run_id}")

    def cancel(self, run_id: int) -> dict[str, Any]:
        """Ask the workspace to cancel; the run is canceled only when the workspace says so."""
        return self._call("POST", f"/api/pipeline/databricks/runs/{run_id}/cancel", json={})

    def repair(self, run_id: int) -> dict[str, Any]:
        """Run again what failed."""
        return self._call("POST", f"/api/pipeline/databricks/runs/{run_id}/repair", json={})

    def position(self) -> tuple[int, str]:
        """The head of the event log: (seq, epoch)."""
        answer = self._call("GET", "/api/events/poll", params={"wait_s": 0})
        events = answer["events"]
        return (events[-1]["seq"] if events else 0), answer["epoch"]

    def events(self, after: int, epoch: str) -> Iterator[dict[str, Any]]:
        """Every event after a position, for ever; resumes by itself from the last one seen."""
        while True:
            query = {"after": after, "epoch": epoch, "wait_s": POLL_WAIT_S}
            answer = self._call("GET", "/api/events/poll", params=query)
            epoch = answer["epoch"]
            for event in answer["events"]:
                after = event["seq"]
                yield event

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **arguments)
        except httpx.HTTPError as fault:
            raise RemoteRefusal(
                f"No answer from {self._url} ({type(fault).__name__}). Is `petinsure360 serve` running? "
                "PETINSURE_URL names another address."
            ) from fault
        body: dict[str, Any] = response.json() if "json" in response.headers.get("content-type", "") else {}
        if response.is_error:
            raise RemoteRefusal(f"{body.get('code', response.status_code)}: {body.get('message', response.text[:200])}")
        return body
