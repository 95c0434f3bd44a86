"""Which results stand by dataset, so that those of one are found without reading all others."""

import sqlalchemy as sa
from alembic import op

revision = "support_centre_0005"
down_revision = "support_centre_0004"

_EACH = {
    "sqlite": "json_each(result.grounds, '$.datasets') AS of WHERE of.value IS NOT NULL",
    "postgresql": "json_array_elements_text((result.grounds::json) -> 'datasets') AS of(value) WHERE true",
}


def upgrade() -> None:
    """Make the table, and fill it with the datasets of all results that stand."""
    op.create_table(
        "material",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "result"),
    )
    op.create_index(op.f("ix_material_result"), "material", ["result"], unique=False)
    each = _EACH[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO material (dataset, result) SELECT DISTINCT of.value, result.id "  # noqa: S608
        f"FROM result, {each} AND result.withdrawn_at IS NULL"
    )
