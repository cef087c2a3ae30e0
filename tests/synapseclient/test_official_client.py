"""Runs the tests in `official` with Synapse's own client against `snakeprov serve`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .conftest import Served, environment

OFFICIAL = Path(__file__).parent / "official"

RUN_TIMEOUT_S = 400
"""How long one run may take. The client itself repeats what fails for up to half an hour."""


@pytest.mark.parametrize("name", sorted(path.name for path in OFFICIAL.glob("test_*.py")))
def test_the_official_client_gets_what_it_expects(
    name: str, official_python: Path, served: Served, tmp_path: Path
) -> None:
    """Every test in this file passes, and none is left out."""
    run(official_python, served, tmp_path, str(OFFICIAL / name))


def test_the_official_client_gets_as_much_from_a_strict_server(
    official_python: Path, served_strictly: Served, tmp_path: Path
) -> None:
    """In strict mode everything passes that Synapse would not refuse: strict is not stricter than it says."""
    run(official_python, served_strictly, tmp_path, "-m", "not lenient", str(OFFICIAL))


def run(python: Path, served: Served, folder: Path, *arguments: str, **more: str) -> None:
    """Run tests in the official client's environment; `more` are environment variables for them."""
    variables = environment(
        folder,
        SNAKEPROV_TEST_URL=served.url,
        SNAKEPROV_TEST_TOKEN=served.token,
        SNAKEPROV_TEST_OTHER_TOKEN=served.other_token,
        SNAKEPROV_TEST_OTHER_VIEW_TOKEN=served.other_view_token,
        PYTHONDONTWRITEBYTECODE="1",
        **more,
    )
    command = [str(python), "-m", "pytest", f"--basetemp={folder / 'work'}", *arguments]
    try:
        done = subprocess.run(command, cwd=OFFICIAL, env=variables, capture_output=True, timeout=RUN_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace")
        pytest.fail(f"The tests did not end within {RUN_TIMEOUT_S} s:\n{output}", pytrace=False)
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0 or "skipped" in output.splitlines()[-1]:
        pytest.fail(output + done.stderr.decode(errors="replace"), pytrace=False)
