"""The pages of lists: an index finds where each begins, so the last costs what the first does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from snakeprov.db import fileversions, jobs, open_database, runs
from snakeprov.db.access import Reader
from snakeprov.db.database import Transaction

PAGES: dict[str, tuple[Callable[[Transaction, Reader], Any], str]] = {
    "jobs": (
        lambda tx, _: jobs.page(tx, "r", after=(1, 2), limit=5),
        "job USING INDEX job_run (run_id=? AND listed_on>?)",
    ),
    "jobs with records": (
        lambda tx, _: jobs.of_run(tx, "r", after=(1, 2), limit=5),
        "job USING INDEX job_run (run_id=? AND listed_on>?)",
    ),
    "outputs": (
        lambda tx, _: jobs.outputs(tx, "r", after=(1, 2, 3), limit=5),
        "job USING INDEX job_run (run_id=? AND listed_on<?)",
    ),
    "runs": (
        lambda tx, reader: runs.page(tx, after=(1, "r"), limit=5, reader=reader),
        "run USING INDEX ix_run_started_on (started_on<?)",
    ),
    "versions of a file": (
        lambda tx, _: fileversions.of_file(tx, 5, before=7, limit=5),
        "revision USING INDEX sqlite_autoindex_revision_1 (entity_id=? AND number<?)",
    ),
    "files by path": (
        lambda tx, reader: fileversions.below(tx, "a", project=None, reader=reader, after=("b", 1), limit=5),
        "entity USING INDEX sqlite_autoindex_entity_2 ((path,project_id)>(?,?) AND path<?)",
    ),
    "files of a project": (
        lambda tx, reader: fileversions.below(tx, "a", project=3, reader=reader, after=("b", 1), limit=5),
        "entity USING INDEX sqlite_autoindex_entity_2 ((path,project_id)>(?,?) AND path<?)",
    ),
    "versions with a content": (
        lambda tx, reader: fileversions.with_digest(
            tx, "sha256", "a", project=None, reader=reader, after=(1, 2, 3), limit=5
        ),
        "file_handle USING INDEX file_handle_sha256 (sha256>? AND sha256<?)",
    ),
}
SORTED = {"versions with a content"}
"""Read whole for each page, as few versions have one content."""


@pytest.mark.parametrize("reader", [None, (101, 2, 3)])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_found_by_an_index(tmp_path: Path, name: str, reader: Reader) -> None:
    """Where it begins is in the index's own bounds; no table is read whole, and no list is sorted to find a page."""
    ask, expected = PAGES[name]
    store = open_database(tmp_path, create=True)
    with store.read() as tx:
        asked: list[tuple[str, Any]] = []
        event.listen(tx.connection, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
        ask(tx, reader)
        ((text, parameters),) = asked
        cursor = tx.connection.connection.cursor()
        steps = [step[3] for step in cursor.execute(f"EXPLAIN QUERY PLAN {text}", parameters).fetchall()]
        cursor.close()
    store.close()
    assert f"SEARCH {expected}" in steps
    assert not [step for step in steps if step.startswith("SCAN")]
    assert ("USE TEMP B-TREE FOR ORDER BY" in steps) == (name in SORTED)
