"""Choose the delivery target for a client's jobs."""

from __future__ import annotations

from snakeprov.client import Client
from snakeprov.client.ownserver import OwnServer
from snakeprov.recorder.target import Target


def target_of(client: Client) -> Target:
    """Return the delivery target of `client`. Raises RemoteError if the store does not answer."""
    if isinstance(client.backend, OwnServer):
        from snakeprov.recorder.target import ServerTarget

        return ServerTarget(client)
    from snakeprov.synapse.target import SynapseTarget

    return SynapseTarget(client)
