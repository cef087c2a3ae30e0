"""What is read from benchmark files and logs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snakeprov.plugin.outcome import MAX_BENCHMARK_BYTES, read_benchmark, tail

HEADER = "s\th:m:s\tmax_rss\tio_in\n"


def read(folder: Path, content: str, name: str = "job.tsv") -> list[dict[str, float]]:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return read_benchmark(str(path))


def test_numbers_are_numbers_and_unknown_ones_are_left_out(tmp_path: Path) -> None:
    """Each line after the header is a repetition; what Snakemake could not measure is not there."""
    found = read(tmp_path, HEADER + "0.25\t0:00:00\t12.5\t-\n1\t0:00:01\tNA\t0.0\n")

    assert found == [{"s": 0.25, "max_rss": 12.5}, {"s": 1.0, "io_in": 0.0}]


def test_json_lines_are_read_too(tmp_path: Path) -> None:
    """As a file that ends in .jsonl has them; what is no number, such as the params, is not kept a second time."""
    found = read(tmp_path, '{"s": 0.5, "rule_name": "a", "params": {"token": "x"}, "max_rss": null}\n', "job.jsonl")

    assert found == [{"s": 0.5}]


def test_no_file_and_an_empty_one_are_nothing(tmp_path: Path) -> None:
    """As when a job was touched, or its benchmark is somewhere else."""
    assert read_benchmark(str(tmp_path / "none.tsv")) == []
    assert read(tmp_path, "") == []
    assert read(tmp_path, HEADER) == []


def test_only_whole_lines_of_the_beginning_of_a_large_file_are_read(tmp_path: Path) -> None:
    """A job can overwrite its benchmark file with anything."""
    line = "0.25\t0:00:00\t12.5\t1.0\n"
    found = read(tmp_path, HEADER + line * MAX_BENCHMARK_BYTES)

    assert 0 < len(found) <= MAX_BENCHMARK_BYTES / len(line)
    assert found[-1] == found[0]


@pytest.mark.parametrize(("name", "content"), [("a.tsv", HEADER + "1\t2\n"), ("a.jsonl", "{\n")])
def test_what_snakemake_does_not_write_is_refused(tmp_path: Path, name: str, content: str) -> None:
    """Whoever asks says then that the numbers are not known."""
    with pytest.raises(ValueError):
        read(tmp_path, content, name)


def test_the_tail_of_what_is_no_regular_file_is_empty(tmp_path: Path) -> None:
    """A FIFO, which would block, is not opened."""
    os.mkfifo(tmp_path / "fifo")
    assert tail(str(tmp_path / "fifo"), 10) == ""


def test_the_tail_of_a_log_is_bounded_and_always_text(tmp_path: Path) -> None:
    """Only the last bytes are read, and what is not UTF-8 is replaced."""
    (tmp_path / "log").write_bytes(b"x" * 100 + b"\xffend")
    assert tail(str(tmp_path / "log"), 4) == "\ufffdend"
    assert tail(str(tmp_path / "none"), 4) == ""
