"""Alembic runs inside the transaction that `app.store.migrate.upgrade` opened."""

from __future__ import annotations

from alembic import context

import app.store.lake_schema  # noqa: F401  importing it adds the tables of the lake
from app.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
