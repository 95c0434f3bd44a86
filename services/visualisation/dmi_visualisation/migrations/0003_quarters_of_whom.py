"""Quarters of charts know of whom and where their readings are; and what is silent now keeps its last value.

Of the quarters until now nothing tells whose they are: the person of the newest value may be the last of several. They
are kept as of nobody, and so are shown where no person is asked for, and within no area.
"""

import sqlalchemy as sa
from alembic import op

revision = "visualisation_0003"
down_revision = "visualisation_0002"


def upgrade() -> None:
    """Make the table anew, since its key grows, and complete the moments."""
    op.rename_table("quarter", "quarter_before")
    op.create_table(
        "quarter",
        sa.Column("datastream", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("neighbourhood", sa.Text(), nullable=False),
        sa.Column("minimum", sa.Float(), nullable=False),
        sa.Column("maximum", sa.Float(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("flag", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        *(sa.Column(side, sa.Float(), nullable=True) for side in ("west", "south", "east", "north")),
        sa.PrimaryKeyConstraint("datastream", "start", "subject", "neighbourhood"),
    )
    op.execute(
        "INSERT INTO quarter (datastream, start, minimum, maximum, total, readings, flag, subject, neighbourhood, "
        "first, last) SELECT datastream, start, minimum, maximum, total, readings, flag, '', '', "
        "start, start + 899999999 FROM quarter_before"
    )
    op.drop_table("quarter_before")
    # Means of a quarter that the migration before this one gave to the person of the newest value.
    op.execute(
        "DELETE FROM moment WHERE subject IS NOT NULL AND longitude IS NULL AND source_id IS NULL "
        "AND phenomenon_time = start"
    )
    op.execute(
        "INSERT INTO moment (datastream, start, phenomenon_time, result, flag, longitude, latitude, neighbourhood, "
        "subject, source_id) SELECT n.datastream, n.phenomenon_time / 900000000 * 900000000, n.phenomenon_time, "
        "n.result, n.flag, n.longitude, n.latitude, n.neighbourhood, n.subject, n.source_id FROM newest n "
        "WHERE n.phenomenon_time > (SELECT max(phenomenon_time) FROM newest) - 2592000000000 AND NOT EXISTS "
        "(SELECT 1 FROM moment m WHERE m.datastream = n.datastream AND m.start > n.phenomenon_time - 900000000)"
    )
