"""The first schema of ingest."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "feature",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("dataset", sa.Text, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False, index=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("used", sa.Boolean, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "entity",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("participant", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("kind", "id"),
    )
    op.create_table(
        "link",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("navigation", sa.Text, primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
    )
    op.create_index("link_target", "link", ["navigation", "target"])
    _imports()


def _imports() -> None:
    counts = [
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in ("read", "accepted", "duplicate", "rejected", "batches", "observations")
    ]
    op.create_table(
        "import",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("participant", sa.Text, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, index=True),
        sa.Column("resumable", sa.Boolean, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        *counts,
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_table(
        "reject",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("import_id", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("line", sa.BigInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("field", sa.Text),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("at", sa.Text),
        sa.Column("replayed", sa.Boolean, nullable=False),
    )
    op.create_index("reject_import", "reject", ["import_id", "replayed", "reason", "id"])
