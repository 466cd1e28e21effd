"""Playlists: clips of the library in an order, each as often as one likes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from musicgen_ui.errors import RequestError
from musicgen_ui.library import rows
from musicgen_ui.library.clip import Clip, Missing, checked_id, iso, new_id
from musicgen_ui.library.clips import PURGE_AFTER
from musicgen_ui.library.database import Database
from musicgen_ui.library.people import ensure
from musicgen_ui.library.schema import CLIPS, ITEMS, PLAYLISTS
from musicgen_ui.library.text import clean_text

MAX_ITEMS = 1000
MAX_PLAYLISTS = 500

COVER = 4
"""Clips that a picture of the playlist is made of."""

COVERED = ("id", "title", "hash", "key", "tempo", "genre", "heard")


@dataclass(frozen=True)
class Playlist:
    """A playlist.

    Attributes:
        id: of its own, as a clip's.
        name: what the person calls it.
        made: when, in milliseconds.
        changed: when last, in milliseconds.
        count: clips in it.
        seconds: their length in all.
        deleted: when it was deleted; None while it was not.
        cover: the first clips, where several lists were asked for at once.
        clips: in order, where the list was asked for with them; those that are deleted are left out.
    """

    id: str
    name: str
    made: int
    changed: int
    count: int
    seconds: float
    deleted: int | None = None
    cover: tuple[Clip, ...] = ()
    clips: tuple[Clip, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value; ``clips`` or the few facts of ``cover``, whichever is known."""
        values = {
            "id": self.id,
            "name": self.name,
            "made": iso(self.made),
            "changed": iso(self.changed),
            "count": self.count,
            "seconds": self.seconds,
            "deleted": None if self.deleted is None else iso(self.deleted),
        }
        if self.clips is not None:
            return values | {"clips": [clip.to_dict() for clip in self.clips]}
        return values | {"cover": [{name: getattr(clip, name) for name in COVERED} for clip in self.cover]}


