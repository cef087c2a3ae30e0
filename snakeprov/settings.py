"""Settings: what they are, and where each came from.

Later sources win: defaults, the user's `~/.config/snakeprov/config.toml`, `snakeprov.toml` in the working
directory, `SNAKEPROV_…` environment variables, and what was given to `snakeprov.track(workflow, …)` or on the
command line.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from snakeprov.errors import ConfigError

STORE_NAME = ".snakeprov"
"""What `store` is by default: the folder of an embedded store, in the working directory."""

FILE_NAME = "snakeprov.toml"
"""Name of the file in the working directory with its settings."""

SYNAPSE = "synapse"
"""What `store` is set to when the store is Synapse; a folder of that name is written `./synapse`."""

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?", re.IGNORECASE)
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one run.

    The reference of the documentation is made from this list.

    Attributes:
        store: Where records go: a folder (relative to the working directory), the URL of a server, or `synapse`.
        project: The project that files are recorded under; for Synapse its id (`syn123`). None: the name of the working
            directory, each of which is a project of its own.
        versions: `changed`: make a new version when the bytes differ, and note the same bytes as *reproduced*.
            `always`: make one each time a job writes the file.
        keep_bytes_max: Larger files are recorded by their digest, without a copy: a number of bytes, or `500kB`,
            `2GiB`.
        upload: `false`: record digests and keep no copies. Synapse gets the md5 and the place of each file.
        strict: `true`: fail the workflow at its end if anything could not be recorded.
        enabled: `false`: record nothing.
        wait_max_s: Seconds that the end of a run waits for a delivery that makes no progress; the delivery then
            continues in the background.
        shared: `group`: the group of the working directory can read and write a store that is made there. `no`: only
            the owner can, unless the directory has the set-group-ID bit.
        redact: Regular expressions; what they match in commands, params, logs and the like is recorded as `***`. The
            patterns of all places are combined.
        origins: Where each setting that is not a default was read from.
    """

    store: str = STORE_NAME
    project: str | None = None
    versions: str = "changed"
    keep_bytes_max: int = 100_000_000
    upload: bool = True
    strict: bool = False
    enabled: bool = True
    wait_max_s: float = 30.0
    shared: str = "no"
    redact: tuple[str, ...] = ()
    origins: Mapping[str, str] = {}

    @property
    def is_shared(self) -> bool:
        """Whether a new store is shared with the group."""
        return self.shared == "group"


def is_url(store: str) -> bool:
    """Return whether `store` is the URL of a server rather than a folder.

    >>> is_url("https://prov.example.org"), is_url(".snakeprov")
    (True, False)
    """
    return store.startswith(("http://", "https://"))


def is_remote(store: str) -> bool:
    """Return whether `store` names a server, or Synapse, rather than a folder.

    >>> is_remote("synapse"), is_remote("./synapse")
    (True, False)
    """
    return store == SYNAPSE or is_url(store)


def needs_md5(store: str) -> bool:
    """Return whether a store is given contents by their md5 too: Synapse, or a server that bytes are sent to.

    What answers at a URL may be Synapse, and is not known before it has been asked.
    """
    return is_remote(store)


def load(
    working_directory: Path, overrides: Mapping[str, object] | None = None, *, origin: str = "the call"
) -> Settings:
    """Return the settings for a workflow that runs in `working_directory`.

    Args:
        working_directory: Where `snakeprov.toml` is looked for.
        overrides: Settings that win over every other source; None as a value means "not given".
        origin: What to call the source of `overrides` in an error.

    Raises:
        ConfigError: A setting is unknown or has a value it cannot have, or a file cannot be read.
    """
    settings = Settings()
    for path in (_user_file(), working_directory / FILE_NAME):
        found = read_file(path, optional=path == _user_file())
        settings = _merge(settings, found, origin=str(path))
    settings = _merge(settings, _environment(), origin="the environment")
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    return _merge(settings, given, origin=origin)


def wants_strict(working_directory: Path, overrides: Mapping[str, object] | None = None) -> bool:
    """Return whether `strict` is set, whatever else is wrong with the settings; arguments as of `load`."""
    strict = False
    for path in (_user_file(), working_directory / FILE_NAME):
        try:
            strict = _is_true(read_file(path).get("strict"), strict)
        except ConfigError:
            continue
    strict = _is_true(os.environ.get("SNAKEPROV_STRICT"), strict)
    return _is_true((overrides or {}).get("strict"), strict)


