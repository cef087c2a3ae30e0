"""Synapse's address and the user's token are found where Synapse's own client finds them, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from snakeprov import connect
from snakeprov.errors import ConfigError, SnakeprovError, UnauthorizedError
from snakeprov.synapse.access import find_access

CONFIG = """\
[default]
username = ada
authtoken = of%default

[profile work]
authtoken = of-work

[profile guest]
username = nobody

[endpoints]
repoEndpoint = https://repo.example.org/repo/v1/
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with a configuration."""
    (tmp_path / ".synapseConfig").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize(
    ("variables", "token"),
    [
        ({}, "of%default"),
        ({"SYNAPSE_AUTH_TOKEN": "of-variable"}, "of%default"),
        ({"SYNAPSE_PROFILE": "work"}, "of-work"),
        ({"SYNAPSE_PROFILE": "work", "SYNAPSE_AUTH_TOKEN": "of-variable"}, "of-work"),
        ({"SYNAPSE_PROFILE": "guest", "SYNAPSE_AUTH_TOKEN": "of-variable"}, "of-variable"),
    ],
)
def test_the_token_comes_from_the_nearest_source(home: Path, variables: dict[str, str], token: str) -> None:
    """The profile that is asked for or else the default section, then the variable."""
    assert find_access(environment={"HOME": str(home), **variables}).token == token
    assert find_access(token="given", environment={"HOME": str(home), **variables}).token == "given"  # noqa: S105, S106


def test_endpoints_are_synapses_own_unless_configured(home: Path) -> None:
    """Each by itself."""
    access = find_access(environment={"HOME": str(home)})

    assert access.endpoints["/repo/v1"] == "https://repo.example.org/repo/v1"
    assert access.endpoints["/file/v1"] == "https://repo-prod.prod.sagebase.org/file/v1"


def test_the_older_section_is_read_too(tmp_path: Path) -> None:
    """`[authentication]` was what `[default]` is."""
    (tmp_path / ".synapseConfig").write_text("[authentication]\nauthtoken = old\n")

    assert find_access(environment={"HOME": str(tmp_path)}).token == "old"  # noqa: S105


@pytest.mark.parametrize(
    ("config", "variables", "error", "sentence"),
    [
        (None, {}, UnauthorizedError, "There is no access token for Synapse"),
        (CONFIG, {"SYNAPSE_PROFILE": "home"}, ConfigError, "profile 'home'"),
        ("authtoken = secret\n", {}, ConfigError, "cannot be understood"),
        ("[default]\nauthtoken secret\n", {}, ConfigError, "cannot be understood"),
        ("[default]\nauthtoken = secret\nauthtoken = secret2\n", {}, ConfigError, "cannot be understood"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, config: str | None, variables: dict[str, str], error: type[SnakeprovError], sentence: str
) -> None:
    """With what to do; no part of the file is quoted."""
    if config is not None:
        (tmp_path / ".synapseConfig").write_text(config)

    with pytest.raises(error, match=sentence) as caught:
        find_access(environment={"HOME": str(tmp_path), **variables})
    assert "secret" not in str(caught.value) and caught.value.hint
    assert caught.value.__cause__ is None


def test_the_token_is_not_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by what holds it nor by the client."""
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("SYNAPSE_PROFILE", raising=False)

    with connect("synapse") as client:
        assert client.session.base_url == "https://repo.example.org"
        assert "of%default" not in repr(find_access()) + repr(client) + repr(client.session)
        assert not client.backend.keeps_runs
