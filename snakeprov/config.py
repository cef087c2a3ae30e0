"""The former name of `snakeprov.settings` and `snakeprov.places`, for what has not moved over yet."""

from snakeprov.places import *  # noqa: F403
from snakeprov.settings import *  # noqa: F403
