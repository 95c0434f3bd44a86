"""Outcomes know into which dataset and by whom the message was handed in, since only those may see them."""

import sqlalchemy as sa
from alembic import op

revision = "platform_0002"
down_revision = "platform_0001"


def upgrade() -> None:
    for name in ("dataset", "contributor"):
        op.add_column("outcome", sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''")))
    # Rejects of the same message tell the dataset of an old outcome; the others stay with the operator alone.
    op.execute(
        "UPDATE outcome SET dataset = coalesce("
        "(SELECT min(reject.dataset) FROM reject WHERE reject.message_id = outcome.message_id), '')"
    )
