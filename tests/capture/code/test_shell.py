"""Shell commands are read as bash reads them: which programs run, with which words."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.code.shell import commands, commands_with
from snakeprov.capture.code.wrappers import UNKNOWN

CONSTRUCTS = {
    "assignments": ("LC_ALL=C X=$(date) sort x", [["sort", "x"], ["date"]]),
    "an array": ('o=(--foo bar); samtools view "${o[@]}"', [["samtools", "view", UNKNOWN]]),
    "a length": ("echo ${#arr[@]}; sort x", [["echo", UNKNOWN], ["sort", "x"]]),
    "comments": ("# sort the reads\nbwa mem x # index y\nindex", [["bwa", "mem", "x"], ["index"]]),
    "redirections": (">o 2>&1 sort x <in", [["sort", "x"]]),
    "words after a redirection": ("python > o x.py", [["python", "x.py"]]),
    "pipes and lists": ("a | b |& c && d || e; f & g", [[one] for one in "abcdefg"]),
    "groups": ("(a; { b; }) > x", [["a"], ["b"]]),
    "branches": ("if a; then b; elif c; then d; else e; fi", [[one] for one in "abcde"]),
    "a test": ("[ -e x ] && [[ x -nt y ]] && (( x > 1 )) && a", [["a"]]),
    "loops": (
        "for i in p q; do a $i; done; while read x; do b; done < <(c)",
        [["a", UNKNOWN], ["read", "x"], ["b"], ["c"]],
    ),
    "a choice": ("case $x in p) a;; q|r) b;; esac", [["a"], ["b"]]),
    "functions": ("f() { a 1; }\nfunction g { b; }\nf x; g", [["a", "1"], ["b"]]),
    "substitutions": ("a $(b `c`) <(d) >(e)", [["a", UNKNOWN, UNKNOWN, UNKNOWN], ["b", UNKNOWN], ["c"], ["d"], ["e"]]),
    "one in quotes": ('a "x $(b "y") z"', [["a", f"x {UNKNOWN} z"], ["b", "y"]]),
    "a here-document": ("cat <<EOF | a\nb $(c)\nEOF\nd", [["cat"], ["a"], ["c"], ["d"]]),
    "one that a shell reads": ("bash <<'EOF'\na x\nb | c\nEOF", [["a", "x"], ["b"], ["c"]]),
    "a here-string": ("a <<< 'b c' d", [["a", "d"]]),
    "quotes": ("""a 'b c' "d \\" e" f\\ g h'i'"j" """, [["a", "b c", 'd " e', "f g", "hij"]]),
    "a path known in part": ("${HOME}/bin/a x$y/z", [[f"{UNKNOWN}/bin/a", f"x{UNKNOWN}/z"]]),
    "lines continued": ("a \\\n  --b \\\n  c", [["a", "--b", "c"]]),
    "a negation": ("! a; time { b; }; time ! c", [["a"], ["b"], ["c"]]),
}


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_each_construct_of_the_shell_gives_the_commands_in_it(name: str) -> None:
    """Every command with its words, and nothing that is no command."""
    text, expected = CONSTRUCTS[name]

    assert commands(text) == expected


def test_before_a_mistake_the_commands_are_read_and_after_it_none() -> None:
    """What cannot be parsed says less, never something else."""
    assert commands("sort x; uniq y\ncut )\njoin z") == [["sort", "x"], ["uniq", "y"], ["cut"]]
    assert commands("if then") == []


def test_very_deep_and_very_long_texts_are_no_trouble() -> None:
    """Neither recursion nor a text without end."""
    assert commands("(" * 3000 + "a" + ")" * 3000)[-1:] in ([["a"]], [])
    assert commands("a " * 100_000) == []


WRAPPERS = [
    "/usr/bin/time -v", "time -p", "time -f '%e %M' -o t.log", "nice", "nice -n 5", "nice -5", "nice --adjustment=3",
    "ionice -c2 -n 7", "env -u X A=b", "env -i", "timeout 5", "timeout -k 5 --signal=INT 1h", "timeout $T", "nohup",
    "stdbuf -oL -e 0", "sudo -u ada -E", "srun -n 4 --mpi=pmix --exclusive", "mpirun -np 4 --oversubscribe",
    "conda run --no-capture-output -n x", "micromamba run -p env", "docker run --rm -it -v $PWD:/w -w /w debian:12",
    "docker exec -i box", "podman run -e A=b --rm q/bwa:1", "singularity exec -B /x --nv img.sif",
    "apptainer --quiet exec docker://x", "xargs -n1 -P4 -I{}", "xargs -0", "exec", "command", "taskset -c 0-3",
    "flock -w 5 lock", "strace -f -o s.log", "xvfb-run -a", "perf stat -e cycles", "valgrind --tool=massif", "setsid",
    "numactl -N 0 --membind=0", "unbuffer",
]  # fmt: skip


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_each_wrapper_gives_the_command_that_it_runs(wrapper: str) -> None:
    """None of its own words is taken for the program."""
    assert commands(f"{wrapper} bwa mem -n 3 > out") == [["bwa", "mem", "-n", "3"]]


