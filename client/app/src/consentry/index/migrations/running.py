"""Running the migrations on a connection that somebody else has open."""

from pathlib import Path

from alembic.command import upgrade as _upgrade
from alembic.config import Config
from sqlalchemy import Connection

_CONNECTION = "connection"


def migrations_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: where the migrations are, and on which connection they run."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes[_CONNECTION] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest form, within the connection's own transaction."""
    _upgrade(migrations_config(connection), "head")
