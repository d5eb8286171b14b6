"""Requests that start something are limited per user, or per address where nobody signs in."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from app.api.errors import ErrorBody
from app.domain.clock import Clock
from app.domain.errors import RateLimited
from app.domain.token_bucket import Allowance, TokenBuckets

TOO_MANY: dict[int | str, dict[str, Any]] = {
    429: {"model": ErrorBody, "description": "Too many requests; `Retry-After` says when to come again"}
}


class RateLimit:
    """A dependency for routers: every POST costs its sender a token, reading is free. Raises RateLimited."""

    def __init__(self, allowance: Allowance, clock: Clock) -> None:
        self._buckets = TokenBuckets(allowance)
        self._clock = clock

    async def __call__(self, request: Request) -> None:
        if request.method != "POST":
            return
        wait_s = self._buckets.take(_sender_of(request), self._clock.monotonic())
        if wait_s:
            allowed = self._buckets.allowance
            raise RateLimited(
                f"Too many requests; come again in {wait_s:.1f} s.",
                retry_after_s=wait_s,
                burst=int(allowed.burst),
                per_s=allowed.per_s,
            )


def _sender_of(request: Request) -> str:
    """Whoever signed in, wherever they are; else the address."""
    user = getattr(request.state, "user", None)
    return f"user {user}" if user else f"address {request.client.host if request.client else ''}"
