"""The records of a store in SQL: tables, queries, migrations.

Must not know: HTTP, the contents of files (`snakeprov.blobs`).
"""

from snakeprov.db.database import Database as Database
from snakeprov.db.database import Transaction as Transaction
from snakeprov.db.database import open_database as open_database
