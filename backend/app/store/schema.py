"""The tables of the pipeline control. Invariants are constraints, named by convention."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

from app.store.types import BigId, JsonText, OutsideText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SUBMISSION_STATES = ("RECORDED", "QUEUED", "SUBMITTING", "ACCEPTED", "REFUSED", "LOST")
ACTION_STATES = ("RECORDED", "SENDING", "DONE", "REFUSED", "LOST")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


workspaces = Table(
    "workspaces",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("host", Text, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
)

submissions = Table(
    "submissions",
    metadata,
    Column("submission_id", OutsideText(36), primary_key=True),
    Column("request_key", String(255), unique=True),
    Column("request_hash", String(64), nullable=False),
    Column("workspace_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("layer", String(16), nullable=False),
    Column("tasks", JsonText, nullable=False),
    Column("claim_ids", JsonText, nullable=False),
    Column("reason", Text),
    Column("if_active", String(8), nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("deadline_at", UtcDateTime, nullable=False),
    Column("in_doubt", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("mode", String(16)),
    Column("job_id", BigInteger),
    Column("run_id", BigInteger),
    Column("job_url", Text),
    Column("error", JsonText),
    Column("unmapped", JsonText),
    Column("place", BigInteger, nullable=False, server_default="0"),
    CheckConstraint(_one_of("state", SUBMISSION_STATES), name="state"),
    CheckConstraint("if_active IN ('reject', 'queue', 'join')", name="if_active"),
    CheckConstraint("(state = 'ACCEPTED') = (run_id IS NOT NULL)", name="accepted_has_run"),
    Index("ix_submissions_run", "workspace_id", "run_id"),
    Index("ix_submissions_open", "state", "next_try_at"),
    Index("ix_submissions_requested_at", "requested_at", "submission_id"),
    Index(
        "ix_submissions_without_run",
        "requested_at",
        "submission_id",
        sqlite_where=text("run_id IS NULL"),
        postgresql_where=text("run_id IS NULL"),
    ),
)

# A click with a request_key that joined another click has no row of its own above; its repeats answer for the same one.
joined_requests = Table(
    "joined_requests",
    metadata,
    Column("request_key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("submission_id", String(36), ForeignKey("submissions.submission_id"), nullable=False),
)

run_actions = Table(
    "run_actions",
    metadata,
    Column("action_id", String(36), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("workspace_id", String(64), nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("in_doubt", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("deadline_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("reason", Text),
    Column("latest_repair_id", BigInteger),
    Column("repair_id", BigInteger),
    Column("error", JsonText),
    CheckConstraint("kind IN ('repair', 'cancel')", name="kind"),
    CheckConstraint(_one_of("state", ACTION_STATES), name="state"),
    Index("ix_run_actions_open", "state", "next_try_at"),
    Index("ix_run_actions_run", "workspace_id", "run_id"),
)

runs = Table(
    "runs",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("submission_id", String(36), ForeignKey("submissions.submission_id"), unique=True),
    Column("job_id", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("attempt_since", UtcDateTime),
    Column("active", Boolean, nullable=False),
    Column("layer", String(16)),
    Column("tasks", JsonText, nullable=False),
    Column("task_set", OutsideText(200)),
    Column("claim_ids", JsonText, nullable=False),
    Column("job_url", Text),
    Column("requested_by", Text),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("state", OutsideText(64)),
    Column("result", OutsideText(64)),
    Column("phase", OutsideText(32)),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("duration_s", Float),
    Column("queue_s", Float),
    Column("setup_s", Float),
    Column("progress", JsonText),
    Column("records", JsonText),
    Column("tables", JsonText),
    Column("eta", JsonText),
    Column("eta_at", UtcDateTime),
    Column("eta_cause", JsonText),
    Column("error", JsonText),
    Column("retryable", Boolean),
    Column("progress_seen", Boolean, nullable=False),
    Column("adopted", Boolean, nullable=False, server_default=false()),
    Column("seq", BigInteger, nullable=False),
    CheckConstraint("attempt >= 0", name="attempt"),
    Index("ix_runs_requested_at", "requested_at", "run_id"),
    Index("ix_runs_layer", "layer", "requested_at", "run_id"),
    Index("ix_runs_state", "state", "requested_at", "run_id"),
    Index("ix_runs_result", "result", "requested_at", "run_id"),
    Index("ix_runs_layer_state", "layer", "state", "requested_at", "run_id"),
    Index("ix_runs_layer_result", "layer", "result", "requested_at", "run_id"),
    Index(
        "ix_runs_clicked",
        "requested_at",
        "run_id",
        sqlite_where=text("submission_id IS NOT NULL"),
        postgresql_where=text("submission_id IS NOT NULL"),
    ),
    Index("ix_runs_task_set", "workspace_id", "task_set", "requested_at"),
    Index(
        "ix_runs_active",
        "workspace_id",
        "requested_at",
        "run_id",
        sqlite_where=text("active = 1"),
        postgresql_where=text("active"),
    ),
    Index("ix_runs_run_id", "run_id"),
    Index("ix_runs_workspace", "workspace_id", "requested_at"),
)

run_tasks = Table(
    "run_tasks",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("task_run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("task_key", OutsideText(200), nullable=False),
    Column("attempt_number", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("layer", String(16)),
    Column("notebook_path", Text),
    Column("state", OutsideText(64)),
    Column("result", OutsideText(64)),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("duration_s", Float),
    Column("setup_s", Float),
    Column("queue_s", Float),
    Column("progress", JsonText),
    Column("records", JsonText),
    Column("tables", JsonText),
    Column("error", JsonText),
    Column("output_read", Boolean, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigId, primary_key=True, autoincrement=False),
    Column("type", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("run_id", BigInteger),
    Column("text", Text, nullable=False),
    Index("ix_events_run", "run_id", "seq"),
)

event_head = Table(
    "event_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("epoch", String(36), nullable=False),
    Column("oldest_seq", BigInteger, nullable=False),
    CheckConstraint("one = 1", name="one_row"),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigId, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text),
    Column("what", JsonText),
    Index("ix_audit_at", "at"),
)

predictions = Table(
    "predictions",
    metadata,
    Column("prediction_id", BigId, primary_key=True),
    Column("workspace_id", String(64), nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("task_set", OutsideText(200)),
    Column("phase", OutsideText(32)),
    Column("p50_s", Float, nullable=False),
    Column("p90_s", Float, nullable=False),
    Column("n", Integer, nullable=False),
    Column("baselines", JsonText),
    Column("actual_s", Float),
    Index("ix_predictions_run", "workspace_id", "run_id", "attempt"),
    Index("ix_predictions_task_set", "workspace_id", "task_set", "prediction_id"),
)

# Only PostgreSQL has several replicas; on SQLite nobody leads and the table stays empty.
leadership = Table(
    "leadership",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("term", BigInteger, nullable=False),
    Column("replica_id", String(64), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    CheckConstraint("one = 1", name="one_row"),
)
