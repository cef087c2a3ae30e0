"""The local modules of scripts, found without running them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.code import imports
from snakeprov.capture.code.imports import ModuleFinder


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


def run_by(folder: Path, command: str) -> list[str]:
    """Return what a command runs, and what that leads to."""
    finder = ModuleFinder(str(folder))
    programs = finder.scripts(command)
    paths = {path for one in programs for path in (one.path, *finder.modules(*one))}
    return sorted(str(Path(path).relative_to(folder)) for path in paths)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("PYTHONPATH=lib python x.py", ["lib/near.py", "x.py"]),
        ("export PYTHONPATH=$PWD/lib:$PYTHONPATH; python x.py", ["lib/near.py", "x.py"]),
        ("cd sub && PYTHONPATH=../lib python ../x.py", ["lib/near.py", "x.py"]),
        ("PYTHONPATH=lib python -m tool", ["lib/near.py", "lib/tool.py"]),
        ("PYTHONPATH=lib ./run", ["lib/near.py", "run"]),
        ("PYTHONPATH=lib; python x.py", ["x.py"]),
        ("PYTHONPATH=nowhere python x.py", ["x.py"]),
        ("python x.py; PYTHONPATH=lib true", ["x.py"]),
    ],
)
def test_modules_in_the_folders_that_a_command_names(tmp_path: Path, command: str, expected: list[str]) -> None:
    """Compared with what Python imports."""
    write(tmp_path, x_py="import near", lib__near_py="import seen", lib__tool_py="import near", sub__a_py="")
    write(tmp_path, run="#!/usr/bin/env python3\nimport near")
    (tmp_path / "run").chmod(0o755)

    assert run_by(tmp_path, command) == expected

    write(tmp_path, seen_py="import os; open(os.environ['SEEN'], 'w')")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "SEEN": f"{tmp_path}/seen", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (tmp_path / "seen").exists() == ("lib/near.py" in expected)


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.run(['python', 'scripts/y.py', snakemake.input[0]], check=True)",
        "import subprocess as sp, sys\nsp.check_call([sys.executable, '-u', 'scripts/y.py'] + args)",
        "from subprocess import Popen\nPopen(('python3', f'scripts/y.py', f'{x}'), stdout=PIPE)",
        "import subprocess\ncmd = ['nice', 'python', 'scripts/y.py', *more]\nsubprocess.check_output(cmd)",
        "import subprocess\nsubprocess.call(f'python scripts/y.py {a} > {b}', shell=True)",
        "import subprocess\nsubprocess.getoutput('python scripts/y.py')",
        "import subprocess\nsubprocess.run('python scripts/y.py'.split())",
        "import subprocess, shlex\nsubprocess.run(shlex.split(f'python scripts/y.py {a}'))",
        "import subprocess\nsubprocess.run(['python', 'y.py'], cwd='scripts')",
        "import os\nos.system('cd scripts; python y.py %s' % name)",
        "from os import popen\npopen('python scripts/y.py {} {}'.format(a, b)).read()",
        "from snakemake.shell import shell\nshell('python scripts/y.py {snakemake.input}')",
        "import os\nd = os.path.dirname(__file__)\nos.execvp('python', ['python', os.path.join(d, 'scripts/y.py')])",
        "import subprocess\nhere = Path(__file__).parent\nsubprocess.run(['python', str(here / 'scripts' / 'y.py')])",
        "import asyncio\nasyncio.create_subprocess_exec('python', 'scripts/y.py', 'x')",
        "import runpy\nrunpy.run_path('scripts/y.py')",
        "import subprocess\nsubprocess.run(['bash', '-c', 'python scripts/y.py'])",
    ],
)
def test_scripts_that_python_code_runs(tmp_path: Path, code: str) -> None:
    """Where the code says which; with what they import in their turn, from their own folder."""
    write(tmp_path, a_py=code, scripts__y_py="import z", scripts__z_py="", z_py="")
    assert found(tmp_path, "a.py") == ["scripts/y.py", "scripts/z.py"]


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.run(['python', name])",
        "import subprocess\nsubprocess.run(['python', 'scripts/y.py'], cwd=folder)",
        "import subprocess\nsubprocess.run(['cat', 'scripts/y.py'])",
        "import subprocess\nsubprocess.run('python scripts/y.py')",
        "import subprocess\nsubprocess.run(prefix + ['scripts/y.py'])",
        "import subprocess\ncmd = ['python', 'scripts/y.py']\ncmd = other()\nsubprocess.run(cmd)",
        "import subprocess\ncmd = cmd + ['x']\nsubprocess.run(cmd)\nsubprocess.run([cmd], env=cmd)",
        "run(['python', 'scripts/y.py'])",
        "app.run(['python', 'scripts/y.py'])",
        "import os\nos.remove('python scripts/y.py')",
        "print('python scripts/y.py')",
    ],
)
def test_scripts_that_python_code_may_run_are_not_guessed(tmp_path: Path, code: str) -> None:
    """What is worked out while it runs, and calls of something else."""
    write(tmp_path, a_py=code, scripts__y_py="")
    assert found(tmp_path, "a.py") == []


def test_where_a_started_script_finds_its_modules(tmp_path: Path) -> None:
    """Not where the script that starts it does; but where its environment says."""
    write(
        tmp_path,
        a_py="import sys\nsys.path.insert(0, 'mine')\nimport subprocess, m\n"
        "subprocess.run(['python', 'b/y.py'], env={**os.environ, 'PYTHONPATH': 'lib'})",
        mine__m_py="",
        mine__n_py="",
        b__y_py="import m, n",
        lib__n_py="",
    )
    assert found(tmp_path, "a.py") == ["b/y.py", "lib/n.py", "mine/m.py"]


def test_scripts_that_code_in_other_languages_runs(tmp_path: Path) -> None:
    """R, Julia, Perl, the shell, and lines of a notebook."""
    write(tmp_path, scripts__y_py="import z", scripts__z_py="", z_py="")
    for name, code in {
        "a.R": "x <- 1\nsystem('python scripts/y.py')  # system('python z.py')",
        "b.jl": "run(`python scripts/y.py $(x)`)",
        "c.pl": 'system("python scripts/y.py $x") == 0 or die;\n# system("python z.py");',
        "d.sh": "PYTHONPATH=x python scripts/y.py",
        "e.py": "import os\nos.system('bash d.sh')",
    }.items():
        (tmp_path / name).write_text(code)
        assert found(tmp_path, name) == sorted({*(["d.sh"] if name == "e.py" else []), "scripts/y.py", "scripts/z.py"})
    for line in ("!python scripts/y.py {x}", "%run -i scripts/y.py 3"):
        cells = [{"cell_type": "code", "source": f"%load_ext x\n{line}\n"}]
        (tmp_path / "f.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))
        assert found(tmp_path, "f.ipynb") == ["scripts/y.py", "scripts/z.py"]


def test_modules_of_julia(tmp_path: Path) -> None:
    """In folders of the load path, in the active project, and in packages that it takes from a folder."""
    package = 'name = "Tool"\nuuid = "0"\n'
    for name, text in {
        "lib/Near.jl": 'module Near\nusing Far\ninclude("part.jl")\nend',
        "lib/part.jl": "",
        "lib/Far/src/Far.jl": "module Far end",
        "env/Project.toml": package,
        "env/src/Tool.jl": "module Tool\nimport Dev: f\nend",
        "env/Manifest.toml": '[[deps.Dev]]\npath = "../dev"\n[[deps.Other]]\nversion = "1"\n',
        "dev/src/Dev.jl": "",
        "a.jl": 'push!(LOAD_PATH, "lib")\nusing Near, CSV',
        "b.jl": 'using Pkg; Pkg.activate(joinpath(@__DIR__, "env"))\nusing Tool: f',
        "c.jl": "using Tool",
        "d.jl": 'push!(LOAD_PATH, folder)\nusing Near  # push!(LOAD_PATH, "lib")',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert run_by(tmp_path, "julia a.jl") == ["a.jl", "lib/Far/src/Far.jl", "lib/Near.jl", "lib/part.jl"]
    assert run_by(tmp_path, "julia b.jl") == ["b.jl", "dev/src/Dev.jl", "env/src/Tool.jl"]
    assert run_by(tmp_path, "julia --project=env c.jl") == ["c.jl", "dev/src/Dev.jl", "env/src/Tool.jl"]
    assert run_by(tmp_path, "JULIA_LOAD_PATH=lib julia d.jl")[0] == "d.jl"
    assert run_by(tmp_path, "julia c.jl; julia d.jl") == ["c.jl", "d.jl"]


def test_modules_of_perl(tmp_path: Path) -> None:
    """In the folders of `use lib`, of `-I` and of `PERL5LIB`; those hold for the modules of modules too."""
    for name, text in {
        "x.pl": "use My::Near;\nuse strict;\n",
        "y.pl": "use lib 'lib';\nuse My::Near;\n",
        "lib/My/Near.pm": "package My::Near;\nuse My::Far;\n1;\n",
        "lib/My/Far.pm": "package My::Far;\n1;\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    modules = ["lib/My/Far.pm", "lib/My/Near.pm"]
    for command in ("perl -Ilib x.pl", "perl -I lib x.pl", "PERL5LIB=lib perl x.pl"):
        assert run_by(tmp_path, command) == [*modules, "x.pl"]
    assert run_by(tmp_path, "perl y.pl") == [*modules, "y.pl"]
    assert run_by(tmp_path, "perl x.pl") == ["x.pl"]


@pytest.mark.parametrize("content", [b"import (", b"\0", b"\xff\xfe import near", b"(" * 5000, b"{}"])
@pytest.mark.parametrize("name", ["a.py", "a.ipynb", "a.R", "Snakefile"])
def test_what_cannot_be_understood_imports_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    """Nor does what is missing, a folder, or an impossible name."""
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
