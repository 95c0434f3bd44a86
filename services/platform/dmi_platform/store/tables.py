"""The platform's tables as queries see them; the schema itself is made by the migrations."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_infra import outbox
from dmi_infra.sql import positions_table

metadata = sa.MetaData()
positions = positions_table(metadata)
outgoing = outbox.outbox_table(metadata)

_VALUES = (
    ("time", sa.BigInteger),
    ("source_id", sa.Text),
    ("result", sa.Double),
    ("raw_result", sa.Double),
    ("flags", sa.Integer),
    ("longitude", sa.Double),
    ("latitude", sa.Double),
    ("subject", sa.Text),
    ("neighbourhood", sa.Text),
)
VALUE_NAMES = tuple(name for name, _ in _VALUES)
"""Columns that an observation and a last value share."""

observation = sa.Table(
    "observation",
    metadata,
    sa.Column("datastream", sa.Integer),
    *(sa.Column(name, kind) for name, kind in _VALUES),
)
last_value = sa.Table(
    "last_value",
    metadata,
    sa.Column("datastream", sa.Integer, primary_key=True),
    *(sa.Column(name, kind) for name, kind in _VALUES),
    sa.Column("valued_at", sa.BigInteger),
    sa.Column("valued", sa.Double),
)
datastream = sa.Table(
    "datastream",
    metadata,
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text),
    sa.Column("dataset", sa.Text),
    sa.Column("observed_property", sa.Text),
    sa.Column("unit", sa.Text),
)
feature = sa.Table(
    "feature",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("valid_from", sa.BigInteger, primary_key=True),
    sa.Column("dataset", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("body", sa.Text),
    sa.Column("changed_at", sa.BigInteger),
)
outcome = sa.Table(
    "outcome",
    metadata,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("batch_id", sa.Text),
    sa.Column("import_id", sa.Text),
    sa.Column("accepted", sa.Integer),
    sa.Column("duplicate", sa.Integer),
    sa.Column("conflict", sa.Integer),
    sa.Column("rejected", sa.Text),
    sa.Column("at", sa.BigInteger),
)
reject = sa.Table(
    "reject",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("topic", sa.Text),
    sa.Column("dataset", sa.Text),
    sa.Column("batch_id", sa.Text),
    sa.Column("message_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("about", sa.Text),
    sa.Column("rows", sa.Integer),
    sa.Column("row_numbers", sa.Text),
    sa.Column("payload", sa.LargeBinary),
    sa.Column("at", sa.BigInteger),
    sa.Column("replayed_at", sa.BigInteger),
)
