"""Between clips and rows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from musicgen_ui.library.clip import Clip, obeyed
from musicgen_ui.library.schema import BODIES, CLIPS, HEARD, TAGS
from musicgen_ui.library.text import canonical, fold

_PLAIN = (
    "id", "title", "made", "kept", "liked", "plays", "skips", "hash", "seconds", "tempo", "key", "metre", "bars",
    "genre", "loop", "origin", "rebuilt_differs", "deleted",
)  # fmt: skip
BATCH = 200
"""Ids in one question: databases limit how many it may name."""

_JSON = ("recipe", "asked", "heard", "parts")


def words_of(clip: Clip, tags: Iterable[str], title: str) -> str:
    """What a search looks through, in small letters."""
    found = [title, *tags, clip.genre or "", clip.key or "", *clip.parts.values(), clip.origin]
    return fold(" ".join(filter(None, found)))


def heard_columns(clip: Clip) -> dict[str, float | None]:
    """The columns of what is heard and how well it obeyed; None where the ear cannot tell."""
    values = {name: clip.heard.get(name) for name in HEARD}
    told = {name: isinstance(value, (int, float)) and math.isfinite(value) for name, value in values.items()}
    columns = {f"heard_{name}": float(values[name]) if told[name] else None for name in HEARD}
    return columns | {"obeyed": obeyed(clip.asked, clip.heard)}


def insert(connection: Connection, person: str, clips: Sequence[Clip]) -> None:
    """Write the rows of clips."""
    for start in range(0, len(clips), BATCH):
        some = clips[start : start + BATCH]
        connection.execute(CLIPS.insert(), [_row(person, clip) for clip in some])
        bodies = ({name: canonical(dict(getattr(clip, name))) for name in _JSON} for clip in some)
        rows = [{"clip": clip.id, "code": clip.code, **body} for clip, body in zip(some, bodies, strict=True)]
        connection.execute(BODIES.insert(), rows)
        if tags := [{"clip": clip.id, "tag": tag} for clip in some for tag in clip.tags]:
            connection.execute(TAGS.insert(), tags)


def _row(person: str, clip: Clip) -> dict[str, Any]:
    plain = {name: getattr(clip, name) for name in _PLAIN}
    return plain | {"person": person, "words": words_of(clip, clip.tags, clip.title)} | heard_columns(clip)


def describe(connection: Connection, clip: Clip) -> None:
    """Write what was asked and is heard."""
    texts = {name: canonical(dict(getattr(clip, name))) for name in ("asked", "heard")}
    connection.execute(update(BODIES).where(BODIES.c.clip == clip.id).values(texts))
    connection.execute(update(CLIPS).where(CLIPS.c.id == clip.id).values(heard_columns(clip)))


def fetch(connection: Connection, ids: Sequence[str]) -> list[Clip]:
    """Clips by id, in that order; those that are not there are left out."""
    asked = select(CLIPS, *(BODIES.c[name] for name in (*_JSON, "code"))).join(BODIES, BODIES.c.clip == CLIPS.c.id)
    rows: dict[str, Row] = {}
    tags: dict[str, list[str]] = {}
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        rows |= {row.id: row for row in connection.execute(asked.where(CLIPS.c.id.in_(some)))}
        for clip, tag in connection.execute(select(TAGS.c.clip, TAGS.c.tag).where(TAGS.c.clip.in_(some))):
            tags.setdefault(clip, []).append(tag)
    return [_clip(rows[name], tags.get(name, ())) for name in ids if name in rows]


def _clip(row: Row, tags: Iterable[str]) -> Clip:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Clip(
        **plain, code=row.code, tags=tuple(sorted(tags)), **{name: json.loads(getattr(row, name)) for name in _JSON}
    )
