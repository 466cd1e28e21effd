"""Reading a MIDI file into plain arrays, with every bound checked before it is believed."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import symusic

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import TICKS_PER_BEAT

MAX_BYTES = 4_000_000
MAX_TRACKS = 128
MAX_NOTES = 200_000
MAX_BEATS = 20_000
TEMPO_RANGE = (10.0, 500.0)
"""Tempo events outside this range (beats per minute) are taken for damage."""


@dataclass(frozen=True, eq=False)
class Notes:
    """Parallel arrays of n notes, sorted by (onset, pitch).

    Attributes:
        onset: (n,) int64 ticks, of 1/24 beat unless a function says otherwise.
        pitch: (n,) int64, 0-127.
        duration: (n,) int64 ticks, at least 1.
        velocity: (n,) int64, 1-127.
    """

    onset: np.ndarray
    pitch: np.ndarray
    duration: np.ndarray
    velocity: np.ndarray

    def __len__(self) -> int:
        return len(self.onset)

    def take(self, index: np.ndarray) -> Notes:
        """The notes of a boolean mask or an index array."""
        return Notes(self.onset[index], self.pitch[index], self.duration[index], self.velocity[index])

    def rows(self) -> list[tuple[int, int, int, int]]:
        """(onset, pitch, duration, velocity) of each note, as plain numbers."""
        columns = (self.onset, self.pitch, self.duration, self.velocity)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def in_order(self) -> Notes:
        """The same notes by (onset, pitch, longest first)."""
        return self.take(np.lexsort((-self.duration, self.pitch, self.onset)))

    @property
    def end(self) -> np.ndarray:
        return self.onset + self.duration

    @staticmethod
    def empty() -> Notes:
        return Notes(*(np.zeros(0, np.int64) for _ in range(4)))

    @staticmethod
    def join(parts: list[Notes]) -> Notes:
        """All notes of several lists, sorted."""
        if not parts:
            return Notes.empty()
        fields = ("onset", "pitch", "duration", "velocity")
        return Notes(*(np.concatenate([getattr(p, f) for p in parts]) for f in fields)).in_order()


@dataclass(frozen=True, eq=False)
class MidiTrack:
    """One track and channel of a file: its name, program 0-127, whether it is percussion, and its notes."""

    name: str
    program: int
    is_drum: bool
    notes: Notes


@dataclass(frozen=True, eq=False)
class MidiFile:
    """A MIDI file on a beat axis.

    Attributes:
        tracks: tracks that have notes, in the order of the file.
        tempos: (beat, beats per minute), sorted; never empty.
        metres: (beat, numerator, denominator), sorted; may be empty.
        key: (sharps, 1 if minor else 0) of the first key signature, or None.
        beats: end of the last note, in beats.
    """

    tracks: tuple[MidiTrack, ...]
    tempos: tuple[tuple[float, float], ...]
    metres: tuple[tuple[float, int, int], ...]
    key: tuple[int, int] | None
    beats: float

    def seconds(self, beats: np.ndarray) -> np.ndarray:
        """Times of beats under the tempo map."""
        changes = np.array([0.0] + [beat for beat, _ in self.tempos if beat > 0])
        tempos = [qpm for _, qpm in self.tempos]
        if self.tempos[0][0] > 0:
            tempos.insert(0, 120.0)  # what the MIDI standard assumes before the first tempo
        # Of several tempi at beat 0 the last one holds.
        rate = np.array(tempos[-len(changes) :])
        starts = np.concatenate([[0.0], np.cumsum(np.diff(changes) * 60.0 / rate[:-1])])
        index = np.clip(np.searchsorted(changes, beats, side="right") - 1, 0, None)
        return starts[index] + (beats - changes[index]) * 60.0 / rate[index]

    def tempo_between(self, start: float, end: float) -> float:
        """The tempo that holds for most of [start, end) beats: a median weighted by beats."""
        beats = [b for b, _ in self.tempos]
        spans = []
        for (beat, qpm), following in zip(self.tempos, [*beats[1:], math.inf], strict=True):
            span = min(end, following) - max(start, beat if beat > beats[0] else 0.0)
            if span > 0:
                spans.append((qpm, span))
        if not spans:
            return self.tempos[0][1]
        spans.sort()
        half = sum(s for _, s in spans) / 2
        for qpm, span in spans:
            half -= span
            if half <= 0:
                return qpm
        return spans[-1][0]


def read_midi(source: str | Path | bytes, name: str | None = None, *, resolution: int = TICKS_PER_BEAT) -> MidiFile:
    """Reads a Standard MIDI File of type 0 or 1 that nobody vouches for.

    Args:
        source: a path, or the bytes of a file.
        name: what to call the file in messages; the path's last part by default.
        resolution: ticks a beat of the notes returned.

    Raises:
        RequestError: the file is missing, empty, damaged, has no notes, a tempo of zero, or is too large.
    """
    if isinstance(source, bytes):
        label, data = name or "MIDI file", source
    else:
        path = Path(source)
        label = name or path.name or str(path)
        data = _file_bytes(path, label)
    _check_header(data, label)
    try:
        parsed = symusic.Score.from_midi(data)
    except (RuntimeError, ValueError, UnicodeDecodeError) as error:
        reason = "is a damaged MIDI file: it ends too early or holds events that make no sense"
        raise RequestError(label, reason) from error
    tempos = _tempos(parsed, label)
    tracks = _tracks(parsed, label, resolution)
    end = max(int(t.notes.end.max()) for t in tracks)
    if end > MAX_BEATS * resolution:
        raise RequestError(label, f"lasts more than {MAX_BEATS:,} beats, which is too long to be a piece of music")
    metres = tuple(
        (t.time / parsed.tpq, t.numerator, t.denominator)
        for t in sorted(parsed.time_signatures, key=lambda t: t.time)
        if t.numerator > 0 and t.denominator > 0
    )
    keys = [(k.key, k.tonality) for k in parsed.key_signatures if -7 <= k.key <= 7 and k.tonality in (0, 1)]
    return MidiFile(tuple(tracks), tempos, metres, keys[0] if keys else None, end / resolution)


def _file_bytes(path: Path, label: str) -> bytes:
    try:
        if not path.is_file():
            raise RequestError(label, "there is no such file")
        if path.stat().st_size > MAX_BYTES:
            raise RequestError(label, f"is larger than {MAX_BYTES // 1_000_000} MB, too large for a MIDI file")
        return path.read_bytes()
    except OSError as error:
        raise RequestError(label, f"cannot be read ({error.strerror})") from None


def _check_header(data: bytes, label: str) -> None:
    """Refuses what the parser need not see. The header is ``MThd``, length 6, type, track count, ticks a beat."""
    if len(data) == 0:
        raise RequestError(label, "is an empty file")
    if len(data) > MAX_BYTES:
        raise RequestError(label, f"is larger than {MAX_BYTES // 1_000_000} MB, too large for a MIDI file")
    if data[:4] != b"MThd":
        raise RequestError(label, "is not a MIDI file")
    if len(data) < 14:
        raise RequestError(label, "is a damaged MIDI file: it ends within its header")
    length, kind, tracks, division = struct.unpack(">IHHH", data[4:14])
    if length != 6 or kind > 1:
        raise RequestError(label, "is not a MIDI file of type 0 or 1")
    if tracks > MAX_TRACKS:
        raise RequestError(label, f"has {tracks} tracks; at most {MAX_TRACKS} can be read")
    if division & 0x8000 or division == 0:
        raise RequestError(label, "counts time in film frames, not beats")
    if _chunks(data) < tracks:
        raise RequestError(label, f"is a damaged MIDI file: it ends before its {tracks} tracks do")


def _chunks(data: bytes) -> int:
    """Number of track chunks that are there in full."""
    at, found = 14, 0
    while at + 8 <= len(data):
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        found += at <= len(data)
    return found


def _tempos(parsed: symusic.Score, label: str) -> tuple[tuple[float, float], ...]:
    tempos = []
    for event in sorted(parsed.tempos, key=lambda t: t.time):
        if not TEMPO_RANGE[0] <= event.qpm <= TEMPO_RANGE[1]:
            shown = "zero or endless" if event.mspq == 0 else f"{event.qpm:.1f} BPM"
            raise RequestError(label, f"has a tempo that cannot be played ({shown})")
        tempos.append((event.time / parsed.tpq, float(event.qpm)))
    return tuple(tempos) or ((0.0, 120.0),)


def _tracks(parsed: symusic.Score, label: str, resolution: int) -> list[MidiTrack]:
    total = sum(len(track.notes) for track in parsed.tracks)
    if total == 0:
        raise RequestError(label, "has no notes")
    if total > MAX_NOTES:
        raise RequestError(label, f"has {total:,} notes; at most {MAX_NOTES:,} can be read")
    found = []
    for track in parsed.tracks:
        notes = _grid_notes(track.notes.numpy(), parsed.tpq, resolution)
        if len(notes):
            found.append(MidiTrack(track.name, int(track.program) & 0x7F, bool(track.is_drum), notes))
    return found


def _grid_notes(raw: dict[str, np.ndarray], tpq: int, resolution: int) -> Notes:
    """Notes on a grid of ``resolution`` ticks a beat.

    Both ends are rounded, so that legato stays legato; nothing is shorter than a tick.
    """
    start = raw["time"].astype(np.int64)
    end = start + np.maximum(raw["duration"].astype(np.int64), 0)
    onset = (start * (2 * resolution) + tpq) // (2 * tpq)
    duration = np.maximum((end * (2 * resolution) + tpq) // (2 * tpq) - onset, 1)
    velocity = np.clip(raw["velocity"].astype(np.int64), 1, 127)
    return Notes(onset, raw["pitch"].astype(np.int64), duration, velocity).in_order()
