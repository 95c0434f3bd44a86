"""The first tables of visualisation: features, newest values, quarters of an hour."""

import sqlalchemy as sa
from alembic import op

revision = "visualisation_0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feature",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_feature_dataset"), "feature", ["dataset"], unique=False)
    op.create_index(op.f("ix_feature_kind"), "feature", ["kind"], unique=False)
    op.create_table(
        "newest",
        sa.Column("datastream", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("phenomenon_time", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Float(), nullable=True),
        sa.Column("flag", sa.Integer(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("neighbourhood", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("observed_property", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("datastream"),
    )
    op.create_index(op.f("ix_newest_dataset"), "newest", ["dataset"], unique=False)
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "quarter",
        sa.Column("datastream", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("minimum", sa.Float(), nullable=False),
        sa.Column("maximum", sa.Float(), nullable=False),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("flag", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("datastream", "start"),
    )
