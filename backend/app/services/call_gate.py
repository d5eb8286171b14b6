"""What keeps us from asking too much: published rate limits, Retry-After, and a breaker for what does not answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from app.domain.clock import Clock
from app.domain.errors import WorkspaceThrottled, WorkspaceUnreachable
from app.domain.token_bucket import Allowance, TokenBuckets

log = structlog.get_logger()

# Requests a second that Databricks publishes for a whole workspace, whoever asks (resource limits, 2026-07).
PUBLISHED_PER_S: Mapping[str, float] = {
    "/api/2.2/jobs/create": 20,
    "/api/2.2/jobs/delete": 10,
    "/api/2.2/jobs/get": 20,
    "/api/2.2/jobs/list": 20,
    "/api/2.2/jobs/reset": 20,
    "/api/2.2/jobs/run-now": 20,
    "/api/2.2/jobs/update": 10,
    "/api/2.2/jobs/runs/cancel": 10,
    "/api/2.2/jobs/runs/get": 100,
    "/api/2.2/jobs/runs/get-output": 20,
    "/api/2.2/jobs/runs/list": 30,
    "/api/2.2/jobs/runs/repair": 5,
    "/api/2.2/jobs/runs/submit": 35,
    "/api/2.0/workspace/delete": 2,
    "/api/2.0/workspace/export": 60,
    "/api/2.0/workspace/import": 30,
    "/api/2.0/workspace/list": 50,
    "/api/2.0/workspace/mkdirs": 20,
}
# What we use in the long run; the rest is room for a burst, so that no second ever sees more than the published rate.
OUR_SHARE = 0.8
LONGEST_WAIT_S = 10.0
OPENS_AFTER = 3
OPEN_S = 0.5
HOST = ""  # the breaker of the connection itself


@dataclass(slots=True)
class Breaker:
    """Closed, open until an instant, or half open: then one call may try. `reason`: how the last call failed."""

    failures: int = 0
    reason: str = ""
    open_until: float = 0.0
    probing: bool = False


@dataclass(slots=True)
class CallGate:
    """Every call passes here before it goes out, and tells here how it ended. `on_refused` counts calls kept back.

    A breaker opens after OPENS_AFTER failures in a row, of one endpoint (5xx) or of the connection, and stays open for
    longer and longer; then a single call probes whether it may close. What is kept back has not been sent.
    """

    clock: Clock
    longest_open_s: float = 30.0
    on_refused: Callable[[str, str], None] = lambda _endpoint, _why: None
    dice: random.Random = field(default_factory=random.Random)
    _budgets: dict[str, TokenBuckets] = field(default_factory=dict)
    _told_to_wait: dict[str, float] = field(default_factory=dict)
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    async def enter(self, path: str) -> None:
        """Return when the call may go out. Raises WorkspaceThrottled, WorkspaceUnreachable: then it must not."""
        now = self.clock.monotonic()
        left_s = self._told_to_wait.get(path, 0.0) - now
        if left_s > 0:
            self.on_refused(path, "retry_after")
            raise WorkspaceThrottled("The workspace has asked for a pause.", retry_after_s=left_s)
        self._pass_breakers(path, now)
        try:
            await self._take(path)
        except BaseException:
            self.left(path)
            raise

    def answered(self, path: str) -> None:
        """The call was answered, whatever the answer was but for an overload or a fault of the server."""
        for key in (HOST, path):
            self._breakers.pop(key, None)

    def throttled(self, path: str, retry_after_s: float | None) -> None:
        """The call was answered by 429."""
        self.answered(path)
        self.pause(path, retry_after_s)

    def failed(self, path: str, *, connection: bool, reason: str) -> None:
        """No connection could be made, or the endpoint did not answer, or by a fault of the server."""
        if not connection:
            self._breakers.pop(HOST, None)
        self.left(path)
        self._trip(HOST if connection else path, reason)

    def pause(self, path: str, retry_after_s: float | None) -> None:
        """Nobody asks this endpoint again before Retry-After is over."""
        if retry_after_s:
            self._told_to_wait[path] = self.clock.monotonic() + retry_after_s

    def left(self, path: str) -> None:
        """The call was given up; nobody knows more than before."""
        for key in (HOST, path):
            if key in self._breakers:
                self._breakers[key].probing = False

    def _pass_breakers(self, path: str, now: float) -> None:
        closed_for = [self._breakers[key] for key in (HOST, path) if key in self._breakers]
        for breaker in closed_for:
            if breaker.failures < OPENS_AFTER:
                continue
            left_s = breaker.open_until - now
            if left_s > 0 or breaker.probing:
                self.on_refused(path, "breaker")
                words = f"{breaker.reason} It is asked again in a moment."
                raise WorkspaceUnreachable(words, retry_after_s=max(left_s, OPEN_S))
        for breaker in closed_for:
            breaker.probing = breaker.failures >= OPENS_AFTER

    def _trip(self, key: str, reason: str) -> None:
        breaker = self._breakers.setdefault(key, Breaker())
        breaker.failures, breaker.reason = breaker.failures + 1, reason
        beyond = breaker.failures - OPENS_AFTER
        if beyond < 0:
            return
        whole_s = min(self.longest_open_s, OPEN_S * 2 ** min(beyond, 16))
        breaker.open_until = self.clock.monotonic() + self.dice.uniform(whole_s / 2, whole_s)
        log.info("workspace_breaker_open", endpoint=key or "connection", failures=breaker.failures)

    async def _take(self, path: str) -> None:
        """Wait for our share of the endpoint's rate. Waiting calls are served in no promised order."""
        published = PUBLISHED_PER_S.get(path)
        if published is None:
            return
        share = published * OUR_SHARE
        allowance = Allowance(burst=max(1.0, published - share), per_s=share)
        bucket = self._budgets.setdefault(path, TokenBuckets(allowance))
        waited_s = 0.0
        while wait_s := bucket.take("", self.clock.monotonic()):
            waited_s += wait_s
            if waited_s > LONGEST_WAIT_S:
                self.on_refused(path, "budget")
                raise WorkspaceThrottled("More is asked of the workspace than it takes.", retry_after_s=wait_s)
            await self.clock.sleep(wait_s)
