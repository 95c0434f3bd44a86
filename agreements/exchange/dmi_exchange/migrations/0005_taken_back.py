"""Up to when results were taken back for the request of a person: so far all that there were."""

import sqlalchemy as sa
from alembic import op

revision = "exchange_0005"
down_revision = "exchange_0004"


def upgrade() -> None:
    """Add the column. The support centre, which makes results, took all back each time that it told of a request."""
    taken_back = sa.Column("taken_back", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    op.add_column("exercised", taken_back)
    op.execute("UPDATE exercised SET taken_back = at WHERE service = 'support-centre'")
