"""What is in the lake, as last read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.types import JsonText, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the lake state."""
    op.create_table(
        "lakes",
        sa.Column("lake_id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("catalog", sa.String(length=255), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("refreshed_at", UtcDateTime(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("lake_id", name="pk_lakes"),
        sa.UniqueConstraint("workspace_id", "catalog", name="uq_lakes_workspace_id_catalog"),
    )
    op.create_table(
        "claim_positions",
        sa.Column("lake_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("bronze_run", sa.String(length=64), nullable=True),
        sa.Column("silver_run", sa.String(length=64), nullable=True),
        sa.Column("gold_run", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["lake_id"], ["lakes.lake_id"], name="fk_claim_positions_lake_id_lakes"),
        sa.PrimaryKeyConstraint("lake_id", "claim_id", name="pk_claim_positions"),
    )
    op.create_table(
        "claim_quarantine",
        sa.Column("lake_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("run", sa.String(length=64), nullable=True),
        sa.Column("at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["lake_id"], ["lakes.lake_id"], name="fk_claim_quarantine_lake_id_lakes"),
        sa.PrimaryKeyConstraint("lake_id", "claim_id", "position", name="pk_claim_quarantine"),
    )
    op.create_table(
        "insights",
        sa.Column("lake_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("body", JsonText(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["lake_id"], ["lakes.lake_id"], name="fk_insights_lake_id_lakes"),
        sa.PrimaryKeyConstraint("lake_id", "name", name="pk_insights"),
    )
    op.create_table(
        "lake_pending",
        sa.Column("lake_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["lake_id"], ["lakes.lake_id"], name="fk_lake_pending_lake_id_lakes"),
        sa.PrimaryKeyConstraint("lake_id", "layer", "claim_id", name="pk_lake_pending"),
    )
    op.create_table(
        "lake_pending_counts",
        sa.Column("lake_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=False),
        sa.Column("claims", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("claims >= 0", name="ck_lake_pending_counts_claims"),
        sa.ForeignKeyConstraint(["lake_id"], ["lakes.lake_id"], name="fk_lake_pending_counts_lake_id_lakes"),
        sa.PrimaryKeyConstraint("lake_id", "layer", name="pk_lake_pending_counts"),
    )
    op.create_table(
        "lake_tables",
        sa.Column("lake_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("layer", sa.String(length=16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=True),
        sa.Column("read_version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("layer IN ('bronze', 'silver', 'gold')", name="ck_lake_tables_layer"),
        sa.ForeignKeyConstraint(["lake_id"], ["lakes.lake_id"], name="fk_lake_tables_lake_id_lakes"),
        sa.PrimaryKeyConstraint("lake_id", "name", name="pk_lake_tables"),
    )
    op.create_table(
        "landing_files",
        sa.Column("lake_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.String(length=1024), nullable=False),
        sa.Column("claim_id", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("modified_ms", sa.BigInteger(), nullable=True),
        sa.Column("listed_at", UtcDateTime(), nullable=True),
        sa.Column("landed_at", UtcDateTime(), nullable=True),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("manifest_size", sa.BigInteger(), nullable=True),
        sa.Column("manifest_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["lake_id"], ["lakes.lake_id"], name="fk_landing_files_lake_id_lakes"),
        sa.PrimaryKeyConstraint("lake_id", "path", name="pk_landing_files"),
    )
    op.create_index("ix_landing_files_claim", "landing_files", ["lake_id", "claim_id"], unique=False)
    op.create_index("ix_landing_files_waiting", "landing_files", ["lake_id", "waiting", "claim_id"], unique=False)
