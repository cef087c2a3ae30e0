"""Of a path at which no file is recorded it is told what it is, where the records know."""

from __future__ import annotations

from collections.abc import Callable

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

configfile: "config/config.yaml"

NAMES = open(config["samples"]["table"]).read().split()

rule all:
    input: expand("results/{name}.txt", name=NAMES), "parts"

rule make:
    output: "results/{name}.txt"
    shell: "echo {wildcards.name} > {output}"

rule parts:
    output: directory("parts")
    shell: "mkdir {output}; touch {output}/one"

rule broken:
    output: "broken.txt"
    shell: "exit 1"
"""


def test_a_path_that_is_no_recorded_file_is_explained(make_work: Callable[..., Work]) -> None:
    """A config file, a sample sheet, a folder of results, a file in a directory, a failed output; not just any file."""
    files = {"config/config.yaml": "samples: {table: samples.txt}\n", "samples.txt": "a b\n", "zzzzzzzzzzzz": "?\n"}
    work = make_work(SNAKEFILE, **files)
    work.snakemake()
    work.snakemake("broken.txt", status=1)

    def told(path: str, command: str = "log") -> str:
        message, hint = work.say(command, path, status=3).splitlines()
        assert message.startswith(f"snakeprov: error: {path} is not recorded in ")
        return hint

    assert told("config/config.yaml").startswith("It is a config file of run ")
    assert " names it (samples.table). What a Snakefile itself reads is not recorded." in told("samples.txt")
    for folder in ("results", "results/"):
        assert told(folder, "show").startswith(
            "It is a folder with 2 recorded files: results/a.txt, results/b.txt. Name one"
        )
    assert told("parts/one") == "It lies in parts/, a directory that is recorded as a whole: ask about parts/ instead."
    assert told("broken.txt") == ("The job that was to make it did not succeed: 'snakeprov show broken.txt' tells why.")
    assert told("zzzzzzzzzzzz").startswith("The file exists, but no recorded job has read or written it.")
