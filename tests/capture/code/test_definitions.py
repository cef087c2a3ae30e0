"""What a Snakefile has of the definition of a rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.code.definitions import Definition, definitions
from snakeprov.capture.code.snakefiles import read
from snakeprov.capture.code.wrappers import UNKNOWN

SNAKEFILE = '''import os
from helpers import tidy, other as renamed
from stars import *

TOOL = "bwa"
UNUSED = 1
TABLE = {}
for sample in ["a", "b"]:
    TABLE[sample] = os.path.join("data", sample)

def reads(wildcards):
    """What it says of itself is no code."""
    return TABLE[wildcards.sample]

@decorated
def unused(wildcards):
    return UNUSED

rule align:
    """A docstring."""
    input: reads
    output: "{sample}.bam"
    params: UNUSED="x"
    shell:
        "{TOOL} {input} | awk '{{print unused}}' > {output}"

if config["extra"]:
    rule extra:
        output: "extra.txt"
        run:
            renamed(unused=1).UNUSED

use rule align as again with:
    output: "again.bam"
'''


def line_of(text: str, start: str) -> int:
    """Return the number of the first line that begins with a text."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


def defined(text: str, rule: str, *, start: str | None = None, **others: str) -> dict[str, Definition]:
    """Return what the Snakefile `own` with this text, and others, have of the definition of a rule."""
    units = {path: read(one) for path, one in {"own": text, **others}.items()}
    known = {path: found for path, found in units.items() if found is not None}
    return definitions(known, "own", line_of(text, start or f"rule {rule}:"), rule)


def digest(text: str, rule: str = "align", *, start: str | None = None) -> str:
    """Return the digest of the definition of a rule."""
    return defined(text, rule, start=start)["own"].digest


def test_lines_and_imports_of_a_rule() -> None:
    """Where the rule is, and the import statements that matter to it, name by name."""
    found = defined(SNAKEFILE, "align")["own"]
    assert (found.line, found.end_line) == (19, 25)
    assert found.imports == ("import os",)
    extra = defined(SNAKEFILE, "extra")["own"]
    assert extra.imports == ("from helpers import other as renamed", "from stars import *"), "config may be a star's"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("UNUSED = 1", "UNUSED = 2"),
        ("return UNUSED", "return 0"),
        ("What it says of itself", "What is said"),
        ('"""A docstring."""', '"""Another."""'),
        ('output: "extra.txt"', 'output: "more.txt"'),
        ("rule extra:", "# a comment\n\n    rule extra:"),
        ("    params: UNUSED", "    # a comment\n    params:   UNUSED"),
        ("import tidy,", "import sound, tidy,"),
        ("import os", '"""About it."""\nimport os'),
    ],
)
def test_what_a_rule_does_not_name_is_no_part_of_it(old: str, new: str) -> None:
    """Other rules and functions, comments, docstrings and layout; names of params and of attributes name nothing."""
    assert digest(SNAKEFILE) == digest(SNAKEFILE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('TOOL = "bwa"', 'TOOL = "minimap2"'),
        ("return TABLE[wildcards.sample]", "return 'x'"),
        ('["a", "b"]', '["a"]'),
        ('os.path.join("data", sample)', '"data"'),
        ("import os", "import shutil as os"),
        ("> {output}", ">> {output}"),
        ('UNUSED="x"', 'UNUSED="y"'),
    ],
)
def test_what_a_rule_names_is_part_of_it(old: str, new: str) -> None:
    """Variables in its command, input functions, what these use in turn, imports; also for a rule built on it."""
    changed = SNAKEFILE.replace(old, new, 1)
    assert changed != SNAKEFILE
    assert digest(SNAKEFILE) != digest(changed)
    start = "use rule align as again"
    assert digest(SNAKEFILE, "again", start=start) != digest(changed, "again", start=start)
    assert digest(SNAKEFILE, "extra") == digest(changed, "extra")


def test_a_condition_around_a_rule_is_part_of_it() -> None:
    """As is the head of a loop that makes rules."""
    assert digest(SNAKEFILE, "extra") != digest(SNAKEFILE.replace('config["extra"]', "True"), "extra")


def test_names_of_other_snakefiles() -> None:
    """A name bound in the Snakefile of the rule is that; else it is what another Snakefile of the workflow binds."""
    text = 'X = 1\nrule a:\n    params: X, Y, f"{Z}"\n    output: "a"\n'
    found = defined(text, "a", one="X = 3\nY = 4\n", two="W = 0\nZ = 5\n", three="W = 1\n")
    assert set(found) == {"own", "one", "two"}
    assert (found["two"].line, found["two"].end_line) == (2, 2)


@pytest.mark.parametrize(
    ("statement", "is_changed"),
    [
        ("use rule * from m as m_*", False),
        ("use rule a from m as m_* with:\n    params: 1", True),
        ("use rule * from m exclude b as m_* with:\n    params: 1", True),
        ("use rule b from m as m_* with:\n    params: 1", False),
        ("use rule a from m as other with:\n    params: 1", False),
    ],
)
def test_rules_of_a_module(statement: str, is_changed: bool) -> None:
    """A module's rule is defined by the module; another Snakefile takes part only where it changes the rule."""
    main = f'module m:\n    snakefile: "own"\n{statement}\n'
    found = definitions({"own": read("rule a:\n    output: 'a'\n") or [], "main": read(main) or []}, "own", 1, "m_a")
    assert ("main" in found) == is_changed


