"""What an answer asks us to do."""

from __future__ import annotations

import httpx
import pytest

from app.domain.errors import WorkspaceThrottled, WorkspaceUnreachable
from app.services.workspace_answers import LONGEST_RETRY_AFTER_S, refusal, retry_after

NOW = "Wed, 21 Oct 2026 07:28:00 GMT"


def answer(status: int = 429, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()}, json={})


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("0.25", 0.25),
        ("86400", LONGEST_RETRY_AFTER_S),
        ("9" * 90, LONGEST_RETRY_AFTER_S),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:30 GMT", 0.0),
        ("Wed, 21 Oct 2026 09:28:30 +0200", 30.0),
        ("Thu, 22 Oct 2026 07:28:00 GMT", LONGEST_RETRY_AFTER_S),
    ],
)
def test_both_forms_of_retry_after_are_seconds_from_the_servers_own_now(told: str, seconds: float) -> None:
    assert retry_after(answer(retry_after=told, date=NOW)) == seconds


@pytest.mark.parametrize("told", ["", "soon", "-3", "1e3", "nan", "inf", "1,5", "٣", "Wed, 21 Oct 2026 07:28:30"])
def test_anything_else_asks_for_no_pause(told: str) -> None:
    found = httpx.Response(429, headers=[(b"retry-after", told.encode()), (b"date", NOW.encode())])
    assert retry_after(found) is None


def test_the_pause_travels_with_the_refusal() -> None:
    throttled = refusal(answer(429, retry_after="2.5"), repeatable=True)
    assert isinstance(throttled, WorkspaceThrottled)
    assert throttled.retry_after_s == 2.5
    away = refusal(answer(503, retry_after="Wed, 21 Oct 2026 07:28:09 GMT", date=NOW), repeatable=True)
    assert isinstance(away, WorkspaceUnreachable)
    assert away.retry_after_s == 9.0
