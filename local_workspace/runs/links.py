"""Addresses of a run: the one of Databricks' shape, and one that opens in a browser without a token."""

from __future__ import annotations

import base64
import hashlib
import hmac

from local_workspace.clock import Clock

_DAY_S = 86_400
_DAYS_VALID = 30


class RunLinks:
    """Makes and checks view keys. A key gives one run's page, to read, until it expires; it is worth nothing else."""

    def __init__(self, *, host: str, workspace_id: str, token: str, clock: Clock) -> None:
        self._host = host
        self._workspace_id = workspace_id
        self._secret = hashlib.sha256(f"run view key:{token}".encode()).digest()
        self._clock = clock

    def page_url(self, job_id: int, run_id: int) -> str:
        """`run_page_url` as Databricks writes it."""
        return f"{self._host}/?o={self._workspace_id}#job/{job_id}/run/{run_id}"

    def url(self, run_id: int) -> str:
        """The run page with its key in the fragment, which browsers send to nobody. The same link all day (UTC)."""
        expires = (self._clock.now_ms() // 1000 // _DAY_S + 1 + _DAYS_VALID) * _DAY_S
        return f"{self._host}/runs/{run_id}#key={expires}.{self._signature(run_id, expires)}"

    def verify(self, run_id: int, key: str) -> bool:
        """Whether `key` opens this run's page now."""
        expiry, _, signature = key.partition(".")
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 12 and signature.isascii()):
            return False
        genuine = hmac.compare_digest(signature, self._signature(run_id, int(expiry)))
        return genuine and int(expiry) > self._clock.now_ms() // 1000

    def _signature(self, run_id: int, expires: int) -> str:
        digest = hmac.new(self._secret, f"{run_id}.{expires}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
