"""Indexes for pages of the history that are narrowed twice, or to runs that were clicked here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Without them a page of a layer and a state that seldom meet reads every run of the state."""
    op.create_index("ix_runs_layer_state", "runs", ["layer", "state", "requested_at", "run_id"])
    op.create_index("ix_runs_layer_result", "runs", ["layer", "result", "requested_at", "run_id"])
    op.create_index(
        "ix_runs_clicked",
        "runs",
        ["requested_at", "run_id"],
        sqlite_where=sa.text("submission_id IS NOT NULL"),
        postgresql_where=sa.text("submission_id IS NOT NULL"),
    )
