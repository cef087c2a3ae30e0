"""Which files a shell command runs as code."""

from __future__ import annotations

from pathlib import Path

import pytest

from snakeprov.capture.code.imports import ModuleFinder
from snakeprov.capture.code.programs import language_of, scripts


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python scripts/x.py in.txt", ["scripts/x.py"]),
        ("python3.11 -u -W ignore x.py -c y", ["x.py"]),
        ("python -c 'import x' y.py", []),
        ("python - <<'E'\nprint(1)\nE", []),
        ("python -m pkg.tool a.py", ["pkg/tool.py", "pkg/tool/__main__.py"]),
        ("Rscript --vanilla scripts/a.R in.txt", ["scripts/a.R"]),
        ("Rscript -e 'source(\"a.R\")' b.R", []),
        ("R CMD BATCH --no-save x.R out", ["x.R"]),
        ("R --no-save -f x.R --args y.R; R --file=z.R < w.R", ["x.R", "z.R"]),
        ("bash -euo pipefail x.sh; sh ./y.sh 2>&1", ["x.sh", "./y.sh"]),
        ("bash -c 'set -e; sh inner.sh'", ["inner.sh"]),
        ("source env.sh && . ./more.sh", ["env.sh", "./more.sh"]),
        ("perl -I lib a.pl b.pl; perl -ne 'print' c.pl; perl -i -pe 's/a/b/' d.pl", ["a.pl"]),
        ("julia --project=. -t 4 a.jl; julia -L init.jl b.jl", ["a.jl", "init.jl", "b.jl"]),
        ("node -r ./hook.js a.js | deno b.ts", ["./hook.js", "a.js", "b.ts"]),
        ("awk -F: -f p.awk data.txt; awk '{print}' data.awk; sed -f s.sed data.txt", ["p.awk", "s.sed"]),
        ("java -Xmx4g -jar tools/a.jar in.jar", ["tools/a.jar"]),
        ("./x in.sh > out.sh", ["./x"]),
        ("time -v nice -n 5 env A=b python x.py | xargs -n1 bash y.sh", ["x.py", "y.sh"]),
        ("conda run -n e python x.py; timeout 5 srun -n 2 perl y.pl", ["x.py", "y.pl"]),
        ("echo $(python x.py) `bash y.sh` <(perl z.pl) # python no.py", ["x.py", "y.sh", "z.pl"]),
        ("for f in *.py; do python $f; python ${D}/x.py; done; cat y.py; echo python z.py", []),
        ("if python x.py; then (cd w && bash y.sh); fi", ["x.py", "y.sh"]),
    ],
)
def test_scripts_of_a_command(command: str, expected: list[str]) -> None:
    """After options, in pipes and substitutions, behind wrapping programs; never an argument, an option or a result."""
    assert [script.name for script in scripts(command)] == expected


def test_folders_that_a_command_changes_to() -> None:
    """A path is looked for there first."""
    assert [script.names for script in scripts("cd a; cd b && ./x; cd -; cd $D")] == [["a/b/./x", "./x"]]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("PYTHONPATH=lib:/a python x.py", ["lib", "/a"]),
        ("export PYTHONPATH=$PWD/lib:$PYTHONPATH; cd sub && python -u x.py", ["./lib"]),
        ('PYTHONPATH="lib${PYTHONPATH:+:$PYTHONPATH}" python -m x', ["lib"]),
        ("env -i PYTHONPATH=lib nice python x.py", ["lib"]),
        ("PYTHONPATH=$D/lib:b python x.py", ["b"]),
        ("PYTHONPATH=lib; python x.py", []),
        ("PYTHONPATH=lib perl x.pl", []),
        ("perl -Ilib -I a x.pl; ", ["lib", "a"]),
        ("PERL5LIB=b perl -Ilib x.pl", ["lib", "b"]),
        ("julia --project=env x.jl", ["env"]),
        ("julia --project -t 2 x.jl", ["."]),
        ("JULIA_LOAD_PATH=@:src JULIA_PROJECT=@. julia x.jl", ["src"]),
        ("export PYTHONPATH=lib PERL5LIB=b; ./x", ["lib", "b"]),
        ("PYTHONPATH=lib bash -c 'python x.py'", ["lib"]),
        ("if a; then export PYTHONPATH=lib; fi; python x.py", []),
    ],
)
def test_folders_in_which_an_interpreter_is_told_to_look(command: str, expected: list[str]) -> None:
    """By variables and by options, where the command says which."""
    assert [one.search for one in scripts(command)][-1] == tuple(expected)


def test_a_module_is_looked_for_where_python_is_told_to_look() -> None:
    """`python -m` takes it from the working directory, or from `PYTHONPATH`."""
    assert [one.names for one in scripts("PYTHONPATH=src python -m tool.cli")] == [
        ["tool/cli.py", "src/tool/cli.py"],
        ["tool/cli/__main__.py", "src/tool/cli/__main__.py"],
    ]


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/usr/bin/env python3", "python"),
        ("#!/usr/bin/env -S Rscript --vanilla", "r"),
        ("#!/bin/bash -e", "shell"),
        ("#!/usr/bin/perl5.36", "perl"),
        ("#!/usr/bin/unheard-of", None),
        ("#!", None),
        ("import x", None),
    ],
)
def test_language_of_a_first_line(line: str, language: str | None) -> None:
    """As the system reads it."""
    assert language_of(line) == language


def test_only_files_of_the_project_are_code(tmp_path: Path) -> None:
    """Missing files, files outside and files of an environment do not count; a link into the project does."""
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere.py"
    for name in ("a.py", "lib/b.py", ".snakemake/conda/e/bin/c.py", "venv/lib/site-packages/d.py"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).touch()
    elsewhere.touch()
    (work / "out.py").symlink_to(elsewhere)
    (work / "in.py").symlink_to("a.py")
    names = ["a.py", "lib", "missing.py", "out.py", "in.py", str(elsewhere), str(work / "lib/b.py"), "nul\0.py"]
    names += [".snakemake/conda/e/bin/c.py", "venv/lib/site-packages/d.py"]
    command = "; ".join(f"python '{name}'" for name in names)
    found = [Path(one.path).relative_to(work).as_posix() for one in ModuleFinder(str(work)).scripts(command)]
    assert found == ["a.py", "in.py", "lib/b.py"]
