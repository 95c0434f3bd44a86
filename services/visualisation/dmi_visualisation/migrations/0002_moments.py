"""What each datastream said at the end of each quarter of an hour of the last day, for the map's time slider."""

import sqlalchemy as sa
from alembic import op

revision = "visualisation_0002"
down_revision = "visualisation_0001"


def upgrade() -> None:
    """Make the table and fill it from the charts' quarters, which hold means and no positions."""
    op.create_table(
        "moment",
        sa.Column("datastream", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("phenomenon_time", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Float(), nullable=True),
        sa.Column("flag", sa.Integer(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("neighbourhood", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("datastream", "start"),
    )
    op.create_index(op.f("ix_moment_start"), "moment", ["start"], unique=False)
    op.execute(
        "INSERT INTO moment (datastream, start, phenomenon_time, result, flag, neighbourhood, subject) "
        "SELECT q.datastream, q.start, q.start, q.total / q.readings, q.flag, n.neighbourhood, n.subject "
        "FROM quarter q JOIN newest n ON n.datastream = q.datastream "
        "WHERE q.start > (SELECT max(start) FROM quarter) - 93600000000"
    )
