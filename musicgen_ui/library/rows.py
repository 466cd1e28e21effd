"""Between clips and rows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Row, select

from musicgen_ui.library.clip import Clip, obeyed
from musicgen_ui.library.schema import BODIES, CLIPS, HEARD, TAGS
from musicgen_ui.library.text import canonical, fold

_PLAIN = (
    "id", "title", "made", "kept", "liked", "plays", "skips", "hash", "seconds", "tempo", "key", "metre", "bars",
    "genre", "loop", "origin", "rebuilt_differs", "deleted",
)  # fmt: skip
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


def insert(connection: Connection, person: str, clip: Clip) -> None:
    """Write a clip's rows."""
    row = {name: getattr(clip, name) for name in _PLAIN}
    row |= {"person": person, "words": words_of(clip, clip.tags, clip.title)} | heard_columns(clip)
    connection.execute(CLIPS.insert().values(row))
    body = {name: canonical(dict(getattr(clip, name))) for name in _JSON}
    connection.execute(BODIES.insert().values(clip=clip.id, code=clip.code, **body))
    if clip.tags:
        connection.execute(TAGS.insert(), [{"clip": clip.id, "tag": tag} for tag in clip.tags])


def fetch(connection: Connection, ids: Sequence[str]) -> list[Clip]:
    """Clips by id, in that order; those that are not there are left out."""
    if not ids:
        return []
    asked = select(CLIPS, *(BODIES.c[name] for name in (*_JSON, "code"))).join(BODIES, BODIES.c.clip == CLIPS.c.id)
    rows = {row.id: row for row in connection.execute(asked.where(CLIPS.c.id.in_(ids)))}
    tags: dict[str, list[str]] = {}
    for clip, tag in connection.execute(select(TAGS.c.clip, TAGS.c.tag).where(TAGS.c.clip.in_(ids))):
        tags.setdefault(clip, []).append(tag)
    return [_clip(rows[name], tags.get(name, ())) for name in ids if name in rows]


def _clip(row: Row, tags: Iterable[str]) -> Clip:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Clip(
        **plain, code=row.code, tags=tuple(sorted(tags)), **{name: json.loads(getattr(row, name)) for name in _JSON}
    )
