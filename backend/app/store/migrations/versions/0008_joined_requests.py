"""Keys of clicks that joined another click, and when the landing zone was first listed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both. A zone that files are known of was listed before, at the latest when they were."""
    op.create_table(
        "joined_requests",
        sa.Column("request_key", sa.String(255), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("submission_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.submission_id"],
            name="fk_joined_requests_submission_id_submissions",
        ),
        sa.PrimaryKeyConstraint("request_key", name="pk_joined_requests"),
    )
    op.add_column("lakes", sa.Column("listed_at", UtcDateTime(), nullable=True))
    op.execute(
        "UPDATE lakes SET listed_at = (SELECT max(landing_files.listed_at) FROM landing_files"
        " WHERE landing_files.lake_id = lakes.lake_id)"
    )
