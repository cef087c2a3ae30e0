"""Find Synapse's address and the user's token where Synapse's own client finds them.

Source: Synapse's Python client: `SYNAPSE_AUTH_TOKEN`, `SYNAPSE_PROFILE`, and `~/.synapseConfig` with its sections
`[endpoints]`, `[default]`, `[authentication]` and `[profile NAME]`.

The token is never printed, logged or put into an error.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from snakeprov.errors import ConfigError, UnauthorizedError

SYNAPSE_TOKEN_VARIABLE: Final = "SYNAPSE_AUTH_TOKEN"  # noqa: S105  the name of a variable
PROFILE_VARIABLE: Final = "SYNAPSE_PROFILE"
CONFIG_NAME: Final = ".synapseConfig"

_DEFAULT: Final = "default"
_DEFAULT_OF_OLD: Final = "authentication"
"""The section that was read before there were profiles."""

REPO_PREFIX: Final = "/repo/v1"
FILE_PREFIX: Final = "/file/v1"

_ENDPOINTS: Final = {
    "repoEndpoint": (REPO_PREFIX, "https://repo-prod.prod.sagebase.org/repo/v1"),
    "fileHandleEndpoint": (FILE_PREFIX, "https://repo-prod.prod.sagebase.org/file/v1"),
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach Synapse.

    Attributes:
        endpoints: URL of each group of services, by the prefix of its paths.
        token: The user's access token; None: as nobody.
    """

    endpoints: Mapping[str, str]
    token: str | None = field(default=None, repr=False)


def find_access(*, token: str | None = None, environment: Mapping[str, str] | None = None) -> Access:
    """Return how to reach Synapse.

    A given token wins; then that of the configuration, of the profile that `SYNAPSE_PROFILE` names or else of its
    default section; then `SYNAPSE_AUTH_TOKEN`. That is the order of Synapse's own client.

    Args:
        token: The token to use.
        environment: Environment variables; None: those of this process.

    Raises:
        ConfigError: The configuration file cannot be read, or has no such profile.
        UnauthorizedError: There is no token anywhere.
    """
    variables = os.environ if environment is None else environment
    path = Path(variables.get("HOME") or Path.home()) / CONFIG_NAME
    config = _read(path)
    profile = variables.get(PROFILE_VARIABLE) or _DEFAULT
    section = _DEFAULT if profile == _DEFAULT else f"profile {profile}"
    if section != _DEFAULT and not config.has_section(section):
        raise ConfigError(
            f"{PROFILE_VARIABLE} names the profile {profile!r}, which {path} does not have.",
            hint=f"Add a section [profile {profile}] with an authtoken, or unset {PROFILE_VARIABLE}.",
        )
    is_old = section == _DEFAULT and not (config.has_section(section) and config.options(section))
    noted = config.get(_DEFAULT_OF_OLD if is_old else section, "authtoken", fallback=None)
    found = token or noted or variables.get(SYNAPSE_TOKEN_VARIABLE)
    if not found:
        raise UnauthorizedError(
            "There is no access token for Synapse.",
            status=401,
            reason="no access token",
            hint=f"Set {SYNAPSE_TOKEN_VARIABLE}, or put 'authtoken = …' into the section [{section}] of {path}.",
        )
    endpoints = {
        prefix: config.get("endpoints", name, fallback=default).rstrip("/")
        for name, (prefix, default) in _ENDPOINTS.items()
    }
    return Access(endpoints=endpoints, token=found.strip())


def _read(path: Path) -> configparser.ConfigParser:
    # The parser's own [DEFAULT] would spread into all sections; an authtoken may hold a percent sign.
    config = configparser.ConfigParser(interpolation=None, default_section="\0")
    try:
        with path.open(encoding="utf-8") as stream:
            config.read_file(stream)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Synapse's configuration {path} cannot be read ({type(error).__name__}).") from error
    except configparser.Error as error:
        # What the parser says may quote a line, and with it the token.
        raise ConfigError(
            f"Synapse's configuration {path} cannot be understood ({type(error).__name__}).",
            hint="Sections are written [default], settings authtoken = …",
        ) from None
    return config
