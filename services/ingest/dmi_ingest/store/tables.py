"""The tables of ingest."""

from __future__ import annotations

import sqlalchemy as sa

from dmi_infra import outbox
from dmi_infra.sql import positions_table

metadata = sa.MetaData()
outgoing = outbox.outbox_table(metadata)
positions = positions_table(metadata)
"""Ingest reads no topic: here stands up to which requests of persons were carried out."""

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

feature = sa.Table(
    "feature",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),
    sa.Column("used", sa.Boolean, nullable=False, default=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("maker", sa.Text),
)
"""The newest version of every feature that came in here; ``used``: observations of it were taken.

``changed_at`` is when it was made, or came to be about somebody else. ``subject`` of one that ended tells who had it
erased. ``maker`` is the participant that handed it in first; of what came in before that was kept it is not known.
"""

entity = sa.Table(
    "entity",
    metadata,
    sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("participant", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False, default=""),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("kind", "id"),
)
link = sa.Table(
    "link",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("navigation", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Index("link_target", "navigation", "target"),
)
"""One side of every relation; the other is found through the index on the target."""

imported = sa.Table(
    "import",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("participant", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text),
    sa.Column("files", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("resumable", sa.Boolean, nullable=False, default=False),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("read", sa.BigInteger, nullable=False, default=0),
    sa.Column("accepted", sa.BigInteger, nullable=False, default=0),
    sa.Column("duplicate", sa.BigInteger, nullable=False, default=0),
    sa.Column("rejected", sa.BigInteger, nullable=False, default=0),
    sa.Column("batches", sa.BigInteger, nullable=False, default=0),
    sa.Column("observations", sa.BigInteger, nullable=False, default=0),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("actor", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("mandate", sa.Text, nullable=False, server_default=sa.text("''")),
)
reject = sa.Table(
    "reject",
    metadata,
    sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("import_id", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("line", sa.BigInteger),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("field", sa.Text),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("at", sa.Text),
    sa.Column("replayed", sa.Boolean, nullable=False, default=False),
    sa.Index("reject_import", "import_id", "replayed", "reason", "id"),
)
