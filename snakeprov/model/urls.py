"""URLs that jobs used."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_address(url: str) -> bool:
    """Return whether the host and the port that a URL names, if it does, can be such.

    >>> is_address("https://example.org/a b.csv"), is_address("http://example.org:port/"), is_address("http://[::1")
    (True, False, False)
    """
    try:
        urlsplit(url).port  # noqa: B018  raises if the port is invalid
    except ValueError:  # also raised for brackets without an address
        return False
    return True
