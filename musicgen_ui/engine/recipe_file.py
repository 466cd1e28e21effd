"""The recipe inside a file that a person hands in: what makes the clip again is in every file that we give away."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from musicgen_ui.audio.tag_reader import MAX_TEXT, texts
from musicgen_ui.errors import RequestError
from musicgen_ui.music.midi import read_comment
from musicgen_ui.music.musicxml import RECIPE_FIELD
from musicgen_ui.recipe import Recipe

KINDS = ("WAV", "FLAC", "MP3", "OGG", "MIDI", "MusicXML", "clip.json", "stems zip")
"""Files that can hold a recipe."""

RECIPE_ENTRY = "recipe.json"
"""Name of the recipe within a zip."""

MAX_JSON = 4_000_000
_MAX_MIDI = 4_000_000
_MAX_DIRECTORY = 65_536
"""Bytes of the list of contents of a zip."""

_XML_FIELD = re.compile(rf'<miscellaneous-field name="{RECIPE_FIELD}">([^<]{{1,{MAX_TEXT}}})</')


def read_recipe(source: bytes | Path, name: str | None = None) -> Recipe:
    """The recipe of a WAV, FLAC, MP3, OGG, MIDI, MusicXML, JSON or zip file.

    Nothing in the file is trusted: what is read is bounded, no sound is decoded, and every value is checked.

    Args:
        source: the file or its bytes.
        name: what the error calls the file; its own name by default.

    Raises:
        RequestError: one sentence: no such file, no recipe inside, or one that this release cannot follow.
    """
    label = name or ("file" if isinstance(source, bytes) else source.name)
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            found = [value for text in _candidates(file) if (value := _json_object(text)) is not None]
    except FileNotFoundError:
        raise RequestError(label, "there is no such file") from None
    except OSError as error:
        raise RequestError(label, f"cannot be read ({error.strerror or error})") from None
    if not found:
        raise RequestError(label, f"holds no recipe: a {', '.join(KINDS[:-1])} or {KINDS[-1]} made here does")
    values = found[0]
    values = values["recipe"] if isinstance(values.get("recipe"), dict) else values
    if "midi_sha256" in values:
        raise RequestError(label, "was played from a MIDI file; without that file its recipe makes nothing")
    try:
        return Recipe.from_dict(values)
    except RequestError as error:
        raise RequestError(label, f"its recipe cannot be followed: {error.argument} {error.reason}") from None


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(value, dict) and ("style" in value or isinstance(value.get("recipe"), dict))
    return value if ours else None


def _candidates(file: BinaryIO) -> Iterator[str]:
    """Texts that may be a recipe, by what the first bytes say that the file is."""
    head = file.read(64)
    file.seek(0)
    if head[:4] == b"MThd":
        comment = read_comment(file.read(_MAX_MIDI))
        yield from () if comment is None else (comment[:MAX_TEXT],)
    elif head[:2] == b"PK":
        yield from _zipped(file)
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        data = file.read(MAX_JSON + 1)
        yield from (data.decode("utf-8-sig", errors="replace"),) if len(data) <= MAX_JSON else ()
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        match = _XML_FIELD.search(file.read(MAX_JSON).decode("utf-8", errors="replace"))
        yield from () if match is None else (html.unescape(match[1]),)
    else:
        yield from texts(file)


def _zipped(file: BinaryIO) -> Iterator[str]:
    """Our entry of a zip file, unpacked no further than a recipe can be."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _MAX_DIRECTORY))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or int.from_bytes(tail[end + 12 : end + 16], "little") > _MAX_DIRECTORY:
        return
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                last = info.filename.rpartition("/")[2]
                if last in (RECIPE_ENTRY, "clip.json") and info.compress_type in (0, 8) and not info.flag_bits & 1:
                    with archive.open(info) as entry:
                        yield entry.read(MAX_TEXT).decode("utf-8", errors="replace")
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, zlib.error):
        return
