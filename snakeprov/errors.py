"""Every error snakeprov raises on purpose: one tree, each with a message, a hint and an exit status.

SnakeprovError                 1   anything that has no better name
├── UsageError                 2   a command or a function was called with something it cannot take
│   ├── NotRecordedError       3   a path, version, run or entity that the store does not hold
│   ├── ProvenanceError        2   an Activity was given something that it cannot say (is a ValueError too)
│   └── NotAWorkflowError     20   `track()` was given something that is not Snakemake's workflow
├── NotKeptError               5   the bytes of a version are not kept, so that it cannot be restored
├── NotWrittenError            6   a file could not be put into place; what was there is unchanged
├── ConfigError               10   a setting that is unknown or has an impossible value
├── CaptureError              20   something could not be recorded (shown as a warning unless `strict`)
│   └── ChangedFileError      20   a file's bytes are no longer those that were to be digested
├── StoreError                30   the store folder cannot be used
│   ├── NoStoreError          31   there is none here
│   ├── NewerStoreError       32   a newer snakeprov made it
│   ├── CorruptStoreError     33   its content is damaged
│   ├── FullStoreError        34   no space is left where it lies
│   └── BusyStoreError        36   another process kept it locked for too long
├── OutboxError               35   the outbox cannot be written or read
└── RemoteError               40   a store refused or failed
    ├── UnreachableError      41   no answer within the time limits
    └── ApiError              40   it answered with an error: `.status` and `.reason` are the server's
        ├── BadRequestError   42   400 and other 4xx not named here
        ├── UnauthorizedError 43   401
        ├── ForbiddenError    44   403
        ├── NotFoundError     45   404
        ├── ConflictError     46   409
        ├── StaleError        47   412: changed since it was read
        └── ServerError       48   5xx, 429
"""

from __future__ import annotations


class SnakeprovError(Exception):
    """Base of all errors of snakeprov.

    Attributes:
        message: One sentence: what failed, on which value, what was expected.
        hint: What to do about it, or an empty string.
        exit_status: The status a `snakeprov` command exits with.
    """

    exit_status = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UsageError(SnakeprovError):
    """A command or function was called with something it cannot take."""

    exit_status = 2


class NotRecordedError(UsageError):
    """The store does not hold the path, version, run or entity that was named."""

    exit_status = 3


class ProvenanceError(UsageError, ValueError):
    """An Activity was given something that it cannot say."""


class NotAWorkflowError(UsageError):
    """`track()` was given something that is not Snakemake's `workflow` object."""

    exit_status = 20


class NotKeptError(SnakeprovError):
    """The bytes of a version are not kept, so that it cannot be restored."""

    exit_status = 5


class NotWrittenError(SnakeprovError):
    """A file could not be put into place; what was there is unchanged."""

    exit_status = 6


class ConfigError(SnakeprovError):
    """A setting is unknown, or has a value it cannot have."""

    exit_status = 10


class CaptureError(SnakeprovError):
    """Something about a job could not be recorded; a warning unless `strict` is set."""

    exit_status = 20


class ChangedFileError(CaptureError):
    """A file changed since it was seen, or while it was read."""


class StoreError(SnakeprovError):
    """The store folder cannot be used."""

    exit_status = 30


class NoStoreError(StoreError):
    """There is no store folder where one was looked for."""

    exit_status = 31


class NewerStoreError(StoreError):
    """The store folder was made by a newer version of snakeprov."""

    exit_status = 32


class CorruptStoreError(StoreError):
    """The content of the store folder is damaged."""

    exit_status = 33


class FullStoreError(StoreError):
    """No space is left on the device that holds the store folder."""

    exit_status = 34


class BusyStoreError(StoreError):
    """Another process kept the store folder locked for longer than the time limit."""

    exit_status = 36


class OutboxError(SnakeprovError):
    """The outbox cannot be written or read."""

    exit_status = 35


class RemoteError(SnakeprovError):
    """A store refused or failed."""

    exit_status = 40


class UnreachableError(RemoteError):
    """A store gave no answer within the time limits."""

    exit_status = 41


class ApiError(RemoteError):
    """A store answered with an error.

    Attributes:
        status: The HTTP status.
        reason: The server's own sentence.
        failed_request: Position of the request that failed, when a batch was sent; else None.
    """

    def __init__(
        self, message: str, *, status: int, reason: str, hint: str = "", failed_request: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.reason = reason
        self.failed_request = failed_request


class BadRequestError(ApiError):
    """HTTP 400, or a 4xx that has no class of its own."""

    exit_status = 42


class UnauthorizedError(ApiError):
    """HTTP 401."""

    exit_status = 43


class ForbiddenError(ApiError):
    """HTTP 403."""

    exit_status = 44


class NotFoundError(ApiError):
    """HTTP 404."""

    exit_status = 45


class ConflictError(ApiError):
    """HTTP 409: a name or an id is taken."""

    exit_status = 46


class StaleError(ApiError):
    """HTTP 412: the thing was changed since it was read."""

    exit_status = 47


class ServerError(ApiError):
    """HTTP 5xx or 429: the store is not able to answer now."""

    exit_status = 48
