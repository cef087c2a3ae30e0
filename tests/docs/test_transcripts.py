"""The documentation is true: what its pages show as commands and outputs is run for real.

The first line of a page with a transcript says where it begins: in an empty folder, or in the example after two runs.
"""

from __future__ import annotations

import doctest
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from snakeprov import settings
from tests import transcripts
from tests.transcripts import CUT, RUN_TIMEOUT_S, excerpt, normalised

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = Path(__file__).parents[2] / "example_workflow"
specification = importlib.util.spec_from_file_location("fromcode", DOCS / "_ext" / "fromcode.py")
assert specification is not None and specification.loader is not None
fromcode = importlib.util.module_from_spec(specification)
specification.loader.exec_module(fromcode)

STARTS = {"<!-- transcript: empty -->": "empty", "<!-- transcript: penguins -->": "penguins"}


def lines_of(page: Path) -> list[str]:
    return page.read_text(encoding="utf-8").splitlines()


PAGES = {
    str(page.relative_to(DOCS)): STARTS[lines_of(page)[0]]
    for page in sorted(DOCS.rglob("*.md"))
    if lines_of(page)[0] in STARTS
}


@pytest.fixture(scope="module")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a git repository of its own, after a run and one with another parameter."""
    home = tmp_path_factory.mktemp("penguins")
    work = home / "example_workflow"
    ignored = shutil.ignore_patterns(".snakemake", ".snakeprov", "results", "__pycache__")
    shutil.copytree(EXAMPLE, work, ignore=ignored)
    environment = transcripts.environment(home)
    for command in (
        "git init --quiet && git add . && git commit --quiet --message 'The example'",
        "snakemake --cores 2",
        "snakemake --cores 2 --config confidence=0.9",
    ):
        transcripts.run(command, work=work, environment=environment)
    return work


@pytest.mark.parametrize("name", PAGES)
def test_transcript(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each command of the page prints what the page says."""
    work = tmp_path / "example_workflow"
    if PAGES[name] == "penguins":
        shutil.copytree(request.getfixturevalue("penguins"), work, symlinks=True)
    else:
        work.mkdir()
    environment = transcripts.environment(tmp_path)

    performed = transcripts.perform(lines_of(DOCS / name), work=work, environment=environment)

    assert performed
    transcripts.compare(DOCS / name, performed, update=request.config.getoption("--update-golden"))


def test_every_transcript_says_where_it_begins() -> None:
    """No page has a block `console` that is not run."""
    pages = [page for page in DOCS.rglob("*.md") if any(transcripts.blocks(lines_of(page), "console"))]

    assert {str(page.relative_to(DOCS)) for page in pages} == set(PAGES)


def test_the_tutorial_tells_the_whole_story() -> None:
    """The tutorial records, asks, changes, restores and exports."""
    commands = [step.command.split()[:2] for step in transcripts.steps(lines_of(DOCS / "tutorial.md"))]
    asked = [command[1] for command in commands if command[0] == "snakeprov"]

    assert commands.count(["snakemake", "--cores"]) == 3
    assert {"log", "show", "lineage", "why", "affected", "verify", "restore", "find", "methods", "export"} <= set(asked)


def test_every_command_is_shown_somewhere() -> None:
    """What a user asks most has an example that is run, in the tutorial, the answers or the page of the command."""
    commands = [step.command.split() for name in PAGES for step in transcripts.steps(lines_of(DOCS / name))]
    asked = {command[1] for command in commands if command[0] == "snakeprov"}

    assert {"log", "show", "lineage", "why", "diff", "affected", "find", "run", "verify", "restore", "methods"} <= asked
    assert {"export", "record"} <= asked


