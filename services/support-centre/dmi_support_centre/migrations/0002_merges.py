"""The baseline belongs to a version, so that a scenario can be run on a newer city; versions tell of merges."""

import sqlalchemy as sa
from alembic import op

revision = "support_centre_0002"
down_revision = "support_centre_0001"


def upgrade() -> None:
    """Move the baseline from scenarios to their versions."""
    op.add_column("version", sa.Column("merged_from", sa.Text(), nullable=True))
    op.add_column("version", sa.Column("merged_version", sa.Integer(), nullable=True))
    op.add_column("version", sa.Column("baseline", sa.Text(), nullable=True))
    op.execute(
        "UPDATE version SET baseline = "
        "(SELECT scenario.baseline FROM scenario WHERE scenario.id = version.scenario)"
    )
    with op.batch_alter_table("version") as table:
        table.alter_column("baseline", existing_type=sa.Text(), nullable=False)
    with op.batch_alter_table("scenario") as table:
        table.drop_column("baseline")
