"""The steps from each revision of the store's tables to the next, one module each, in Alembic's form.

Must not know: what the tables mean now; a step is never changed once it has been released.
"""
