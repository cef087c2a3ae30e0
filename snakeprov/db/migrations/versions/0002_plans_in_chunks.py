"""Pack the jobs of each plan in chunks, so that a page is read without the rest."""

import zlib

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

CHUNK_JOBS = 500


def upgrade() -> None:
    """Pack every plan anew, one at a time: a plan can be long."""
    connection = op.get_bind()
    plans = sa.table("run_plan", sa.column("run_id"), sa.column("jobs"))
    for run_id in connection.scalars(sa.select(plans.c.run_id)).all():
        packed = connection.scalars(sa.select(plans.c.jobs).where(plans.c.run_id == run_id)).one()
        plan = msgspec.json.decode(zlib.decompress(packed))
        jobs = plan["jobs"]
        starts = range(0, len(jobs), CHUNK_JOBS)
        chunks = [zlib.compress(msgspec.json.encode(jobs[start : start + CHUNK_JOBS])) for start in starts]
        again = {"chunks": chunks, "jobs": len(jobs), "jobs_left_out": plan.get("jobs_left_out", 0)}
        connection.execute(sa.update(plans).where(plans.c.run_id == run_id).values(jobs=msgspec.msgpack.encode(again)))
