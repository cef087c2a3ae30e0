"""The steps from each revision of the store's tables to the next, one module each, in Alembic's form."""
