"""The workspace this server talks to, decided once."""

from __future__ import annotations

from dataclasses import dataclass

from databricks.sdk.core import Config

from app.settings import Settings


@dataclass(frozen=True, slots=True)
class WorkspaceConnection:
    """Where the workspace is. Without a token the SDK finds the credentials itself (OAuth, Azure, CLI profile)."""

    kind: str  # "databricks" or "local"
    name: str
    host: str
    token: str | None = None
    poll_interval_s: float | None = None

    def __repr__(self) -> str:
        return f"WorkspaceConnection(kind={self.kind!r}, name={self.name!r}, host={self.host!r})"

    def sdk_config(self) -> Config:
        """The SDK's configuration. Blocking: it asks the workspace for its metadata, at most some seconds."""
        limits = {"http_timeout_seconds": 10, "retry_timeout_seconds": 5}
        if self.token is not None:
            return Config(host=self.host, token=self.token, auth_type="pat", **limits)
        return Config(host=self.host, **limits)


def connection_to_databricks(settings: Settings) -> WorkspaceConnection:
    """The workspace that DATABRICKS_HOST names."""
    host = settings.databricks_host or ""
    token = settings.databricks_token.get_secret_value() if settings.databricks_token else None
    name = host.removeprefix("https://").removeprefix("http://").rstrip("/")
    return WorkspaceConnection(kind="databricks", name=name, host=host, token=token)
