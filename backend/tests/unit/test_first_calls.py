"""The calls of a start come together; they sign in once."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from app.domain.clock import SystemClock
from app.services.databricks import DatabricksWorkspace


class SigningIn:
    """The SDK's configuration, slow to begin, and counted."""

    def __init__(self) -> None:
        self.begun = 0

    def __call__(self) -> SigningIn:
        self.begun += 1
        time.sleep(0.05)
        return self

    def authenticate(self) -> dict[str, str]:
        return {"Authorization": "Bearer t"}


async def test_first_calls_that_come_together_make_one_configuration() -> None:
    config = SigningIn()
    with ThreadPoolExecutor(4) as executor:
        workspace = DatabricksWorkspace(
            host="http://127.0.0.1:9",
            config=config,  # type: ignore[arg-type]  # all that is used of it
            executor=executor,
            clock=SystemClock(),
            transport=httpx.MockTransport(lambda _request: httpx.Response(200, json={})),
        )
        assert await asyncio.gather(*(workspace.get(f"/api/2.1/jobs/{n}") for n in range(4))) == [{}] * 4
        await workspace.aclose()
    assert config.begun == 1
