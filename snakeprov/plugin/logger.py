"""snakeprov as a logger plugin: `snakemake --logger snakeprov` records a workflow whose Snakefile does not mention it.

Loads nothing that costs time: Snakemake imports this on every call once snakeprov is installed.

The handler itself drops every message: the wrappers see the jobs themselves, which the messages do not describe.
"""

import logging
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Optional

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

if TYPE_CHECKING:
    from snakeprov.plugin.request import Request

ORIGIN = "--logger-snakeprov-…"


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """What can be said on the command line; None: not said.

    Snakemake makes the command line from the annotations: they must be types, not text, and `Optional`, not `|`.
    """

    store: Optional[str] = field(  # noqa: UP045
        default=None, metadata={"help": "Folder of the store, or the URL of a server.", "env_var": False}
    )
    project: Optional[str] = field(  # noqa: UP045
        default=None, metadata={"help": "Name of the project that files are recorded under.", "env_var": False}
    )
    versions: Optional[str] = field(  # noqa: UP045
        default=None,
        metadata={"help": "'changed': a new version when the bytes differ; 'always': one each time.", "env_var": False},
    )
    keep_bytes_max: Optional[str] = field(  # noqa: UP045
        default=None, metadata={"help": "Keep no bytes of files larger than this, such as 100MB.", "env_var": False}
    )
    strict: bool = field(
        default=False,
        metadata={"help": "Fail the workflow at its end if anything could not be recorded.", "env_var": False},
    )


class LogHandler(LogHandlerBase):
    """Switches recording on for the workflows of the Snakemake call that it was made for."""

    snakeprov_request: "Request"

    def __post_init__(self) -> None:
        from snakeprov.plugin import hooks
        from snakeprov.plugin.request import Request

        self.setLevel(logging.CRITICAL + 1)
        given = (
            {one.name: getattr(self.settings, one.name) for one in fields(LogHandlerSettings)} if self.settings else {}
        )
        self.snakeprov_request = Request({name: value for name, value in given.items() if value}, ORIGIN)
        hooks.enable()

    def emit(self, record: logging.LogRecord) -> None:
        """Do nothing."""

    @property
    def writes_to_stream(self) -> bool:
        return False

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return True

    @property
    def has_formatter(self) -> bool:
        return True

    @property
    def needs_rulegraph(self) -> bool:
        return False
