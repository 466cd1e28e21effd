"""The Score: four parts of notes on a beat axis, and the chords under them.

A Score is a plain value. Times are in beats (quarter notes) from the start of the first bar; nothing in it
knows about seconds but ``tempo``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

PARTS = ("lead", "chords", "bass", "drums")
"""The four parts, in the order of every table, batch axis and stem file."""

TICKS_PER_BEAT = 24
"""Finest time that survives a round trip: sixteenths are 6 ticks, eighth-note triplets 8."""

METRES = {"4/4": 4, "3/4": 3}
"""Supported metres and their beats per bar."""


@dataclass(frozen=True, order=True)
class Note:
    """One note. ``onset`` and ``duration`` in beats, ``pitch`` 0-127 (GM drum map in drums), ``velocity`` 1-127."""

    onset: float
    pitch: int
    duration: float
    velocity: int


@dataclass(frozen=True, order=True)
class Chord:
    """A chord symbol that holds from ``onset`` for ``duration`` beats.

    ``root`` is a pitch class 0-11 and ``quality`` a key of ``theory.QUALITIES``.
    """

    onset: float
    duration: float
    root: int
    quality: str


@dataclass(frozen=True)
class Score:
    """Four parts over a number of whole bars.

    Attributes:
        tempo: beats per minute.
        metre: a key of METRES.
        bars: number of bars; every onset lies in [0, bars * beats_per_bar).
        parts: part name to notes sorted by (onset, pitch). A missing name means "not observed", an empty
            tuple means "observed and silent".
        chords: chord symbols sorted by onset, may be empty.
        key: canonical key name such as ``"A minor"`` (``theory.KEYS``), or None when unknown.
    """

    tempo: float
    metre: str
    bars: int
    parts: Mapping[str, tuple[Note, ...]]
    chords: tuple[Chord, ...] = ()
    key: str | None = None
    programs: Mapping[str, int] = field(default_factory=dict)

    @property
    def beats_per_bar(self) -> int:
        return METRES[self.metre]

    @property
    def beats(self) -> int:
        """Length in beats."""
        return self.bars * self.beats_per_bar

    @property
    def seconds(self) -> float:
        """Length in seconds at the score's tempo."""
        return self.beats * 60.0 / self.tempo

    def samples(self, sample_rate: int = 44_100) -> int:
        """Exact length in samples: what every stem and clip of this score has."""
        return round(self.seconds * sample_rate)

    def notes(self, part: str) -> tuple[Note, ...]:
        """Notes of a part; empty when the part is not observed."""
        return tuple(self.parts.get(part, ()))

    @property
    def pitched(self) -> tuple[Note, ...]:
        """All notes but the drums', sorted."""
        return tuple(sorted(n for part in PARTS[:3] for n in self.notes(part)))

    def with_parts(self, names: tuple[str, ...] | list[str]) -> Score:
        """The same score with only the named parts."""
        return replace(self, parts={p: n for p, n in self.parts.items() if p in names})

    def transposed(self, semitones: int) -> Score:
        """Pitched notes, chords and key moved by ``semitones``; drums stay. Notes fold by octaves into range."""
        from musicgen_ui.music.theory import transpose_key

        def move(note: Note) -> Note:
            pitch = note.pitch + semitones
            while pitch > 127:
                pitch -= 12
            while pitch < 0:
                pitch += 12
            return replace(note, pitch=pitch)

        parts = {
            name: notes if name == "drums" else tuple(sorted(move(n) for n in notes))
            for name, notes in self.parts.items()
        }
        chords = tuple(replace(c, root=(c.root + semitones) % 12) for c in self.chords)
        return replace(self, parts=parts, chords=chords, key=transpose_key(self.key, semitones))

    def section(self, first_bar: int, bars: int) -> Score:
        """Bars ``first_bar`` to ``first_bar + bars``, re-based to zero; notes that ring over the end are cut there."""
        start = first_bar * self.beats_per_bar
        end = start + bars * self.beats_per_bar

        def cut(note: Note) -> Note:
            return replace(note, onset=note.onset - start, duration=min(note.duration, end - note.onset))

        parts = {name: tuple(cut(n) for n in notes if start <= n.onset < end) for name, notes in self.parts.items()}
        chords = tuple(
            Chord(max(c.onset, start) - start, min(c.onset + c.duration, end) - max(c.onset, start), c.root, c.quality)
            for c in self.chords
            if c.onset < end and c.onset + c.duration > start
        )
        return replace(self, parts=parts, chords=chords, bars=bars)


def to_ticks(beats: float) -> int:
    """Nearest tick (1/24 beat) of a time in beats; halves round up so that equal input gives equal output."""
    return math.floor(beats * TICKS_PER_BEAT + 0.5)


def from_ticks(ticks: int) -> float:
    """Beats of a tick count."""
    return ticks / TICKS_PER_BEAT
