"""Agreements of negotiations and transfers by their id, how far data has flowed, and under which decisions."""

import json

import sqlalchemy as sa
from alembic import op

revision = "exchange_0004"
down_revision = "exchange_0003"


def upgrade() -> None:
    """Add the column and the tables, and fill in what the rows tell already."""
    op.add_column("dsp_process", sa.Column("agreement", sa.Text(), nullable=True))
    process = sa.table("dsp_process", sa.column("id"), sa.column("body"), sa.column("agreement"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(process.c.id, process.c.body)).all():
        known = json.loads(row.body).get("agreement_id")
        if known:
            connection.execute(sa.update(process).where(process.c.id == row.id).values(agreement=known))
    op.create_index(op.f("ix_dsp_process_agreement"), "dsp_process", ["agreement"], unique=False)
    op.create_table(
        "dsp_flow",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("process"),
    )
    op.create_table(
        "dsp_delivery",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("piece", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("process", "piece"),
    )
