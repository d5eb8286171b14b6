"""Settings: every fault at once, and an example file that is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings, SettingsFault, load

EXAMPLE = Path(__file__).parents[3] / ".env.example"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_anything_set_the_defaults_hold(tmp_path: Path) -> None:
    settings = load()
    assert settings.databricks_host is None
    assert settings.pipeline_mode == "job"
    assert settings.store_url == f"sqlite:///{tmp_path}/.petinsure/petinsure.db"


def test_every_fault_is_told_at_once_and_no_secret_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_JOB_ID", "seven")
    monkeypatch.setenv("PIPELINE_MODE", "magic")
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    monkeypatch.setenv("PETINSURE_API_TOKENS", "me:king:s3cr3t-s3cr3t-s3cr3t")
    with pytest.raises(SettingsFault) as fault:
        load()
    for name in ("DATABRICKS_JOB_ID", "PIPELINE_MODE", "DATABASE_URL", "PETINSURE_API_TOKENS"):
        assert name in str(fault.value)
    assert "s3cr3t" not in str(fault.value)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "")
    assert load().databricks_host is None


def test_the_example_names_every_setting_and_no_other() -> None:
    lines = [line.lstrip("#") for line in EXAMPLE.read_text().splitlines() if "=" in line.split(" ")[0]]
    named = {line.partition("=")[0] for line in lines}
    assert named == {str(field.alias) for field in Settings.model_fields.values()}


def test_the_example_can_be_used_with_every_line_switched_on(tmp_path: Path) -> None:
    lines = [line.removeprefix("#") for line in EXAMPLE.read_text().splitlines() if not line.startswith("# ")]
    (tmp_path / ".env").write_text("\n".join(lines))
    settings = load()
    assert settings.databricks_host == "https://adb-1234567890123456.7.azuredatabricks.net"
    defaults = Settings.model_fields
    shown = ("databricks_notebook_root", "pipeline_mode", "petinsure_landing_path", "petinsure_workspace_port")
    for name in shown:
        assert getattr(settings, name) == defaults[name].default


def test_the_token_is_in_no_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-secret")
    assert "dapi-secret" not in repr(load())


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://u:p%40w@h1:1,h2:2/db", {"p%40w", "p@w"}),
        ("postgresql://u@h/db?password=s3cret", {"s3cret"}),
        ("postgresql://u@h/db", set()),
        ("postgresql://u:secret@[::1/db", set()),
    ],
)
def test_the_password_of_the_store_is_a_secret_however_it_is_written(url: str, secrets: set[str]) -> None:
    assert set(load(database_url=url).secrets) == secrets
