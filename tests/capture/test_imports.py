"""The local modules of scripts, found without running them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture import imports
from snakeprov.capture.imports import ModuleFinder


def write(folder: Path, **contents: str) -> None:
    """Write files; `a__b_py` is a/b.py, `init` stands for `__init__`."""
    for name, text in contents.items():
        path = folder / name.replace("_py", ".py").replace("__", "/").replace("init", "__init__")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(folder: Path, script: str, *, working: Path | None = None) -> list[str]:
    modules = ModuleFinder(str(working or folder)).modules(str(folder / script))
    return [str(Path(module).relative_to(folder)) for module in modules]


@pytest.mark.parametrize(
    "statement",
    [
        "import near",
        "import os, near as n",
        "from near import thing",
        "def f():\n    from near import thing\n",
        "if False:\n    import near\n",
        "import importlib\nimportlib.import_module('near')",
        "from importlib import import_module\nimport_module('near', None)",
        "__import__('near')",
    ],
)
def test_every_way_to_import_a_module_beside_the_script(tmp_path: Path, statement: str) -> None:
    """At the top and inside, by statement and by function."""
    write(tmp_path, scripts__a_py=statement, scripts__near_py="")
    assert found(tmp_path, "scripts/a.py") == ["scripts/near.py"]


def test_packages_and_what_modules_import_in_turn(tmp_path: Path) -> None:
    """With the packages on the way, relative imports, and circles."""
    write(
        tmp_path,
        a_py="import lib.deep.one",
        lib__init_py="",
        lib__deep__init_py="from . import two",
        lib__deep__one_py="from ..other import x\nfrom .two import y\nimport a",
        lib__deep__two_py="from lib.deep import one",
        lib__other_py="",
        lib__unused_py="",
    )
    names = ["__init__", "deep/__init__", "deep/one", "deep/two", "other"]
    assert found(tmp_path, "a.py") == [f"lib/{name}.py" for name in names]


def test_modules_of_the_repository_but_not_from_outside(tmp_path: Path) -> None:
    """From the folders above the script up to the repository's, and its src; what is installed is the environment's."""
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    write(
        repository,
        workflow__scripts__a_py="import above, top, packaged, outside, pytest, json, space.inner",
        workflow__above_py="",
        top_py="",
        src__packaged__init_py="",
        json_py="",
        space__inner_py="",
    )
    write(tmp_path, outside_py="")
    assert found(repository, "workflow/scripts/a.py") == [
        "space/inner.py",
        "src/packaged/__init__.py",
        "top.py",
        "workflow/above.py",
    ]


def test_what_is_installed_is_not_taken_for_a_folder_above_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python finds it first; only what lies beside the script comes before it. The recorder is no code of a study."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    write(
        tmp_path,
        repository__workflow__a_py="import installed_one, installed_two, only_here, snakeprov",
        repository__installed_one__init_py="",
        repository__only_here_py="",
        repository__snakeprov__init_py="",
        repository__workflow__installed_two_py="",
    )
    for name in ("installed_one", "installed_two"):
        (tmp_path / "site-packages" / name).mkdir(parents=True)
        (tmp_path / "site-packages" / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")

    assert found(tmp_path / "repository", "workflow/a.py") == ["only_here.py", "workflow/installed_two.py"]


def test_a_module_beside_the_script_hides_the_standard_library(tmp_path: Path) -> None:
    """As it does for Python."""
    write(tmp_path, a_py="import json", json_py="")
    assert found(tmp_path, "a.py") == ["json.py"]


def test_sourced_files_of_r(tmp_path: Path) -> None:
    """From the working directory or the script's folder, one sourcing another; not what is commented out."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/plot.R").write_text(
        'source("lib/theme.R")\n'
        "  source('near.R', local = TRUE)\n"
        'source(file.path(snakemake@scriptdir, "beside.R"))\n'
        '# source("commented.R")\n'
        "source(paste0(name, '.R'))\nsource('/dev/null')\n"
    )
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/theme.R").write_text('sys.source(file="lib/colours.R", envir=e)')
    for name in ("lib/colours.R", "scripts/near.R", "scripts/beside.R", "commented.R"):
        (tmp_path / name).touch()
    expected = ["lib/colours.R", "lib/theme.R", "scripts/beside.R", "scripts/near.R"]
    assert found(tmp_path, "scripts/plot.R") == expected


@pytest.mark.parametrize(
    "statement",
    [
        "sys.path.insert(0, os.path.dirname(__file__) + '/../lib')",
        "sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))",
        "sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'lib'))",
        "sys.path.insert(0, Path(__file__).parents[1].joinpath('lib').as_posix())",
        "HERE = Path(__file__).parent\nsys.path.append(str(HERE / '..' / 'lib'))",
        "sys.path.append(f'{os.getcwd()}/lib')",
        "sys.path.append('lib')",
        "sys.path.extend(['nowhere', 'lib'])",
        "sys.path += ['lib']",
        "sys.path = ['lib'] + sys.path",
        "sys.path.insert(0, snakemake.scriptdir + '/../lib')",
        "site.addsitedir('lib')",
    ],
)
def test_folders_that_a_script_adds_to_the_search_path(tmp_path: Path, statement: str) -> None:
    """In everyday forms; they hold for what its modules import, too, and come before what is installed."""
    write(tmp_path, lib__one_py="import json", lib__json_py="", scripts__a_py=f"{statement}\nimport one")
    assert found(tmp_path, "scripts/a.py") == ["lib/json.py", "lib/one.py"]


@pytest.mark.parametrize(
    "value", ["__import__('x')", "sys.argv[1]", "'lib' * 2", "unknown", "x = x", "os.environ['A']"]
)
def test_a_search_path_that_is_worked_out_while_the_code_runs_is_not_known(tmp_path: Path, value: str) -> None:
    """Nothing is guessed."""
    write(tmp_path, lib__one_py="", scripts__a_py=f"sys.path.append({value})\nimport one")
    assert found(tmp_path, "scripts/a.py") == []


