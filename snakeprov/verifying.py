"""The former name of `snakeprov.apps.verify`, for what has not moved over yet."""

from snakeprov.apps.verify import *  # noqa: F403
