"""The structure of a database, for comparing two of them: what SQLite says of it, not how it was written down."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def structure_of(path: Path) -> dict[str, Any]:
    """Return, for each table, its columns, indexes and references; for each index, its columns."""
    with closing(sqlite3.connect(path)) as connection:

        def pragma(name: str, of: str) -> list[tuple[Any, ...]]:
            return connection.execute(f"PRAGMA {name}('{of}')").fetchall()

        found: dict[str, Any] = {}
        tables = connection.execute("SELECT name, wr, type FROM pragma_table_list WHERE schema = 'main'").fetchall()
        for name, without_rowid, kind in tables:
            found[name] = {
                "kind": (kind, without_rowid),
                # In the order of their names: a column that is added later comes last.
                "columns": sorted(row[1:] for row in pragma("table_xinfo", name)),
                "references": sorted(row[2:] for row in pragma("foreign_key_list", name)),
                "indexes": sorted(
                    (unique, origin, [column[2] for column in pragma("index_info", index)])
                    for _, index, unique, origin, _ in pragma("index_list", name)
                ),
            }
        return found
