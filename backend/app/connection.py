"""The workspace this server talks to, decided once."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from dotenv import dotenv_values

from app.settings import DOTENV, Settings

if TYPE_CHECKING:
    from databricks.sdk.core import Config

# What our settings carry to the SDK themselves, or use without it.
OURS = frozenset({"host", "token", "cluster_id", "warehouse_id"})


@dataclass(frozen=True, slots=True)
class WorkspaceConnection:
    """Where the workspace is. Without a token the SDK finds the credentials itself (OAuth, Azure, CLI profile)."""

    kind: str  # "databricks" or "local"
    name: str
    host: str
    token: str | None = None
    poll_interval_s: float | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)  # for the SDK, by its own names
    transport: httpx.AsyncBaseTransport | None = None  # another way to the workspace than the network
    prepared: asyncio.Event | None = None  # set once it has what runs need: clicks wait; None: it has

    def __repr__(self) -> str:
        return f"WorkspaceConnection(kind={self.kind!r}, name={self.name!r}, host={self.host!r})"

    def sdk_config(self) -> Config:
        """The SDK's configuration. Blocking: it asks the workspace for its metadata, at most some seconds.

        The metadata are no need but a help, so a workspace that does not answer is asked once: whoever waits here
        wants to hear that it does not.
        """
        new = "databricks.sdk" not in sys.modules
        from databricks.sdk.core import Config  # only here: it takes a second, and nobody is to wait for it

        if new:
            gc.freeze()  # thousands of classes that stay; no collection need look at them
        limits = {"http_timeout_seconds": 10, "retry_timeout_seconds": 1}
        if self.token is not None:
            return Config(host=self.host, token=self.token, auth_type="pat", **limits)
        return Config(host=self.host, **{**self.credentials, **limits})


def connection_to_databricks(settings: Settings) -> WorkspaceConnection:
    """The workspace that DATABRICKS_HOST names."""
    host = settings.databricks_host or ""
    token = settings.databricks_token.get_secret_value() if settings.databricks_token else None
    name = host.removeprefix("https://").removeprefix("http://").rstrip("/")
    return WorkspaceConnection(
        kind="databricks", name=name, host=host, token=token, credentials=_credentials_of(Path(DOTENV))
    )


def _credentials_of(dotenv: Path) -> dict[str, str]:
    """What `.env` tells the SDK. The SDK reads the environment only, which goes before the file here as everywhere."""
    told = dotenv_values(dotenv) if dotenv.is_file() else {}
    if not told:
        return {}
    from databricks.sdk.core import Config

    found = {}
    for attribute in Config.attributes():
        value = told.get(attribute.env or "")
        if value and attribute.name not in OURS and not os.environ.get(attribute.env):
            found[attribute.name] = value
    return found
