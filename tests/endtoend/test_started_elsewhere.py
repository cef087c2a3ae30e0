"""Snakemake can be started in another folder than the one it works in: what it is told to do next works there too."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

if config.get("inside"):
    workdir: "inner folder"

rule a:
    output: "a.txt"
    shell: "echo a > {output}"
"""


def test_the_command_in_the_last_line_works_where_snakemake_was_started(make_work: Callable[..., Work]) -> None:
    """With --directory, and where the Snakefile names its `workdir:`. A folder that is not there is said to be so."""
    work = make_work(SNAKEFILE)
    (inner := work.folder / "inner folder").mkdir()

    said = work.snakemake("--directory", "inner folder", "--snakefile", "Snakefile")
    (asked,) = re.findall(r"see: (snakeprov .*?)\)", said)
    assert asked == "snakeprov -C 'inner folder' log"
    program = [sys.executable, "-c", "import sys; from snakeprov.cli import main; sys.exit(main())"]
    done = subprocess.run(
        [*program, *shlex.split(asked)[1:]],
        cwd=work.folder,
        env=work.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "a.txt@1" in done.stdout
    assert (inner / ".snakeprov").is_dir()

    assert "see: snakeprov -C 'inner folder' log)" in work.snakemake("-F", "--config", "inside=1")
    assert "see: snakeprov log)" in work.snakemake("-F")
    assert "Cannot change to nowhere (No such file or directory)." in work.say("-C", "nowhere", "log", status=2)
