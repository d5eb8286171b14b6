"""Indexes for histories of a million runs and logs of millions of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Pages by result, the few active runs, clicks without a run, one run's events.

    The old index of active runs held all the ended ones too, and the database took it to look for past runs. Retention
    walks the log by seq and needs no index of instants.
    """
    op.create_index("ix_runs_result", "runs", ["result", "requested_at", "run_id"])
    op.drop_index("ix_runs_active", "runs")
    op.create_index(
        "ix_runs_active",
        "runs",
        ["workspace_id", "requested_at", "run_id"],
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active"),
    )
    op.create_index(
        "ix_submissions_without_run",
        "submissions",
        ["requested_at", "submission_id"],
        sqlite_where=sa.text("run_id IS NULL"),
        postgresql_where=sa.text("run_id IS NULL"),
    )
    op.create_index("ix_runs_workspace", "runs", ["workspace_id", "requested_at"])
    op.create_index("ix_events_run", "events", ["run_id", "seq"])
    op.drop_index("ix_events_at", "events")
