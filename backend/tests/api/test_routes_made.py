"""The first click finds its route made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic
import pytest

from app.api.routes_made import make_routes
from backend.tests.support.backend import TRIGGER, running_backend


async def test_the_first_request_makes_no_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    make = pydantic.TypeAdapter.__init__

    def counted(adapter: Any, *args: Any, **more: Any) -> None:
        made.append(args)
        make(adapter, *args, **more)

    async with running_backend(tmp_path, "http://127.0.0.1:9", "t") as backend:
        await make_routes(backend.app)
        monkeypatch.setattr(pydantic.TypeAdapter, "__init__", counted)
        assert (await backend.http.post(TRIGGER, json={"layer": "platinum"})).status_code == 422
    assert not made
