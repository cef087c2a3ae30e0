"""Synapse's official client, unmodified, against our server."""
