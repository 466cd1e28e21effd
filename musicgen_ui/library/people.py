"""People: told apart by a secret that nobody keeps, with what is remembered of each, and forgotten on request."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from musicgen_ui.errors import RequestError
from musicgen_ui.library.schema import PEOPLE


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
