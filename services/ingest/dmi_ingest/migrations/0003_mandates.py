"""Who imports for a participant, and by which mandate."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns."""
    for name in ("actor", "mandate"):
        op.add_column("import", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''")))
