"""How Alembic runs inside Onefold: on a connection that is passed in."""

from alembic import context

from onefold.store.state_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
