"""A rule has a version, so that no change of it is lost; counts are kept until a measure was looked back on."""

import sqlalchemy as sa
from alembic import op

revision = "support_centre_0003"
down_revision = "support_centre_0002"


def upgrade() -> None:
    """Every rule that there is stands in its first version; counts are kept from now on."""
    op.add_column("rule", sa.Column("version", sa.Integer(), nullable=True))
    op.execute("UPDATE rule SET version = 1")
    with op.batch_alter_table("rule") as table:
        table.alter_column("version", existing_type=sa.Integer(), nullable=False)
    op.create_table(
        "counted",
        sa.Column("datastream", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("datastream", "subject", "time"),
    )
    op.create_index(op.f("ix_counted_dataset"), "counted", ["dataset"], unique=False)