def read_file(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """Return the settings in a file; none where it is missing or, if it is `optional`, may not be read.

    Raises:
        ConfigError: It is there and cannot be read, or is not valid TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        if optional and isinstance(error, PermissionError):  # the home of another user, as sudo keeps it
            return {}
        raise ConfigError(f"The settings file {path} cannot be read ({type(error).__name__}).") from error
    import tomllib  # most runs have no such file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The settings file {path} is not valid TOML: {error}.") from error


def _is_true(value: object, default: bool) -> bool:
    text = str(value).lower()
    return text in _TRUE if text in _TRUE | _FALSE else default


def _user_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111  never raises
    return Path(base) / "snakeprov" / "config.toml"


def _environment() -> dict[str, str]:
    known = {f"SNAKEPROV_{name.upper()}": name for name in _known()}
    return {name: os.environ[variable] for variable, name in known.items() if os.environ.get(variable)}


def _known() -> list[str]:
    return [name for name in Settings.__struct_fields__ if name != "origins"]


def _merge(settings: Settings, given: Mapping[str, object], *, origin: str) -> Settings:
    if not given:
        return settings
    known = _known()
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            from difflib import get_close_matches  # costs more to import than all that a run needs of this module

            near = get_close_matches(name, known, n=1)
            raise ConfigError(
                f"Unknown setting {name!r} in {origin}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"The settings are: {', '.join(known)}.",
            )
        values[name] = _check(name, value, origin)
    if "redact" in values:
        values["redact"] = tuple(dict.fromkeys((*settings.redact, *values["redact"])))
    return msgspec.structs.replace(settings, **values, origins={**settings.origins, **dict.fromkeys(values, origin)})


def _check(name: str, value: object, origin: str) -> object:
    expected = ""
    match name:
        case "strict" | "enabled" | "upload":
            if isinstance(value, bool):
                return value
            if str(value).lower() in _TRUE | _FALSE:
                return str(value).lower() in _TRUE
            expected = "true or false"
        case "versions":
            if value in ("changed", "always"):
                return value
            expected = '"changed" or "always"'
        case "shared":
            if value in ("group", "no"):
                return value
            expected = '"group" or "no"'
        case "keep_bytes_max":
            size_bytes = _size_bytes(value)
            if size_bytes is not None:
                return size_bytes
            expected = 'a size such as 500_000_000, "100MB" or "2GiB"'
        case "wait_max_s":
            wait_s = _seconds(value)
            if wait_s is not None:
                return wait_s
            expected = "a number of seconds, such as 30"
        case "redact":
            patterns = [value] if isinstance(value, str) else value
            if isinstance(patterns, list | tuple) and all(isinstance(one, str) for one in patterns):
                return tuple(_check_pattern(one, origin) for one in patterns)
            expected = "a list of regular expressions"
        case _:
            if isinstance(value, os.PathLike):
                value = os.fspath(value)
            if isinstance(value, str) and value.strip():
                return value.rstrip("/") if is_url(value) else value
            expected = "a text that is not empty"
    raise ConfigError(f"The setting {name!r} in {origin} is {value!r}; expected {expected}.")


def _check_pattern(pattern: str, origin: str) -> str:
    try:
        is_greedy = re.compile(pattern).search("") is not None
    except re.error as error:
        raise ConfigError(
            f"The setting 'redact' in {origin} has the pattern {pattern!r}, which is not a regular expression "
            f"({error}).",
            hint="Write it as Python's module re takes it, and in TOML between single quotes.",
        ) from error
    if is_greedy:
        raise ConfigError(
            f"The setting 'redact' in {origin} has the pattern {pattern!r}, which matches the empty text; expected "
            "a pattern that matches secrets only."
        )
    return pattern


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        wait_s = float(value)
    except ValueError:
        return None
    return wait_s if 0 <= wait_s < math.inf else None


def _size_bytes(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    found = _SIZE.fullmatch(str(value).strip())
    if not found:
        return None
    exponent = " kmgtp".index(found[2].lower() or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** exponent)
