"""Is a SoundFont file whole? The player trusts the tables in it, so a damaged one must not reach it.

The layout is that of the SoundFont 2.04 specification (Creative Technology, 2005): a RIFF file with the lists
INFO, sdta (the samples) and pdta (nine tables that point into one another). ``.sf3`` files have the same tables;
their samples are Ogg Vorbis streams.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

MAX_BYTES = 512 * 2**20
"""Largest file that is read."""

_BAG = [("generator", "<u2"), ("modulator", "<u2")]
_GENERATOR = [("kind", "<u2"), ("amount", "<u2")]
_SAMPLE = [("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop", "<u4", 2), ("rate", "<u4")]
_TABLES: dict[bytes, np.dtype] = {
    b"phdr": np.dtype([("name", "S20"), ("preset", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "V12")]),
    b"pbag": np.dtype(_BAG),
    b"pmod": np.dtype("V10"),
    b"pgen": np.dtype(_GENERATOR),
    b"inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    b"ibag": np.dtype(_BAG),
    b"imod": np.dtype("V10"),
    b"igen": np.dtype(_GENERATOR),
    b"shdr": np.dtype([*_SAMPLE, ("pitch", "u1"), ("correction", "i1"), ("link", "<u2"), ("type", "<u2")]),
}
"""The nine tables and their records. The last record of each is a terminal: it only bounds the one before."""

_INSTRUMENT, _SAMPLE_ID = 41, 53
"""Generator kinds whose amounts are indices of instruments and of samples."""

_COMPRESSED = 0x30
"""Sample type bits of an Ogg Vorbis sample; its bounds are bytes, those of a plain sample are frames."""


def check_soundfont(data: bytes) -> None:
    """Check every pointer that a player follows.

    Plain samples that lie outside the data are left alone: the player cuts them.

    Args:
        data: the whole file.

    Raises:
        ValueError: says what is wrong, as the rest of a sentence that begins with the file's name.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("is not a SoundFont file (.sf2 or .sf3)")
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise ValueError("is truncated")
    lists = {bytes(content[:4]): content[4:] for name, content in _chunks(memoryview(data)[12:]) if name == b"LIST"}
    samples = dict(_chunks(lists.get(b"sdta", memoryview(b"")))).get(b"smpl")
    if samples is None or b"pdta" not in lists:
        raise ValueError("is damaged: it lacks its samples or its tables")
    chunks = dict(_chunks(lists[b"pdta"]))
    tables = {name: _table(name, chunks, dtype) for name, dtype in _TABLES.items()}
    _check_tables(tables)
    headers = tables[b"shdr"][tables[b"shdr"]["type"] & _COMPRESSED != 0]
    if (headers["start"] > headers["end"]).any() or (headers["end"] > len(samples)).any():
        raise ValueError("is damaged: a sample lies outside the sample data")


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    start = 0
    while start + 8 <= len(data):
        name, size = bytes(data[start : start + 4]), int.from_bytes(data[start + 4 : start + 8], "little")
        if start + 8 + size > len(data):
            raise ValueError("is damaged: a part of it claims to be longer than the file")
        yield name, data[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _table(name: bytes, chunks: dict[bytes, memoryview], dtype: np.dtype) -> np.ndarray:
    content = chunks.get(name, memoryview(b""))
    if len(content) == 0 or len(content) % dtype.itemsize:
        raise ValueError(f"is damaged: its table {name.decode()} has a wrong size")
    return np.frombuffer(content, dtype)


def _check_tables(tables: dict[bytes, np.ndarray]) -> None:
    for source, field, target in (
        (b"phdr", "bag", b"pbag"),
        (b"pbag", "generator", b"pgen"),
        (b"inst", "bag", b"ibag"),
        (b"ibag", "generator", b"igen"),
    ):
        pointers = tables[source][field].astype(np.int64)
        if (np.diff(pointers) < 0).any() or pointers[-1] >= len(tables[target]):
            raise ValueError(f"is damaged: its table {source.decode()} points outside {target.decode()}")
    for table, kind, target in ((b"pgen", _INSTRUMENT, b"inst"), (b"igen", _SAMPLE_ID, b"shdr")):
        used = tables[table]["amount"][tables[table]["kind"] == kind]
        if (used >= len(tables[target]) - 1).any():
            raise ValueError(f"is damaged: its table {table.decode()} names a missing {target.decode()}")
    if len(tables[b"phdr"]) < 2:
        raise ValueError("holds no instruments")
