"""A workflow that lies in one store, takes rules from two others, and runs in a folder of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.endtoend.conftest import Work

MAIN = """
import snakeprov
snakeprov.track(workflow)

rule all:
    input: "own.txt", "shared.txt", "pinned.txt"

rule own:
    output: "own.txt"
    script: "scripts/own.py"

module shared:
    snakefile: "{shared}"

use rule shared from shared

module pinned:
    snakefile: "git+file:{pinned}@v2"

use rule pinned from pinned
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; return what it prints."""
    names = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_repository(folder: Path, *, remote: str, tag: str, **files: str) -> str:
    """Make a repository with one tagged commit; return the commit. `a__b` is the file a/b."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a commit")
    git(folder, "tag", tag)
    git(folder, "remote", "add", "origin", remote)
    return git(folder, "rev-parse", "HEAD")


def test_code_is_that_of_the_repository_that_it_lies_in(make_work: Callable[..., Work], tmp_path: Path) -> None:
    """Each file at the commit of its own repository; the run at that of the main Snakefile's."""
    shared = make_repository(
        tmp_path / "shared",
        remote="git@github.com:lab/shared.git",
        tag="v1",
        Snakefile='rule shared:\n    output: "shared.txt"\n    script: "scripts/shared.py"\n',
        **{"scripts/shared.py": "open(snakemake.output[0], 'w').write('shared')\n"},
    )
    make_repository(
        tmp_path / "pinned",
        remote="git@github.com:lab/pinned.git",
        tag="v2",
        Snakefile='rule pinned:\n    output: "pinned.txt"\n    shell: "echo pinned > {output}"\n',
    )
    main = make_repository(
        tmp_path / "pipeline",
        remote="https://ada:hunter2@github.com/lab/pipeline.git",
        tag="v3",
        **{
            "workflow/Snakefile": MAIN.format(
                shared=tmp_path / "shared/Snakefile", pinned=tmp_path / "pinned/Snakefile"
            ),
            "workflow/scripts/own.py": "import shapes\nopen(snakemake.output[0], 'w').write('own')\n",
            "workflow/shapes.py": "",
        },
    )
    work = make_work("")
    (work.folder / "Snakefile").unlink()
    (work.folder / "snakeprov.toml").write_text("project = 'deployed'\n")
    work.snakemake("--snakefile", str(tmp_path / "pipeline/workflow/Snakefile"))

    own, shared_, pinned = (work.ask("show", name) for name in ("own.txt", "shared.txt", "pinned.txt"))
    assert own["run"]["git"] == {
        "commit": main,
        "branch": "main",
        "describe": "v3",
        "remote": "https://github.com/lab/pipeline.git",
        "dirty": False,
    }
    pipeline = f"https://github.com/lab/pipeline/blob/{main}/workflow"
    links = {used["url"] for used in own["activity"]["used"] if used["wasExecuted"] and "url" in used}
    assert {f"{pipeline}/Snakefile#L8", f"{pipeline}/scripts/own.py", f"{pipeline}/shapes.py"} <= links
    links = {used["url"] for used in shared_["activity"]["used"] if "url" in used}
    lab = f"https://github.com/lab/shared/blob/{shared}"
    assert {f"{lab}/Snakefile#L1", f"{lab}/scripts/shared.py"} <= links
    copies = [one for one in pinned["job"]["code"] if "pinned" in one["path"]]
    assert [one["path"] for one in copies] == [f"git+file:{tmp_path}/pinned/Snakefile@v2"]
    # Snakemake fetches it into another folder each time; it is the same file all the same.
    work.snakemake("--snakefile", str(tmp_path / "pipeline/workflow/Snakefile"), "--forcerun", "pinned")
    again = [one for one in work.ask("show", "pinned.txt")["job"]["code"] if "pinned" in one["path"]]
    assert again == copies
