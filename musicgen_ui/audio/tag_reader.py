"""Finds a text of ours inside a file from anywhere, without trusting a byte of it.

Only heads and tables are read, each within bounds, by this module's own few lines: no decoder runs, nothing is
unpacked, and a file of any size costs a few milliseconds. (Mutagen, which writes the tags, inflates compressed ID3
frames without a limit: not for strangers' files.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from musicgen_ui.audio.tags import FIELD

MAX_TEXT = 65_536
"""Bytes of a text that are read."""

_MAX_TABLE = 1 << 20
"""Bytes of an ID3 tag or a block of comments that are searched; pictures of other programs may stand before ours."""

_MAX_STEPS = 512
"""Chunks, blocks, pages or frames that are walked over."""

_COMMENT = "COMMENT"


def texts(file: BinaryIO) -> Iterator[str]:
    """Texts in a WAV, FLAC, OGG or MP3 file that may be ours: the field of our own first, then comments.

    Args:
        file: open for reading at any place, and seekable. Whatever it holds, nothing is raised but OSError.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        found = _wav(file)
    elif head[:4] == b"OggS":
        found = _vorbis(_ogg_comments(file))
    else:
        found = _id3_or_flac(file)
    named = list(found)
    for wanted in (FIELD, _COMMENT):
        yield from (text for name, text in named if name == wanted)


def _decoded(data: bytes, encoding: str = "utf-8") -> str:
    return data[:MAX_TEXT].decode(encoding, errors="replace").split("\0", 1)[0]


def _wav(file: BinaryIO) -> Iterator[tuple[str, str]]:
    file.seek(12)
    for _ in range(_MAX_STEPS):
        head = file.read(8)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        begin = file.tell()
        if head[:4] == b"LIST":
            data = file.read(min(size, _MAX_TABLE))
            yield from _info(data) if data[:4] == b"INFO" else ()
        elif head[:4].lower() == b"id3 ":
            yield from _id3(file.read(min(size, _MAX_TABLE)))
        file.seek(begin + size + size % 2)


def _info(data: bytes) -> Iterator[tuple[str, str]]:
    at = 4
    for _ in range(_MAX_STEPS):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"ICMT":
            yield _COMMENT, _decoded(data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
        if at >= len(data):
            return


def _id3_or_flac(file: BinaryIO) -> Iterator[tuple[str, str]]:
    """Tags at the head of an MP3 or a FLAC file; both may begin with ID3."""
    at = 0
    for _ in range(8):
        file.seek(at)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:
            break
        size = 10 + _synchsafe(head[6:10])
        file.seek(at)
        yield from _id3(file.read(min(size, _MAX_TABLE)))
        at += size
    if head[:4] == b"fLaC":
        yield from _flac(file, at + 4)


def _flac(file: BinaryIO, at: int) -> Iterator[tuple[str, str]]:
    for _ in range(_MAX_STEPS):
        file.seek(at)
        head = file.read(4)
        if len(head) < 4:
            return
        size = int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == 4:
            yield from _vorbis(file.read(min(size, _MAX_TABLE)))
        if head[0] & 0x80:
            return
        at += 4 + size


def _ogg_comments(file: BinaryIO) -> bytes:
    """The second packet of the first stream, which holds the comments of Vorbis and of Opus, without its head."""
    file.seek(0)
    packet, number, serial = bytearray(), 0, None
    for _ in range(_MAX_STEPS):
        head = file.read(27)
        if len(head) < 27 or head[:4] != b"OggS":
            return b""
        lacing = file.read(head[26])
        body = file.read(sum(lacing))
        serial = head[14:18] if serial is None else serial
        if head[14:18] != serial:
            continue
        at = 0
        for size in lacing:
            if number == 1:
                packet += body[at : at + size]
            at += size
            number += size < 255
            if number > 1 or len(packet) > _MAX_TABLE:
                start = next((len(magic) for magic in (b"\x03vorbis", b"OpusTags") if packet.startswith(magic)), None)
                return b"" if start is None else bytes(packet[start:])
    return b""


def _vorbis(data: bytes) -> Iterator[tuple[str, str]]:
    """Name, in capitals, and text of each comment; sizes are little endian in FLAC, too."""
    at = 4 + int.from_bytes(data[:4], "little") + 4
    for _ in range(min(int.from_bytes(data[at - 4 : at], "little"), _MAX_STEPS)):
        size = int.from_bytes(data[at : at + 4], "little")
        if at + 4 > len(data):
            return
        name, equals, text = data[at + 4 : at + 4 + min(size, MAX_TEXT)].partition(b"=")
        if equals:
            name = _decoded(name[:64]).upper()
            yield _COMMENT if name == "DESCRIPTION" else name, _decoded(text)
        at += 4 + size


def _synchsafe(data: bytes) -> int:
    """28 bits in four bytes."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(data, (21, 14, 7, 0), strict=True))


def _id3(tag: bytes) -> Iterator[tuple[str, str]]:
    """Our field and the comments of an ID3v2.3 or 2.4 tag; frames that are packed or encrypted are left alone."""
    version = tag[3] if len(tag) > 10 else 0
    if version not in (3, 4):
        return
    if tag[5] & 0x80 and version == 3:
        tag = tag[:10] + tag[10:].replace(b"\xff\x00", b"\xff")
    at = 10
    if tag[5] & 0x40 and len(tag) > 14:
        at += _synchsafe(tag[10:14]) if version == 4 else 4 + int.from_bytes(tag[10:14], "big")
    for _ in range(_MAX_STEPS):
        head = tag[at : at + 10]
        if len(head) < 10 or not head[0]:
            return
        size = _synchsafe(head[4:8]) if version == 4 else int.from_bytes(head[4:8], "big")
        data, flags = tag[at + 10 : at + 10 + size], head[9]
        at += 10 + size
        if flags & (0x0E if version == 4 else 0xE0):
            continue
        if version == 4 and flags & 0x01:
            data = data[4:]
        if head[:4] == b"TXXX" and data:
            name, text = _id3_strings(data[0], data[1:])
            yield name.upper(), text
        elif head[:4] == b"COMM" and len(data) > 4:
            yield _COMMENT, _id3_strings(data[0], data[4:])[1]


def _id3_strings(encoding: int, data: bytes) -> tuple[str, str]:
    """The two strings of a frame: description and text."""
    codec = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}.get(encoding, "latin-1")
    data = data[: 2 * MAX_TEXT]
    if encoding in (1, 2):
        cut = next((i for i in range(0, len(data) - 1, 2) if data[i : i + 2] == b"\0\0"), len(data))
        return _decoded(data[:cut], codec), _decoded(data[cut + 2 :], codec)
    name, _, text = data.partition(b"\0")
    return _decoded(name, codec), _decoded(text, codec)
