"""From an older schema to this one: one function a step, each in the transaction that also notes the new version."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from musicgen_ui.errors import RequestError
from musicgen_ui.library.schema import METADATA, SCHEMA, VERSION

STEPS: dict[int, Callable[[Connection], None]] = {}
"""Version to what brings it to the next."""


def version_of(connection: Connection) -> int | None:
    """The version of the tables that are there; None for an empty database."""
    if not inspect(connection).has_table(SCHEMA.name):
        return None
    return connection.execute(select(SCHEMA.c.version)).scalar()


def bring_up(connection: Connection) -> None:
    """Make the tables, or bring those of an older release to this one. Runs in a transaction of its own.

    Raises:
        RequestError: they are of a newer release.
    """
    version = version_of(connection)
    if version is None:
        METADATA.create_all(connection)
        connection.execute(SCHEMA.insert().values(version=VERSION))
        return
    if version > VERSION:
        raise RequestError(
            "library", f"was written by a newer release (version {version}); this one reads up to {VERSION}"
        )
    while version < VERSION:
        STEPS[version](connection)
        version += 1
        connection.execute(SCHEMA.update().values(version=version))
