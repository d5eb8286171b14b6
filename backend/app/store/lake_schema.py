"""The tables that remember what is in the lake, so that opening a page asks the workspace for nothing."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from app.store.schema import metadata
from app.store.types import JsonText, OutsideText, UtcDateTime


def _lake_id() -> Column[int]:
    return Column("lake_id", Integer, ForeignKey("lakes.lake_id"), primary_key=True, autoincrement=False)


lakes = Table(
    "lakes",
    metadata,
    Column("lake_id", Integer, primary_key=True),
    Column("workspace_id", String(64), nullable=False),
    Column("catalog", String(255), nullable=False),
    # The newest run whose results are in these tables; another newest run means that they are stale.
    Column("run_id", BigInteger),
    Column("refreshed_at", UtcDateTime),
    Column("detail", Text),
    # When the landing zone was first listed; before that nobody knows what waits there.
    Column("listed_at", UtcDateTime),
    UniqueConstraint("workspace_id", "catalog"),
)

lake_tables = Table(
    "lake_tables",
    metadata,
    _lake_id(),
    Column("name", OutsideText(255), primary_key=True),
    Column("layer", String(16), nullable=False),
    Column("version", BigInteger),
    Column("rows", BigInteger),
    Column("run_id", BigInteger),
    Column("updated_at", UtcDateTime),
    # The version whose claims and figures we have read; another one than `version` means that there is more to read.
    Column("read_version", BigInteger),
    CheckConstraint("layer IN ('bronze', 'silver', 'gold')", name="layer"),
)

lake_pending_counts = Table(
    "lake_pending_counts",
    metadata,
    _lake_id(),
    Column("layer", String(16), primary_key=True),
    Column("claims", BigInteger, nullable=False),
    CheckConstraint("claims >= 0", name="claims"),
)

lake_pending = Table(
    "lake_pending",
    metadata,
    _lake_id(),
    Column("layer", String(16), primary_key=True),
    Column("claim_id", OutsideText(64), primary_key=True),
)

claim_positions = Table(
    "claim_positions",
    metadata,
    _lake_id(),
    Column("claim_id", OutsideText(64), primary_key=True),
    Column("bronze_run", OutsideText(64)),
    Column("silver_run", OutsideText(64)),
    Column("gold_run", OutsideText(64)),
)

claim_quarantine = Table(
    "claim_quarantine",
    metadata,
    _lake_id(),
    Column("claim_id", OutsideText(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),
    Column("message", Text),
    Column("run", OutsideText(64)),
    Column("at", Text),
)

# Files of the landing zone, by their path below the landing path. One waits until the manifest has its present state.
landing_files = Table(
    "landing_files",
    metadata,
    _lake_id(),
    Column("path", OutsideText(1024), primary_key=True),
    Column("claim_id", OutsideText(64)),
    Column("size_bytes", BigInteger),
    Column("modified_ms", BigInteger),
    Column("listed_at", UtcDateTime),
    Column("landed_at", UtcDateTime),
    Column("waiting", Boolean, nullable=False),
    Column("manifest_size", BigInteger),
    Column("manifest_ms", BigInteger),
    Index("ix_landing_files_waiting", "lake_id", "waiting", "claim_id"),
    Index("ix_landing_files_claim", "lake_id", "claim_id"),
)

insights = Table(
    "insights",
    metadata,
    _lake_id(),
    Column("name", String(32), primary_key=True),
    Column("body", JsonText, nullable=False),
    Column("etag", String(64), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
