"""The first schema of the platform."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0001"
down_revision = None

# Rows lie together by datastream and time, which is also their natural key: a new row of a datastream is
# appended to a page that is in memory already, however many rows there are.
SQLITE_OBSERVATION = """
CREATE TABLE observation (
    datastream INTEGER NOT NULL, time BIGINT NOT NULL, source_id TEXT NOT NULL,
    result DOUBLE, raw_result DOUBLE, flags INTEGER NOT NULL, longitude DOUBLE, latitude DOUBLE,
    subject TEXT, neighbourhood TEXT,
    PRIMARY KEY (datastream, time, source_id)
) WITHOUT ROWID
"""
POSTGRESQL_OBSERVATION = """
CREATE TABLE observation (
    datastream INTEGER NOT NULL, time BIGINT NOT NULL, source_id TEXT COLLATE "C" NOT NULL,
    result DOUBLE PRECISION, raw_result DOUBLE PRECISION, flags INTEGER NOT NULL,
    longitude DOUBLE PRECISION, latitude DOUBLE PRECISION, subject TEXT, neighbourhood TEXT,
    PRIMARY KEY (datastream, time, source_id)
) PARTITION BY RANGE (time)
"""
# Months between these bounds get a partition when their first row comes; what lies outside shares one each.
FIRST_MONTH, LAST_MONTH = 946_684_800_000_000, 2_524_608_000_000_000  # 2000-01-01, 2050-01-01


def upgrade() -> None:
    _observations()
    op.create_table(
        "last_value",
        sa.Column("datastream", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("result", sa.Double),
        sa.Column("raw_result", sa.Double),
        sa.Column("flags", sa.Integer, nullable=False),
        sa.Column("longitude", sa.Double),
        sa.Column("latitude", sa.Double),
        sa.Column("subject", sa.Text),
        sa.Column("neighbourhood", sa.Text),
        sa.Column("valued_at", sa.BigInteger, nullable=False),
        sa.Column("valued", sa.Double),
    )
    op.create_table(
        "datastream",
        sa.Column("key", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("dataset", sa.Text, nullable=False, index=True),
        sa.Column("observed_property", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
    )
    op.create_table(
        "feature",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("valid_from", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_index("feature_of", "feature", ["dataset", "kind", "id", "valid_from"])
    op.create_table(
        "outcome",
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("batch_id", sa.Text, nullable=False, index=True),
        sa.Column("import_id", sa.Text, nullable=False, index=True),
        sa.Column("accepted", sa.Integer, nullable=False),
        sa.Column("duplicate", sa.Integer, nullable=False),
        sa.Column("conflict", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    _rejects()
    op.create_table(
        "positions",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outbox",
        _number(),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


def _observations() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SQLITE_OBSERVATION)
        return
    op.execute(POSTGRESQL_OBSERVATION)
    op.execute(
        f"CREATE TABLE observation_early PARTITION OF observation FOR VALUES FROM (MINVALUE) TO ({FIRST_MONTH})"
    )
    op.execute(
        f"CREATE TABLE observation_late PARTITION OF observation FOR VALUES FROM ({LAST_MONTH}) TO (MAXVALUE)"
    )


def _rejects() -> None:
    op.create_table(
        "reject",
        _number(),
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
    )
    op.create_index("reject_of", "reject", ["dataset", "id"])
    op.create_index("reject_about", "reject", ["about"])


def _number() -> sa.Column[int]:
    return sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    )
