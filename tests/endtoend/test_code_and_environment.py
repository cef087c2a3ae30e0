"""Which code and which software made a file: modules, patch, tags, packages, images, versions."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import snakemake.common

from tests.endtoend.conftest import Work

CONDA = """#!/bin/bash
# Answers what Snakemake asks of conda, and makes environments of one package.
case "$1 $2" in
  "info --json") echo '{"conda_prefix": "BASE", "platform": "linux-64"}';;
  "--version ") echo "conda 24.7.1";;
  "config --get") echo '{"get": {"channel_priority": "strict"}}';;
  "env create")
    while [ "$1" != --prefix ]; do shift; done
    mkdir -p "$2/conda-meta" "$2/lib/python3.11/site-packages/pipped-2.0.dist-info"
    echo '{"name": "samtools", "version": "1.20", "build": "h50ea8bc_0", "files": ["bin/samtools"],
      "channel": "https://conda.anaconda.org/t/tk-secret-8aff/bioconda/linux-64"}' > "$2/conda-meta/samtools.json"
    echo 'no JSON' > "$2/conda-meta/broken.json";;
  clean*) ;;
  *) echo "conda $* is not known here" >&2; exit 1;;
esac
"""

APPTAINER = """#!/bin/bash
# Runs the command that it is given, in no container.
case "$*" in
  --version) echo "apptainer version 1.3.0";;
  *) while [ "$1" != -c ]; do shift; done; exec bash -c "$2";;
esac
"""

SNAKEFILE = """
import snakeprov
snakeprov.track(workflow)

rule all:
    input: "one.txt", "two.txt", "three.txt", "four.txt"

rule align:
    output: "{n}.txt"
    wildcard_constraints: n="one|two"
    conda: "envs/tool.yaml"
    shell: "echo {wildcards.n} > {output}"

rule script:
    output: "three.txt"
    script: "scripts/make.py"

rule contained:
    output: "four.txt"
    container: "image.sif"
    envmodules: "bio/samtools/1.20", "R"
    shell: "echo 4 > {output}"
"""


@pytest.fixture
def conda(tmp_path: Path) -> str:
    """Give a PATH with a conda, an apptainer and a `module` that know just enough."""
    base = tmp_path / "base"
    (base / "bin").mkdir(parents=True)
    programs = {"conda": CONDA.replace("BASE", str(base)), "apptainer": APPTAINER, "module": "#!/bin/sh\n"}
    for name, text in programs.items():
        program = base / "bin" / name
        program.write_text(text)
        program.chmod(0o755)
    (base / "bin" / "activate").write_text("export CONDA_PREFIX=$1\n")
    return f"{base / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def work(make_work: Callable[..., Work], conda: str) -> Work:
    """A dirty tree after a tag, run once with every deployment method."""
    work = make_work(
        SNAKEFILE,
        **{
            "envs/tool.yaml": "channels: [bioconda]\ndependencies: [samtools]\n",
            "scripts/make.py": "import lib\nopen(snakemake.output[0], 'w').write(lib.TEXT)\n",
            "scripts/lib.py": "from deeper import TEXT\n",
            "scripts/deeper.py": "TEXT = 'before'\n",
            "image.sif": "an image",
            ".gitignore": "*.txt\n",
        },
    )
    work.commit()
    work.git("tag", "v0.1")
    work.write("scripts/deeper.py", "TEXT = 'after'\n")
    work.snakemake("--sdm", "conda", "apptainer", "env-modules", PATH=conda)
    return work


def test_code_and_environment_of_a_file(work: Work) -> None:
    """All that was asked of one real run."""
    commit = work.git("rev-parse", "HEAD")
    _code(work, commit)
    _environments(work)
    _refusals(work)


def _code(work: Work, commit: str) -> None:
    """The modules that a script imports were executed; the commit has its tag, the mark of the dirty tree, a patch."""
    shown = work.ask("show", "three.txt")
    executed = {file["path"] for file in shown["job"]["code"]}
    assert executed == {"Snakefile", "scripts/make.py", "scripts/lib.py", "scripts/deeper.py"}
    assert sum(used["wasExecuted"] for used in shown["activity"]["used"]) == len(executed)
    said = work.say("show", "three.txt")
    assert f"{commit[:7]}+dirty (v0.1) on main" in said
    patch = work.say("show", "--patch", "three.txt")
    assert "-TEXT = 'before'\n+TEXT = 'after'\n" in patch
    assert work.ask("show", "--patch", "three.txt") == {"patch": patch}
    work.git("stash", "--quiet")
    subprocess.run(["git", "apply", "-"], cwd=work.folder, input=patch.encode(), check=True)
    assert (work.folder / "scripts/deeper.py").read_text() == "TEXT = 'after'\n"


def _environments(work: Work) -> None:
    """What was installed, at which versions; jobs of one environment share one document."""
    one, two, four = (work.ask("show", "--environment", f"{name}.txt") for name in ("one", "two", "four"))
    assert one == two
    assert one["snakemake"] == snakemake.common.__version__
    assert one["deploymentMethods"] == ["apptainer", "conda", "env-modules"]
    assert "snakemake-executor-plugin-cluster-generic" in one["plugins"]
    assert one["conda"] == {
        "file": "envs/tool.yaml",
        "sha256": _sha256(work, "envs/tool.yaml"),
        "packages": [
            {"name": "pipped", "version": "2.0", "channel": "pypi"},
            {"name": "samtools", "version": "1.20", "build": "h50ea8bc_0", "channel": "bioconda"},
        ],
    }
    assert four["container"] == {"image": "image.sif", "file": "image.sif", "sha256": _sha256(work, "image.sif")}
    assert four["envModules"] == ["bio/samtools/1.20", "R"]
    printed = work.say("show", "--environment", "one.txt")
    assert "2 packages" in printed
    assert "samtools  1.20  h50ea8bc_0  bioconda" in printed
    digests = [_job(work, f"{name}.txt")["environmentDigest"] for name in ("one", "two", "three", "four")]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    with sqlite3.connect(work.folder / ".snakeprov/provenance.sqlite") as database:
        kept = database.execute("SELECT count(*) FROM file_handle WHERE file_name LIKE 'environment-%'").fetchone()
    assert kept == (3,)


def _refusals(work: Work) -> None:
    """What is not there is said with its reason."""
    said = work.say("show", "--environment", "envs/tool.yaml", status=3)
    assert "No recorded job made envs/tool.yaml@1." in said
    work.git("commit", "--quiet", "--all", "--message", "more")
    work.write("scripts/make.py", "open(snakemake.output[0], 'w').write('new')\n")
    work.git("commit", "--quiet", "--all", "--message", "and more")
    work.snakemake("three.txt", "four.txt", "--forcerun", "contained")
    assert work.ask("status")["failedDeliveries"] == 0
    said = work.say("show", "--patch", "three.txt", status=3)
    assert f"There is no patch of three.txt@2: its code is that of commit {work.git('rev-parse', 'HEAD')[:8]}." in said
    assert "TEXT = 'after'" in work.say("show", "--patch", "three.txt@1")


def _job(work: Work, path: str) -> dict[str, Any]:
    job: dict[str, Any] = work.ask("show", path)["job"]
    return job


def _sha256(work: Work, path: str) -> str:
    return hashlib.sha256((work.folder / path).read_bytes()).hexdigest()


UNSWITCHED = """
import snakeprov
snakeprov.track(workflow)
shell.prefix("export MODE=fast; ")
shell.suffix("; true")

