"""What do questions about provenance cost, and does that grow with the store?

Builds stores of 10 thousand, 100 thousand and 1 million activities (`--sizes`), shaped like real pipelines, through the
batch resource, and asks each the same questions through the embedded client: cold (nothing of the database in memory,
first time in a new connection) and warm (the best of several). Times are of the whole way: request, SQL, JSON, answer.
The full closures are compared with the bare recursive SQL on SQLite's driver: for the ids alone, and for all columns
that the answers have. `why` runs on a file that was rewritten in place again and again, on a result against that of
another sample, and against a merge of two thousand.

    python tests/benchmarks/lineage.py [--sizes 10000,100000] [--stores FOLDER]

A million activities take about half an hour to build and 3 GB; with `--stores` they stay there for the next time.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from snakeprov import connect
from snakeprov.cli.sources import sources_of
from snakeprov.client import Client
from snakeprov.disk.layout import DATABASE_NAME
from snakeprov.lineage import causes
from snakeprov.lineage.graph import Graph
from snakeprov.lineage.tree import rows
from tests.benchmarks.bigstore import LOG, REFERENCE, REPORT, Builder, file_of

SIZES = "10000,100000,1000000"
REPEATED = 5
CLOSURE_MAX = 100_000
"""The bound of the product: no answer has more nodes or versions than this."""

_UPSTREAM = """
WITH RECURSIVE reached(id, number) AS (
  VALUES (:id, :number) UNION
  SELECT usage.target_id, usage.target_version FROM reached
  JOIN revision ON revision.entity_id = reached.id AND revision.number = reached.number
  JOIN usage ON usage.activity_id = revision.activity_id
)
"""
_DOWNSTREAM = """
WITH RECURSIVE reached(id, number) AS (
  VALUES (:id, :number) UNION
  SELECT revision.entity_id, revision.number FROM reached
  JOIN usage ON usage.target_id = reached.id AND usage.target_version = reached.number
  JOIN revision ON revision.activity_id = usage.activity_id
)
"""
_IDS = ("SELECT id, number FROM reached",)
_AFFECTED = (
    """
SELECT reached.id, reached.number, path, entity.name, current_version, sha256, size_bytes, revision.created_on,
  revision.activity_id, activity.name, rule, job.run_id, run.git_commit, run.git_dirty
FROM reached JOIN revision ON entity_id = reached.id AND revision.number = reached.number
JOIN entity ON entity.id = entity_id JOIN activity ON activity.id = revision.activity_id
LEFT JOIN file_handle ON file_handle.id = file_handle_id LEFT JOIN job ON job.activity_id = revision.activity_id
LEFT JOIN run ON run.id = job.run_id
""",
)
_GRAPH = (
    """
SELECT reached.id, reached.number, path, entity.name, current_version, project_id, sha256, revision.activity_id
FROM reached JOIN revision ON entity_id = reached.id AND revision.number = reached.number
JOIN entity ON entity.id = entity_id LEFT JOIN file_handle ON file_handle.id = file_handle_id
""",
    """
SELECT activity.id, activity.name, rule, job.status, job.id, wildcards, job.ended_on, git_commit, git_dirty
FROM (SELECT DISTINCT activity_id FROM reached JOIN revision ON entity_id = reached.id AND
  revision.number = reached.number WHERE activity_id IS NOT NULL) AS made
JOIN activity ON activity.id = made.activity_id
LEFT JOIN job ON job.activity_id = activity.id LEFT JOIN run ON run.id = job.run_id
""",
    """
SELECT usage.activity_id, was_executed, target_id, target_version, url, name
FROM (SELECT DISTINCT activity_id FROM reached JOIN revision ON entity_id = reached.id AND
  revision.number = reached.number WHERE activity_id IS NOT NULL) AS made JOIN usage USING (activity_id)
