"""A smoke test of an installed snakeprov that needs nothing but snakeprov and what it requires: no pytest, no clone.

    PYTHON tests/smoke.py

Records a small workflow twice and calls every command on it. The scripts in tests/install-run run it in environments
that hold no test tools, where a requirement that is missing from pyproject.toml shows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from importlib.metadata import requires, version
from pathlib import Path

TIMEOUT_S = 120

SNAKEFILE = """\
import snakeprov; snakeprov.track(workflow)

rule total:
    input: "a.txt", "b.txt"
    output: "total.txt"
    params: factor=config.get("factor", 1)
    shell: "echo $(( {params.factor} * ($(cat a.txt) + $(cat b.txt)) )) > {output}"

rule one:
    input: "{name}.in"
    output: "{name}.txt"
    shell: "cp {input} {output}"
"""

BIN = Path(sys.executable).parent
ENVIRONMENT = {
    **{
        name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SNAKEPROV_", "PYTHON"))
    },
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
}


def run(*command: str, status: int = 0) -> str:
    """Run a command in the current folder; return what it prints. It must exit with `status`."""
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != status:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}, expected {status}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def check(what: str, holds: bool) -> None:
    """End with a message unless something holds."""
    if not holds:
        sys.exit(f"smoke test: {what}")


def record() -> None:
    """Record a workflow, and once more with another parameter."""
    Path("Snakefile").write_text(SNAKEFILE)
    Path("a.in").write_text("1\n")
    Path("b.in").write_text("2\n")
    check("the first run is recorded", "recorded 3 jobs: 3 new versions" in run("snakemake", "--cores", "1"))
    again = run("snakemake", "--cores", "1", "--config", "factor=2", "--forcerun", "total")
    check("the second run is recorded", "recorded 1 job: 1 new version" in again)


def ask() -> None:
    """Call the commands that ask, keep and share."""
    log = json.loads(run("snakeprov", "log", "total.txt", "--json"))
    check("both versions are listed", [one["versionNumber"] for one in log["versions"]] == [2, 1])
    check("why names the param", "params.factor changed 1 -> 2" in run("snakeprov", "why", "total.txt"))
    check("affected counts", "2 versions" in run("snakeprov", "affected", "a.txt"))
    for command in ("show", "lineage", "methods"):
        check(f"{command} names the file", "total.txt" in run("snakeprov", command, "total.txt"))
    for command in ("ls", "runs", "run", "status", "push", "fsck", "prune", "backfill"):
        extra = ("--unreferenced",) if command == "prune" else ()
        run("snakeprov", command, *extra)
    run("snakeprov", "diff", "total.txt@1", "total.txt@2")
    run("snakeprov", "lineage", "total.txt", "-o", "total.html")
    check("the page is drawn", "drawingLayout" in Path("total.html").read_text())
    run("snakeprov", "restore", "total.txt@1", "-o", "old.txt")
    check("the old bytes are back", Path("old.txt").read_text() == "3\n")
    check("find knows them", "total.txt@1" in run("snakeprov", "find", "--file", "old.txt"))
    run("snakeprov", "checkout", "run:last", "--to", "everything")
    run("snakeprov", "record", "note.txt", status=2)
    Path("total.txt").write_text("0\n")
    run("snakeprov", "verify", "total.txt", status=4)
    told = run("snakeprov", "export", "total.txt", "-o", "total.zip", status=2)
    check("export says what to install", "pip install 'snakeprov[export]'" in told)


def serve() -> None:
    """Serve the store and ask the server."""
    server = subprocess.Popen(
        ["snakeprov", "serve", "--port", "0", "--json"], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        address = f"{told['url']}/snakeprov/v1/openapi.json"
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310  our own server
            check("the server describes itself", json.load(answer)["openapi"].startswith("3."))
        ENVIRONMENT.update(SNAKEPROV_STORE=told["url"], SNAKEPROV_TOKEN=told["token"])
        check("the server answers commands", "total.txt" in run("snakeprov", "log", "total.txt"))
    finally:
        server.terminate()
        server.wait(TIMEOUT_S)


def main() -> None:
    """Do all of it in an empty folder; every command has to print its help, too."""
    os.environ["PATH"] = ENVIRONMENT["PATH"]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        commands = run("snakeprov", "--help").partition("Commands:\n")[2].split("\n")
        names = [line.split()[0] for line in commands if line.startswith("  ") and line[2] != " "]
        check("there are commands", len(names) > 20)
        for name in names:
            run("snakeprov", name, "--help")
        record()
        ask()
        serve()
        os.chdir("/")
    wanted = sorted(one.partition(";")[0] for one in requires("snakeprov") or () if "extra ==" not in one)
    print(f"snakeprov {version('snakeprov')} works with Python {sys.version.split()[0]} and")
    print("  " + ", ".join(f"{one} ({version(_name(one))})" for one in wanted))


def _name(requirement: str) -> str:
    """Return the name of the package that a requirement is about."""
    return next(requirement[:end] for end in range(1, len(requirement)) if requirement[end] in "<>=!~ [")


if __name__ == "__main__":
    main()
