"""`snakeprov completion`: print the script with which a shell completes commands, options and recorded paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snakeprov.cli import output
from snakeprov.cli.examples import examples

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SHELLS = ("bash", "zsh", "fish")

PATHS_MAX = 100
"""Maximum number of paths offered."""


@click.command(
    "completion",
    epilog=examples(
        ("completion bash", "the script for bash"),
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands and paths in a shell.

    \b
    bash:  eval "$(snakeprov completion bash)"            in ~/.bashrc
    zsh:   eval "$(snakeprov completion zsh)"             in ~/.zshrc
    fish:  snakeprov completion fish > ~/.config/fish/completions/snakeprov.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kind = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}[shell]
    script = kind(context.find_root().command, {}, "snakeprov", "_SNAKEPROV_COMPLETE").source()
    output.write_lines(script.splitlines())


def paths(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return recorded paths that begin with what is typed; none without a store. For `shell_complete`."""
    from click.shell_completion import CompletionItem

    from snakeprov.cli import targetsyntax
    from snakeprov.cli.store import current_folder, opened
    from snakeprov.errors import SnakeprovError

    try:
        with opened(context.params.get("store")) as (place, client):
            folder, _slash, name = incomplete.rpartition("/")
            above = targetsyntax.candidates(folder or ".", here=str(current_folder()), root=str(place.root))[0]
            prefix = "" if above == "." else above.rstrip("/") + "/"
            found = client.provenance.paths(prefix + name, limit=PATHS_MAX)
    except SnakeprovError:
        return []
    typed = incomplete[: len(incomplete) - len(name)]
    # A name that a shell cannot be given as it is shown is not offered.
    return [CompletionItem(typed + path[len(prefix) :]) for path in found if path.isprintable()]
