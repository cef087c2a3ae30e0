"""`why` and `diff`, asked of a workflow that Snakemake really ran, changed and ran again."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.conftest import Variables, Work

Ask = Callable[..., str]
Golden = Callable[[str, str], None]

DOCS = Path(__file__).parents[2] / "docs" / "commands"
SNAKEFILE = """import snakeprov; snakeprov.track(workflow)
configfile: "config.yaml"

rule all:
    input: "results/report.txt"

rule clean:
    input: "data/{sample}.csv"
    output: "results/clean/{sample}.csv"
    params: minimum=config["minimum"]
    shell: "awk '$1 >= {params.minimum}' {input} > {output}"

rule fit:
    input: table="results/clean/a.csv", other="results/clean/b.csv"
    output: "results/fit.json"
    params: alpha=config["alpha"], opts={"seeds": [1, config["seed"]]}
    script: "scripts/fit.py"

rule report:
    input: "results/fit.json"
    output: "results/report.txt"
    shell: "cat {input} > {output}"
"""
SCRIPT = """import json
total = sum(float(line) for name in snakemake.input for line in open(name))
with open(snakemake.output[0], "w") as out:
    json.dump({"total": total * snakemake.params.alpha}, out)
"""
CONFIG = "minimum: 1\nalpha: 0.1\nseed: 2\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Five runs: the first; another alpha; other data and another script; another seed; another rule `report`."""
    work = Work(tmp_path_factory.mktemp("why"))
    work.write("Snakefile", SNAKEFILE)
    work.write("scripts/fit.py", SCRIPT)
    work.write("config.yaml", CONFIG)
    work.write("data/a.csv", "1\n2\n3\n")
    work.write("data/b.csv", "5\n")
    work.write(".gitignore", "results/\n.snakemake/\n")
    work.commit()
    work.snakemake()
    work.write("config.yaml", CONFIG.replace("0.1", "0.2"))
    work.snakemake()
    work.write("data/a.csv", "1\n2\n3\n4\n")
    work.write("scripts/fit.py", SCRIPT.replace("total * ", "2 * total * "))
    work.snakemake()
    work.write("config.yaml", CONFIG.replace("0.1", "0.2").replace("seed: 2", "seed: 3"))
    work.snakemake()
    work.write(
        "Snakefile", SNAKEFILE.replace("cat {input}", "cat {input} {input}").replace("rule all", "# all\nrule all")
    )
    work.snakemake()
    return work


@pytest.fixture
def ask(recorded: Work) -> Ask:
    """Give `ask(*arguments, status=0)`: run a command in the working directory; return what it printed."""
    return recorded.say


def steady(text: str, work: Work) -> str:
    """Return a text without what differs from one recording to the next: ids of runs, commits, times, the folder."""
    with work.connect() as client:
        runs = client.runs.list().results[::-1]
    for number, run in enumerate(runs, start=1):
        text = text.replace(run.id, f"RUN-{number}").replace(run.id[:8], f"run-{number}")
        if run.git is not None and run.git.commit is not None:
            text = text.replace(run.git.commit[:7], "1a2b3c4")
    # Snakemake names the files in its reasons in any order.
    text = re.sub(r"(?<=another job: )[^(;]+(?= \()", lambda found: ", ".join(sorted(found[0].split(", "))), text)
    return re.sub(r"just now|\d+ \w+ ago", "N ago", text)


def test_what_only_git_knows_is_named(golden: Golden, tmp_path: Path) -> None:
    """A tracked file that no rule declares made the difference: git names it; without the repository that is said."""
    work = Work(tmp_path)
    shell = "cat extra.txt {input} > {output}; date +%N >> {output}"
    work.write(
        "Snakefile",
        "import snakeprov; snakeprov.track(workflow)\n"
        f"rule all:\n    input: 'in.txt'\n    output: 'out.txt'\n    shell: '{shell}'\n",
    )
    work.write("in.txt", "1\n")
    work.write("extra.txt", "1\n")
    work.write(".gitignore", ".snake*\nout.txt\n")
    for content in ("1\n", "2\n"):
        work.write("extra.txt", content)
        work.commit()
        work.snakemake("--forceall")
    golden("why-unrecorded.txt", steady(work.say("why", "out.txt"), work))
    (unrecorded, *_) = work.ask("why", "out.txt")["unrecorded"]
    assert unrecorded == {"kind": "files", "names": ["extra.txt"]}
    shutil.rmtree(tmp_path / ".git")
    assert "git cannot tell which other files changed" in work.say("why", "out.txt").splitlines()[0]


