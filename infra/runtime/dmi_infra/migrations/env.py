"""Alembic environment shared by all services: the connection comes from ``dmi_infra.sql.migrate``."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
