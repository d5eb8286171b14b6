"""The ledger, the runs, the event log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.types import JsonText, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release."""
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("what", JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("audit_id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "event_head",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.String(length=36), nullable=False),
        sa.Column("oldest_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("one = 1", name="ck_event_head_one_row"),
        sa.PrimaryKeyConstraint("one", name="pk_event_head"),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_table(
        "predictions",
        sa.Column("prediction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("phase", sa.String(length=32), nullable=True),
        sa.Column("p50_s", sa.Float(), nullable=False),
        sa.Column("p90_s", sa.Float(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("actual_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("prediction_id", name="pk_predictions"),
    )
    op.create_index("ix_predictions_run", "predictions", ["workspace_id", "run_id", "attempt"], unique=False)
    op.create_table(
        "run_actions",
        sa.Column("action_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("in_doubt", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("deadline_at", UtcDateTime(), nullable=False),
        sa.Column("next_try_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("latest_repair_id", sa.BigInteger(), nullable=True),
        sa.Column("repair_id", sa.BigInteger(), nullable=True),
        sa.Column("error", JsonText(), nullable=True),
        sa.CheckConstraint("kind IN ('repair', 'cancel')", name="ck_run_actions_kind"),
        sa.CheckConstraint("state IN ('RECORDED', 'SENDING', 'DONE', 'REFUSED', 'LOST')", name="ck_run_actions_state"),
        sa.PrimaryKeyConstraint("action_id", name="pk_run_actions"),
    )
    op.create_index("ix_run_actions_open", "run_actions", ["state", "next_try_at"], unique=False)
    op.create_index("ix_run_actions_run", "run_actions", ["workspace_id", "run_id"], unique=False)
    op.create_table(
        "run_tasks",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task_run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task_key", sa.String(length=200), nullable=False),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=True),
        sa.Column("notebook_path", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=True),
        sa.Column("result", sa.String(length=64), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("duration_s", sa.Float(), nullable=True),
        sa.Column("setup_s", sa.Float(), nullable=True),
        sa.Column("queue_s", sa.Float(), nullable=True),
        sa.Column("progress", JsonText(), nullable=True),
        sa.Column("records", JsonText(), nullable=True),
        sa.Column("tables", JsonText(), nullable=True),
        sa.Column("error", JsonText(), nullable=True),
        sa.Column("output_read", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "run_id", "task_run_id", name="pk_run_tasks"),
    )
    op.create_table(
        "submissions",
        sa.Column("submission_id", sa.String(length=36), nullable=False),
        sa.Column("request_key", sa.String(length=255), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=False),
        sa.Column("tasks", JsonText(), nullable=False),
        sa.Column("claim_ids", JsonText(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("if_active", sa.String(length=8), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("deadline_at", UtcDateTime(), nullable=False),
        sa.Column("in_doubt", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", UtcDateTime(), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("job_url", sa.Text(), nullable=True),
        sa.Column("error", JsonText(), nullable=True),
        sa.Column("unmapped", JsonText(), nullable=True),
        sa.CheckConstraint("(state = 'ACCEPTED') = (run_id IS NOT NULL)", name="ck_submissions_accepted_has_run"),
        sa.CheckConstraint("if_active IN ('reject', 'queue', 'join')", name="ck_submissions_if_active"),
        sa.CheckConstraint(
            "state IN ('RECORDED', 'QUEUED', 'SUBMITTING', 'ACCEPTED', 'REFUSED', 'LOST')", name="ck_submissions_state"
        ),
        sa.PrimaryKeyConstraint("submission_id", name="pk_submissions"),
        sa.UniqueConstraint("request_key", name="uq_submissions_request_key"),
    )
    op.create_index("ix_submissions_open", "submissions", ["state", "next_try_at"], unique=False)
    op.create_index("ix_submissions_requested_at", "submissions", ["requested_at", "submission_id"], unique=False)
    op.create_index("ix_submissions_run", "submissions", ["workspace_id", "run_id"], unique=False)
    op.create_table(
        "workspaces",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_workspaces"),
    )
    op.create_table(
        "runs",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.String(length=36), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempt_since", UtcDateTime(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=True),
        sa.Column("tasks", JsonText(), nullable=False),
        sa.Column("task_set", sa.String(length=200), nullable=True),
        sa.Column("claim_ids", JsonText(), nullable=False),
        sa.Column("job_url", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=True),
        sa.Column("result", sa.String(length=64), nullable=True),
        sa.Column("phase", sa.String(length=32), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("duration_s", sa.Float(), nullable=True),
        sa.Column("queue_s", sa.Float(), nullable=True),
        sa.Column("setup_s", sa.Float(), nullable=True),
        sa.Column("progress", JsonText(), nullable=True),
        sa.Column("records", JsonText(), nullable=True),
        sa.Column("tables", JsonText(), nullable=True),
        sa.Column("eta", JsonText(), nullable=True),
        sa.Column("error", JsonText(), nullable=True),
        sa.Column("retryable", sa.Boolean(), nullable=True),
        sa.Column("progress_seen", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("attempt >= 0", name="ck_runs_attempt"),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.submission_id"], name="fk_runs_submission_id_submissions"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "run_id", name="pk_runs"),
        sa.UniqueConstraint("submission_id", name="uq_runs_submission_id"),
    )
    op.create_index("ix_runs_active", "runs", ["active", "requested_at"], unique=False)
    op.create_index("ix_runs_layer", "runs", ["layer", "requested_at", "run_id"], unique=False)
    op.create_index("ix_runs_requested_at", "runs", ["requested_at", "run_id"], unique=False)
    op.create_index("ix_runs_run_id", "runs", ["run_id"], unique=False)
    op.create_index("ix_runs_state", "runs", ["state", "requested_at", "run_id"], unique=False)
    op.create_index("ix_runs_task_set", "runs", ["workspace_id", "task_set", "requested_at"], unique=False)
