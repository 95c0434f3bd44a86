"""Who had the code of a letter made: it counts as long as that one may act for the person."""

import sqlalchemy as sa
from alembic import op

revision = "exchange_0004"
down_revision = "exchange_0003"


def upgrade() -> None:
    """Add the column. Of codes of before nobody knows who had them made, so they count no more."""
    op.add_column("paper_code", sa.Column("made_by", sa.Text(), nullable=False, server_default=sa.text("''")))
