"""Which results stand by dataset, so that those of one are found at once; measures that fell lose their figures."""

import sqlalchemy as sa
from alembic import op

revision = "support_centre_0005"
down_revision = "support_centre_0004"

_EACH = {
    "sqlite": "json_each(result.grounds, '$.datasets') AS of WHERE of.value IS NOT NULL",
    "postgresql": "json_array_elements_text((result.grounds::json) -> 'datasets') AS of(value) WHERE true",
}

_EMPTIED = {
    "sqlite": "json_set(body, '$.properties', json('{}'))",
    "postgresql": "jsonb_set(body::jsonb, '{properties}', '{}'::jsonb)::text",
}


def upgrade() -> None:
    """Make the table, and fill it with the datasets of all results that stand; empty what is to be told no more."""
    op.create_table(
        "material",
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "result"),
    )
    op.create_index(op.f("ix_material_result"), "material", ["result"], unique=False)
    dialect = op.get_bind().dialect.name
    each = _EACH[dialect]
    op.execute(
        "INSERT INTO material (dataset, result) SELECT DISTINCT of.value, result.id "  # noqa: S608
        f"FROM result, {each} AND result.withdrawn_at IS NULL"
    )
    # Those that were over when their ground fell away kept what led to them, and what was seen after them.
    op.execute(
        f"UPDATE measure SET look_back = NULL, body = {_EMPTIED[dialect]} "  # noqa: S608
        "WHERE state NOT IN ('proposed', 'published') "
        "AND id IN (SELECT id FROM result WHERE withdrawn_at IS NOT NULL)"
    )
