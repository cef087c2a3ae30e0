"""Pack the jobs of each plan in chunks, so that a page is read without the rest."""

import zlib

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

CHUNK_JOBS = 500


def upgrade() -> None:
    """Pack every plan anew, one at a time, since a plan can be long. A damaged one stays as it is."""
    connection = op.get_bind()
    plans = sa.table("run_plan", sa.column("run_id"), sa.column("jobs"), sa.column("checksum"))
    sound = sa.select(plans.c.run_id).where(plans.c.checksum == sa.func.row_checksum(plans.c.run_id, plans.c.jobs))
    for run_id in connection.scalars(sound).all():
        packed = connection.scalars(sa.select(plans.c.jobs).where(plans.c.run_id == run_id)).one()
        again = _in_chunks(packed)
        checksum = sa.func.row_checksum(plans.c.run_id, again)
        connection.execute(sa.update(plans).where(plans.c.run_id == run_id).values(jobs=again, checksum=checksum))


def _in_chunks(packed: bytes) -> bytes:
    """Return a plan of revision 0001 as revision 0002 packs it."""
    plan = msgspec.json.decode(zlib.decompress(packed))
    jobs = plan["jobs"]
    starts = range(0, len(jobs), CHUNK_JOBS)
    chunks = [zlib.compress(msgspec.json.encode(jobs[start : start + CHUNK_JOBS])) for start in starts]
    again = {"chunks": chunks, "jobs": len(jobs), "jobs_left_out": plan.get("jobs_left_out", 0)}
    return msgspec.msgpack.encode(again)
