"""The platform's tables as queries see them; the schema itself is made by the migrations."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_infra import outbox
from dmi_infra.cursors import secret_table
from dmi_infra.sql import positions_table

metadata = sa.MetaData()
positions = positions_table(metadata)
outgoing = outbox.outbox_table(metadata)
secret = secret_table(metadata)

_MEASURED = (
    ("result", sa.Double, True),
    ("raw_result", sa.Double, True),
    ("flags", sa.Integer, False),
    ("longitude", sa.Double, True),
    ("latitude", sa.Double, True),
    ("subject", sa.Text, True),
    ("neighbourhood", sa.Text, True),
)
VALUE_NAMES = ("time", "source_id", *(name for name, _, _ in _MEASURED))
"""Columns that an observation and a last value share."""


def _measured() -> list[sa.Column[object]]:
    return [sa.Column(name, kind, nullable=nullable) for name, kind, nullable in _MEASURED]


observation = sa.Table(
    "observation",
    metadata,
    sa.Column("datastream", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source_id", sa.Text, primary_key=True),
    *_measured(),
)
last_value = sa.Table(
    "last_value",
    metadata,
    sa.Column("datastream", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    *_measured(),
    sa.Column("valued_at", sa.BigInteger, nullable=False),
    sa.Column("valued", sa.Double),
)
datastream = sa.Table(
    "datastream",
    metadata,
    sa.Column("key", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("observed_property", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
)
feature = sa.Table(
    "feature",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False, index=True),
    sa.Index("feature_of", "dataset", "kind", "id", "valid_from"),
)
outcome = sa.Table(
    "outcome",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("batch_id", sa.Text, nullable=False, index=True),
    sa.Column("import_id", sa.Text, nullable=False, index=True),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("duplicate", sa.Integer, nullable=False),
    sa.Column("conflict", sa.Integer, nullable=False),
    sa.Column("rejected", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    # Empty in rows from before these columns where nothing tells: those are for the operator alone.
    sa.Column("dataset", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("contributor", sa.Text, nullable=False, server_default=sa.text("''")),
)
reject = sa.Table(
    "reject",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("batch_id", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("row_numbers", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("replayed_at", sa.BigInteger),
    sa.Index("reject_of", "dataset", "id"),
    sa.Index("reject_about", "about"),
)
