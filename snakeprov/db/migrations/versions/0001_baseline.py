"""The tables that the first release had. There is nothing before them to come from."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Do nothing: a new store is made complete."""
