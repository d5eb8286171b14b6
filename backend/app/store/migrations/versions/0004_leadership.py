"""Several replicas: the term of their leader; ids in the order of their bytes on PostgreSQL too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Pages of ids go on after the last id shown: its order has to be the same in every database, and Python's.
ORDERED_IDS = {
    "submissions": ("submission_id", 36),
    "lake_pending": ("claim_id", 64),
    "claim_positions": ("claim_id", 64),
    "claim_quarantine": ("claim_id", 64),
    "landing_files": ("claim_id", 64),
}


def upgrade() -> None:
    """Create the table; give the ids their order."""
    op.create_table(
        "leadership",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("replica_id", sa.String(length=64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.CheckConstraint("one = 1", name="ck_leadership_one_row"),
        sa.PrimaryKeyConstraint("one", name="pk_leadership"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, (column, length) in ORDERED_IDS.items():
            op.alter_column(table, column, type_=sa.String(length, collation="C"))
