"""What the local workspace can be told, through the environment or the command line."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_user() -> str:
    """The name that runs are shown to belong to: this machine's user."""
    try:
        return f"{getpass.getuser()}@localhost"
    except (KeyError, OSError):  # a container may run under a uid without a name
        return "user@localhost"


# A notebook runs in the folder it lies in, so that a relative path would mean another place there.
AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]


class Settings(BaseSettings):
    """Environment variables start with PETINSURE_; SPARK_REMOTE keeps the name that Spark gave it."""

    model_config = SettingsConfigDict(env_prefix="PETINSURE_", frozen=True, populate_by_name=True, extra="ignore")

    data_dir: AbsolutePath = Field(default=Path(".petinsure"), validate_default=True)
    workspace_port: int = Field(default=8471, ge=0, le=65535)
    workspace_warm_workers: int = Field(default=3, ge=1, le=32)
    workspace_user: str = Field(default_factory=_default_user, min_length=1)
    autotermination_minutes: int = Field(default=10, ge=0, le=10_000)
    spark_remote: str | None = Field(default=None, validation_alias="SPARK_REMOTE")

    @property
    def home(self) -> Path:
        """The folder that holds everything of the workspace but its token."""
        return self.data_dir / "workspace"

    @property
    def host(self) -> str:
        """Loopback only: whoever may talk to this server may run code as its user."""
        return f"http://127.0.0.1:{self.workspace_port}"
