"""What Alembic runs: the migrations, on the connection that it was given."""

from alembic import context

from consentry.index.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
