"""The former name of `snakeprov.apps.listener`, for what has not moved over yet."""

from snakeprov.apps.listener import *  # noqa: F403
