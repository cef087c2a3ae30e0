"""`snakeprov serve`: serve a store over HTTP."""

from __future__ import annotations

import sys

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples


@click.command(
    "serve",
    epilog=examples(
        ("serve --host 0.0.0.0 --port 8642", "to the team"),
        ("serve --store /srv/provenance", "a store elsewhere"),
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Name or address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True, help="0: any free port.")
@click.option(
    "--trusted-proxy",
    metavar="ADDRESS",
    help="Address of an HTTPS reverse proxy whose X-Forwarded-Proto and X-Forwarded-Host are trusted.",
)
@options.common
def command(host: str, port: int, trusted_proxy: str | None, store: str | None, as_json: bool) -> None:
    """Serve the store over HTTP.

    Prints the URL and your own access token, which is valid until the server stops; create tokens for others with
    'snakeprov user add' and 'snakeprov token create'. --json prints both on one line once the server listens. If the
    folder that --store names is not a store yet, it becomes one. Ctrl-C stops the server.
    """
    from snakeprov.apps.connect import user_name
    from snakeprov.apps.serve import listening
    from snakeprov.cli.store import find_folder
    from snakeprov.disk.privacy import prepare_folder

    folder = find_folder(store, create=True)
    prepare_folder(folder)
    with listening(folder, user=user_name(), host=host, port=port, trusted_proxy=trusted_proxy) as server:
        if server.is_public:
            print(
                "snakeprov: other machines can reach this server, and tokens travel unencrypted: "
                "run it behind an HTTPS reverse proxy.",
                file=sys.stderr,
                flush=True,
            )
        if as_json:
            output.write_line_of_json({"url": server.url, "token": server.token})
        else:
            output.write_lines(
                [
                    f"snakeprov serves {folder} at {server.url}",
                    f"token: {server.token}",
                    "",
                    "In a browser, open that address and sign in with the token. To use it from another shell:",
                    f"  export SNAKEPROV_STORE={server.url} SNAKEPROV_TOKEN={server.token}",
                    "Ctrl-C ends the server.",
                ]
            )
        server.run()
