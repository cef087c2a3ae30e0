"""Everything in the folder of a store is compared with what was written: no damage goes unnoticed."""

from __future__ import annotations

import random
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from snakeprov.apps.verify import verify_store
from snakeprov.blobs.local import LocalBlobs
from snakeprov.cli import main
from snakeprov.db import open_database
from snakeprov.db.database import setting
from snakeprov.errors import CorruptStoreError, NewerStoreError, NoStoreError
from snakeprov.recorder import backlog

from .conftest import Repository

FLIPS = 36
"""How many bits of each database are changed, one after the other; thousands were, when the checks were made."""


def flip(path: Path, position: int, bit: int = 0) -> None:
    """Change one bit of a file."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def held_by(path: Path) -> Any:
    """Everything that a database says, whatever form its pages have; names in lower case, as SQLite reads them."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.text_factory = bytes
            names = [row[0].decode() for row in connection.execute("SELECT name FROM pragma_table_list")]
            held = {}
            for name in names:
                # Two tables repeat what the records say, for searching, and have no checksum.
                if name in ("sqlite_schema", "sqlite_temp_schema", "job_value", "run_value"):
                    continue
                cursor = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608
                columns = [column[0].lower() for column in cursor.description]
                held[name.lower()] = (columns, sorted(map(repr, cursor)))
            return held
    except sqlite3.Error as error:
        return str(error)


def test_a_repository_that_is_whole_is_said_to_be(repository: Repository) -> None:
    """Everything is counted, and nothing is changed."""
    before = repository.database.read_bytes()
    report = repository.verify()

    assert (report.findings, report.damaged) == ([], 0)
    assert report.rows > 30
    assert report.contents == 6  # three outputs, the input, the Snakefile, the environment
    assert report.content_bytes > 65_000
    assert report.outboxes == 1
    assert repository.database.read_bytes() == before


@pytest.mark.parametrize("name", ["database", "small", "digests"])
def test_a_flipped_bit_is_found_unless_nothing_reads_it(repository: Repository, name: str) -> None:
    """Wherever it is in a database: it is named, or else every row still says what it said."""
    path: Path = getattr(repository, name)
    good = path.read_bytes()
    held = held_by(path)
    chance = random.Random(20_260_101)  # noqa: S311
    written = [position for position, byte in enumerate(good) if byte]
    found = 0
    for number in range(FLIPS):
        # Most bytes of a small database are empty; the header is where most is in few.
        position = chance.randrange(100) if number % 6 == 0 else chance.choice(written)
        flip(path, position, chance.randrange(8))
        flipped = path.read_bytes()
        problems = repository.problems()
        found += bool(problems)
        assert problems or flipped != good
        if problems:
            assert any(path.name in one or "blob " in one for one in problems), problems
        else:
            path.write_bytes(flipped)
            assert held_by(path) == held, f"byte {position} of {path.name}"
        for ending in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.write_bytes(good)

    assert found > FLIPS // 2


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE job SET record = replace(record, 'echo', 'exho') WHERE number = 1",
            "provenance.sqlite, job number 1: The row is not what was written: it does not fit its checksum.",
        ),
        (
            "UPDATE usage SET target_version = 2 WHERE activity_id = 1 AND position = 0",
            "provenance.sqlite, usage activity_id 1, position 0: The row is not what was written: "
            "it does not fit its checksum.",
        ),
        (
            "UPDATE revision SET activity_id = 99 WHERE activity_id = 1",
            r"provenance.sqlite, revision: In the table revision, row \d+ refers to a row of activity "
            "that is not there.",
        ),
        (
            "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'activity'",
            "provenance.sqlite, sqlite_sequence: The next number for activity is smaller than 3, which is taken.",
        ),
        (
            "DELETE FROM revision WHERE entity_id = (SELECT max(id) FROM entity)",
            r"provenance.sqlite, entity syn\d+ \(out/large.txt\): Its newest version is None; it says that this is 1, "
            "and that the last one made was 1.",
        ),
        ("DROP TABLE acl_entry", "provenance.sqlite, acl_entry: The table has no checksum, permission, .*"),
    ],
)
def test_what_was_changed_in_the_database_is_named(repository: Repository, statement: str, problem: str) -> None:
    """The table and the key of the row, and what is wrong with it."""
    run_sql(repository.database, statement)

    assert any(re.fullmatch(problem, one) for one in repository.problems()), repository.problems()


@pytest.mark.parametrize("name", ["database", "small", "digests"])
def test_names_that_are_no_text_any_more_are_damage(repository: Repository, name: str) -> None:
    """Even where SQLite repeats them in a message."""
    path: Path = getattr(repository, name)
    content = path.read_bytes()
    for table in (b"CREATE TABLE job (", b"CREATE TABLE blob (", b"CREATE TABLE digest ("):
        content = content.replace(table, table[:14] + b"\xff" + table[15:])
    path.write_bytes(content)

    assert any(one.startswith(f"{path.relative_to(repository.folder)}: ") for one in repository.problems())


