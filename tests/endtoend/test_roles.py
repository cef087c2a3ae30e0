"""What files are called that no job made and jobs did not read as data: the same in every view."""

from __future__ import annotations

import re
from collections.abc import Callable

from .conftest import Work

SNAKEFILE = """import snakeprov; snakeprov.track(workflow)
rule result:
    input: "in.txt"
    output: "out.txt"
    script: "script.py"
"""

SCRIPT = "open(snakemake.output[0], 'w').write('a result that does not change')"


def test_code_is_no_raw_input_in_any_view(make_work: Callable[..., Work]) -> None:
    """Asked for by itself, found, compared and drawn."""
    work = make_work(SNAKEFILE)
    work.write("in.txt", "a raw input\n")
    for script in (SCRIPT, SCRIPT + "  # with a comment"):
        work.write("script.py", script)
        work.snakemake("out.txt", "--forcerun", "result")

    for path, called, article in (("script.py", "code", "code"), ("in.txt", "raw input", "a raw input")):
        shown = work.say("show", path), work.say("log", path), work.say("find", f"path={path}")
        listed = work.say("lineage", path)
        assert listed.split() == [f"{path}@{2 if path == 'script.py' else 1}", *called.split()]
        for view in shown:
            assert re.search(rf"(?m)\b{called}\b", view), view
            assert called == "raw input" or "raw" not in view
        assert f"the first version that was recorded: {article}, no recorded job made it." in work.say(
            "why", f"{path}@1"
        )
    tree = [" ".join(line.split()) for line in work.say("lineage", "out.txt").splitlines()]
    assert tree[1] == "└─ in.txt@1 raw input"
    assert "script.py@1 is code, script.py@2 is code." in work.say("diff", "script.py@1", "script.py@2")
    assert work.ask("why", "script.py")["version"]["role"] == "code"
    nodes = {node["label"]: node.get("role") for node in work.ask("lineage", "out.txt")["nodes"]}
    assert (nodes["script.py"], nodes["in.txt"]) == ("code", "input")
    drawn = work.say("lineage", "script.py", "--format", "mermaid")
    assert "[[" in drawn, "the shape of code"
