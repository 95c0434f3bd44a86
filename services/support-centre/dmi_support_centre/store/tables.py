"""The tables of the support centre."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_infra.outbox import outbox_table
from dmi_infra.repeats import taken_table
from dmi_infra.sql import positions_table

metadata = sa.MetaData()
positions = positions_table(metadata)
taken = taken_table(metadata)
outbox = outbox_table(metadata)

feature = sa.Table(
    "feature",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, index=True),
    sa.Column("valid_from", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
quarter = sa.Table(
    "quarter",
    metadata,
    sa.Column("datastream", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("total", sa.Float, nullable=False),
    sa.Column("readings", sa.Integer, nullable=False),
    sa.Column("offsets", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Index("ix_quarter_dataset_start", "dataset", "start"),
)
recent = sa.Table(
    "recent",
    metadata,
    sa.Column("datastream", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("property", sa.Text, nullable=False),
    sa.Column("value", sa.Float, nullable=False),
)
counted = sa.Table(
    "counted",
    metadata,
    sa.Column("datastream", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("value", sa.Float, nullable=False),
)
READINGS = (quarter, recent, counted)
"""Where rows of persons are kept."""
seen = sa.Table(
    "seen",
    metadata,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("times", sa.BigInteger, nullable=False),
)
"""Whose rows of a dataset ever came in, as digests, and how often any did."""
seen_since = sa.Table(
    "seen_since", metadata, sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False)
)
"""One row: from when on ``seen`` is whole."""
basis = sa.Table(
    "basis",
    metadata,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("ground", sa.Text, primary_key=True),
)
result = sa.Table(
    "result",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("grounds", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("withdrawn_at", sa.BigInteger),
    sa.Column("withdrawn_ground", sa.Text),
)
ground = sa.Table(
    "ground",
    metadata,
    sa.Column("ground", sa.Text, primary_key=True),
    sa.Column("result", sa.Text, primary_key=True, index=True),
    sa.Column("kind", sa.Text, nullable=False),
)
material = sa.Table(
    "material",
    metadata,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("result", sa.Text, primary_key=True, index=True),
)
"""The datasets that results were made of which stand: those of a marked one are deleted."""
track = sa.Table(
    "track",
    metadata,
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("issued_at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("valid_at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("p10", sa.Float, nullable=False),
    sa.Column("p50", sa.Float, nullable=False),
    sa.Column("p90", sa.Float, nullable=False),
    sa.Column("actual", sa.Float),
    sa.Column("persistence", sa.Float),
    sa.Column("last_week", sa.Float),
    sa.Column("backtested", sa.Boolean, nullable=False),
    sa.Index("ix_track_dataset_valid_at", "dataset", "valid_at"),
)
score = sa.Table(
    "score",
    metadata,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
baseline = sa.Table(
    "baseline",
    metadata,
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
scenario = sa.Table(
    "scenario",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("parent", sa.Text),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("owner_name", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("current", sa.Integer, nullable=False),
    sa.Column("share", sa.Text, nullable=False, unique=True),
)
version = sa.Table(
    "version",
    metadata,
    sa.Column("scenario", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("parent", sa.Integer),
    sa.Column("edits", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("baseline", sa.Text, nullable=False),
    sa.Column("merged_from", sa.Text),
    sa.Column("merged_version", sa.Integer),
)
rule = sa.Table(
    "rule",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
release = sa.Table(
    "release",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)
measure = sa.Table(
    "measure",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("proposed_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("valid_to", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("look_back", sa.Text),
)
subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("participant", sa.Text, nullable=False, index=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("subscription", sa.Text, nullable=False, index=True),
    sa.Column("headers", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False, index=True),
)
