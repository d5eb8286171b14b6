"""The tables of the workspace's store.

Rows that are answered whole are kept as JSON documents; what is searched or constrained is a column beside them.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", String, nullable=False))

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name_folded", String, nullable=False, index=True),
    Column("created_time", BigInteger, nullable=False),
    Column("creator", String, nullable=False),
    Column("settings", JSON, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("job_id", BigInteger, nullable=False),
    Column("run_type", String, nullable=False),
    Column("start_time", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("document", JSON, nullable=False),
)
Index("ix_runs_job_id_run_id", runs.c.job_id, runs.c.run_id)
Index("ix_runs_active", runs.c.run_id, sqlite_where=runs.c.active.is_(True))

task_runs = Table(
    "task_runs",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("parent_run_id", BigInteger, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("task_key", String, nullable=False),
    Column("attempt_number", Integer, nullable=False),
    Column("document", JSON, nullable=False),
)
Index("uq_task_runs_attempt", task_runs.c.parent_run_id, task_runs.c.task_key, task_runs.c.attempt_number, unique=True)

outputs = Table(
    "outputs",
    metadata,
    Column("run_id", BigInteger, ForeignKey("task_runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("document", JSON, nullable=False),
)

repairs = Table(
    "repairs",
    metadata,
    Column("repair_id", BigInteger, primary_key=True, autoincrement=False),
    Column("run_id", BigInteger, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("document", JSON, nullable=False),
)

# A token outlives its run: the token of a deleted run is an error, never a second run.
idempotency_tokens = Table(
    "idempotency_tokens",
    metadata,
    Column("token", String, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
)

clusters = Table(
    "clusters",
    metadata,
    Column("cluster_id", String, primary_key=True),
    Column("document", JSON, nullable=False),
)

cluster_events = Table(
    "cluster_events",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("cluster_id", String, nullable=False, index=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("details", JSON, nullable=False),
)
