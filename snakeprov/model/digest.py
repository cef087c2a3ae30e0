"""The digests that identify bytes."""

from __future__ import annotations

import msgspec


class Digest(msgspec.Struct, frozen=True, rename="camel"):
    """The identity of a piece of content.

    Attributes:
        sha256: Lower-case hex; this is the identity.
        md5: Lower-case hex; Synapse's wire form needs it. Comes from the same read.
        size_bytes: Length of the content.
    """

    sha256: str
    md5: str
    size_bytes: int


EMPTY = Digest(
    sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    md5="d41d8cd98f00b204e9800998ecf8427e",
    size_bytes=0,
)
