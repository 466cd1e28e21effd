"""A page of a person's clips: searched, filtered and sorted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from musicgen_ui.errors import RequestError
from musicgen_ui.library import rows
from musicgen_ui.library.clip import Clip
from musicgen_ui.library.schema import CLIPS, HEARD, TAGS
from musicgen_ui.library.text import fold

MAX_PAGE = 100
MAX_TEXT = 200
MAX_WORDS = 12

SORTS: dict[str, tuple[ColumnElement, ...]] = {
    "newest": (CLIPS.c.made.desc(),),
    "oldest": (CLIPS.c.made.asc(),),
    "title": (func.lower(CLIPS.c.title), CLIPS.c.made.desc()),
    "tempo": (CLIPS.c.tempo, CLIPS.c.made.desc()),
    "most played": (CLIPS.c.plays.desc(), CLIPS.c.made.desc()),
    "best obeyed": (func.coalesce(CLIPS.c.obeyed, -1).desc(), CLIPS.c.made.desc()),
    "liked": (CLIPS.c.liked.desc(), CLIPS.c.made.desc()),
}

Range = tuple[float | None, float | None]


@dataclass(frozen=True)
class Query:
    """What to list. What is None does not matter.

    Attributes:
        text: words that title, tags, genre, key or instruments hold, in any order.
        kept: in the library (True) or in the history (False).
        liked: 1, 0 or -1.
        genre: the clip's main genre.
        key: such as ``F minor``.
        tag: one of its tags.
        origin: one of ``clip.ORIGINS``.
        loop: whether it is a loop.
        tempo: lowest and highest, in BPM, both ends included; None for an open end.
        heard: slider to lowest and highest of what is heard, 0 to 1.
        made: earliest and latest, in milliseconds.
        deleted: list what was deleted, and can be had back, instead.
        sort: one of SORTS.
        page: from 0.
        size: clips a page, 1 to MAX_PAGE.

    Raises:
        RequestError: a bad value; it names the field.
    """

    text: str = ""
    kept: bool | None = None
    liked: int | None = None
    genre: str | None = None
    key: str | None = None
    tag: str | None = None
    origin: str | None = None
    loop: bool | None = None
    tempo: Range = (None, None)
    heard: Mapping[str, Range] = field(default_factory=dict)
    made: Range = (None, None)
    deleted: bool = False
    sort: str = "newest"
    page: int = 0
    size: int = 24

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or len(self.text) > MAX_TEXT or len(self.text.split()) > MAX_WORDS:
            raise RequestError("text", f"must be at most {MAX_WORDS} words")
        for name in ("genre", "key", "tag", "origin"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or len(value) > MAX_TEXT):
                raise RequestError(name, "must be a short text")
        if self.sort not in SORTS:
            raise RequestError("sort", f"must be one of {', '.join(SORTS)}")
        if not 1 <= self.size <= MAX_PAGE:
            raise RequestError("size", f"must be from 1 to {MAX_PAGE}")
        if not 0 <= self.page <= 1_000_000:
            raise RequestError("page", "must be from 0 to 1000000")
        for name, ends in (("tempo", self.tempo), ("made", self.made), *self.heard.items()):
            if name not in (*HEARD, "tempo", "made"):
                raise RequestError("heard", f"{name!r:.40} is not one of {', '.join(HEARD)}")
            if not all(end is None or (math.isfinite(end) and abs(end) < 2**62) for end in ends):
                raise RequestError(name, "must be a range of two numbers")


@dataclass(frozen=True)
class Page:
    """Clips of one page, and how many there are on all pages."""

    clips: tuple[Clip, ...]
    total: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value."""
        return {"clips": [clip.to_dict() for clip in self.clips], "total": self.total}


def page(connection: Connection, person: str, query: Query) -> Page:
    """The clips that a query asks for."""
    wanted = _conditions(person, query)
    total = connection.execute(select(func.count()).select_from(CLIPS).where(*wanted)).scalar_one()
    order = (*SORTS[query.sort], CLIPS.c.id)  # no two pages may share a clip, whatever is equal
    chosen = select(CLIPS.c.id).where(*wanted).order_by(*order).limit(query.size).offset(query.page * query.size)
    ids = list(connection.execute(chosen).scalars())
    return Page(tuple(rows.fetch(connection, ids)), total)


def facets(connection: Connection, person: str) -> dict[str, list[str]]:
    """The tags, genres, keys and origins that a person's clips have."""
    mine = (CLIPS.c.person == person, CLIPS.c.deleted.is_(None))
    columns = {"genres": CLIPS.c.genre, "keys": CLIPS.c.key, "origins": CLIPS.c.origin}
    found = {
        name: list(
            connection.execute(select(column).distinct().where(*mine, column.is_not(None)).order_by(column)).scalars()
        )
        for name, column in columns.items()
    }
    tags = select(TAGS.c.tag).distinct().join(CLIPS, CLIPS.c.id == TAGS.c.clip).where(*mine).order_by(TAGS.c.tag)
    return {"tags": list(connection.execute(tags).scalars()), **found}


def _conditions(person: str, query: Query) -> list[ColumnElement]:
    found = [CLIPS.c.person == person]
    found.append(CLIPS.c.deleted.is_not(None) if query.deleted else CLIPS.c.deleted.is_(None))
    for name in ("kept", "liked", "genre", "key", "origin", "loop"):
        if (value := getattr(query, name)) is not None:
            found.append(CLIPS.c[name] == value)
    if query.tag is not None:
        found.append(CLIPS.c.id.in_(select(TAGS.c.clip).where(TAGS.c.tag == query.tag)))
    ranges = {"tempo": query.tempo, "made": query.made} | {f"heard_{name}": ends for name, ends in query.heard.items()}
    for name, (low, high) in ranges.items():
        if low is not None:
            found.append(CLIPS.c[name] >= low)
        if high is not None:
            found.append(CLIPS.c[name] <= high)
    found += [CLIPS.c.words.contains(word, autoescape=True) for word in fold(query.text).split()]
    return found
