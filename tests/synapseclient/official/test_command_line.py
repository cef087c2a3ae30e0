"""The client's own command, `synapse`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from served import TOKEN, endpoints
from synapseclient import File, Folder, Synapse

Write = Callable[..., str]

COMMAND_TIMEOUT_S = 50


@pytest.fixture
def synapse(tmp_path: Path) -> Callable[..., str]:
    """Give `synapse(argument, …)`: run the command with a configuration file; return what it prints."""
    config = tmp_path / ".synapseConfig"
    lines = ["[endpoints]", *(f"{name} = {url}" for name, url in endpoints().items())]
    lines += ["[default]", f"authtoken = {TOKEN}", "[cache]", f"location = {tmp_path / 'cache'}"]
    config.write_text("\n".join(lines) + "\n")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "synapseclient", "--configPath", str(config), "--skip-checks", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.timeout(120)
def test_provenance_from_the_shell(
    synapse: Callable[..., str], syn: Synapse, folder: Folder, write: Write, tmp_path: Path
) -> None:
    """`store` and `set-provenance` find local files by their content, and `get-provenance` prints what was recorded."""
    script = syn.store(File(write("plot.py", f"print({folder.id!r})"), parent=folder))
    path = write("plot.png", b"\x89PNG")
    used = ["--used", "https://a.org/data", "--executed", script.path]
    assert "plot.png" in synapse("store", path, "--parentId", folder.id, *used)
    made = syn.findEntityId("plot.png", parent=folder)

    def recorded() -> tuple[str | None, set[tuple[str, bool]]]:
        printed = synapse("get-provenance", "--id", made)
        activity = json.loads(printed[printed.index("{") :])
        used = {(i.get("url") or i["reference"]["targetId"], i["wasExecuted"]) for i in activity["used"]}
        return activity.get("name"), used

    assert recorded() == (None, {("https://a.org/data", False), (script.id, True)})
    synapse("set-provenance", "--id", made, "--name", "by hand", "--used", script.id)
    assert recorded() == ("by hand", {(script.id, False)})
    synapse("get", made, "--downloadLocation", str(tmp_path / "down"))
    assert (tmp_path / "down" / "plot.png").read_bytes() == b"\x89PNG"
    assert "plot.py" in synapse("list", folder.id)
