"""Credentials for the SDK may stand in `.env` alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.connection import connection_to_databricks
from app.settings import load


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "ARM_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_a_service_principal_that_stands_in_dotenv_only_is_handed_to_the_sdk(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "DATABRICKS_HOST=https://adb-1.7.azuredatabricks.net\nARM_TENANT_ID=t\nARM_CLIENT_ID=c\n"
        "ARM_CLIENT_SECRET=s3cret\nDATABRICKS_CLUSTER_ID=cluster\nUNRELATED=x\n"
    )
    connection = connection_to_databricks(load())
    told = {"azure_tenant_id": "t", "azure_client_id": "c", "azure_client_secret": "s3cret"}
    assert connection.credentials == told
    assert "s3cret" not in repr(connection)


def test_the_environment_goes_before_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        "DATABRICKS_HOST=https://x.example\nDATABRICKS_CLIENT_ID=file\nDATABRICKS_CLIENT_SECRET=file\n"
    )
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "environment")
    assert connection_to_databricks(load()).credentials == {"client_secret": "file"}


def test_the_sdk_signs_in_with_what_dotenv_says(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "DATABRICKS_HOST=http://127.0.0.1:9\nDATABRICKS_USERNAME=bi\nDATABRICKS_PASSWORD=pass\n"
    )
    headers = connection_to_databricks(load()).sdk_config().authenticate()
    assert headers["Authorization"] == "Basic Ymk6cGFzcw=="
