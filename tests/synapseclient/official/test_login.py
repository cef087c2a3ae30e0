"""Logging in: with a token, from a configuration file, and with a token that is not good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from served import OTHER_TOKEN, TOKEN, URL, endpoints
from synapseclient import Synapse
from synapseclient.core.exceptions import SynapseAuthenticationError
from synapseclient.models import UserProfile


def test_a_token_logs_in_as_its_user(syn: Synapse, other: Synapse) -> None:
    """Two tokens are two users, each with a name and an id of its own."""
    mine, theirs = syn.getUserProfile(), other.getUserProfile()
    assert mine["ownerId"].isdigit() and theirs["ownerId"].isdigit()
    assert mine["ownerId"] != theirs["ownerId"]
    assert mine["userName"] != theirs["userName"]
    assert syn.username == mine["userName"]


def test_a_profile_is_found_by_id_and_by_name(syn: Synapse, other: Synapse) -> None:
    """Any user is found by number and by name; a name that nobody has is an answer, not an endless search."""
    theirs = other.getUserProfile()
    assert syn.getUserProfile(theirs["ownerId"])["userName"] == theirs["userName"]
    assert syn.getUserProfile(theirs["userName"])["ownerId"] == theirs["ownerId"]
    assert UserProfile.from_username(theirs["userName"], synapse_client=syn).id == int(theirs["ownerId"])
    assert UserProfile().get(synapse_client=syn).username == syn.username
    with pytest.raises(ValueError, match="Can't find user"):
        syn.getUserProfile("nobody-has-this-name")


def test_the_configuration_file_names_server_and_token(tmp_path: Path, syn: Synapse) -> None:
    """Endpoints, token, profile and cache come from a file of the client's own format; the endpoints are checked."""
    config = tmp_path / ".synapseConfig"
    lines = ["[endpoints]", *(f"{name} = {url}" for name, url in endpoints().items())]
    lines += ["[default]", f"authtoken = {TOKEN}", "[profile colleague]", f"authtoken = {OTHER_TOKEN}"]
    lines += ["[cache]", f"location = {tmp_path / 'cache'}"]
    config.write_text("\n".join(lines) + "\n")

    client = Synapse(configPath=str(config))
    assert client.repoEndpoint == f"{URL}/repo/v1"
    client.login(silent=True)
    assert client.username == syn.username
    client.login(silent=True, profile="colleague")
    assert client.username not in (None, syn.username)


def test_a_bad_token_is_refused(connect: Callable[..., Synapse]) -> None:
    """A token that the server never made logs nobody in (401)."""
    with pytest.raises(SynapseAuthenticationError):
        connect("not-a-token-of-this-server")


def test_the_name_that_is_given_has_to_be_the_token_s(syn: Synapse) -> None:
    """A name beside the token is compared with the server's answer."""
    client = Synapse(skip_checks=True, **endpoints())
    with pytest.raises(SynapseAuthenticationError):
        client.login(email="somebody-else", authToken=TOKEN, silent=True)
    client.login(email=syn.username, authToken=TOKEN, silent=True)
    assert client.username == syn.username