class Playlists:
    """Every method takes the key of the person first and sees nobody else's playlists.

    Args:
        database: where they are.

    Raises:
        Missing: of every method that takes an id: the person has no such playlist, or no such clip.
        RequestError: more clips or playlists than there may be.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, person: str, deleted: bool = False) -> list[Playlist]:
        """The person's playlists, the one that was changed last first; or those that can be had back."""
        state = PLAYLISTS.c.deleted.is_not(None) if deleted else PLAYLISTS.c.deleted.is_(None)
        with self._database.read() as connection:
            order = _asked().where(PLAYLISTS.c.person == person, state)
            found = connection.execute(order.order_by(PLAYLISTS.c.changed.desc(), PLAYLISTS.c.id)).all()
            covers = _covers(connection, [row.id for row in found])
        return [replace(_playlist(row), cover=tuple(covers.get(row.id, ()))) for row in found]

    def get(self, person: str, playlist: str) -> Playlist:
        """A playlist with its clips."""
        with self._database.read() as connection:
            return self._whole(connection, person, playlist)

    def create(self, person: str, name: Any, clips: Sequence[str] = ()) -> Playlist:
        """A new playlist. Clips in a playlist are kept."""
        name, now = clean_text("name", name), self._database.now()
        with self._database.write() as connection:
            ensure(connection, person, now)
            mine = select(func.count()).where(PLAYLISTS.c.person == person, PLAYLISTS.c.deleted.is_(None))
            if connection.execute(mine).scalar_one() >= MAX_PLAYLISTS:
                raise RequestError("playlist", f"there are {MAX_PLAYLISTS} already; delete one first")
            row = {"id": new_id(), "person": person, "name": name, "made": now, "changed": now}
            connection.execute(PLAYLISTS.insert().values(row))
            self._write(connection, person, row["id"], clips)
            return self._whole(connection, person, row["id"])

    def rename(self, person: str, playlist: str, name: Any) -> Playlist:
        """Give it another name."""
        name = clean_text("name", name)
        with self._database.write() as connection:
            self._items(connection, person, playlist)
            self._changed(connection, playlist, name=name)
            return self._whole(connection, person, playlist)

    def add(self, person: str, playlist: str, clips: Sequence[str], at: int | None = None) -> Playlist:
        """Put clips in: before the ``at``-th, from 0, or at the end. They are kept from now on."""
        with self._database.write() as connection:
            there, hidden = self._items(connection, person, playlist)
            place = len(there) if at is None else _place(at, len(there))
            self._write(connection, person, playlist, [*there[:place], *clips, *there[place:]], hidden)
            return self._whole(connection, person, playlist)

    def remove(self, person: str, playlist: str, position: int, clip: str) -> Playlist:
        """Take the clip at a position, from 0, out. That it must be ``clip`` tells a list that has changed since."""
        with self._database.write() as connection:
            there, hidden = self._items(connection, person, playlist)
            place = _place(position, len(there) - 1)
            if there[place] != clip:
                raise RequestError("position", "the playlist has changed meanwhile; look again")
            self._write(connection, person, playlist, there[:place] + there[place + 1 :], hidden)
            return self._whole(connection, person, playlist)

    def reorder(self, person: str, playlist: str, clips: Sequence[str]) -> Playlist:
        """Bring its clips into this order; they must be the same ones."""
        with self._database.write() as connection:
            there, hidden = self._items(connection, person, playlist)
            if Counter(there) != Counter(clips):
                raise RequestError("clips", "must be those of the playlist in another order; look again")
            self._write(connection, person, playlist, clips, hidden)
            return self._whole(connection, person, playlist)

    def duplicate(self, person: str, playlist: str, name: Any = None) -> Playlist:
        """Another playlist with the same clips."""
        whole = self.get(person, playlist)
        return self.create(person, whole.name if name is None else name, [clip.id for clip in whole.clips or ()])

    def delete(self, person: str, playlist: str) -> None:
        """Delete it; :meth:`restore` has it back for 30 days."""
        self._mark(person, playlist, self._database.now())

    def restore(self, person: str, playlist: str) -> Playlist:
        """Undo :meth:`delete`."""
        self._mark(person, playlist, None)
        return self.get(person, playlist)

    def sweep(self) -> None:
        """Let go for good of everybody's that were deleted 30 days ago."""
        with self._database.write() as connection:
            connection.execute(delete(PLAYLISTS).where(PLAYLISTS.c.deleted <= self._database.now() - PURGE_AFTER))

    def _mark(self, person: str, playlist: str, deleted: int | None) -> None:
        state = PLAYLISTS.c.deleted.is_not(None) if deleted is None else PLAYLISTS.c.deleted.is_(None)
        mine = (PLAYLISTS.c.person == person, PLAYLISTS.c.id == checked_id("playlist", playlist), state)
        with self._database.write() as connection:
            if not connection.execute(update(PLAYLISTS).where(*mine).values(deleted=deleted)).rowcount:
                raise Missing("playlist", "there is no such playlist")

    def _items(self, connection: Connection, person: str, playlist: str) -> tuple[list[str], list[str]]:
        """Ids of the clips in order, and of those that are deleted; nobody else changes the list meanwhile."""
        mine = (PLAYLISTS.c.person == person, PLAYLISTS.c.id == checked_id("playlist", playlist))
        found = select(PLAYLISTS.c.id).where(*mine, PLAYLISTS.c.deleted.is_(None)).with_for_update()
        if connection.execute(found).first() is None:
            raise Missing("playlist", "there is no such playlist")
        asked = select(ITEMS.c.clip, CLIPS.c.deleted).join(CLIPS, CLIPS.c.id == ITEMS.c.clip)
        items = connection.execute(asked.where(ITEMS.c.playlist == playlist).order_by(ITEMS.c.position)).all()
        shown, hidden = ([row.clip for row in items if (row.deleted is None) == there] for there in (True, False))
        return shown, hidden

    def _write(
        self, connection: Connection, person: str, playlist: str, clips: Sequence[str], hidden: Sequence[str] = ()
    ) -> None:
        if len(clips) + len(hidden) > MAX_ITEMS:
            raise RequestError("clips", f"a playlist holds at most {MAX_ITEMS} clips")
        wanted = {checked_id("clip", clip) for clip in clips}
        mine = select(CLIPS.c.id).where(CLIPS.c.person == person, CLIPS.c.deleted.is_(None), CLIPS.c.id.in_(wanted))
        if wanted - set(connection.execute(mine).scalars()):
            raise Missing("clip", "there is no such clip in your library")
        connection.execute(delete(ITEMS).where(ITEMS.c.playlist == playlist))
        items = [{"playlist": playlist, "position": n, "clip": clip} for n, clip in enumerate((*clips, *hidden))]
        if items:
            connection.execute(ITEMS.insert(), items)
        connection.execute(update(CLIPS).where(CLIPS.c.id.in_(wanted)).values(kept=True))
        self._changed(connection, playlist)

    def _changed(self, connection: Connection, playlist: str, **values: Any) -> None:
        now = self._database.now()
        connection.execute(update(PLAYLISTS).where(PLAYLISTS.c.id == playlist).values(changed=now, **values))

    def _whole(self, connection: Connection, person: str, playlist: str) -> Playlist:
        mine = (PLAYLISTS.c.person == person, PLAYLISTS.c.id == checked_id("playlist", playlist))
        row = connection.execute(_asked().where(*mine, PLAYLISTS.c.deleted.is_(None))).first()
        if row is None:
            raise Missing("playlist", "there is no such playlist")
        items = select(ITEMS.c.clip).where(ITEMS.c.playlist == playlist).order_by(ITEMS.c.position)
        clips = rows.fetch(connection, list(connection.execute(items).scalars()))
        return _playlist(row, tuple(clip for clip in clips if clip.deleted is None))


