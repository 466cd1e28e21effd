"""What a person did and when, with what the clip was like: the memory that taste is learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from musicgen_ui.library.clip import Clip
from musicgen_ui.library.database import Database
from musicgen_ui.library.schema import EVENTS, TRAITS
from musicgen_ui.library.text import canonical

KINDS = ("like", "neutral", "dislike", "play", "skip", "keep", "unkeep")


@dataclass(frozen=True)
class Event:
    """One thing that a person did.

    Attributes:
        id: counts up with time.
        clip: the clip, which may be gone.
        kind: one of KINDS.
        time: when, in milliseconds.
        at: seconds into the clip, of a play or a skip.
        traits: ``{"recipe", "key", "heard", "parts", "seconds", "origin"}`` of the clip; the recipe without its source.
    """

    id: int
    clip: str
    kind: str
    time: int
    at: float | None
    traits: Mapping[str, Any]


class Events:
    """What people did.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, person: str, after: int = 0, newest: int | None = None) -> list[Event]:
        """All events of a person in order, or those since the one with the id ``after``, or so many of the newest."""
        traits: dict[str, Any] = {}
        asked = select(EVENTS, TRAITS.c.text).join(
            TRAITS, (TRAITS.c.person == EVENTS.c.person) & (TRAITS.c.clip == EVENTS.c.clip)
        )
        found = []
        with self._database.read() as connection:
            wanted = asked.where(EVENTS.c.person == person, EVENTS.c.id > after).order_by(EVENTS.c.id.desc())
            for row in reversed(connection.execute(wanted.limit(newest)).all()):
                if row.clip not in traits:
                    traits[row.clip] = json.loads(row.text)
                found.append(Event(row.id, row.clip, row.kind, row.time, row.at, traits[row.clip]))
        return found


def traits_of(clip: Clip) -> dict[str, Any]:
    """What taste may learn from."""
    recipe = {name: value for name, value in clip.recipe.items() if name not in ("checkpoints", "source")}
    return {
        "recipe": recipe,
        "key": clip.key,
        "heard": dict(clip.heard),
        "parts": dict(clip.parts),
        "seconds": clip.seconds,
        "origin": clip.origin,
    }


def remember(connection: Connection, person: str, clip: str, traits: Mapping[str, Any]) -> None:
    """Note what a clip is like, once."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"person": person, "clip": clip, "text": canonical(traits)}
    connection.execute(dialect.insert(TRAITS).values(row).on_conflict_do_nothing())


def note(connection: Connection, person: str, clip: Clip, kind: str, time: int, at: float | None = None) -> None:
    """Note that a person did something with a clip."""
    remember(connection, person, clip.id, traits_of(clip))
    connection.execute(EVENTS.insert().values(person=person, clip=clip.id, kind=kind, time=time, at=at))
