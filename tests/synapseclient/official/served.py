"""The server under test and who may use it, and what the tests say about its refusals.

Both come from environment variables, because this runs in an environment that holds nothing of the project.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

URL = os.environ["SNAKEPROV_TEST_URL"]
TOKEN = os.environ["SNAKEPROV_TEST_TOKEN"]
"""Of the user to whom everything belongs."""

OTHER_TOKEN = os.environ["SNAKEPROV_TEST_OTHER_TOKEN"]
"""Of somebody else."""

OTHER_VIEW_TOKEN = os.environ["SNAKEPROV_TEST_OTHER_VIEW_TOKEN"]
"""Of the same somebody, but good for looking only: neither for downloading nor for changing anything."""


def endpoints() -> dict[str, str]:
    """Return what makes the client talk to the server under test."""
    return {
        "repoEndpoint": f"{URL}/repo/v1",
        "authEndpoint": f"{URL}/auth/v1",
        "fileHandleEndpoint": f"{URL}/file/v1",
        "portalEndpoint": f"{URL}/",
    }


def status_of(refused: pytest.ExceptionInfo[Any]) -> int:
    """Return the HTTP status with which the server refused."""
    return refused.value.response.status_code
