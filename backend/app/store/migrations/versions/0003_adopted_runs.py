"""Runs that had ended before the store first met their workspace are marked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark."""
    op.add_column("runs", sa.Column("adopted", sa.Boolean(), nullable=False, server_default=sa.false()))
