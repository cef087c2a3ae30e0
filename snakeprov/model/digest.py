"""The digests that identify bytes."""

from __future__ import annotations

import msgspec


class Digest(msgspec.Struct, frozen=True, eq=False, rename="camel"):
    """The identity of a piece of content. Two are equal when their sha256 is, whether or not both have an md5.

    Attributes:
        sha256: Lower-case hex; this is the identity.
        md5: Lower-case hex; None where it was not asked for. Synapse's wire form needs it.
        size_bytes: Length of the content.
    """

    sha256: str
    md5: str | None
    size_bytes: int

    def __eq__(self, other: object) -> bool:
        return self.sha256 == other.sha256 if isinstance(other, Digest) else NotImplemented

    def __ne__(self, other: object) -> bool:  # msgspec's own would not ask `__eq__`
        return not self == other

    def __hash__(self) -> int:
        return hash(self.sha256)
