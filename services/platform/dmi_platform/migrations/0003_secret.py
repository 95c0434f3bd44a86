"""The key under which cursors are sealed, shared by every process of the platform."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0003"
down_revision = "platform_0002"


def upgrade() -> None:
    op.create_table(
        "secret",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
