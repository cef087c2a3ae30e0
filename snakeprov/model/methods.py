"""How results were made, step by step, as a methods section tells it."""

from __future__ import annotations

import msgspec


class RawInput(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that no recorded job made, or an address.

    Attributes:
        path: Of a file, as it was recorded.
        version_number: Of a file.
        sha256: Of a file, where it was read.
        url: Of what was read from elsewhere.
    """

    path: str | None = None
    version_number: int | None = None
    sha256: str | None = None
    url: str | None = None

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return self.path or self.url or ""


class Tool(msgspec.Struct, frozen=True):
    """A program or a language; `version` is None where it was not recorded."""

    name: str
    version: str | None


class Step(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was done in the same way by one job or several.

    Attributes:
        ran: What was run: a script, a shell command, a notebook…
        tools: The programs and languages, with the versions that were recorded.
        environment: The conda environment or the container, as the rule names it.
        params: Those that all the jobs share, and `varies` for the others.
    """

    name: str
    jobs: int
    ran: str
    tools: tuple[Tool, ...]
    environment: str | None
    params: dict[str, str]


class Methods(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How results were made.

    Attributes:
        paragraph: In words.
        inputs: The raw inputs.
        steps: In the order in which they first ended.
        truncated: Whether there is more than was looked at.
    """

    paragraph: str
    inputs: tuple[RawInput, ...]
    steps: tuple[Step, ...]
    truncated: bool
