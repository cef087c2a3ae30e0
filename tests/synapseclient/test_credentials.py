"""Where the token for Synapse is found: the same place, in every case, as Synapse's own client finds it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from snakeprov.errors import SnakeprovError
from snakeprov.synapse.access import find_access

from .conftest import environment

PROGRAM = """
import json, logging, os, sys
from types import SimpleNamespace
from synapseclient.core.credentials.cred_data import UserLoginArgs
from synapseclient.core.credentials.credential_provider import DEFAULT_CREDENTIAL_PROVIDER_CHAIN
from synapseclient.core.exceptions import SynapseAuthenticationError

asked = []

def answer(path, auth):
    asked.append(auth.secret)
    return {"userName": "ada"}

found = []
for case in json.load(sys.stdin):
    for name in ("SYNAPSE_AUTH_TOKEN", "SYNAPSE_PROFILE"):
        os.environ.pop(name, None)
    os.environ.update(case["variables"])
    syn = SimpleNamespace(configPath=case["config"], restGET=answer, logger=logging.getLogger())
    asked.clear()
    try:
        DEFAULT_CREDENTIAL_PROVIDER_CHAIN.get_credentials(syn, UserLoginArgs(None, None, None))
    except SynapseAuthenticationError:
        pass
    found.append(asked[0] if asked else None)
json.dump(found, sys.stdout)
"""

CONFIGS = {
    "none": None,
    "default": "[default]\nauthtoken = of-default\n[profile work]\nauthtoken = of-work\n[profile guest]\nuser = x\n",
    "old": "[authentication]\nauthtoken = of-old\n",
    "both": "[default]\nauthtoken = of%default\n[authentication]\nauthtoken = of-old\n",
    "empty default": "[default]\n[authentication]\nauthtoken = of-old\n",
    "default without token": "[default]\nusername = ada\n[authentication]\nauthtoken = of-old\n",
    "no prefix": "[work]\nauthtoken = of-work\n[profile default]\nauthtoken = of-other\n",
}
VARIABLES: list[dict[str, str]] = [
    {},
    {"SYNAPSE_AUTH_TOKEN": "of-variable"},
    {"SYNAPSE_PROFILE": "work"},
    {"SYNAPSE_PROFILE": "default"},
    {"SYNAPSE_PROFILE": "guest", "SYNAPSE_AUTH_TOKEN": "of-variable"},
    {"SYNAPSE_PROFILE": "work", "SYNAPSE_AUTH_TOKEN": "of-variable"},
]


def test_the_token_is_found_where_the_official_client_finds_it(official_python: Path, tmp_path: Path) -> None:
    """Whatever is in the configuration and the environment, the official client would send the same token."""
    cases = []
    ours = {}
    for name, config in CONFIGS.items():
        home = tmp_path / name
        home.mkdir()
        if config is not None:
            (home / ".synapseConfig").write_text(config)
        for variables in VARIABLES:
            ours[f"{name} {variables}"] = _token({"HOME": str(home), **variables})
            cases.append({"config": str(home / ".synapseConfig"), "variables": variables})

    done = subprocess.run(
        [str(official_python), "-W", "ignore", "-c", PROGRAM],
        input=json.dumps(cases),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert ours == dict(zip(ours, json.loads(done.stdout), strict=True))


def _token(variables: dict[str, str]) -> str | None:
    try:
        return find_access(environment=variables).token
    except SnakeprovError:
        return None
