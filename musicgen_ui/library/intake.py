"""Taking a library in: a zip as :mod:`musicgen_ui.library.export` writes it, or as somebody means it to do harm."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.library import records
from musicgen_ui.library.export import CLIPS_FOLDER, FILES, FORMAT, FORMAT_VERSION, JSON_NAME
from musicgen_ui.library.merge import Incoming, merge
from musicgen_ui.library.shelf import Shelf
from musicgen_ui.library.store import Library

MAX_JSON = 64 * 2**20
MAX_FILE = {"clip.wav": 128 * 2**20, "clip.mid": 2**20, "clip.json": 2**20}
MAX_EXPANSION = 20
"""How much larger than the zip its content may be, beside MAX_JSON: sound hardly shrinks."""

MAX_THINGS = {"clips": 50_000, "playlists": 1000, "events": 1_000_000, "traits": 50_000, "memories": 20}

_BLOCK = 1 << 18
_MEMBER = re.compile(rf"{CLIPS_FOLDER}/([A-Za-z0-9_-]{{22}})/({'|'.join(map(re.escape, FILES))})", re.ASCII)
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Taken:
    """What was taken in.

    Attributes:
        clips: new ones.
        merged: that were there already.
        playlists: new ones.
        events: new ones.
        files: clips whose sound came along.
    """

    clips: int
    merged: int
    playlists: int
    events: int
    files: int


def import_library(library: Library, shelf: Shelf | None, person: str, path: Path, argument: str = "file") -> Taken:
    """Take everything in, or nothing.

    Clips that the person has already, by id or by the hash of their sound, become one with what is there.

    Args:
        library: to take it into.
        shelf: for the sound; None leaves it out, for recipes make it again.
        person: whose it becomes.
        path: the zip.
        argument: name to blame in the error.

    Raises:
        RequestError: it is no such zip, or holds something bad; then nothing has changed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            budget = _Budget(MAX_JSON + MAX_EXPANSION * path.stat().st_size)
            members = _members(archive)
            incoming = _incoming(_read(archive, JSON_NAME, MAX_JSON, budget))
            taken = merge(library.database, person, incoming)
            brought = 0
            for old, clip, digest in taken.files if shelf is not None else ():
                if f"{CLIPS_FOLDER}/{old}/{FILES[0]}" in members and not shelf.has(clip):
                    brought += _shelve(archive, members, shelf, (old, clip, digest), budget)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        if isinstance(error, RequestError):
            raise RequestError(argument, f"{error.argument}: {error.reason}") from None
        raise RequestError(argument, "is no library, or a damaged one") from None
    return Taken(taken.clips, taken.merged, taken.playlists, taken.events, brought)


class _Budget:
    """Bytes that may still come out of the zip, whatever it says of itself."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise RequestError("size", "it holds far more than its size")


def _members(archive: zipfile.ZipFile) -> set[str]:
    """Names of the files; refuses whatever does not belong."""
    seen: set[str] = set()
    for member in archive.infolist():
        if member.filename in seen:
            raise RequestError("content", f"{member.filename!r:.60} is in it twice")
        if member.filename != JSON_NAME and not _MEMBER.fullmatch(member.filename):
            raise RequestError("content", f"{member.filename!r:.60} does not belong into a library")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise RequestError("content", f"{member.filename!r:.60} is packed in a way that is not read here")
        seen.add(member.filename)
    if JSON_NAME not in seen:
        raise RequestError("content", f"there is no {JSON_NAME} in it")
    return seen


def _read(archive: zipfile.ZipFile, name: str, most: int, budget: _Budget) -> bytes:
    held = bytearray()

    def keep(block: bytes) -> None:
        held.extend(block)

    _copy(archive, name, most, budget, keep)
    return bytes(held)


def _copy(archive: zipfile.ZipFile, name: str, most: int, budget: _Budget, take: Callable[[bytes], Any]) -> None:
    size = 0
    with archive.open(name) as file:
        while block := file.read(_BLOCK):
            size += len(block)
            budget.spend(len(block))
            if size > most:
                raise RequestError("size", f"{name} is larger than {most >> 20} MB")
            take(block)


def _incoming(text: bytes) -> Incoming:
    try:
        values = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(JSON_NAME, "is no JSON") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise RequestError(JSON_NAME, "is not of a library")
    if values.get("version") != FORMAT_VERSION:
        raise RequestError(
            JSON_NAME, f"is of version {values.get('version')!r:.20}; this release reads {FORMAT_VERSION}"
        )
    things: dict[str, list[Any]] = {}
    for name, most in MAX_THINGS.items():
        found = values.get(name, [])
        if not isinstance(found, list) or len(found) > most:
            raise RequestError(name, f"must be a list of at most {most}")
        things[name] = found
    since = values.get("since")
    return Incoming(
        clips=[records.clip_of(clip) for clip in things["clips"]],
        playlists=[records.playlist_of(playlist) for playlist in things["playlists"]],
        events=[records.event_of(event) for event in things["events"]],
        traits=dict(records.traits_of(traits) for traits in things["traits"]),
        memories=dict(records.memory_of(memory) for memory in things["memories"]),
        since=None if since is None else records.milliseconds("since", since),
    )


def _refuse(name: str) -> Any:
    raise RequestError(JSON_NAME, f"{name} is not a number")


def _shelve(
    archive: zipfile.ZipFile, members: set[str], shelf: Shelf, clip: tuple[str, str, str], budget: _Budget
) -> bool:
    """Put a clip's files on the shelf, if its sound is the one that it says. They are only a spare."""
    old, new, digest = clip

    def write(folder: Path) -> None:
        for name in FILES:
            member = f"{CLIPS_FOLDER}/{old}/{name}"
            if member in members:
                found = hashlib.sha256()
                with (folder / name).open("wb") as file:

                    def take(block: bytes, file: Any = file, found: Any = found) -> None:
                        file.write(block)
                        found.update(block)

                    _copy(archive, member, MAX_FILE[name], budget, take)
                if name == FILES[0] and found.hexdigest() != digest:
                    raise _Other

    try:
        shelf.put(new, write)
    except _Other:
        return False
    return True


class _Other(Exception):  # noqa: N818 - no error: the recipe makes the right one
    """The sound is another one than the clip's."""