def test_sourced_files_whose_names_are_put_together_from_literals(tmp_path: Path) -> None:
    """By R's and Julia's functions for paths; not what has a part that only the running code knows."""
    (tmp_path / ".git").mkdir()
    files = {
        "s/a.R": 'source(file.path("R", "one.R"))\nif (x) source(here::here("R", "two.R"), local = TRUE)\n'
        'source(paste0("R", "/", "three.R")); source(file = here("R/four.R"))\n'
        'source(file.path(snakemake@scriptdir, "lib", "five.R")) # source("R/no.R")\n'
        'source(paste0(dir, "/no.R"))\nsource(file.path(dirname(x), "R", "no.R"))\nmy_source("R/no.R")\n',
        "s/a.jl": 'import no\ninclude("one.jl")\ninclude(joinpath(@__DIR__, "lib", "two.jl"))\n'
        'Base.include(joinpath(x, "no.jl"))\n#include("no.jl")\n',
        "s/a.sh": '. "$(dirname "$0")/one.sh"\nDIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"\n'
        'source "$DIR/lib/two.sh"\npython3 s/b.py\nsource "$OTHER/no.sh"\n# source no.sh\n',
        "s/a.pl": 'use lib "perl";\nuse Some::Module;\nrequire "./s/one.pl";\n',
        "s/a.js": 'const one = require("./one");\nimport two from "./lib/two.mjs";\nrequire("no");\n',
    }
    wanted = {
        "s/a.R": ["R/four.R", "R/one.R", "R/three.R", "R/two.R", "s/lib/five.R"],
        "s/a.jl": ["s/lib/two.jl", "s/one.jl"],
        "s/a.sh": ["s/b.py", "s/lib/two.sh", "s/one.sh"],
        "s/a.pl": ["perl/Some/Module.pm", "s/one.pl"],
        "s/a.js": ["s/lib/two.mjs", "s/one.js"],
    }
    others = ["R/no.R", "s/no.jl", "no.jl", "no.py", "s/no.py", "no.sh", "s/no.sh", "s/no.js"]
    for name in {*files, *others, *(one for listed in wanted.values() for one in listed)}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(files.get(name, ""))
    assert {name: found(tmp_path, name) for name in files} == wanted


def test_notebooks_and_snakefiles(tmp_path: Path) -> None:
    """Cells with commands for the shell, kernels for R, and the Python in a Snakefile."""
    write(tmp_path, one_py="", two_py="", three_py="")
    cells = [
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import one\n"]},
        {"cell_type": "code", "source": "!ls\nfrom two import x"},
        {"cell_type": "markdown", "source": "import three"},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))
    assert found(tmp_path, "a.ipynb") == ["one.py", "two.py"]
    r = {"cells": [{"cell_type": "code", "source": "source('b.R')"}], "metadata": {"kernelspec": {"language": "R"}}}
    (tmp_path / "r.ipynb").write_text(json.dumps(r))
    (tmp_path / "b.R").touch()
    assert found(tmp_path, "r.ipynb") == ["b.R"]
    (tmp_path / "Snakefile").write_text("import sys\nsys.path.insert(0, workflow.basedir + '/lib')\nimport three\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/four.py").write_text("import one")
    asked = ModuleFinder(str(tmp_path)).imported(str(tmp_path / "Snakefile"), ["from two import x", "import four"])
    assert [Path(path).name for path in asked] == ["four.py", "one.py", "two.py"], "only what was asked for"


@pytest.mark.parametrize("content", [b"import (", b"\0", b"\xff\xfe import near", b"(" * 5000, b"{}"])
@pytest.mark.parametrize("name", ["a.py", "a.ipynb", "a.R", "Snakefile"])
def test_what_cannot_be_understood_imports_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    """Nor does what is not there, a folder, or a name that is none."""
    (tmp_path / name).write_bytes(content)
    assert found(tmp_path, name) == []
    for other in ("missing.py", ".", "nul\0byte.py"):
        assert ModuleFinder(str(tmp_path)).modules(f"{tmp_path}/{other}") == []


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a script that a thousand jobs run is read once."""
    write(tmp_path, a_py="import near", near_py="", other_py="")
    finder = ModuleFinder(str(tmp_path))
    reads: list[str] = []
    original = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, **more: (reads.append(self.name), original(self, **more))[1])
    for _ in range(3):
        assert finder.modules(str(tmp_path / "a.py")) == [str(tmp_path / "near.py")]
    assert sorted(reads) == ["a.py", "near.py"]
    write(tmp_path, a_py="import other # longer")
    assert finder.modules(str(tmp_path / "a.py")) == [str(tmp_path / "other.py")]


def test_the_search_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In modules of a script, size of a file, and what is remembered."""
    monkeypatch.setattr(imports, "MODULES_MAX", 3)
    monkeypatch.setattr(imports, "FILES_REMEMBERED_MAX", 2)
    write(tmp_path, a_py="\n".join(f"import m{n}" for n in range(9)), **{f"m{n}_py": "" for n in range(9)})
    assert len(found(tmp_path, "a.py")) == 3
    monkeypatch.setattr(imports, "SIZE_BYTES_MAX", 5)
    assert found(tmp_path, "a.py") == []


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("import from.as()*,\n \\'\"source#%Rxy01"), max_size=80))
def test_any_text_can_be_searched(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Without an exception, in any language."""
    folder = tmp_path_factory.mktemp("any")
    for name in ("a.py", "a.R", "Snakefile"):
        (folder / name).write_text(text)
        assert found(folder, name) == []
