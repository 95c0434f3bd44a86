"""What was taken in of late, by name: a message that comes twice is added once."""

import sqlalchemy as sa
from alembic import op

revision = "visualisation_0005"
down_revision = "visualisation_0004"


def upgrade() -> None:
    """Make the table; what was taken in before is known by its position alone."""
    op.create_table(
        "taken",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("message_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "message_offset"),
    )
    op.create_index("taken_by_name", "taken", ["topic", "partition", "name"], unique=False)
