"""The records of a store in SQL.

Must not know: HTTP, or where the bytes of files are.
"""

from snakeprov.store.store import Store as Store
from snakeprov.store.store import Transaction as Transaction
from snakeprov.store.store import open_store as open_store
