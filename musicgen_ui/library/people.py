"""People: told apart by a secret that nobody keeps, with what is remembered of each, and forgotten on request."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from musicgen_ui.errors import RequestError
from musicgen_ui.library.database import Database
from musicgen_ui.library.schema import CLIPS, EVENTS, MEMORIES, PEOPLE, PLAYLISTS
from musicgen_ui.library.text import canonical

MAX_MEMORY = 1_000_000
"""Characters of JSON that one memory may have."""


class People:
    """What is known of people beside their clips.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, person: str, name: str) -> Any:
        """What was remembered under a name; None where nothing was."""
        with self._database.read() as connection:
            wanted = select(MEMORIES.c.text).where(MEMORIES.c.person == person, MEMORIES.c.name == name)
            text = connection.execute(wanted).scalar()
        return None if text is None else json.loads(text)

    def write(self, person: str, name: str, value: Any) -> None:
        """Remember a JSON value under a name, instead of what was there; None forgets it.

        Raises:
            RequestError: it is too large.
        """
        text = canonical(value)
        if len(text) > MAX_MEMORY:
            raise RequestError(name, f"at most {MAX_MEMORY} characters of it can be remembered")
        with self._database.write() as connection:
            ensure(connection, person, self._database.now())
            connection.execute(delete(MEMORIES).where(MEMORIES.c.person == person, MEMORIES.c.name == name))
            if value is not None:
                connection.execute(MEMORIES.insert().values(person=person, name=name, text=text))

    def counts(self, person: str) -> dict[str, int]:
        """How much there is: ``kept``, ``history``, ``liked``, ``playlists``, ``events``."""
        mine = (CLIPS.c.person == person, CLIPS.c.deleted.is_(None))
        lists = (PLAYLISTS.c.person == person, PLAYLISTS.c.deleted.is_(None))
        with self._database.read() as connection:

            def count(*conditions: Any) -> int:
                return connection.execute(select(func.count()).where(*conditions)).scalar_one()

            return {
                "kept": count(*mine, CLIPS.c.kept.is_(True)),
                "history": count(*mine, CLIPS.c.kept.is_(False)),
                "liked": count(*mine, CLIPS.c.liked == 1),
                "playlists": count(*lists),
                "events": count(EVENTS.c.person == person),
            }

    def forget(self, person: str) -> list[str]:
        """Everything of a person, at once and for good. Gives the ids of the clips, whose files go too."""
        with self._database.write() as connection:
            ids = list(connection.execute(select(CLIPS.c.id).where(CLIPS.c.person == person)).scalars())
            connection.execute(delete(PEOPLE).where(PEOPLE.c.key == person))
        self._database.scrub()
        return ids


def key_of(token: Any) -> str:
    """What the database knows of a person: the SHA-256 of the secret token, 64 hex digits.

    Raises:
        RequestError: it is no token of 32 to 128 letters, digits, dashes and underscores.
    """
    if not isinstance(token, str) or not re.fullmatch(r"[A-Za-z0-9_-]{32,128}", token):
        raise RequestError("person", "must be a secret token of at least 32 letters and digits")
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def ensure(connection: Connection, person: str, time: int) -> None:
    """Note a person who comes for the first time."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(PEOPLE).values(key=person, made=time).on_conflict_do_nothing())