def test_what_changes_a_rule_of_a_module_is_part_of_it() -> None:
    """With what it names; a rule that is not found has no definition, even if another changes it."""
    main = 'X = 1\nmodule m:\n    snakefile: "own"\nuse rule a from m as m_* with:\n    params: X, 1\n'

    def digest_of(text: str) -> str:
        units = {"own": read("rule a:\n    output: 'a'\n") or [], "main": read(text) or []}
        assert definitions(units, "own", 7, "m_a") == {}
        return definitions(units, "own", 1, "m_a")["main"].digest

    assert (
        len({digest_of(main), digest_of(main.replace("X, 1", "X, 2")), digest_of(main.replace("X = 1", "X = 2"))}) == 3
    )


def test_only_the_nearest_of_several_things_of_one_name_counts() -> None:
    """What the Snakefile of the rule binds itself, then what another does, and what comes of a `*` at last."""
    text = "from stars import *\nX = 1\nrule a:\n    params: X, Y, len(Z)\n    output: 'a'\n"

    def found(one: str) -> dict[str, Definition]:
        return defined(text, "a", one=one)

    assert found("X = 3\nY = 4\n") == found("X = 5\nY = 4\n") != found("X = 3\nY = 5\n")
    assert found("Y = 4\n")["own"].imports == ("from stars import *",), "Z"
    assert found("Y = 4\nZ = 5\n")["own"].imports == (), "len is Python's"


def test_functions_that_call_each_other_are_looked_at_once() -> None:
    """And so is the end of it."""
    text = "def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\nrule a:\n    params: f\n    output: 'a'\n"

    assert digest(text, "a") != digest(text.replace("return f(n)", "return n"), "a")


def test_includes_that_are_not_there_or_go_in_circles_are_passed_over() -> None:
    """Snakemake takes a Snakefile once; one whose name it works out is not known here."""
    texts = {
        "own": 'include: "gone.smk"\nmodule m:\n    snakefile: "m/Snakefile"\n',
        "m/Snakefile": 'include: "y.smk"\ninclude: "gone.smk"\nrule b:\n    params: X\n    output: "b"\n',
        "m/y.smk": 'include: "Snakefile"\nX = 2\n',
    }
    units = {path: read(text) or [] for path, text in texts.items()}
    assert set(definitions(units, "m/Snakefile", 3, "b")) == {"m/Snakefile", "m/y.smk"}


def test_a_module_has_names_of_its_own() -> None:
    """A name is looked for in what the Snakefile includes or is included by, not in a module that binds it as well."""
    texts = {
        "own": 'include: "x.smk"\nmodule m:\n    snakefile: "m/Snakefile"\nrule a:\n    params: X\n    output: "a"\n',
        "x.smk": "X = 1\n",
        "m/Snakefile": 'include: "y.smk"\nrule b:\n    params: X\n    output: "b"\n',
        "m/y.smk": "X = 2\n",
    }
    units = {path: read(text) or [] for path, text in texts.items()}
    assert set(definitions(units, "own", 4, "a")) == {"own", "x.smk"}
    assert set(definitions(units, "m/Snakefile", 2, "b")) == {"m/Snakefile", "m/y.smk"}


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("a = b = 1", "a b"),
        ("a, (b, *c) = 1, 2", "a b c"),
        ("a: int = 1", "a"),
        ("a['x'][b] = 1", "a"),
        ("a.b = c", "a"),
        ("[a, b] = 1, 2", "a b"),
        ("a += 1", "a"),
        ("f(a=1)", ""),
        ("a == b", ""),
        ("a = 1; b = c", "a b"),
        ("a.append(b)", "a"),
        ("a(b)", ""),
        ("for a, (b, c) in d:\n    e = 1", "a b c e"),
        ("with f() as a:\n    b = 1", "a b"),
        ("try:\n    a = 1\nexcept E as b:\n    c = 1", "a b c"),
        ("if a:\n    b = 1", "b"),
        ("if a:\n    import b as c", "c"),
    ],
)
def test_names_that_a_statement_binds(statement: str, names: str) -> None:
    """With those of the blocks that it stands in."""
    units = read(statement) or []

    assert {name for unit in units for name in unit.binds} == set(names.split())


@pytest.mark.parametrize(
    ("call", "commands"),
    [
        ("shell('x {input} y')", ["x ? y"]),
        ("shell('x ' 'y')", ["x y"]),
        ("shell(f'x {y} z')", ["x ? z"]),
        ("shell('x ' + y)", ["x ?"]),
        ("shell('x', iterable=f('y'))", ["x"]),
        ("shell(('x ' 'y'), read=True)", ["x y"]),
        ("a = shell('x'); shell('y')", ["x", "y"]),
        ("self.shell('x')", []),
        ("run('x')", []),
        ("shell", []),
        ("shell()", []),
    ],
)
def test_commands_that_a_statement_gives_to_the_shell(call: str, commands: list[str]) -> None:
    """What only running it can tell is unknown in them."""
    units = read(f"rule a:\n    run:\n        {call}\n") or []

    assert [one.replace(UNKNOWN, "?") for unit in units for one in unit.commands] == commands


@pytest.mark.parametrize("text", ["rule a:\n  '''", "  x\n y", "(", "\0", "rule a\n"])
def test_what_cannot_be_read_defines_nothing(text: str) -> None:
    """Then no digest is known."""
    units = read(text)
    assert units is None or definitions({"own": units}, "own", 1, "a") == {}


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("rule use from import module as def with:=.,*(){}[]\n  \t'\"#;axb1"), max_size=120))
def test_any_text_can_be_read(text: str) -> None:
    """Without an exception; every line of it may be asked for."""
    units = read(text)
    for line in range(5):
        definitions({"own": units or []}, "own", line, "a")