@pytest.mark.parametrize(
    ("statement", "table", "arguments"),
    [
        ("UPDATE job SET record = replace(record, 'echo', 'exho')", "job", ("show", "out/a.txt")),
        ("UPDATE job_file SET sha256 = 'ab'", "job_file", ("show", "out/a.txt")),
        ("UPDATE activity SET name = 'another'", "activity", ("show", "out/a.txt")),
        ("UPDATE usage SET target_version = 7", "usage", ("show", "out/a.txt")),
        ("UPDATE run SET record = replace(record, 'Snakefile', 'other')", "run", ("run", "a" * 32)),
    ],
)
def test_a_row_that_was_changed_is_not_served(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    statement: str,
    table: str,
    arguments: tuple[str, ...],
) -> None:
    """A question about how a file was made reports the damage and what is damaged."""
    monkeypatch.chdir(repository.folder.parent)
    run_sql(repository.database, statement)
    status = main(arguments)
    out, err = capfd.readouterr()

    assert status != 0
    assert out == ""
    assert f"The store is damaged: a row of the table {table} does not fit its checksum." in err
    assert "snakeprov fsck" in err


def test_a_text_that_is_none_any_more_is_told_as_damage(repository: Repository) -> None:
    """Reading it reports a damaged store, not a fault in snakeprov."""
    run_sql(repository.database, "UPDATE setting SET value = CAST(x'ff' AS TEXT) WHERE name = 'made_by'")
    with (
        closing(open_database(repository.folder)) as store,
        pytest.raises(CorruptStoreError, match="is damaged"),
        store.read() as tx,
    ):
        setting(tx, "made_by")

    assert [one.partition(": ")[0] for one in repository.problems()] == ["provenance.sqlite, setting name 'made_by'"]


def test_a_damaged_content_is_named_with_the_versions_that_have_it(repository: Repository) -> None:
    """Large ones by their file, small ones by the row."""
    flip(repository.large, 1000)
    run_sql(repository.small, "UPDATE blob SET content = 'other' WHERE CAST(content AS TEXT) LIKE 'a.txt%'")
    small, large = repository.problems()

    assert re.fullmatch(
        r"blobs/small.sqlite, blob [0-9a-f]{64}: It is damaged: its bytes have another sha256 "
        r"\(it is the content of out/a.txt@1\)\.",
        small,
    )
    name = repository.large.name
    assert large == (
        f"blobs/{name[:2]}/{name}: It is damaged: its bytes have another sha256 (it is the content of out/large.txt@1)."
    )


def test_a_content_that_has_gone_is_named(repository: Repository) -> None:
    """It was recorded as kept."""
    repository.large.unlink()
    name = repository.large.name

    assert repository.problems() == [
        f"blob {name}: It is recorded as kept, but missing (it is the content of out/large.txt@1)."
    ]


def test_what_nothing_refers_to_is_a_note_and_no_damage(repository: Repository) -> None:
    """What a crash left behind takes space, and that is all."""
    blobs = LocalBlobs(repository.folder / "blobs")
    sha256 = blobs.put_stream([b"nobody's"])
    blobs.close()
    leftover = repository.folder / "blobs" / "incoming" / "0123"
    leftover.write_bytes(b"half")
    stray = repository.large.with_name("README")
    stray.write_text("not ours")

    assert repository.problems() == []
    assert repository.notes() == [
        f"{stray}: It is not named like a blob, and not used as one.",
        f"blob {sha256}: No record refers to it.",
        f"{leftover}: Its content was never completed.",
    ]


@pytest.mark.parametrize("position", [0, 25, -1], ids=["header", "frame", "record"])
def test_a_damaged_outbox_is_named(repository: Repository, position: int) -> None:
    """Whatever the bit belongs to."""
    flip(repository.outbox, position)
    (problem,) = repository.problems()

    assert problem.startswith("outbox/waiting.log: ")


def test_an_outbox_that_is_delivered_meanwhile_is_passed_over(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workflow that ends removes its own, be it between the moments in which it is listed and read."""
    listed = backlog.files(repository.outbox.parent)
    repository.outbox.unlink()
    monkeypatch.setattr(backlog, "files", lambda folder: listed)

    assert listed == [repository.outbox]
    assert repository.problems() == []


def test_an_outbox_that_goes_while_they_are_listed_hides_no_other(repository: Repository) -> None:
    """A name without a file, as the listing of a folder gives it when the file is removed then."""
    (repository.outbox.parent / "gone.log").symlink_to("nothing")

    assert backlog.files(repository.outbox.parent) == [repository.outbox]


def test_a_database_that_cannot_be_opened_does_not_hide_the_rest(repository: Repository) -> None:
    """The contents, the outbox and the digest cache are checked all the same."""
    repository.database.write_bytes(b"this is no database" * 1000)
    repository.small.write_bytes(b"this is no database" * 1000)
    repository.digests.write_bytes(b"this is no database" * 1000)
    flip(repository.large, 0)
    flip(repository.outbox, -1)

    assert [one.partition(": ")[0] for one in repository.problems()] == [
        "provenance.sqlite",
        "blobs/small.sqlite",
        f"blobs/{repository.large.name[:2]}/{repository.large.name}",
        "outbox/waiting.log",
        "digests.sqlite",
    ]


def test_what_is_no_store_or_a_newer_one_is_not_checked(repository: Repository, tmp_path: Path) -> None:
    """There is nothing to say about damage."""
    with pytest.raises(NoStoreError):
        verify_store(tmp_path / "none", outbox_folder=tmp_path, digests=tmp_path / "none")
    run_sql(repository.database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerStoreError):
        repository.verify()
