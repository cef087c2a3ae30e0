"""The tables of a store.

Times are whole milliseconds since 1970. JSON is kept as text: it is stored and served, never searched; what people
search for in the records of jobs and runs is in `job_value` and `run_value` besides. Ids of entities, file handles,
activities and uploads are never issued twice, not even after a deletion. Every row that says something of
its own has a checksum.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex

from snakeprov.db import checksums

SCHEMA_REVISION = "0002"
"""The revision of these tables; a store says in `alembic_version` which one it has."""

ROOT_ID = 0
"""The entity that is the parent of every project."""

TRASH_ID = -1
"""The project of everything that is in the trash. No id of the wire form can name it."""

PROJECT, FOLDER, FILE = "project", "folder", "file"
"""The values of `entity.kind`."""

STORED, EXTERNAL, PRUNED = "stored", "external", "pruned"
"""The values of `file_handle.kind`: the store keeps the bytes, only knows a URL, or has kept the bytes once."""

AGAIN, EDITED, SAME_CONTENT = "again", "edited", "same_content"
"""The values of `revision.meaning`: bytes of an earlier version of the file, bytes that somebody changed by hand, bytes
of a version of another file."""

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")

alembic_version = Table("alembic_version", metadata, Column("version_num", String(32), primary_key=True))

setting = Table("setting", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

principal = Table(
    "principal",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("etag", String(36), nullable=False),
    Column("created_on", BigInteger, nullable=False),
    Column("disabled_on", BigInteger),
)

token = Table(
    "token",
    metadata,
    Column("id", _Id, primary_key=True),
    # Only the digest: who reads the store learns no token.
    Column("sha256", String(64), nullable=False, unique=True),
    Column("user_id", _Id, ForeignKey("principal.id"), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_on", BigInteger, nullable=False),
    Column("expires_on", BigInteger),
    Column("revoked_on", BigInteger),
    sqlite_autoincrement=True,
)

entity = Table(
    "entity",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("name", Text, nullable=False),
    Column("parent_id", _Id, ForeignKey("entity.id")),
    Column("project_id", _Id, nullable=False),
    Column("path", Text, nullable=False),
    Column("etag", String(36), nullable=False),
    Column("created_on", BigInteger, nullable=False),
    Column("created_by", _Id, nullable=False),
    Column("current_version", Integer, nullable=False),
    Column("last_version", Integer, nullable=False),
    # A name can be a file now and a folder later: both keep their history.
    UniqueConstraint("parent_id", "name", "kind"),
    # The path comes first so that one index serves "in this project" and "in any project".
    UniqueConstraint("path", "project_id", "kind"),
    sqlite_autoincrement=True,
)

acl = Table(
    "acl",
    metadata,
    Column("project_id", _Id, ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True),
    Column("etag", String(36), nullable=False),
    Column("created_on", BigInteger, nullable=False),
)

acl_entry = Table(
    "acl_entry",
    metadata,
    Column("project_id", _Id, ForeignKey("acl.project_id", ondelete="CASCADE"), primary_key=True),
    # Not a foreign key: the groups that everybody is in are not users.
    Column("principal_id", _Id, primary_key=True),
    Column("permission", String(32), primary_key=True),
    Index("acl_entry_principal", "principal_id", "permission", "project_id"),
    sqlite_with_rowid=False,
)

file_handle = Table(
    "file_handle",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("etag", String(36), nullable=False),
    Column("created_on", BigInteger, nullable=False),
    Column("created_by", _Id, nullable=False),
    Column("file_name", Text),
    Column("content_type", Text),
    Column("size_bytes", BigInteger),
    Column("md5", String(32)),
    Column("sha256", String(64)),
    Column("external_url", Text),
    Index("file_handle_md5", "md5"),
    Index("file_handle_sha256", "sha256"),
    sqlite_autoincrement=True,
)

activity = Table(
    "activity",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("etag", String(36), nullable=False),
    Column("name", Text),
    Column("description", Text),
    Column("activity_type", String(16)),
    Column("created_on", BigInteger, nullable=False),
    Column("created_by", _Id, nullable=False),
    Column("modified_on", BigInteger, nullable=False),
    Column("modified_by", _Id, nullable=False),
    sqlite_autoincrement=True,
)

usage = Table(
    "usage",
    metadata,
    Column("activity_id", _Id, ForeignKey("activity.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("was_executed", Boolean, nullable=False),
    # Not a foreign key: as in Synapse an activity may name an entity that is not (or no longer) here.
    Column("target_id", BigInteger),
    Column("target_version", BigInteger),
    Column("url", Text),
    Column("name", Text),
    Index("usage_target", "target_id", "target_version"),
    sqlite_with_rowid=False,
)

# Few versions point at another one.
_POINTS = text("of_entity_id IS NOT NULL")

revision = Table(
    "revision",
    metadata,
    Column("entity_id", _Id, ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("file_handle_id", _Id, ForeignKey("file_handle.id"), index=True),
    Column("activity_id", _Id, ForeignKey("activity.id", ondelete="RESTRICT"), index=True),
    Column("label", Text, nullable=False),
    Column("comment", Text),
    Column("description", Text),
    Column("annotations", Text),
    Column("created_on", BigInteger, nullable=False),
    Column("created_by", _Id, nullable=False),
    Column("modified_on", BigInteger, nullable=False),
    Column("modified_by", _Id, nullable=False),
    # What its bytes mean beside the activity: AGAIN, EDITED or SAME_CONTENT, each with the version it points at.
    Column("meaning", String(16)),
    Column("of_entity_id", _Id),
    Column("of_version", Integer),
    # The job during which the file changed, where nothing shows that the job changed it.
    Column("while_job", String(64)),
    # The permissions that the file had, nine bits.
    Column("mode", SmallInteger),
    ForeignKeyConstraint(
        ["of_entity_id", "of_version"], ["revision.entity_id", "revision.number"], ondelete="SET NULL"
    ),
    Index("revision_of", "of_entity_id", "of_version", sqlite_where=_POINTS),
)

run = Table(
    "run",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("project", Text, nullable=False),
    # Null while there is no project of that name; it follows the project when that is renamed.
    Column("project_id", _Id, ForeignKey("entity.id", ondelete="SET NULL"), index=True),
    Column("created_by", _Id, nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_on", BigInteger, nullable=False, index=True),
    Column("git_commit", Text),
    Column("git_dirty", Boolean),
    Column("record", Text, nullable=False),
)

# Apart from the run: it is long, and seldom read. The DAG in compressed chunks.
run_plan = Table(
    "run_plan",
    metadata,
    Column("run_id", String(64), ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("jobs", LargeBinary, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("number", _Id, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("run_id", String(64), ForeignKey("run.id"), nullable=False),
    Column("rule", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_on", BigInteger),
    Column("ended_on", BigInteger),
    # When it ended, or else when it was recorded: the order in which jobs are listed.
    Column("listed_on", BigInteger, nullable=False),
    Column("activity_id", _Id, ForeignKey("activity.id", ondelete="SET NULL"), index=True),
    Column("wildcards", Text, nullable=False),
    Column("error", Text),
    # Last, because it can be long: the columns before it are read without it.
    Column("record", Text, nullable=False),
    # With the status, so that the jobs of a run are counted from the index alone.
    Index("job_run", "run_id", "listed_on", "number", "status"),
    Index("job_rule", "rule", "number"),
    Index("job_status", "status", "number"),
    sqlite_autoincrement=True,
)

_REPRODUCED = text("outcome = 'reproduced'")

job_file = Table(
    "job_file",
    metadata,
    Column("job_number", _Id, ForeignKey("job.number", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("entity_id", _Id),
    Column("version", Integer),
    Column("sha256", String(64)),
    Column("outcome", String(16), nullable=False),
    Column("activity_id", _Id, ForeignKey("activity.id", ondelete="SET NULL"), index=True),
    # What a job made or read stays told, by path and digest, when the version itself is deleted.
    ForeignKeyConstraint(["entity_id", "version"], ["revision.entity_id", "revision.number"], ondelete="SET NULL"),
    Index("job_file_version", "entity_id", "version"),
    # Few files are made again with the same bytes, and these few are looked for.
    Index("job_file_reproduced", "job_number", sqlite_where=_REPRODUCED),
    Index("job_file_remade", "entity_id", "version", sqlite_where=_REPRODUCED),
    sqlite_with_rowid=False,
)

job_value = Table(
    "job_value",
    metadata,
    # One tree, in the order in which it is searched; jobs are never deleted.
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("job_number", _Id, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

run_value = Table(
    "run_value",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("run_id", String(64), ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

upload = Table(
    "upload",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("request_key", String(64), nullable=False, unique=True),
    Column("file_name", Text, nullable=False),
    Column("content_type", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("md5", String(32), nullable=False),
    Column("part_size_bytes", BigInteger, nullable=False),
    Column("part_count", SmallInteger, nullable=False),
    Column("started_on", BigInteger, nullable=False),
    Column("started_by", _Id, nullable=False),
    Column("updated_on", BigInteger, nullable=False),
    Column("file_handle_id", _Id, ForeignKey("file_handle.id")),
    sqlite_autoincrement=True,
)

upload_part = Table(
    "upload_part",
    metadata,
    Column("upload_id", _Id, ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("md5", String(32), nullable=False),
    sqlite_with_rowid=False,
)

_UNSEALED = (alembic_version, job_value, run_value)
"""What is read whenever the store is opened, and what only says once more what is in a record."""

for _table in set(metadata.tables.values()).difference(_UNSEALED):
    _table.append_column(Column(checksums.NAME, BigInteger))


@compiles(CreateIndex, "postgresql")
def _index_in_postgresql(element: CreateIndex, compiler: Any, **options: Any) -> str:
    # `postgresql_where` at the index would load that dialect into every process that opens a store.
    index = element.element
    index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    return str(compiler.visit_create_index(element, **options))


def was_reproduced() -> ColumnElement[bool]:
    """Return the condition that a row of `job_file` is of a file that was made again, as its partial index has it."""
    # A literal, because no index with a condition is used for a parameter.
    return job_file.c.outcome == literal_column("'reproduced'")
