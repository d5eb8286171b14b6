"""Words from outside may be of any length on PostgreSQL too, and are ordered by their bytes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# PostgreSQL held to the declared lengths and compared in the database's language; SQLite does neither.
WORDS = {
    "submissions": ("submission_id",),
    "runs": ("task_set", "state", "result", "phase"),
    "run_tasks": ("task_key", "state", "result"),
    "predictions": ("task_set", "phase"),
    "lake_tables": ("name",),
    "lake_pending": ("claim_id",),
    "claim_positions": ("claim_id", "bronze_run", "silver_run", "gold_run"),
    "claim_quarantine": ("claim_id", "run"),
    "landing_files": ("path", "claim_id"),
}


def upgrade() -> None:
    """Widen the columns. Nothing is rewritten but their indexes."""
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in WORDS.items():
            for column in columns:
                op.alter_column(table, column, type_=sa.String(collation="C"))
