"""Whose rows came in, as digests: filled with those of the rows that are kept, and from when on it is known."""

import hashlib

import sqlalchemy as sa
from alembic import op

from dmi_infra import clock

revision = "support_centre_0006"
down_revision = "support_centre_0005"

_AT_ONCE = 1_000


def upgrade() -> None:
    """Make both tables. Persons of rows that were deleted before are not known any more."""
    seen = op.create_table(
        "seen",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "person"),
    )
    since = op.create_table(
        "seen_since",
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
    connection = op.get_bind()
    kept = [
        sa.table(name, sa.column("dataset"), sa.column("subject"))
        for name in ("quarter", "recent", "counted")
    ]
    persons = sa.union(*(sa.select(table.c.dataset, table.c.subject) for table in kept))
    # Names alone, so those of a city fit in memory; the rows do not.
    found = connection.execute(persons).all()
    for start in range(0, len(found), _AT_ONCE):
        rows = [
            {"dataset": dataset, "person": _digest(dataset, person), "times": 1}
            for dataset, person in found[start : start + _AT_ONCE]
        ]
        op.bulk_insert(seen, rows)
    op.bulk_insert(since, [{"at": clock.now()}])


def _digest(dataset: str, person: str) -> str:
    return hashlib.sha256(f"{dataset}\0{person}".encode()).hexdigest()
