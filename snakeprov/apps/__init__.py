"""Composition: put client, server and recorder together, for the command line, the plugin and callers.

The only package that sees both the client and the server.
"""
