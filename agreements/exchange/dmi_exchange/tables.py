"""The tables of the exchange: the law, the log with its head, lineage, used assertions, outbox, positions."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_infra import outbox
from dmi_infra.sql import positions_table

metadata = sa.MetaData()
positions = positions_table(metadata)
outgoing = outbox.outbox_table(metadata)

law = sa.Table(
    "law",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False, index=True),
    sa.Column("party_a", sa.Text, nullable=False, default="", index=True),
    sa.Column("party_b", sa.Text, nullable=False, default="", index=True),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
log = sa.Table(
    "log",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record_id", sa.Text, nullable=False, unique=True),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
log_head = sa.Table(
    "log_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
"""One row, made by the migration: where the chain ends, so that entries cut off at its end are missed."""
log_party = sa.Table(
    "log_party",
    metadata,
    sa.Column("party", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
)
lineage = sa.Table(
    "lineage",
    metadata,
    sa.Column("result", sa.Text, primary_key=True),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
ground = sa.Table(
    "ground",
    metadata,
    sa.Column("ground", sa.Text, primary_key=True),
    sa.Column("result", sa.Text, primary_key=True, index=True),
)
assertion = sa.Table(
    "assertion",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
"""Assertions and sign-in tickets that have been used, until they have expired anyway."""
