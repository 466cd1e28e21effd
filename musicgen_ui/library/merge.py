"""What comes from elsewhere becomes one with what is there, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, select, update

from musicgen_ui.errors import RequestError
from musicgen_ui.library import rows
from musicgen_ui.library.clip import Clip, new_id
from musicgen_ui.library.database import Database
from musicgen_ui.library.people import ensure
from musicgen_ui.library.records import EventRecord, PlaylistRecord
from musicgen_ui.library.schema import CLIPS, EVENTS, ITEMS, MEMORIES, PEOPLE, PLAYLISTS, TAGS, TRAITS
from musicgen_ui.library.text import MAX_TAGS, canonical

COUNTERS = {"play": "plays", "skip": "skips"}


@dataclass(frozen=True)
class Incoming:
    """What comes: the content of a ``library.json``, checked."""

    clips: Sequence[Clip]
    playlists: Sequence[PlaylistRecord] = ()
    events: Sequence[EventRecord] = ()
    traits: Mapping[str, Mapping[str, Any]] | None = None
    memories: Mapping[str, Any] | None = None
    since: int | None = None


@dataclass(frozen=True)
class Merged:
    """What became of it.

    Attributes:
        clips: new ones. merged: that were there already. playlists: new ones. events: new ones.
        files: of every clip its id there, its id here, and the hash of its sound.
    """

    clips: int
    merged: int
    playlists: int
    events: int
    files: tuple[tuple[str, str, str], ...]


def merge(database: Database, person: str, incoming: Incoming) -> Merged:
    """Take it in, or nothing of it.

    Ids stay where they are free. A clip that the person has, by its id or by the hash of its sound, keeps its title;
    tags and counts add up, and what was liked or kept on either side is.

    Raises:
        RequestError: two clips or two playlists have one id.
    """
    for things in (incoming.clips, incoming.playlists):
        if len({thing.id for thing in things}) < len(things):
            raise RequestError("id", "two have the same")
    with database.write() as connection:
        ensure(connection, person, database.now())
        if incoming.since is not None:
            mine = (PEOPLE.c.key == person, PEOPLE.c.made > incoming.since)
            connection.execute(update(PEOPLE).where(*mine).values(made=incoming.since))
        names, new = _place(connection, person, incoming.clips)
        rows.insert(connection, person, new)
        added = {clip.id for clip in new}
        events = _events(connection, person, incoming, names, added)
        for clip in incoming.clips:
            if names[clip.id] not in added:
                _blend(connection, clip, names[clip.id])
        playlists = _playlists(connection, person, incoming.playlists, names)
        _memories(connection, person, incoming.memories or {})
    files = tuple((clip.id, names[clip.id], clip.hash) for clip in incoming.clips)
    return Merged(len(new), len(incoming.clips) - len(new), playlists, events, files)


def _place(connection: Connection, person: str, clips: Sequence[Clip]) -> tuple[dict[str, str], list[Clip]]:
    """Id there to id here, and the clips that are new here."""
    owners = dict(_known(connection, select(CLIPS.c.id, CLIPS.c.person), CLIPS.c.id, [clip.id for clip in clips]))
    mine = select(CLIPS.c.hash, CLIPS.c.id).where(CLIPS.c.person == person).order_by(CLIPS.c.made.desc())
    same = dict(_known(connection, mine, CLIPS.c.hash, [clip.hash for clip in clips]))
    names, new = {}, []
    for clip in clips:
        if owners.get(clip.id) == person:
            names[clip.id] = clip.id
        elif clip.hash in same:
            names[clip.id] = same[clip.hash]
        else:
            names[clip.id] = clip.id if clip.id not in owners else new_id()
            new.append(replace(clip, id=names[clip.id]))
    return names, new


def _known(connection: Connection, asked: Any, column: Any, values: Sequence[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for start in range(0, len(values), rows.BATCH):
        some = connection.execute(asked.where(column.in_(values[start : start + rows.BATCH])))
        found += [(row[0], row[1]) for row in some]
    return found


def _blend(connection: Connection, clip: Clip, name: str) -> None:
    """What a clip from elsewhere adds to the same clip here."""
    (here,) = rows.fetch(connection, [name])
    tags = sorted({*here.tags, *sorted({*clip.tags} - {*here.tags})[: MAX_TAGS - len(here.tags)]})
    connection.execute(delete(TAGS).where(TAGS.c.clip == name))
    if tags:
        connection.execute(TAGS.insert(), [{"clip": name, "tag": tag} for tag in tags])
    values = {
        "kept": here.kept or clip.kept,
        "liked": here.liked or clip.liked,
        "deleted": here.deleted if clip.deleted is not None else None,
        "words": rows.words_of(here, tags, here.title),
    }
    connection.execute(update(CLIPS).where(CLIPS.c.id == name).values(values))


def _events(connection: Connection, person: str, incoming: Incoming, names: Mapping[str, str], added: set[str]) -> int:
    """Notes what is not known yet; gives how many. Counts of clips that were here go up with it."""
    traits = {names.get(clip, clip): canonical(value) for clip, value in (incoming.traits or {}).items()}
    there = set(connection.execute(select(TRAITS.c.clip).where(TRAITS.c.person == person)).scalars())
    if more := [{"person": person, "clip": clip, "text": traits[clip]} for clip in traits if clip not in there]:
        connection.execute(TRAITS.insert(), more)
    asked = select(EVENTS.c.clip, EVENTS.c.kind, EVENTS.c.time, EVENTS.c.at).where(EVENTS.c.person == person)
    known = {tuple(row) for row in connection.execute(asked)}
    told = [(names.get(event.clip, event.clip), event.kind, event.time, event.at) for event in incoming.events]
    new = [event for event in told if event not in known and (event[0] in traits or event[0] in there)]
    if new:
        fields = ("clip", "kind", "time", "at")
        connection.execute(EVENTS.insert(), [{"person": person, **dict(zip(fields, e, strict=True))} for e in new])
    for clip, kind, _, _ in new:
        if kind in COUNTERS and clip not in added:
            column = CLIPS.c[COUNTERS[kind]]
            mine = update(CLIPS).where(CLIPS.c.id == clip, CLIPS.c.person == person)
            connection.execute(mine.values({column.name: column + 1}))
    return len(new)


def _playlists(
    connection: Connection, person: str, playlists: Sequence[PlaylistRecord], names: Mapping[str, str]
) -> int:
    """Adds those that are not here as they are; gives how many."""
    ids = [playlist.id for playlist in playlists]
    owners = dict(_known(connection, select(PLAYLISTS.c.id, PLAYLISTS.c.person), PLAYLISTS.c.id, ids))
    count = 0
    for playlist in playlists:
        clips = [names[clip] for clip in playlist.clips if clip in names]
        if owners.get(playlist.id) == person:
            items = select(ITEMS.c.clip).where(ITEMS.c.playlist == playlist.id).order_by(ITEMS.c.position)
            if list(connection.execute(items).scalars()) == clips:
                continue
        row = {"id": new_id() if playlist.id in owners else playlist.id, "person": person, "name": playlist.name}
        times = {"made": playlist.made, "changed": playlist.changed, "deleted": playlist.deleted}
        connection.execute(PLAYLISTS.insert().values(row | times))
        if clips:
            items = [{"playlist": row["id"], "position": n, "clip": clip} for n, clip in enumerate(clips)]
            connection.execute(ITEMS.insert(), items)
        count += 1
    return count


def _memories(connection: Connection, person: str, memories: Mapping[str, Any]) -> None:
    """What is remembered here stays."""
    there = set(connection.execute(select(MEMORIES.c.name).where(MEMORIES.c.person == person)).scalars())
    for name, value in memories.items():
        if name not in there and value is not None:
            connection.execute(MEMORIES.insert().values(person=person, name=name, text=canonical(value)))
