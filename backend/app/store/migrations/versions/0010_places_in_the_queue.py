"""A click's place among those that wait, which no clock decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Clicks that wait by now have the same place, before all new ones, and keep the order they had: by their times."""
    op.add_column("submissions", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"))