LARGE = """import snakeprov; snakeprov.track(workflow)
import pandas
configfile: "config.yaml"

SAMPLES = [f"s{number}" for number in range(6000)] + [config["last"]]
TABLE = pandas.DataFrame({"sample": range(200), "value": [float(config["value"])] * 200})

rule all:
    input: "all.txt"

rule sample:
    input: "in{sample}.txt"
    output: "out{sample}.txt"
    params: samples=SAMPLES, table=TABLE, names={1: "a", "1": "b"}, seed=lambda wildcards: SEED + int(wildcards.sample)
    shell: "cat {input} > {output}; echo {params.seed} >> {output}"

SEED = config["seed"]

rule gather:
    input: expand("out{sample}.txt", sample=range(12))
    output: "all.txt"
    script: "gather.py"
"""
LARGE_SCRIPT = """with open(snakemake.output[0], "w") as out:
    print(len(snakemake.input), file=out)
"""


def large_config(*, last: str, value: int, seed: int) -> str:
    """A configuration with a list of which only the last number differs."""
    numbers = [*range(6000), seed]
    return f"last: {last}\nvalue: {value}\nseed: {seed}\nnumbers: {numbers}\n"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, store: Variables) -> Work:
    """Two runs without version control: all jobs again with another table, list, seed, script and other inputs."""
    pytest.importorskip("pandas", reason="pandas is not installed here")
    work = Work(tmp_path_factory.mktemp("large"), store)
    work.write("Snakefile", LARGE)
    work.write("gather.py", LARGE_SCRIPT)
    work.write("config.yaml", large_config(last="s6000", value=1, seed=1))
    for number in range(12):
        work.write(f"in{number}.txt", "1\n")
    work.snakemake()
    for number in range(12):
        work.write(f"in{number}.txt", "2\n")
    work.write("gather.py", LARGE_SCRIPT.replace("len(", "2 * len("))
    work.write("config.yaml", large_config(last="other", value=2, seed=5))
    work.snakemake("--forceall")
    return work


@pytest.mark.parametrize("name", ["why-large-values", "diff-large-runs"])
def test_large_values_are_compared_whole(large: Work, golden: Golden, name: str) -> None:
    """`why` names the table and the list of which one value changed; `diff` folds what many jobs share."""
    ids = [run["id"] for run in large.ask("runs")][::-1]
    arguments = ["why", "out3.txt"] if name.startswith("why") else ["diff", f"run:{ids[0]}", f"run:{ids[1]}"]
    told = steady(large.say(*arguments), large)
    golden(f"{name}.txt", re.sub("sha256:[0-9a-f]{16}", "sha256:…", told))
    assert max(map(len, large.say("show", "out3.txt").splitlines())) < 500


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("why-first", ["why", "results/fit.json@1"]),
        ("why-param", ["why", "results/fit.json@2"]),
        ("why-code-and-input", ["why", "results/fit.json"]),
        ("why-upstream", ["why", "results/report.txt@3"]),
        ("why-rule", ["why", "results/report.txt"]),
        ("why-edited", ["why", "data/a.csv"]),
        ("why-raw", ["why", "data/b.csv"]),
        ("diff-versions", ["diff", "results/fit.json@1", "results/fit.json@3", "--content"]),
        ("diff-wildcards", ["diff", "results/clean/a.csv", "results/clean/b.csv"]),
        ("diff-rules", ["diff", "results/fit.json", "results/report.txt"]),
        ("diff-one", ["diff", "results/fit.json", "results/fit.json@3"]),
    ],
)
def test_what_people_read(recorded: Work, golden: Golden, name: str, arguments: list[str]) -> None:
    """The first line is a sentence that can be pasted into a mail; under it stands what it is made of."""
    golden(f"{name}.txt", steady(recorded.say(*arguments), recorded))


