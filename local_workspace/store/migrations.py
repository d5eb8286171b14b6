"""The store's schema, step by step. A released step is never edited; a new one is added at the end."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, text

_FIRST = """
CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL, CONSTRAINT pk_meta PRIMARY KEY (key));
CREATE TABLE jobs (job_id BIGINT NOT NULL, name_folded VARCHAR NOT NULL, created_time BIGINT NOT NULL,
  creator VARCHAR NOT NULL, settings JSON NOT NULL, CONSTRAINT pk_jobs PRIMARY KEY (job_id));
CREATE INDEX ix_jobs_name_folded ON jobs (name_folded);
CREATE TABLE runs (run_id BIGINT NOT NULL, job_id BIGINT NOT NULL, run_type VARCHAR NOT NULL,
  start_time BIGINT NOT NULL, active BOOLEAN NOT NULL, document JSON NOT NULL,
  CONSTRAINT pk_runs PRIMARY KEY (run_id));
CREATE INDEX ix_runs_job_id_run_id ON runs (job_id, run_id);
CREATE INDEX ix_runs_active ON runs (run_id) WHERE active IS 1;
CREATE TABLE task_runs (run_id BIGINT NOT NULL, parent_run_id BIGINT NOT NULL, task_key VARCHAR NOT NULL,
  attempt_number INTEGER NOT NULL, document JSON NOT NULL, CONSTRAINT pk_task_runs PRIMARY KEY (run_id),
  CONSTRAINT fk_task_runs_parent_run_id FOREIGN KEY (parent_run_id) REFERENCES runs (run_id) ON DELETE CASCADE);
CREATE INDEX ix_task_runs_parent_run_id ON task_runs (parent_run_id);
CREATE UNIQUE INDEX uq_task_runs_attempt ON task_runs (parent_run_id, task_key, attempt_number);
CREATE TABLE outputs (run_id BIGINT NOT NULL, document JSON NOT NULL, CONSTRAINT pk_outputs PRIMARY KEY (run_id),
  CONSTRAINT fk_outputs_run_id FOREIGN KEY (run_id) REFERENCES task_runs (run_id) ON DELETE CASCADE);
CREATE TABLE repairs (repair_id BIGINT NOT NULL, run_id BIGINT NOT NULL, document JSON NOT NULL,
  CONSTRAINT pk_repairs PRIMARY KEY (repair_id),
  CONSTRAINT fk_repairs_run_id FOREIGN KEY (run_id) REFERENCES runs (run_id) ON DELETE CASCADE);
CREATE INDEX ix_repairs_run_id ON repairs (run_id);
CREATE TABLE idempotency_tokens (token VARCHAR NOT NULL, run_id BIGINT NOT NULL,
  CONSTRAINT pk_idempotency_tokens PRIMARY KEY (token));
CREATE TABLE clusters (cluster_id VARCHAR NOT NULL, document JSON NOT NULL,
  CONSTRAINT pk_clusters PRIMARY KEY (cluster_id));
CREATE TABLE cluster_events (event_id INTEGER NOT NULL, cluster_id VARCHAR NOT NULL, timestamp BIGINT NOT NULL,
  type VARCHAR NOT NULL, details JSON NOT NULL, CONSTRAINT pk_cluster_events PRIMARY KEY (event_id));
CREATE INDEX ix_cluster_events_cluster_id ON cluster_events (cluster_id)
"""


def _statements(script: str) -> Callable[[Connection], None]:
    def apply(db: Connection) -> None:
        for statement in script.split(";"):
            db.execute(text(statement))

    return apply


MIGRATIONS: list[Callable[[Connection], None]] = [_statements(_FIRST)]


class NewerSchema(RuntimeError):
    """The data directory was written by a later version of this program."""


def migrate(db: Connection) -> None:
    """Bring the schema forward to this program's version, inside the caller's transaction."""
    version = int(db.execute(text("PRAGMA user_version")).scalar_one())
    if version > len(MIGRATIONS):
        raise NewerSchema(f"The store has schema version {version}; this program knows {len(MIGRATIONS)}.")
    for step in MIGRATIONS[version:]:
        step(db)
    db.execute(text(f"PRAGMA user_version = {len(MIGRATIONS)}"))