""",
)

AFFECTED = "affected: the reference"
CLOSURE = "closure of the report"

Question = Callable[[Client], Any]


def build(folder: Path, size: int) -> None:
    """Make the store, unless it is there."""
    if (folder / DATABASE_NAME).exists():
        return
    print(f"building {size:,} activities", end="", flush=True)
    began_s, told = time.perf_counter(), 0

    def tell(made: int) -> None:
        nonlocal told
        if made >= told + size / 10:
            told = made
            print(".", end="", flush=True)

    Builder(folder).build(size, tell=tell)
    took_s = time.perf_counter() - began_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f" {took_s:.0f} s, {took_s / size * 1e3:.2f} ms an activity, at most {peak_mb:.0f} MB of memory")


def questions(client: Client) -> dict[str, Question]:
    """Return what is asked, by its name in the table."""
    one, report = file_of(client, "results/annotate/S000011.dat"), file_of(client, REPORT)
    reference, log = file_of(client, REFERENCE), file_of(client, LOG)
    (merged, *_) = client.provenance.search([("rule", "merge")]).results
    merge = (merged.entity_id or "", merged.version_number or 1)
    other = file_of(client, "results/annotate/S000012.dat")
    digest = hashlib.sha256(b"sort S000011").hexdigest()

    def folded(client: Client) -> int:
        answer = client.provenance.lineage(*report, depth=5, limit=1000)
        return len(list(rows(Graph.of(answer))))

    return {
        "one hop": lambda client: client.provenance.lineage(*one, depth=1).nodes,
        "depth 5 of a result": lambda client: client.provenance.lineage(*one, depth=5).nodes,
        "depth 5 of the report, folded": folded,
        "history of a long chain": lambda client: client.provenance.history(log[0], limit=100).results,
        "why: the last of a long chain": lambda client: why(client, (log[0], log[1] - 1), log),
        "diff: a result, a merge of 2000": lambda client: why(client, one, merge),
        "diff: results of two samples": lambda client: why(client, one, other),
        "find by digest": lambda client: client.provenance.with_digest("sha256", digest).results,
        "find sample= alpha=": lambda client: (
            client.provenance.search([("sample", "S000011"), ("alpha", "0.011")]).results
        ),
        "find alpha= (many), 100 shown": lambda client: client.provenance.search([("alpha", "0.011")]).results,
        "find rule= status=, 100 shown": lambda client: (
            client.provenance.search([("rule", "align"), ("status", "success")]).results
        ),
        "affected: the reference, nearest 1000": lambda client: (
            client.provenance.affected([reference], limit=1000).versions
        ),
        AFFECTED: lambda client: client.provenance.affected([reference], limit=CLOSURE_MAX).versions,
        CLOSURE: lambda client: client.provenance.lineage(*report, depth=1000, limit=CLOSURE_MAX).nodes,
    }


def why(client: Client, old: tuple[str, int], new: tuple[str, int]) -> int:
    """Ask as `snakeprov why` and `diff` do; return the number of changes."""
    sources = sources_of(client, Path.cwd())
    before, after = sources.tell([(*old, None, None), (*new, None, None)])
    assert before is not None and after is not None
    trace = causes.trace(before, after, sources)
    return len(trace.difference.causes) + sum(len(step.difference.causes) for step in trace.upstream)


def bare(
    folder: Path, reached: str, statements: Sequence[str], start: tuple[str, int], *, most: int
) -> tuple[float, int]:
    """Return how long the bare SQL takes for at most so many versions, and how many rows it finds."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        parameters = {"id": int(start[0].removeprefix("syn")), "number": start[1], "most": most}
        best_s = float("inf")
        for _ in range(2):
            began_s = time.process_time()
            connection.execute(f"CREATE TEMP TABLE reached AS {reached} SELECT * FROM reached LIMIT :most", parameters)  # noqa: S608
            count = sum(len(connection.execute(statement).fetchall()) for statement in statements)
            connection.execute("DROP TABLE temp.reached")
            best_s = min(best_s, time.process_time() - began_s)
    return best_s, count


def forget(folder: Path) -> None:
    """Have the system drop what it holds of the store in memory."""
    for file in folder.iterdir():
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def measured(folder: Path, ask: Question) -> tuple[float, float, float, Any]:
    """Return seconds cold, seconds warm, CPU seconds warm, and the answer."""
    forget(folder)
    with connect(folder) as client:
        began_s = time.perf_counter()
        ask(client)
        cold_s = time.perf_counter() - began_s
        warm_s = cpu_s = float("inf")
        for _ in range(REPEATED if cold_s < 1 else 1):
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            answer = ask(client)
            warm_s = min(warm_s, time.perf_counter() - began_s)
            cpu_s = min(cpu_s, time.process_time() - began_cpu_s)
    return cold_s, warm_s, cpu_s, answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES, help="how many activities, with commas between")
    parser.add_argument("--stores", type=Path, help="folder in which the stores stay")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        stores = arguments.stores or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lineage-")))
        for size in map(int, arguments.sizes.split(",")):
            folder = stores / str(size)
            build(folder, size)
            print(f"\n{size:,} activities" + " " * 22 + "  cold ms  warm ms   CPU ms    found")
            with connect(folder) as client:
                asked = questions(client)
                report, reference = file_of(client, REPORT), file_of(client, REFERENCE)
            versions = {}
            for name, ask in asked.items():
                cold_s, warm_s, cpu_s, answer = measured(folder, ask)
                found = answer if isinstance(answer, int) else len(answer)
                print(f"{name:38} {cold_s * 1e3:8.1f} {warm_s * 1e3:8.1f} {cpu_s * 1e3:8.1f} {found:8}")
                if name in (AFFECTED, CLOSURE):
                    versions[name] = sum(getattr(one, "kind", "entity") == "entity" for one in answer)
            for name, what, reached, statements, start in (
                (CLOSURE, "ids", _UPSTREAM, _IDS, report),
                (CLOSURE, "the same", _UPSTREAM, _GRAPH, report),
                (AFFECTED, "ids", _DOWNSTREAM, _IDS, reference),
                (AFFECTED, "the same", _DOWNSTREAM, _AFFECTED, reference),
            ):
                cpu_s, found = bare(folder, reached, statements, start, most=versions[name])
                print(f"{f'bare SQL, {name}, {what}':47} {'':8} {cpu_s * 1e3:8.1f} {found:8}")


if __name__ == "__main__":
    main()