rule last:
    input: "two.txt"
    output: "last.txt"
    container: "docker://debian:12"
    envmodules: "bio/samtools/1.20"
    shell: "cat {input} > {output}"

rule two:
    output: "two.txt"
    conda: "envs/tool.yaml"
    shell: "echo 2 > {output}"

rule pinned:
    output: "pinned.txt"
    wrapper: "v1/bio/x"
"""

URL_ENVIRONMENT = "channels: [bioconda]\ndependencies: [samtools]\n"


def test_an_environment_counts_only_where_it_was_active(
    make_work: Callable[..., Work], tmp_path: Path, conda: str
) -> None:
    """Without `--sdm` nothing says that a job ran in what its rule names; a remote one is a link and its copy."""
    work = make_work(UNSWITCHED, **{"envs/tool.yaml": "dependencies: []\n"})
    wrappers = tmp_path / "wrappers"
    (wrappers / "bio/x").mkdir(parents=True)
    (wrappers / "bio/x/wrapper.py").write_text("open(snakemake.output[0], 'w').write('w')\n")
    (wrappers / "bio/x/environment.yaml").write_text(URL_ENVIRONMENT)
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v1"]):
        work.git("-C", str(wrappers), *arguments)
    prefix = ["--wrapper-prefix", f"git+file://{wrappers}/"]
    work.snakemake("last.txt")
    shown = work.ask("show", "last.txt")
    assert [one for one in shown["activity"]["used"] if "url" in one] == []
    assert shown["job"]["shellcmd"] == "export MODE=fast;  cat two.txt > last.txt ; true", "the command as it ran"
    assert shown["run"]["commandLine"].startswith("snakemake --cores 2"), "python -m snakemake"
    assert "not active  container docker://debian:12, modules bio/samtools/1.20" in work.say("show", "last.txt")
    for asked in (("methods", "last.txt"), ("lineage", "last.txt"), ("export", "last.txt", "--format", "prov-json")):
        said = work.say(*asked)
        assert "docker://" not in said
        assert "envs/tool.yaml" not in said
        assert "samtools" not in said
    assert "two.txt" not in work.say("affected", "envs/tool.yaml", status=3)

    work.snakemake("pinned.txt", "--sdm", "conda", *prefix, PATH=conda)
    environment = work.ask("show", "--environment", "pinned.txt")["conda"]
    url = f"git+file://{wrappers}/bio/x/environment.yaml@v1"
    assert environment["url"] == url
    assert environment["sha256"] == hashlib.sha256(URL_ENVIRONMENT.strip().encode()).hexdigest(), (
        "the copy, which git show made"
    )
    assert work.ask("status")["failedDeliveries"] == 0
