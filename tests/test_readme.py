"""The README is true: its transcript is run for real, its example is run, and what it lists is what there is.

Output above the first `$` is that of the run command. `tests/transcripts.py` says how outputs are compared.
"""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from snakeprov import __version__, settings
from snakeprov.cli import snakeprov as command_group
from tests import transcripts
from tests.transcripts import CUT, RUN_TIMEOUT_S, Step, blocks, excerpt, normalised, steps

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

RUN_COMMAND = (
    "python3 -m venv .venv && . .venv/bin/activate && pip install '.[example]' "
    "&& cd example_workflow && snakemake --cores 2"
)
TEST_COMMAND = "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[example,test]' && bash tests/run"


def lines() -> list[str]:
    return README.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, in a git repository of its own."""
    clone = tmp_path_factory.mktemp("readme") / "snakeprov"
    ignored = shutil.ignore_patterns(".snakemake", ".snakeprov", "results", "__pycache__")
    shutil.copytree(ROOT / "example_workflow", clone / "example_workflow", ignore=ignored)
    command = "git init --quiet && git add . && git commit --quiet --message 'The example'"
    transcripts.run(command, work=clone, environment=transcripts.environment(clone.parent))
    return clone / "example_workflow"


@pytest.fixture(scope="module")
def transcript(work: Path) -> list[Step]:
    """The commands of the README, each run for real, one after the other."""
    environment = transcripts.environment(work.parents[1])
    return transcripts.perform(lines(), work=work, environment=environment, first=RUN_COMMAND)


def test_transcript(transcript: list[Step], request: pytest.FixtureRequest) -> None:
    """Each command of the README's transcript prints what the README says."""
    transcripts.compare(README, transcript, update=request.config.getoption("--update-golden"))


def test_python_example(transcript: list[Step], work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example runs in the working directory of the example and prints what the README says."""
    readme = lines()
    (block,) = blocks(readme, "pycon")
    text = "\n".join(readme[number] for number in block) + "\n"
    monkeypatch.chdir(work)
    example = doctest.DocTestParser().get_doctest(text, {}, "README", str(README), block.start)
    report: list[str] = []

    result = doctest.DocTestRunner().run(example, out=report.append)

    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


def test_folder_contents(transcript: list[Step], work: Path) -> None:
    """The README's table of what is in `.snakeprov/` names all that the runs left there."""
    text = README.read_text(encoding="utf-8").partition("| in `.snakeprov/` |")[2].partition("\n\n")[0]
    documented = re.findall(r"^\| `([\w.]+)/?` \| ", text, re.MULTILINE)
    found = {entry.name for entry in (work / ".snakeprov").iterdir() if not entry.name.endswith(("-wal", "-shm"))}

    assert found - {".gitignore"} <= set(documented)
    assert {"provenance.sqlite", "blobs"} <= found


def test_transcript_has_every_step_of_the_story() -> None:
    """The transcript is not empty: run, change, log, the old version, its lineage; then what else can be asked."""
    commands = [step.command for step in steps(lines(), first=RUN_COMMAND)]

    assert commands[0] == RUN_COMMAND
    assert commands[1].startswith("snakemake --cores 2 --config ")
    asked = [command.split()[1] for command in commands[2:] if command.startswith("snakeprov ")]
    assert asked[:3] == ["log", "show", "lineage"]
    assert commands[3].endswith("@1")
    assert {"why", "diff", "affected", "find", "verify", "restore", "methods", "export"} <= set(asked[3:])


def test_run_and_test_commands() -> None:
    """The README's commands to run and to test stand alone in a block; the checks on a fresh machine do the latter."""
    readme = lines()
    commands = [[readme[number] for number in block] for block in blocks(readme, "sh")]
    fresh_machine = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert [RUN_COMMAND] in commands
    assert [TEST_COMMAND] in commands
    assert fresh_machine.splitlines()[-1] == TEST_COMMAND


def test_every_command_is_documented() -> None:
    """The README's table of commands has each command of `snakeprov`, in the order of its help text, and no other."""
    documented = re.findall(r"^\| `snakeprov (\w+)", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert documented == command_group.list_commands(None)  # type: ignore[arg-type]


def test_every_setting_is_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's table of settings has each setting, with its true default."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    text = README.read_text(encoding="utf-8").partition("| setting |")[2].partition("\n\n")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))
    told = {name: value.strip("`") for name, value in documented.items() if value.startswith("`")}
    defaults = settings.Settings()
    loaded = settings.load(tmp_path, told)

    assert list(documented) == [name for name in settings.Settings.__struct_fields__ if name != "origins"]
    assert {name: getattr(loaded, name) for name in told} == {name: getattr(defaults, name) for name in told}
    assert [name for name in documented if name not in told] == ["project", "redact"]


def test_colleagues_without_snakeprov() -> None:
    """With the two lines of the README, a Snakefile does nothing where snakeprov is not installed."""
    readme = lines()
    code = ["\n".join(readme[number] for number in block) for block in blocks(readme, "python")]
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
    readme = lines()
    block = list(blocks(readme, "python"))[number]
    rule = ["", "rule one:", '    output: "one.txt"', '    shell: "echo one > {output}"', ""]
    (tmp_path / "Snakefile").write_text("\n".join([*(readme[line] for line in block), *rule]), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=True)

    assert "snakeprov: recorded 1 job: 1 new version" in done.stderr


def test_links_lead_somewhere() -> None:
    """Each file that the README links to exists."""
    targets = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))

    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_changelog_has_this_version() -> None:
    """The changelog has a section for what is not released yet and one for the version of the package."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[:2] == ["Unreleased", __version__]


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

    assert excerpt(["a", CUT, "b  00000000", CUT, "f"], printed) == ["a", CUT, "b  160aca21", CUT, "f"]
    assert excerpt([CUT, "d", CUT], printed) == [CUT, "d", CUT]
    assert excerpt(["x"], printed) == printed
