"""Text inside sound files: title, recipe and what other programs like to show, under the name that each format has."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping

from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TBPM, TDRC, TIT2, TKEY, TSSE, TXXX
from mutagen.oggvorbis import OggVorbis

RECIPE = "recipe"
"""Name of the tag that holds the recipe as canonical JSON."""

FIELD = "MUSICGEN_RECIPE"
"""Its field of our own, beside the comment that other programs may overwrite."""

TAGS = ("title", RECIPE, "date", "software", "tempo", "key")
"""Names of the tags: title, recipe JSON, ISO date, what made it, beats per minute (whole), key such as ``F#m``."""

_VORBIS = {"title": "TITLE", "date": "DATE", "software": "ENCODED-BY", "tempo": "BPM", "key": "INITIALKEY"}
_ID3 = {"title": TIT2, "date": TDRC, "software": TSSE, "tempo": TBPM, "key": TKEY}
_INFO = {"title": b"INAM", "date": b"ICRD", "software": b"ISFT"}
_UTF8 = 3


def tagged(data: bytes, format: str, tags: Mapping[str, str]) -> bytes:
    """A sound file with its tags written; equal input gives equal bytes.

    Args:
        data: of a file without tags; a WAV file may have its recipe already.
        format: ``wav24``, ``flac``, ``mp3`` or ``ogg``.
        tags: name, one of TAGS, to text; empty texts are left out.

    Raises:
        ValueError: an unknown tag.
    """
    if unknown := set(tags) - set(TAGS):
        raise ValueError(f"{', '.join(sorted(unknown))}: not one of the tags {', '.join(TAGS)}")
    tags = {name: tags[name] for name in TAGS if tags.get(name)}
    if not tags and format == "mp3":
        return data  # an ID3 tag without a frame is one that readers stumble over
    if format.startswith("wav"):
        return _wav(data, tags)
    return _mp3(data, tags) if format == "mp3" else _vorbis(data, format, tags)


def _vorbis(data: bytes, format: str, tags: Mapping[str, str]) -> bytes:
    file = io.BytesIO(data)
    sound = FLAC(file) if format == "flac" else OggVorbis(file)
    if sound.tags is None:
        sound.add_tags()
    sound.tags.clear()
    for name, text in tags.items():
        for field in (FIELD, "COMMENT") if name == RECIPE else (_VORBIS[name],):
            sound.tags[field] = text
    file.seek(0)
    sound.save(file, padding=lambda info: 0)
    return file.getvalue()


def _mp3(data: bytes, tags: Mapping[str, str]) -> bytes:
    id3 = ID3()
    for name, text in tags.items():
        if name == RECIPE:
            id3.add(TXXX(encoding=_UTF8, desc=FIELD, text=text))
            id3.add(COMM(encoding=_UTF8, lang="eng", desc="", text=text))
        else:
            id3.add(_ID3[name](encoding=_UTF8, text=text))
    file = io.BytesIO(data)
    id3.save(file, padding=lambda info: 0)
    return file.getvalue()


def _wav(data: bytes, tags: Mapping[str, str]) -> bytes:
    """The file with a second list of texts at its end; the recipe is in the first one."""
    texts = b"".join(_chunk(_INFO[name], text.encode() + b"\0") for name, text in tags.items() if name in _INFO)
    if not texts:
        return data
    body = data[8:] + _chunk(b"LIST", b"INFO" + texts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
