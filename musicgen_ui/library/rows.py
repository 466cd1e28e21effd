"""Between clips and rows."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from musicgen_ui.errors import RequestError
from musicgen_ui.library.clip import Clip
from musicgen_ui.library.schema import BODIES, CLIPS, HEARD, TAGS

MAX_TITLE = 120
MAX_TAG = 40
MAX_TAGS = 20

_PLAIN = (
    "id", "title", "made", "kept", "liked", "plays", "skips", "hash", "seconds", "tempo", "key", "metre", "bars",
    "genre", "loop", "origin", "rebuilt_differs", "deleted",
)  # fmt: skip
_JSON = ("recipe", "asked", "heard", "parts")


def canonical(value: Any) -> str:
    """JSON whose text is equal where the value is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def clean_text(argument: str, value: Any, longest: int) -> str:
    """A line that a person typed, without what cannot be seen.

    Raises:
        RequestError: no text, an empty one, or one that is too long.
    """
    if not isinstance(value, str) or len(value) > 4 * longest:
        raise RequestError(argument, f"must be a text of 1 to {longest} characters")
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in value)
    shown = "".join(c for c in shown if unicodedata.category(c) not in ("Cs", "Co", "Cn"))
    text = " ".join(unicodedata.normalize("NFC", shown).split())
    if not 1 <= len(text) <= longest:
        raise RequestError(argument, f"must be a text of 1 to {longest} characters")
    return text


def clean_tags(value: Any) -> tuple[str, ...]:
    """Tags, each once, in order of the alphabet.

    Raises:
        RequestError: no list of tags, or too many.
    """
    if not isinstance(value, (list, tuple)) or len(value) > MAX_TAGS:
        raise RequestError("tags", f"must be a list of at most {MAX_TAGS} words")
    return tuple(sorted({clean_text("tags", tag, MAX_TAG) for tag in value}))


def words_of(clip: Clip, tags: Iterable[str], title: str) -> str:
    """What a search looks through, in small letters."""
    found = [title, *tags, clip.genre or "", clip.key or "", *clip.parts.values(), clip.origin]
    return fold(" ".join(filter(None, found)))


def fold(text: str) -> str:
    """The form in which words are compared: no case, no accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"\s+", " ", "".join(c for c in plain if not unicodedata.combining(c)))


def heard_columns(clip: Clip) -> dict[str, float | None]:
    """The columns of what is heard; None where the ear cannot tell."""
    values = {name: clip.heard.get(name) for name in HEARD}
    told = {name: isinstance(value, (int, float)) and math.isfinite(value) for name, value in values.items()}
    return {f"heard_{name}": float(values[name]) if told[name] else None for name in HEARD}


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
