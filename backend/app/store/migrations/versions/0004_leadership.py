"""Several replicas: the term of their leader; texts from outside of any length, in the order of their bytes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Words of the workspace and of people's data. PostgreSQL held to the declared lengths and compared in the database's
# language; SQLite does neither, so nothing changes there.
OUTSIDE_TEXTS = {
    "submissions": ("submission_id",),
    "runs": ("task_set", "state", "result", "phase"),
    "run_tasks": ("task_key", "state", "result"),
    "lake_tables": ("name",),
    "lake_pending": ("claim_id",),
    "claim_positions": ("claim_id", "bronze_run", "silver_run", "gold_run"),
    "claim_quarantine": ("claim_id", "run"),
    "landing_files": ("path", "claim_id"),
}


def upgrade() -> None:
    """Create the table; widen the texts."""
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
        for table, columns in OUTSIDE_TEXTS.items():
            for column in columns:
                op.alter_column(table, column, type_=sa.String(collation="C"))
