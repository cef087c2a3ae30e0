"""The former name of `snakeprov.apps.accounts`, for what has not moved over yet."""

from snakeprov.apps.accounts import *  # noqa: F403
