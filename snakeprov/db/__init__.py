"""The records of a store in SQL.

Must not know: HTTP, or where the bytes of files are.
"""

from snakeprov.db.database import Database as Database
from snakeprov.db.database import Transaction as Transaction
from snakeprov.db.database import open_database as open_database
