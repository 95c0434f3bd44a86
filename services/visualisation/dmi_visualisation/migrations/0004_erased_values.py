"""A newest value that was erased is marked: after a start the map showed its sensor again, as one that says nothing.

Until now such a row was emptied alone. It is told from a measurement of nobody, without place and value, by the
moments: they hold every newest value of the last thirty days, and lose it with the person. What is silent for longer
and looks the same is marked too; it is shown again with its next value.
"""

import sqlalchemy as sa
from alembic import op

revision = "visualisation_0004"
down_revision = "visualisation_0003"


def upgrade() -> None:
    """Add the mark, and set it where a person's value was emptied."""
    op.add_column("newest", sa.Column("erased", sa.Boolean(), nullable=False, server_default=sa.false()))
    empty = ("result", "longitude", "latitude", "neighbourhood", "subject", "source_id")
    op.execute(
        f"UPDATE newest SET erased = true WHERE {' AND '.join(f'{name} IS NULL' for name in empty)} "  # noqa: S608
        "AND NOT EXISTS (SELECT 1 FROM moment WHERE moment.datastream = newest.datastream "
        "AND moment.phenomenon_time = newest.phenomenon_time)"
    )
