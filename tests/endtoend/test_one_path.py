"""A workflow that is reached by links, and names one file in several ways: each file is recorded once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)
include: "rules/more.smk"

rule last:
    input: "LINK/work/scratch/b.txt", "../beside.txt"
    output: "c.txt"
    shell: "cat {input} > {output}"

rule first:
    input: a="a.txt"
    output: "LINK/work/scratch/b.txt"
    shell: "cp {input} {output}"
"""

MORE = """
rule source:
    input: workflow.source_path("table.csv")
    output: "a.txt"
    params: table=workflow.source_path("table.csv"), key=config.get("key", 1)
    script: "copy.py"
"""

COPY = "open(snakemake.output[0], 'w').write(open(snakemake.input[0]).read() + str(snakemake.params.key))"


def test_each_file_is_recorded_once(make_work: Callable[..., Work], tmp_path: Path) -> None:
    """By a link to the home, by a link to a scratch disk, by an absolute path or as a file of the workflow's source."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    work = make_work(SNAKEFILE.replace("LINK", str(link)))
    work.write("rules/table.csv", "x\n")
    work.write("rules/more.smk", MORE)
    work.write("rules/copy.py", COPY)
    (tmp_path / "beside.txt").write_text("y\n")
    (tmp_path / "disk").mkdir()
    (work.folder / "scratch").symlink_to(tmp_path / "disk")
    work.snakemake("c.txt")
    work.folder = link / "work"
    work.snakemake("c.txt", "-s", str(link / "work" / "Snakefile"), "--config", "key=2", "--forceall")

    files = {one["path"] for one in work.ask("verify")["files"]}
    assert files == {
        "Snakefile",
        "rules/more.smk",
        "rules/copy.py",
        "rules/table.csv",
        "a.txt",
        "scratch/b.txt",
        "c.txt",
        str(Path(os.path.realpath(tmp_path)) / "beside.txt"),
    }
    params = work.ask("show", "a.txt")["job"]["params"]
    assert params["table"].endswith("/work/rules/table.csv") and "cache" not in params["table"]
    for folder, typed in (
        ("", "scratch/b.txt"),
        ("scratch", "b.txt"),
        ("rules", "../scratch/b.txt"),
        ("", str(tmp_path / "disk" / "b.txt")),
        ("", str(link / "work" / "scratch" / "b.txt")),
        ("scratch", "../work/scratch/b.txt"),
    ):
        work.folder = link / "work" / folder
        arguments = () if folder != "scratch" else ("--store", str(tmp_path / "work" / ".snakeprov"))
        assert len(work.ask("log", typed, *arguments)["versions"]) == 2, (folder, typed)
