"""The store as a WSGI application.

Must not know: who runs it, or any client.
"""

from snakeprov.server.app import create_app as create_app
