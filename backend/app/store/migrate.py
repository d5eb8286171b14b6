"""Bring the store to the newest revision."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

MIGRATIONS = Path(__file__).parent / "migrations"


async def upgrade(engine: AsyncEngine, *, revision: str = "head") -> None:
    """Run every migration that the store has not had yet, in one transaction."""
    async with engine.begin() as connection:
        if revision != "head" or await connection.run_sync(present) != newest():
            await connection.run_sync(_upgrade, revision)


def newest() -> str:
    """The revision of the last migration; their files are named by it."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def present(connection: Connection) -> str | None:
    """The revision of the store; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command  # most starts have nothing to migrate, and need not wait for the library
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
