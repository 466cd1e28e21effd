"""What an audio file is, told by its bytes and never by its name.

Pure Python, so that no decoder meets what it should not: libsndfile alone opens 26 formats, and its rare ones have a
history of memory errors.
"""

from __future__ import annotations

from collections.abc import Iterator

FORMATS = ("WAV", "FLAC", "MP3", "OGG", "AIFF")
"""What is accepted."""

_PCM = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")

CODINGS: dict[str, tuple[str, ...]] = {
    "WAV": _PCM,
    "WAVEX": _PCM,
    "RF64": _PCM,
    "AIFF": _PCM,
    "FLAC": _PCM,
    "OGG": ("VORBIS", "OPUS"),
    "MP3": ("MPEG_LAYER_III",),
}
"""libsndfile's name of a container to its names of the codings accepted in it."""

# PCM, float, A-law, µ-law, and "extensible", which names one of them further on.
_WAV_CODINGS = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)
# Not among them: ima4, GSM, MAC3, DWVW and the other compressed ones.
_AIFC_CODINGS = (b"NONE", b"none", b"twos", b"sowt", b"raw ", b"in24", b"in32", b"ni24", b"42ni")
_AIFC_CODINGS += (b"fl32", b"FL32", b"fl64", b"FL64", b"ulaw", b"ULAW", b"alaw", b"ALAW")
_MAX_TAGS = 8


def audio_format(data: bytes) -> str | None:
    """One of FORMATS by the first bytes of a file, or None."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "WAV"
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    if data[:4] == b"OggS":
        # The first packet follows the page's header of 27 bytes and its table.
        packet = data[27 + data[26] :][:8] if len(data) > 26 else b""
        return "OGG" if packet == b"OpusHead" or packet[:7] == b"\x01vorbis" else None
    start = _after_tags(data)
    if data[start : start + 4] == b"fLaC":
        return "FLAC"
    frame = data[start : start + 2]
    # A frame header: 11 sync bits, then version and "layer III".
    if len(frame) == 2 and frame[0] == 0xFF and frame[1] & 0xE6 == 0xE2:
        return "MP3"
    return None


def is_common_coding(data: bytes, kind: str) -> bool:
    """Whether a file of this format says that its samples are coded in one of the ways that CODINGS names.

    Only WAV and AIFF files can hold rare codings; of the others the container is the coding.
    """
    if kind == "WAV":
        codings = [_wav_coding(chunk) for name, chunk in chunks(data, 12) if name == b"fmt "]
        return bool(codings) and all(coding in _WAV_CODINGS for coding in codings)
    if kind == "AIFF" and data[8:12] == b"AIFC":
        found = [chunk[18:22] for name, chunk in chunks(data, 12, "big") if name == b"COMM"]
        return bool(found) and all(coding in _AIFC_CODINGS for coding in found)
    return True


def chunks(data: bytes, start: int, order: str = "little") -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of RIFF or IFF chunks from ``start``; one that claims more than there is ends the walk."""
    while start + 8 <= len(data):
        name, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], order)
        if start + 8 + size > len(data):
            return
        yield name, data[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _after_tags(data: bytes) -> int:
    """Where an MP3 or FLAC file begins behind its ID3 tags, whose size is 4 x 7 bits."""
    start = 0
    for _ in range(_MAX_TAGS):
        if data[start : start + 3] != b"ID3" or len(data) < start + 10:
            break
        a, b, c, d = data[start + 6 : start + 10]
        start += 10 + (a << 21 | b << 14 | c << 7 | d)
    return start


def _wav_coding(fmt: bytes) -> int | None:
    if len(fmt) < 16:
        return None
    coding = int.from_bytes(fmt[:2], "little")
    if coding == 0xFFFE and len(fmt) >= 26:
        coding = int.from_bytes(fmt[24:26], "little")
    return coding
