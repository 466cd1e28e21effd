"""Everything of a person as one zip, written piece by piece: ``library.json`` and the files of kept clips."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from musicgen_ui.library import rows
from musicgen_ui.library.clip import Clip, iso
from musicgen_ui.library.schema import CLIPS, EVENTS, ITEMS, MEMORIES, PEOPLE, PLAYLISTS, TRAITS
from musicgen_ui.library.shelf import Shelf
from musicgen_ui.library.store import Library

FORMAT = "musicgen library"
FORMAT_VERSION = 1

JSON_NAME = "library.json"
FILES = ("clip.wav", "clip.mid", "clip.json")
CLIPS_FOLDER = "clips"

_BATCH = 200
_BLOCK = 1 << 18
_DATE = (1980, 1, 1, 0, 0, 0)  # the same library gives the same bytes


class _Outlet(io.RawIOBase):
    """Where a zip is written to and taken from as it grows."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        data, self._held = bytes(self._held), bytearray()
        return data


def zip_stream(members: Iterable[tuple[str, bool, Iterable[bytes]]]) -> Iterator[bytes]:
    """A zip, as it grows: no more of it is in memory than a few pieces.

    Args:
        members: name, whether it is worth compressing, and content in pieces, of each file.
    """
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", allowZip64=True) as archive:
        for name, squeeze, pieces in members:
            member = zipfile.ZipInfo(name, _DATE)
            member.compress_type = zipfile.ZIP_DEFLATED if squeeze else zipfile.ZIP_STORED
            member.external_attr = 0o600 << 16
            with archive.open(member, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    if data := outlet.take():
                        yield data
        if data := outlet.take():
            yield data
    yield outlet.take()


def export_library(library: Library, shelf: Shelf | None, person: str) -> Iterator[bytes]:
    """A person's zip in pieces.

    Args:
        library: what to export of.
        shelf: files of the kept clips; None leaves them out, for recipes make them again.
        person: whose.
    """

    def members() -> Iterator[tuple[str, bool, Iterable[bytes]]]:
        yield JSON_NAME, True, (text.encode("ascii") for text in library_json(library, person))
        if shelf is None:
            return
        for clip in _ids(library, CLIPS.c.person == person, CLIPS.c.kept.is_(True), CLIPS.c.deleted.is_(None)):
            for name in FILES:
                path = shelf.folder(clip) / name
                if path.is_file():
                    yield f"{CLIPS_FOLDER}/{clip}/{name}", not name.endswith(".wav"), read_pieces(path)

    return zip_stream(members())


def read_pieces(path: Path) -> Iterator[bytes]:
    """A file's content; nothing where it has just gone."""
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        while block := file.read(_BLOCK):
            yield block


def library_json(library: Library, person: str) -> Iterator[str]:
    """``library.json`` in pieces, a line for each thing: rows of clips, playlists, events and memories."""
    yield f'{{"format":{json.dumps(FORMAT)},"version":{FORMAT_VERSION},\n'
    sections: dict[str, Callable[[Library, str], Iterator[Any]]] = {
        # What names other things comes first: they may only have become more when their turn comes.
        "playlists": _playlists,
        "events": _events,
        "traits": _traits,
        "clips": _clips,
        "memories": _memories,
    }
    for name, values in sections.items():
        yield f'"{name}":['
        between = "\n"
        for value in values(library, person):
            yield between + json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
            between = ",\n"
        yield "\n],\n"
    yield f'"since":{json.dumps(_since(library, person))}}}\n'


def _clips(library: Library, person: str) -> Iterator[dict[str, Any]]:
    waiting: list[str] = []

    def written() -> Iterator[dict[str, Any]]:
        with library.database.read() as connection:
            found = rows.fetch(connection, waiting)
        yield from map(clip_record, found)
        waiting.clear()

    for clip in _ids(library, CLIPS.c.person == person):
        waiting.append(clip)
        if len(waiting) == _BATCH:
            yield from written()
    yield from written()


def clip_record(clip: Clip) -> dict[str, Any]:
    """A clip in ``library.json``: ClipInfo without the code, which the recipe tells."""
    values = clip.to_dict()
    del values["code"]
    return values


def _ids(library: Library, *conditions: Any) -> Iterator[str]:
    """Ids of clips, the oldest first, without holding the database all the while."""
    order = select(CLIPS.c.id).where(*conditions).order_by(CLIPS.c.made, CLIPS.c.id)
    with library.database.read() as connection:
        ids = list(connection.execute(order).scalars())
    yield from ids


def _playlists(library: Library, person: str) -> Iterator[dict[str, Any]]:
    mine = select(PLAYLISTS).where(PLAYLISTS.c.person == person).order_by(PLAYLISTS.c.made, PLAYLISTS.c.id)
    with library.database.read() as connection:
        found = connection.execute(mine).all()
    for row in found:
        items = select(ITEMS.c.clip).where(ITEMS.c.playlist == row.id).order_by(ITEMS.c.position)
        with library.database.read() as connection:
            clips = list(connection.execute(items).scalars())
        deleted = None if row.deleted is None else iso(row.deleted)
        times = {"made": iso(row.made), "changed": iso(row.changed), "deleted": deleted}
        yield {"id": row.id, "name": row.name, **times, "clips": clips}


def _traits(library: Library, person: str) -> Iterator[dict[str, Any]]:
    for row in _pages(library, select(TRAITS.c.clip, TRAITS.c.text).where(TRAITS.c.person == person), TRAITS.c.clip):
        yield {"clip": row.clip, "traits": json.loads(row.text)}


def _events(library: Library, person: str) -> Iterator[dict[str, Any]]:
    asked = select(EVENTS.c.id, EVENTS.c.clip, EVENTS.c.kind, EVENTS.c.time, EVENTS.c.at)
    for row in _pages(library, asked.where(EVENTS.c.person == person), EVENTS.c.id):
        yield {"clip": row.clip, "kind": row.kind, "time": iso(row.time), "at": row.at}


def _memories(library: Library, person: str) -> Iterator[dict[str, Any]]:
    mine = select(MEMORIES.c.name, MEMORIES.c.text).where(MEMORIES.c.person == person)
    for row in _pages(library, mine, MEMORIES.c.name):
        yield {"name": row.name, "value": json.loads(row.text)}


def _pages(library: Library, asked: Any, column: Any) -> Iterator[Any]:
    """Rows in order of a column whose values differ, some at a time."""
    last = None
    while True:
        some = asked if last is None else asked.where(column > last)
        with library.database.read() as connection:
            found = connection.execute(some.order_by(column).limit(_BATCH)).all()
        yield from found
        if len(found) < _BATCH:
            return
        last = getattr(found[-1], column.name)


def _since(library: Library, person: str) -> str | None:
    with library.database.read() as connection:
        made = connection.execute(select(PEOPLE.c.made).where(PEOPLE.c.key == person)).scalar()
    return None if made is None else iso(made)
