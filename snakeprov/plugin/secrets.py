"""The secrets that a workflow names before its first job: in its environment and in params that do not depend on a job.

Must not know: what becomes of them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from snakeprov.capture.secrets.finders import environment_secrets
from snakeprov.capture.secrets.redactor import secrets_in
from snakeprov.plugin.represent import represent


def known_secrets(workflow: Any) -> Iterator[str]:
    """Yield the values of secret variables of the environment, and what params of rules give as secret."""
    yield from environment_secrets(os.environ, workflow.envvars)
    for rule in workflow.rules:
        with contextlib.suppress(Exception):  # a value's own code; its jobs' records are redacted all the same
            params = rule.params
            named = dict(params._get_names())
            of_names = {
                number for start, end in named.values() for number in range(start, start + 1 if end is None else end)
            }
            values = {
                name: params[start] if end is None else list(params[start:end]) for name, (start, end) in named.items()
            }
            values[""] = [value for number, value in enumerate(params) if number not in of_names]
            for name, value in values.items():
                if isinstance(value, str | dict | list | tuple):
                    yield from secrets_in({name: represent(value)})
