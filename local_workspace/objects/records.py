"""What the disk cannot tell about a workspace object: its id, its type and when it was made."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

metadata = sa.MetaData()
workspace_objects = sa.Table(
    "workspace_objects",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("object_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("object_type", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.CheckConstraint("object_type IN ('NOTEBOOK', 'DIRECTORY', 'FILE')", name="object_type_known"),
)
_IDS_BELOW = 2**52


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One row; the path is canonical."""

    path: str
    object_id: int
    object_type: str
    created_at_ms: int


def find(db: sa.Connection, paths: Iterable[str]) -> dict[str, ObjectRecord]:
    """The records of these paths; what was never recorded is absent."""
    wanted = list(paths)
    found: dict[str, ObjectRecord] = {}
    for start in range(0, len(wanted), 500):
        query = sa.select(workspace_objects).where(workspace_objects.c.path.in_(wanted[start : start + 500]))
        found |= {row.path: ObjectRecord(*row) for row in db.execute(query)}
    return found


def put(db: sa.Connection, path: str, object_type: str, at_ms: int) -> ObjectRecord:
    """Record an object. One that keeps its type keeps its id; a changed type is a new object."""
    known = find(db, [path]).get(path)
    if known is not None and known.object_type == object_type:
        return known
    remove_tree(db, path)
    record = ObjectRecord(path, secrets.randbelow(_IDS_BELOW - 1) + 1, object_type, at_ms)
    db.execute(
        workspace_objects.insert().values(
            path=path, object_id=record.object_id, object_type=object_type, created_at_ms=at_ms
        )
    )
    return record


def remove_tree(db: sa.Connection, path: str) -> None:
    """Forget an object and everything below it: `0` is the character after `/`, so the range is its descendants."""
    column, prefix = workspace_objects.c.path, path.rstrip("/")
    below = sa.and_(column >= prefix + "/", column < prefix + "0")
    db.execute(workspace_objects.delete().where(sa.or_(column == path, below)))
