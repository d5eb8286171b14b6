"""Everything the server can be told, from the environment or `.env`. One fault or ten: one message lists them all."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.domain.access import AccessToken, parse_access_tokens

DOTENV = ".env"
LOCAL_POLL_INTERVAL_S = 0.25
DATABRICKS_POLL_INTERVAL_S = 5.0


class SettingsFault(Exception):
    """The settings cannot be used; the text lists every fault."""


class Settings(BaseSettings):
    """Standard names stay as they are; ours start with PETINSURE_."""

    model_config = SettingsConfigDict(
        env_file=DOTENV,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    databricks_host: str | None = Field(None, alias="DATABRICKS_HOST")
    databricks_token: SecretStr | None = Field(None, alias="DATABRICKS_TOKEN")
    databricks_job_id: int | None = Field(None, alias="DATABRICKS_JOB_ID", gt=0)
    databricks_cluster_id: str | None = Field(None, alias="DATABRICKS_CLUSTER_ID")
    databricks_warehouse_id: str | None = Field(None, alias="DATABRICKS_WAREHOUSE_ID")
    databricks_notebook_root: str = Field("/PetInsure360", alias="DATABRICKS_NOTEBOOK_ROOT")
    pipeline_mode: Literal["job", "notebooks"] = Field("job", alias="PIPELINE_MODE")
    pipeline_poll_interval_s: float | None = Field(None, alias="PIPELINE_POLL_INTERVAL_S", ge=0.05, le=3600)
    database_url: str | None = Field(None, alias="DATABASE_URL")
    petinsure_data_dir: Path = Field(Path(".petinsure"), alias="PETINSURE_DATA_DIR")
    petinsure_url: str = Field("http://127.0.0.1:8000", alias="PETINSURE_URL")
    petinsure_workspace_port: int = Field(8471, alias="PETINSURE_WORKSPACE_PORT", ge=0, le=65535)
    petinsure_demo_claims: int = Field(15_000, alias="PETINSURE_DEMO_CLAIMS", ge=1, le=5_000_000)
    petinsure_catalog: str = Field("petinsure360", alias="PETINSURE_CATALOG", pattern=r"^[A-Za-z0-9_-]{1,100}$")
    petinsure_landing_path: str = Field("/Volumes/petinsure360/landing/raw", alias="PETINSURE_LANDING_PATH")
    petinsure_control_path: str = Field("/Volumes/petinsure360/landing/control", alias="PETINSURE_CONTROL_PATH")
    petinsure_submit_deadline_s: float = Field(900.0, alias="PETINSURE_SUBMIT_DEADLINE_S", gt=0)
    petinsure_trigger_rate: float = Field(10.0, alias="PETINSURE_TRIGGER_RATE", gt=0, le=10_000)
    petinsure_trigger_burst: int = Field(120, alias="PETINSURE_TRIGGER_BURST", ge=1, le=100_000)
    petinsure_allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field((), alias="PETINSURE_ALLOWED_ORIGINS")
    petinsure_webhook_user: str | None = Field(None, alias="PETINSURE_WEBHOOK_USER")
    petinsure_webhook_password: SecretStr | None = Field(None, alias="PETINSURE_WEBHOOK_PASSWORD")
    otel_exporter_otlp_endpoint: str | None = Field(None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    petinsure_api_tokens: SecretStr | None = Field(None, alias="PETINSURE_API_TOKENS")

    @field_validator("petinsure_allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("databricks_notebook_root", "petinsure_landing_path", "petinsure_control_path")
    @classmethod
    def _whole_path(cls, value: str) -> str:
        if not (value.startswith("/") or "://" in value or value.startswith("dbfs:/")):
            raise ValueError("must be an absolute path")
        return value.rstrip("/")

    @field_validator("databricks_host")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and "://" in value and not value.startswith(("https://", "http://")):
            raise ValueError("must be an http(s) address")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:", "postgres:")):
            raise ValueError("must start with sqlite: or postgresql:")
        return value

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _installed(cls, value: str | None) -> str | None:
        if value is not None and not _has_opentelemetry():
            raise ValueError("needs OpenTelemetry: pip install 'petinsure360[otel]'")
        return value

    @field_validator("petinsure_api_tokens")
    @classmethod
    def _tokens(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_access_tokens(value.get_secret_value())
        return value

    @property
    def store_url(self) -> str:
        """DATABASE_URL, else SQLite in the data directory."""
        return self.database_url or f"sqlite:///{(self.petinsure_data_dir / 'petinsure.db').absolute()}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written anywhere."""
        given = (self.databricks_token, self.petinsure_webhook_password)
        secrets = [one.get_secret_value() for one in given if one is not None]
        return (*secrets, *(one.token for one in self.access_tokens), *_passwords(self.database_url or ""))

    @property
    def access_tokens(self) -> tuple[AccessToken, ...]:
        """Who may sign in; none means that the server stays on loopback."""
        text = self.petinsure_api_tokens
        return parse_access_tokens(text.get_secret_value()) if text is not None else ()

    @property
    def webhook_credentials(self) -> tuple[str, str] | None:
        """What the workspace's notifications must present, when set."""
        if self.petinsure_webhook_user is None or self.petinsure_webhook_password is None:
            return None
        return self.petinsure_webhook_user, self.petinsure_webhook_password.get_secret_value()


def _passwords(database_url: str) -> set[str]:
    """The address's password as it is written and as it is meant."""
    try:
        parts = urlsplit(database_url)
        written = {parts.password or "", *parse_qs(parts.query).get("password", ())}
    except ValueError:  # the store refuses such an address without quoting it
        return set()
    return {text for one in written for text in (one, unquote(one)) if text}


def _has_opentelemetry() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def load(**given: Any) -> Settings:
    """The settings, `given` (by field name) before the environment before `.env`. Raises SettingsFault."""
    try:
        return Settings(**given)
    except ValidationError as fault:
        lines = [f"  {'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in fault.errors()]
        raise SettingsFault("\n".join(["These settings cannot be used:", *lines])) from None
