"""What is heard of jobs in Snakemake's log messages."""

from __future__ import annotations

import logging
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest

snakemake_logging = pytest.importorskip("snakemake.logging")
if not isinstance(snakemake_logging.logger, logging.Logger):
    pytest.skip("Snakemake before 9.0 has a logger of its own", allow_module_level=True)

from snakeprov.plugin.capturing import Capture  # noqa: E402
from snakeprov.plugin.messages import listening_for_jobs  # noqa: E402
from snakeprov.settings import Settings  # noqa: E402


class Event(Enum):
    JOB_INFO = "job_info"


class Dag:
    """Jobs by number, as Snakemake's DAG has them; counts how often it is searched."""

    def __init__(self, count: int) -> None:
        self.numbers: dict[Any, int] = {SimpleKey(number): number for number in range(count)}
        self.searches = 0

    @property
    def jobs(self) -> Any:
        dag = self

        class Jobs(dict):  # type: ignore[type-arg]
            def __iter__(self) -> Any:
                dag.searches += 1
                return iter(dag.numbers)

        return Jobs(self.numbers)

    def jobid(self, job: Any) -> int:
        return self.numbers[job]


class SimpleKey(SimpleNamespace):
    """A job of which nothing but its number matters."""

    __hash__ = object.__hash__

    def __init__(self, number: int) -> None:
        super().__init__(jobid=number)


class Heard(Capture):
    """Keeps which jobs it is told of."""

    def __init__(self, workflow: Any) -> None:
        super().__init__(workflow, Settings(), executor=None)
        self.began: list[Any] = []

    def jobs_started(self, jobs: Any) -> None: ...

    def job_began(self, job: Any) -> None:
        self.began.append(job)


def say(number: int) -> None:
    """Log what Snakemake logs when a job begins."""
    said = {"levelno": logging.INFO, "event": Event.JOB_INFO, "jobid": number}
    snakemake_logging.logger.handle(logging.makeLogRecord(said))


def test_the_dag_is_searched_again_only_when_it_has_changed() -> None:
    """In an unknown Snakemake each job is found by its number, whatever a checkpoint makes of the DAG."""
    dag = Dag(100)
    workflow = SimpleNamespace(dag=dag)
    capture = Heard(workflow)
    with listening_for_jobs(workflow, capture):
        for number in range(100):
            say(number)
        assert (len(capture.began), dag.searches) == (100, 1)
        dag.numbers = {job: number for job, number in dag.numbers.items() if number != 7} | {SimpleKey(7): 7}
        dag.numbers[SimpleKey(100)] = 100
        for number in (7, 100, 8):
            say(number)
    assert [dag.numbers[job] for job in capture.began[100:]] == [7, 100, 8]
    assert dag.searches == 2
