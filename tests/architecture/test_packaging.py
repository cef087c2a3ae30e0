"""What pip installs: a wheel and an editable install are both found by Snakemake, in environments of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

import snakeprov

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def make_environment(folder: Path) -> Path:
    """Make an environment that sees this one's libraries but not its snakeprov; return its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    libraries = site / "libraries"
    libraries.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "snakeprov" not in path.name:
            (libraries / path.name).symlink_to(path)
    (site / "libraries.pth").write_text("libraries\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it would be published."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_snakemake_finds_the_plugin_of_an_install(kind: str, wheel: Path, tmp_path: Path) -> None:
    """After `pip install` of a wheel and after `pip install -e .`, `snakemake --logger snakeprov` records a job."""
    python = make_environment(tmp_path / "env")
    what = [wheel] if kind == "wheel" else ["--no-build-isolation", "-e", ROOT]
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", *what, cwd=tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    (work / "Snakefile").write_text("rule one:\n    output: 'a.txt'\n    shell: 'echo a > {output}'\n")
    run(python, "-m", "snakemake", "--cores", "1", "--logger", "snakeprov", cwd=work)

    origin = run(python, "-c", "import snakeprov; print(snakeprov.__file__)", cwd=work)
    log = json.loads(run(python.with_name("snakeprov"), "log", "a.txt", "--json", cwd=work))

    assert Path(origin.strip()).is_relative_to(ROOT if kind == "editable" else tmp_path / "env")
    assert [version["rule"] for version in log["versions"]] == ["one"]

    page = run(python.with_name("snakeprov"), "lineage", "a.txt", "--format", "html", cwd=work)
    assert "drawingLayout" in page


def recipe() -> Any:
    """Return the conda recipe, rendered as conda-build does it."""
    text = (ROOT / "recipe" / "meta.yaml").read_text(encoding="utf-8")
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True).from_string(text)
    return yaml.safe_load(template.render(PYTHON="python", pin_subpackage=lambda name, max_pin: f"{name} ({max_pin})"))


def test_the_version_is_the_same_everywhere() -> None:
    """The version of the package is the one that its metadata, the citation, codemeta and the conda recipe name."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    codemeta = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))

    told = [metadata.version("snakeprov"), citation["version"], codemeta["version"], recipe()["package"]["version"]]
    assert told == [snakeprov.__version__] * len(told)


def test_the_recipe_requires_what_the_package_requires() -> None:
    """The conda recipe has each requirement of pyproject.toml with the same lowest version, under conda's names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {"snakemake": "snakemake-minimal"}
    wanted = [re.split(r"(?=>=)", one.lower()) for one in project["dependencies"]]
    expected = [f"python {project['requires-python']}", *(f"{names.get(one, one)} {bound}" for one, bound in wanted)]

    assert recipe()["requirements"]["run"] == expected


def test_the_wheel_holds_what_it_should(wheel: Path) -> None:
    """The package, the logger plugin, the mark of types and the licence; no tests and no documents."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata_name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        told = archive.read(metadata_name).decode()

    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "snakeprov",
        "snakemake_logger_plugin_snakeprov",
    }
    assert "snakeprov/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: MIT" in told
    assert "Author: snakeprov developers" in told
    assert "Project-URL: Source, " in told