def test_what_people_read_of_two_runs(recorded: Work, ask: Ask, golden: Golden) -> None:
    """Commit, config and outputs of two runs are compared, outputs folded by rule."""
    ids = [run["id"] for run in json.loads(ask("runs", "--json"))][::-1]
    golden("diff-runs.txt", steady(ask("diff", f"run:{ids[0][:8]}", f"run:{ids[2]}"), recorded))
    assert ask("diff", "run:last", f"run:{ids[-1][:6]}").splitlines()[1:] == []


def keys_of(value: Any) -> set[str]:
    """Return the names of all keys in a JSON value, but those inside of recorded values."""
    if isinstance(value, list):
        return set().union(*map(keys_of, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    plain = {key: one for key, one in value.items() if not (key in ("old", "new") and "kind" in value)}
    return set(value).union(*map(keys_of, plain.values()))


@pytest.mark.parametrize(
    ("page", "arguments"),
    [
        ("why", ["why", "results/fit.json"]),
        ("why", ["why", "results/fit.json@1"]),
        ("diff", ["diff", "results/fit.json@1", "results/fit.json@3", "--content"]),
        ("diff", ["diff", "run:last", "run:last"]),
    ],
)
def test_every_key_of_the_json_is_documented(ask: Ask, page: str, arguments: list[str]) -> None:
    """What a program finds in the answer stands in the page of the command."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert {key for key in keys_of(json.loads(ask(*arguments, "--json"))) if f"`{key}`" not in text} == set()


def test_the_json_of_why_holds_all_of_it(ask: Ask) -> None:
    """Causes with their old and new values, upstream steps with their distance, and the last time it was made."""
    answer = json.loads(ask("why", "results/fit.json", "--json"))
    assert [(one["kind"], one["name"]) for one in answer["causes"]] == [
        ("code", "scripts/fit.py"),
        ("input", "results/clean/a.csv"),
    ]
    assert answer["causes"][0]["difference"]["lines"][-1].startswith('+    json.dump({"total": 2')
    assert [(one["distance"], one["difference"]["new"]["path"]) for one in answer["upstream"]] == [
        (1, "results/clean/a.csv"),
        (2, "data/a.csv"),
    ]
    assert (answer["old"]["versionNumber"], answer["new"]["versionNumber"], answer["truncated"]) == (2, 3, False)
    assert answer["madeAgain"]["count"] == 1
    assert [(one["name"], one["old"], one["new"]) for one in answer["madeAgain"]["causes"]] == [("opts.seeds[1]", 2, 3)]


def test_the_depth_bounds_what_is_looked_at(ask: Ask) -> None:
    """`--depth 1` looks at the inputs only, and says that there is more."""
    answer = json.loads(ask("why", "results/report.txt@3", "--depth", "1", "--json"))
    assert [one["difference"]["new"]["path"] for one in answer["upstream"]] == ["results/fit.json"]
    assert answer["truncated"]
    assert "more lies upstream" in ask("why", "results/report.txt@3", "--depth", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["why", "results/fit.jsn"], "Did you mean results/fit.json?"),
        (["why", "results/fit.json@9"], "has no version 9.\nIt has versions 1 to 3."),
        (["why", "run:last"], "names a run; a file was expected here."),
        (["diff", "run:last", "results/fit.json"], "A run cannot be compared with a file"),
        (["diff", "run:last", "run:last", "--content"], "--content and --depth are about files"),
    ],
)
def test_bad_names_are_told_clearly(recorded: Work, arguments: list[str], message: str) -> None:
    """Unknown paths get near matches, unknown versions the known ones; kinds of things are not mixed."""
    answer = recorded.call(*arguments)
    assert answer.status != 0
    assert message in answer.err


def test_missing_bytes_break_nothing(recorded: Work, tmp_path: Path) -> None:
    """Where the bytes of code or results are gone, everything else is still told."""
    copy = Work(tmp_path / "copy")
    shutil.copytree(recorded.folder, copy.folder)
    shutil.rmtree(copy.folder / ".snakeprov" / "blobs")
    told = copy.say("why", "results/fit.json")
    assert "because script scripts/fit.py changed (@1 -> @2) and results/clean/a.csv changed" in told
    assert "the bytes are not kept, or you may not download them" in told
    assert "the bytes are not kept" in copy.say("diff", "results/fit.json@1", "results/fit.json@2", "--content")