@settings(max_examples=60, deadline=None)
@given(
    layers=st.lists(st.sampled_from([*WRAPPERS, "bash -c", "sh -euc", "eval"]), max_size=4),
    # The grammar takes a last word `==` for a mistake.
    words=st.lists(
        st.text("abc $'\"\\;|&<>#(){}*=-", min_size=1, max_size=6).filter(lambda word: word != "=="), max_size=3
    ),
)
def test_wrappers_in_wrappers_give_the_words_of_the_innermost_command(layers: list[str], words: list[str]) -> None:
    """However they are nested and quoted."""
    text = shlex.join(["bwa", *words])
    for layer in reversed(layers):
        is_text = layer.split()[0] in ("bash", "sh", "eval")
        text = f"{layer} {shlex.quote(text) if is_text else text}"

    assert commands(text) == [["bwa", *words]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nice", [["nice"]]),
        ("docker run debian:12", [["docker", "run", "debian:12"]]),
        ("docker run q/bwa:1 -h", [["docker", "run", "q/bwa:1", "-h"]]),
        ("docker run $OPTIONS q/bwa mem", [["docker", "run", UNKNOWN, "q/bwa", "mem"]]),
        ("docker run --entrypoint bwa q/bwa:1 mem", [["bwa", "mem"]]),
        ("docker build -t x .", [["docker", "build", "-t", "x", "."]]),
        ("command -v bwa", [["command", "-v", "bwa"]]),
        ("nice $OPTIONS bwa", [[UNKNOWN, "bwa"]]),
        ("bash -x scripts/a.sh b", [["bash", "-x", "scripts/a.sh", "b"]]),
        ("bash -c $text", [[UNKNOWN]]),
        ("find . -exec grep y {} \\;", [["find", ".", "-exec", "grep", "y", "{}", ";"], ["grep", "y", "{}"]]),
        ("parallel -j 4 'gzip {} && md5sum {}' ::: a b", [["gzip", "{}"], ["md5sum", "{}"]]),
        ("env -S 'python3 -u' x.py", [["python3", "-u", "x.py"]]),
    ],
)
def test_where_a_wrapper_runs_something_else_or_nothing(text: str, expected: list[list[str]]) -> None:
    """The wrapper itself is named where nobody can say what it runs."""
    assert commands(text) == expected


def test_the_grammar_is_loaded_when_a_command_is_read() -> None:
    """Questions that read none do not pay for it."""
    code = (
        "import sys, snakeprov.cli.log, snakeprov.export.commands as c; assert 'tree_sitter' not in sys.modules; "
        "c.programs('a'); assert 'tree_sitter' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


VARIABLES = [
    "A=1 show",
    "A=1; show",
    "export A=1; show; show",
    "A=1\nexport A\nshow",
    "export A; A=1; show; A=2; show",
    "declare -x A=1 B=2; show",
    "declare A=1; show",
    "export A=1; unset A; show",
    "(export A=1; show); show",
    "export A=1 | show; show",
    "export A=1; (export A=2; show); show",
    "export A=1; export A=2:$A; show; A=0:${A} show",
    "export A=1; A+=:2; show",
    "export A=1${A:+:$A}; show; export A=${A:+$A:}2; show",
    "if true; then export A=1; show; else show; fi",
    "env A=1 show; env -u B A='x y' show",
    "A=1 env B=2 show",
    "A=1 bash -c 'show; export A=2; show'; show",
    "export A=1 && bash -c 'A=3 show'",
    "nice env A=1 timeout 5 show",
    "A=1 bash <<'E'\nshow\nE",
    "f() { export A=1; }; show",
    "echo A=9 B=9 > /dev/null; show A=9",
    "export A='1' B=\"2\"; show",
]


@pytest.mark.parametrize("text", VARIABLES)
def test_a_command_has_the_variables_that_the_shell_gives_it(tmp_path: Path, text: str) -> None:
    """Compared with what bash does."""
    program = tmp_path / "show"
    program.write_text('#!/bin/sh\necho "${A-}/${B-}" >> "$LOG"\n')
    program.chmod(0o755)
    log = tmp_path / "log"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(log)}
    subprocess.run(["bash", "-c", text], env=environment, check=True)

    told = [one.variables for one in commands_with(["A", "B"], text) if one.argv[0] == "show"]

    if "else" in text:  # which branch runs only the shell can tell
        told.pop()
    said = ["/".join(re.sub(":+", ":", one.get(name, "")).strip(":") for name in "AB") for one in told]
    assert said == log.read_text().splitlines()


def test_a_variable_that_may_be_set_is_not_told() -> None:
    """In a branch, a loop, or a function that is never called."""
    for text in (
        "if x; then export A=1; fi; y",
        "while x; do export A=1; done; y",
        "case $x in a) export A=1;; esac; y",
    ):
        assert commands_with(["A"], text)[-1].variables == {}
    assert commands_with(["A"], "if x; then export A=1; else y; fi")[-1].variables == {}


def test_the_working_directory_in_a_word() -> None:
    """`$PWD` is where the command runs."""
    assert commands("a $PWD/b \"$(pwd)\"/c ${PWD} '$PWD' $PWDX") == [["a", "./b", "./c", ".", "$PWD", UNKNOWN], ["pwd"]]
