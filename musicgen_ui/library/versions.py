"""From an older schema to this one: one function a step, each in the transaction that also notes the new version."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import Connection, inspect, select, text

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import obeyed
from musicgen_ui.library.schema import METADATA, SCHEMA, VERSION

LOCK = 20_261_123
"""Names the lock that is held while tables are made."""


def remember_and_find(connection: Connection) -> None:
    """2: memories of a person, fingerprints of clips, and how well each clip obeyed."""
    blob = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
    memory = (
        "CREATE TABLE memory (person VARCHAR(64) NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, "
        "PRIMARY KEY (person, name), FOREIGN KEY(person) REFERENCES person (key) ON DELETE CASCADE)"
    )
    fingerprint = (
        f"CREATE TABLE fingerprint (clip VARCHAR(22) NOT NULL, kind TEXT NOT NULL, data {blob} NOT NULL, "
        "PRIMARY KEY (clip, kind), FOREIGN KEY(clip) REFERENCES clip (id) ON DELETE CASCADE)"
    )
    for statement in (memory, fingerprint, "ALTER TABLE clip ADD COLUMN obeyed FLOAT"):
        connection.execute(text(statement))
    known = connection.execute(text("SELECT clip, asked, heard FROM body")).all()
    values = [{"clip": row.clip, "obeyed": obeyed(json.loads(row.asked), json.loads(row.heard))} for row in known]
    if values:
        connection.execute(text("UPDATE clip SET obeyed = :obeyed WHERE id = :clip"), values)


# A step spells out the tables as they were then: today's definitions may be those of a later version.
STEPS: dict[int, Callable[[Connection], None]] = {1: remember_and_find}
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
    if connection.dialect.name == "postgresql":
        # SQLite lets one writer in anyway; here two servers that start together would both make the tables.
        connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": LOCK})
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
