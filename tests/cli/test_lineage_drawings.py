"""`lineage --format dot|mermaid|svg|html` on a workflow that really ran."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.workflows import snakemake_runs

Run = Callable[..., Any]
Golden = Callable[[str, str], None]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen samples counted and reported; then a job that used the report and failed."""
    folder = snakemake_runs.place("samples", tmp_path_factory.mktemp("samples") / "work")
    for status, target in enumerate(["results/report.txt", "results/never.txt"]):
        command = snakemake_runs.command("--scheduler", "greedy", target, recorder="real")
        environment = snakemake_runs.environment(XDG_CONFIG_HOME=str(folder.parent))
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, "snakeprov: recorded" in done.stderr) == (status, True), done.stderr
    return folder


@pytest.fixture
def samples(recorded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The workflow's directory as the current folder; its files are not changed."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    monkeypatch.chdir(recorded)
    return recorded


@pytest.mark.parametrize("form", ["dot", "mermaid", "svg"])
def test_drawings(samples: Path, snakeprov: Run, golden: Golden, form: str) -> None:
    """Each language shows the same: fourteen samples folded into one box, the code that ran, the result at the end."""
    answer = snakeprov("lineage", "results/report.txt", "--format", form)
    assert (answer.status, answer.err) == (0, "")
    golden(f"samples.{form}", answer.out)


def test_a_failed_job_is_drawn_as_such(samples: Path, snakeprov: Run, golden: Golden) -> None:
    """Downstream, the job that used the report and failed is drawn though it generated nothing."""
    golden("failed.svg", snakeprov("lineage", "results/report.txt", "--downstream", "--format", "svg").out)


def test_an_svg_is_well_formed_and_says_what_it_shows(samples: Path, snakeprov: Run) -> None:
    """It parses as XML; its title is the sentence, and each box has its whole name for hovering."""
    root = ElementTree.fromstring(snakeprov("lineage", "results/report.txt", "--format", "svg").out)  # noqa: S314
    titles = [one.text for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "results/report.txt@1 came from 18 files through 15 activities (report, count ×14)."  # noqa: RUF001
    assert "s*.txt ×14 (results/counts)" in titles  # noqa: RUF001


def data_of(html: str) -> dict[str, Any]:
    """Return what the page was given to draw."""
    found = re.search(r'<script type="application/json" id="lineage">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_a_page_holds_all_hops_and_the_details(samples: Path, snakeprov: Run) -> None:
    """Its data reach beyond the depth that is shown, with digests, sizes, commands, params and times."""
    data = data_of(snakeprov("lineage", "results/report.txt", "--format", "html", "--depth", "1").out)
    nodes = {node["whole"]: dict(node["facts"]) for node in data["nodes"]}
    assert data["depth"] == 1
    assert len(data["nodes"]) == 1 + 18 + 15
    file, job = nodes["data/reads.txt@1"], nodes["count (sample=s03)"]
    assert (file["size"], file["bytes"]) == ("8 B", "kept")
    assert (len(file["sha256"]), len(file["md5"])) == (64, 32)
    assert job["command"] == "echo s03 $(wc -w < data/reads.txt) 3 > results/counts/s03.txt"
    assert (job["params"], job["wildcards"], job["status"]) == ("factor = 3", "sample = s03", "success")
    times = (file["recorded"], job["started"], job["ended"])
    assert [re.sub(r"\d", "0", one) for one in times] == ["0000-00-00 00:00:00 +00:00"] * 3
    assert job["started"] <= job["ended"]


def test_a_page_needs_nothing_else(samples: Path, snakeprov: Run) -> None:
    """The page names no other place to load anything from, and its policy would not let it."""
    html = snakeprov("lineage", "results/report.txt", "--format", "html").out
    assert "default-src 'none'" in html
    assert not re.search(r"<(?:link|img|iframe|script src|object|embed)\b|@import|url\(", html)
    assert set(re.findall(r"https?://[^\"'\s<]+", html)) == {"http://www.w3.org/2000/svg"}


def test_a_drawing_goes_to_a_file(samples: Path, snakeprov: Run, tmp_path: Path) -> None:
    """With -o the name tells the format, and what is printed can be pasted into a mail; drawing it anew is fine."""
    out = tmp_path / "drawn.svg"
    for _ in range(2):
        answer = snakeprov("lineage", "results/report.txt", "-o", str(out))
        assert answer.status == 0
    first, second = answer.out.splitlines()
    assert first == "results/report.txt@1 came from 18 files through 15 activities (report, count ×14)."  # noqa: RUF001
    assert second == f"Drawn in {out} ({out.stat().st_size / 1000:.1f} kB)."
    assert out.read_text(encoding="utf-8") == snakeprov("lineage", "results/report.txt", "--format", "svg").out
    assert [one.name for one in tmp_path.iterdir()] == ["drawn.svg"]


def test_json_is_what_it_always_was(samples: Path, snakeprov: Run) -> None:
    """`--format json` prints what `--json` prints."""
    plain = snakeprov("lineage", "results/report.txt", "--json")
    assert snakeprov("lineage", "results/report.txt", "--format", "json") == plain
    assert set(plain.json) == {"root", "nodes", "edges", "truncated"}


def test_a_result_is_not_drawn_over(samples: Path, snakeprov: Run) -> None:
    """A file that is not a drawing by snakeprov stays as it is, above all a recorded result."""
    before = (samples / "results/report.txt").read_bytes()
    answer = snakeprov("lineage", "results/report.txt", "--format", "svg", "-o", "results/report.txt")
    assert (answer.status, answer.out) == (2, "")
    assert "results/report.txt exists and is not a drawing by snakeprov." in answer.err
    assert "Choose another name" in answer.err
    assert (samples / "results/report.txt").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "out.pdf"], "A lineage is not drawn as .pdf, but as .html, .svg, .dot or .mmd."),
        (["-o", "out"], "The name 'out' does not say what to draw."),
        (["-o", "no/such/out.svg"], "There is no folder no/such."),
        (["--format", "svg", "-o", "results"], "results is a folder."),
        (["--format", "svg", "-o", "/dev/null"], "/dev/null is not a regular file."),
        (["--json", "--format", "svg"], "--json and --format svg were both given."),
        (["--format", "text", "-o", "x.txt"], "-o goes with a drawing; text goes to the standard output."),
        (["--json", "-o", "x.json"], "-o goes with a drawing; json goes to the standard output."),
        (["--format", "pdf"], "'pdf' is not one of"),
        (["--depth", "0", "--format", "svg"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_drawn(samples: Path, snakeprov: Run, arguments: list[str], message: str) -> None:
    """Options that make no sense are refused in a sentence, and nothing is written."""
    before = sorted(samples.iterdir())
    answer = snakeprov("lineage", "results/report.txt", *arguments)
    assert answer.status == 2
    assert message in " ".join(answer.err.split())
    assert (answer.out, sorted(samples.iterdir())) == ("", before)


def test_every_key_of_the_json_is_documented(samples: Path, snakeprov: Run) -> None:
    """What a program reads from `--json` is listed in the documentation of the command."""
    answer = snakeprov("lineage", "results/report.txt", "--json").json
    keys = {*answer, *(key for one in (*answer["nodes"], *answer["edges"]) for key in one)}
    documentation = Path(__file__).parents[2] / "docs" / "commands" / "lineage.md"
    assert keys - set(re.findall(r"`(\w+)`", documentation.read_text(encoding="utf-8"))) == set()
