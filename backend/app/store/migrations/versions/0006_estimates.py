"""Estimates say when they were true and why they rose; predictions can be weighed against simple guesses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.types import JsonText, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and the index by which the newest predictions of a set of tasks are found."""
    op.add_column("runs", sa.Column("eta_at", UtcDateTime(), nullable=True))
    op.add_column("runs", sa.Column("eta_cause", JsonText(), nullable=True))
    op.add_column("predictions", sa.Column("task_set", sa.String(length=200), nullable=True))
    op.add_column("predictions", sa.Column("baselines", JsonText(), nullable=True))
    op.create_index("ix_predictions_task_set", "predictions", ["workspace_id", "task_set", "prediction_id"])
