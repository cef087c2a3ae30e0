"""The REST client.

Must not know: SQL, Snakemake, the server.
"""

from snakeprov.client.batch import Ref, Request
from snakeprov.client.client import Client
from snakeprov.client.files import Content, Stored

__all__ = ["Client", "Content", "Ref", "Request", "Stored"]
