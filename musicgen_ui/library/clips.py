"""What a person does with clips: keep, name, tag, like, play, delete and get back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update

from musicgen_ui.errors import RequestError
from musicgen_ui.library import listing, rows
from musicgen_ui.library.clip import LIKED, Clip, Missing, checked_id
from musicgen_ui.library.database import Database
from musicgen_ui.library.events import note
from musicgen_ui.library.people import ensure
from musicgen_ui.library.schema import CLIPS, ITEMS, PLAYLISTS, TAGS
from musicgen_ui.library.text import clean_tags, clean_text

PURGE_AFTER = 30 * 86_400_000
"""Milliseconds for which a deleted clip can be had back."""


class Clips:
    """Every method takes the key of the person first and sees nobody else's clips.

    Args:
        database: where they are.

    Raises:
        Missing: of every method that takes an id: the person has no such clip, or it is deleted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, person: str, clip: Clip) -> Clip:
        """Note a clip that was made; unkept, it is history.

        Args:
            person: whose.
            clip: with an id of its own; what it does not say of ``made`` (0) is now.

        Returns:
            the clip as it is noted.
        """
        checked_id("clip", clip.id)
        title = clean_text("title", clip.title)
        clip = replace(clip, made=clip.made or self._database.now(), title=title, tags=clean_tags(clip.tags))
        with self._database.write() as connection:
            ensure(connection, person, self._database.now())
            rows.insert(connection, person, [clip])
        return clip

    def get(self, person: str, clip: str) -> Clip:
        """One clip."""
        with self._database.read() as connection:
            return self._one(connection, person, clip)

    def find(self, clip: str) -> Clip:
        """A clip of whoever knows its id: for its files, which need no person."""
        with self._database.read() as connection:
            found = rows.fetch(connection, [checked_id("clip", clip)])
        if not found or found[0].deleted is not None:
            raise Missing("clip", "there is no such clip here")
        return found[0]

    def list(self, person: str, query: listing.Query | None = None) -> listing.Page:
        """A page of clips; see :class:`musicgen_ui.library.listing.Query`."""
        with self._database.read() as connection:
            return listing.page(connection, person, query or listing.Query())

    def facets(self, person: str) -> dict[str, list[str]]:
        """What the person's clips can be filtered by: ``tags``, ``genres``, ``keys``, ``origins``."""
        with self._database.read() as connection:
            return listing.facets(connection, person)

    def keep(self, person: str, clip: str, kept: bool = True) -> Clip:
        """Into the library, or out of it into the history."""
        with self._database.write() as connection:
            found = self._one(connection, person, clip)
            if found.kept != kept:
                self._set(connection, clip, kept=kept)
                note(connection, person, found, "keep" if kept else "unkeep", self._database.now())
        return replace(found, kept=kept)

    def rename(self, person: str, clip: str, title: Any) -> Clip:
        """Give it another title."""
        title = clean_text("title", title)
        with self._database.write() as connection:
            found = replace(self._one(connection, person, clip), title=title)
            self._set(connection, clip, title=title, words=rows.words_of(found, found.tags, title))
        return found

    def tag(self, person: str, clip: str, tags: Any) -> Clip:
        """Give it these tags and no others."""
        tags = clean_tags(tags)
        with self._database.write() as connection:
            found = replace(self._one(connection, person, clip), tags=tags)
            connection.execute(delete(TAGS).where(TAGS.c.clip == clip))
            if tags:
                connection.execute(TAGS.insert(), [{"clip": clip, "tag": tag} for tag in tags])
            self._set(connection, clip, words=rows.words_of(found, tags, found.title))
        return found

    def like(self, person: str, clip: str, liked: Any) -> Clip:
        """Like (1), dislike (-1) or neither (0). Once this has returned, nothing loses it."""
        if isinstance(liked, bool) or liked not in LIKED:
            raise RequestError("liked", "must be 1, 0 or -1")
        with self._database.write() as connection:
            found = self._one(connection, person, clip)
            if found.liked != liked:
                self._set(connection, clip, liked=int(liked))
                kind = {1: "like", 0: "neutral", -1: "dislike"}[liked]
                note(connection, person, found, kind, self._database.now())
        return replace(found, liked=int(liked))

    def played(self, person: str, clip: str, at: float) -> Clip:
        """It was listened to, until ``at`` seconds."""
        return self._counted(person, clip, "play", "plays", at)

    def skipped(self, person: str, clip: str, at: float) -> Clip:
        """It was left at ``at`` seconds for something else."""
        return self._counted(person, clip, "skip", "skips", at)

    def kept_among(self, clips: Iterable[str]) -> set[str]:
        """Those of the ids that are of clips which somebody keeps."""
        ids = list(clips)
        found: set[str] = set()
        with self._database.read() as connection:
            for start in range(0, len(ids), rows.BATCH):
                mine = (CLIPS.c.id.in_(ids[start : start + rows.BATCH]), CLIPS.c.kept.is_(True))
                found.update(connection.execute(select(CLIPS.c.id).where(*mine, CLIPS.c.deleted.is_(None))).scalars())
        return found

    def mark_rebuilt(self, clip: str, differs: bool) -> None:
        """Note whether making it again gave other bytes."""
        with self._database.write() as connection:
            self._set(connection, checked_id("clip", clip), rebuilt_differs=differs)

    def learn(self, clip: str, asked: Mapping[str, Any], heard: Mapping[str, Any]) -> None:
        """Note what a clip that came as a recipe turned out to be, now that it was made here."""
        with self._database.write() as connection:
            found = rows.fetch(connection, [checked_id("clip", clip)])
            if found:
                rows.describe(connection, replace(found[0], asked=asked, heard=heard))

    def delete(self, person: str, clips: Sequence[str]) -> int:
        """Delete clips; :meth:`restore` has them back for 30 days. Gives how many there were."""
        return self._mark(person, clips, self._database.now())

    def restore(self, person: str, clips: Sequence[str]) -> int:
        """Undo :meth:`delete`. Gives how many came back."""
        return self._mark(person, clips, None)

    def empty_history(self, person: str) -> list[str]:
        """Delete what is neither kept nor liked nor in a playlist. Gives the ids, for :meth:`restore`."""
        listed = select(ITEMS.c.clip).join(PLAYLISTS, PLAYLISTS.c.id == ITEMS.c.playlist)
        wanted = _of(person).where(
            CLIPS.c.deleted.is_(None), CLIPS.c.kept.is_(False), CLIPS.c.liked != 1,
            CLIPS.c.id.not_in(listed.where(PLAYLISTS.c.person == person)),
        )  # fmt: skip
        with self._database.write() as connection:
            ids = list(connection.execute(wanted).scalars())
            gone = update(CLIPS).where(CLIPS.c.id.in_(wanted.scalar_subquery()))
            connection.execute(gone.values(deleted=self._database.now()))
        return ids

    def purge(self, person: str, now: bool = False) -> list[str]:
        """Let go for good of what was deleted 30 days ago, or of all that is deleted. Gives the ids."""
        before = self._database.now() - (0 if now else PURGE_AFTER)
        with self._database.write() as connection:
            return _purge(connection, _of(person).where(CLIPS.c.deleted <= before))

    def sweep(self) -> list[str]:
        """:meth:`purge` for everybody."""
        before = self._database.now() - PURGE_AFTER
        with self._database.write() as connection:
            return _purge(connection, select(CLIPS.c.id).where(CLIPS.c.deleted <= before))

    def _one(self, connection: Connection, person: str, clip: str) -> Clip:
        mine = _of(person).where(CLIPS.c.id == checked_id("clip", clip), CLIPS.c.deleted.is_(None))
        found = rows.fetch(connection, list(connection.execute(mine).scalars()))
        if not found:
            raise Missing("clip", "there is no such clip in your library")
        return found[0]

    def _set(self, connection: Connection, clip: str, **values: Any) -> None:
        connection.execute(update(CLIPS).where(CLIPS.c.id == clip).values(values))

    def _counted(self, person: str, clip: str, kind: str, counter: str, at: Any) -> Clip:
        if isinstance(at, bool) or not isinstance(at, (int, float)) or not 0 <= at <= 86_400:
            raise RequestError("at", "must be the second of the clip that was reached")
        with self._database.write() as connection:
            found = self._one(connection, person, clip)
            self._set(connection, clip, **{counter: CLIPS.c[counter] + 1})
            note(connection, person, found, kind, self._database.now(), float(at))
        return replace(found, **{counter: getattr(found, counter) + 1})

    def _mark(self, person: str, clips: Iterable[str], deleted: int | None) -> int:
        ids = [checked_id("clips", clip) for clip in clips]
        state = CLIPS.c.deleted.is_not(None) if deleted is None else CLIPS.c.deleted.is_(None)
        mine = update(CLIPS).where(CLIPS.c.person == person, CLIPS.c.id.in_(ids), state)
        with self._database.write() as connection:
            return connection.execute(mine.values(deleted=deleted)).rowcount


def _of(person: str) -> Select:
    return select(CLIPS.c.id).where(CLIPS.c.person == person)


def _purge(connection: Connection, wanted: Select) -> list[str]:
    ids = list(connection.execute(wanted).scalars())
    connection.execute(delete(CLIPS).where(CLIPS.c.id.in_(wanted.scalar_subquery())))
    return ids