def _asked() -> Any:
    items = (
        select(ITEMS.c.playlist, func.count().label("count"), func.sum(CLIPS.c.seconds).label("seconds"))
        .join(CLIPS, CLIPS.c.id == ITEMS.c.clip)
        .where(CLIPS.c.deleted.is_(None))
        .group_by(ITEMS.c.playlist)
        .subquery()
    )
    return select(PLAYLISTS, items.c.count, items.c.seconds).outerjoin(items, items.c.playlist == PLAYLISTS.c.id)


def _covers(connection: Connection, playlists: Sequence[str]) -> dict[str, list[Clip]]:
    """Playlist to its first clips."""
    numbers = func.row_number().over(partition_by=ITEMS.c.playlist, order_by=ITEMS.c.position).label("number")
    items = select(ITEMS.c.playlist, ITEMS.c.clip, numbers).join(CLIPS, CLIPS.c.id == ITEMS.c.clip)
    first = items.where(CLIPS.c.deleted.is_(None), ITEMS.c.playlist.in_(playlists)).subquery()
    wanted = select(first.c.playlist, first.c.clip).where(first.c.number <= COVER)
    found = connection.execute(wanted.order_by(first.c.playlist, first.c.number)).all()
    clips = {clip.id: clip for clip in rows.fetch(connection, list({row.clip for row in found}))}
    covers: dict[str, list[Clip]] = {}
    for row in found:
        covers.setdefault(row.playlist, []).append(clips[row.clip])
    return covers


def _playlist(row: Row, clips: tuple[Clip, ...] | None = None) -> Playlist:
    count, seconds = row._mapping["count"] or 0, round(row.seconds or 0.0, 3)
    return Playlist(row.id, row.name, row.made, row.changed, count, seconds, row.deleted, clips=clips)


def _place(position: Any, last: int) -> int:
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position <= last:
        raise RequestError("position", "there is no such place in the playlist")
    return position
