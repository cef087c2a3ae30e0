"""The former name of `snakeprov.apps.connect`, for what has not moved over yet."""

from snakeprov.apps.connect import *  # noqa: F403
