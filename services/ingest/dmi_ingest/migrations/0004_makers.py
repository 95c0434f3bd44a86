"""Who made a feature: known of those that were described over SensorThings, and of no other that came before."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column, and fill it from the Things and Datastreams that are features too."""
    op.add_column("feature", sa.Column("maker", sa.Text()))
    op.execute(
        "UPDATE feature SET maker = (SELECT entity.participant FROM entity WHERE entity.id = feature.id "
        "AND entity.dataset = feature.dataset AND entity.kind = "
        "CASE feature.kind WHEN 'thing' THEN 'Things' WHEN 'datastream' THEN 'Datastreams' END)"
    )