def test_python_example(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example runs in the working directory of the example and prints what the page says."""
    page = lines_of(DOCS / "reference" / "python.md")
    (block,) = transcripts.blocks(page, "pycon")
    text = "\n".join(page[number] for number in block) + "\n"
    monkeypatch.chdir(penguins)
    example = doctest.DocTestParser().get_doctest(text, {}, "python.md", "python.md", block.start)
    report: list[str] = []

    result = doctest.DocTestRunner().run(example, out=report.append)

    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


@pytest.mark.parametrize(("picture", "options"), [("lineage.svg", "--depth 2"), ("commands/lineage.svg", "")])
def test_picture(picture: str, options: str, penguins: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The pictures of a lineage are what `snakeprov lineage -o` draws of the example; `--update-golden` draws them."""
    drawn = tmp_path / "drawn.svg"
    command = f"snakeprov lineage results/dimorphism.csv {options} -o {drawn}"
    transcripts.run(command, work=penguins, environment=transcripts.environment(tmp_path))
    if request.config.getoption("--update-golden"):
        shutil.copy(drawn, DOCS / picture)

    assert normalised(lines_of(drawn)) == normalised(lines_of(DOCS / picture))


def test_folder_contents(penguins: Path) -> None:
    """The table of what is in `.snakeprov/` names all that the runs left there."""
    text = (DOCS / "reference" / "files.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([\w.]+)/?` \| ", text.partition("\n## ")[0], re.MULTILINE)
    found = {entry.name for entry in (penguins / ".snakeprov").iterdir() if not entry.name.endswith(("-wal", "-shm"))}

    assert found - {".gitignore"} <= set(documented)
    assert {"provenance.sqlite", "blobs"} <= found


SWITCH = DOCS / "howto" / "switch.md"


def test_colleagues_without_snakeprov() -> None:
    """With the two lines of the guide, a Snakefile does nothing where snakeprov is not installed."""
    page = lines_of(SWITCH)
    code = ["\n".join(page[number] for number in block) for block in transcripts.blocks(page, "python")]
    program = "import sys; sys.modules['snakeprov'] = None; exec(sys.argv[1], {'workflow': None})"
    one_line, two_lines = (
        subprocess.run([sys.executable, "-c", program, text], capture_output=True, text=True, check=False)
        for text in code
    )

    assert "ModuleNotFoundError" in one_line.stderr
    assert (two_lines.returncode, two_lines.stderr) == (0, "")


@pytest.mark.parametrize("number", [0, 1])
def test_the_line_records(number: int, tmp_path: Path) -> None:
    """With the one line as with the two, Snakemake reads the Snakefile and records the run."""
    page = lines_of(SWITCH)
    block = list(transcripts.blocks(page, "python"))[number]
    rule = ["", "rule one:", '    output: "one.txt"', '    shell: "echo one > {output}"', ""]
    (tmp_path / "Snakefile").write_text("\n".join([*(page[line] for line in block), *rule]), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=True)

    assert "snakeprov: recorded 1 job: 1 new version" in done.stderr


def test_every_setting_is_described() -> None:
    """The generated table has each setting, with its true default and a meaning."""
    rows = list(fromcode.settings_table())[2:]
    told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", "\n".join(rows), re.MULTILINE))
    given = {name: default.strip("`") for name, default in told.items() if default != "none"}
    defaults = settings.Settings()
    loaded = settings.load(Path("/nonexistent"), given)

    assert list(told) == [name for name in settings.Settings.__struct_fields__ if name != "origins"]
    assert {name: getattr(loaded, name) for name in given} == {name: getattr(defaults, name) for name in given}
    assert [name for name in told if name not in given] == ["project", "redact"]
    assert all(len(row.split("|")[3]) > 20 for row in rows)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("@1  43 seconds ago  160aca21  ca7c7f6+dirty", "@1  <ago>  <1>  <2>+dirty"),
        ("@1       just now   4949fd3f  875 B", "@1  <ago>  <1>  <size>"),
        ("success · 1 minute ago · took 1 min 05 s", "success · <ago> · took <duration>"),
        ("with Snakemake 9.27.1 and Python 3.11.7, awk", "with Snakemake <release> and Python <release>, awk"),
        ("success · 1 minute ago · took 0.03 s", "success · <ago> · took <duration>"),
        ("  used ca7c7f6 and ca7c7f6 of syn30", "  used <1> and <1> of <2>"),
    ],
)
def test_normalised(printed: str, expected: str) -> None:
    """What differs from run to run is replaced, and nothing else."""
    assert normalised([printed]) == [expected]


def test_excerpt() -> None:
    """A cut leaves out as many lines as it takes, in the middle and at either end."""
    printed = ["a", "b  160aca21", "c", "d", "e", "f"]

    assert excerpt(["a", CUT, "b  00000000", CUT, "f"], printed) == [
        "a",
        CUT,
        "b  160aca21",
        CUT,
        "f",
    ]
    assert excerpt([CUT, "d", CUT], printed) == [
        CUT,
        "d",
        CUT,
    ]
    assert excerpt(["x"], printed) == printed
