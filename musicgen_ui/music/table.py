"""The grid as one integer table: a row a sixteenth step, a column a field. What every composer reads and writes.

In every column 0 means "nothing"; a pitched part's columns are all 0 on steps where none of its notes starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from musicgen_ui.music.score import METRES
from musicgen_ui.music.tokens import (
    CHORD_CLASSES,
    DRUM_GROUPS,
    DRUM_VOICES,
    DURATIONS,
    HIGH,
    LOW,
    MAX_CHORD_NOTES,
    STEPS_PER_BEAT,
    TICKS_PER_STEP,
    TIMINGS,
    VELOCITIES,
    Grid,
    Part,
)  # fmt: skip

DRUM_CLASSES = 512
"""Size of the drum vocabulary: class 0 is silence, the others the most common sets of kit pieces."""

MAX_LEFT = 16
"""Longest remaining duration, in steps, that the composer is told of a sounding note."""

_DURATION = 1 + len(DURATIONS)
_VELOCITY = 1 + len(VELOCITIES)
_TIMING = 1 + len(TIMINGS)


@dataclass(frozen=True)
class Field:
    """One column: its name, number of classes, and index into PARTS (None for harmony)."""

    name: str
    classes: int
    part: int | None


_LEAD, _CHORDS, _BASS, _DRUMS = range(4)

FIELDS: tuple[Field, ...] = (
    Field("chord", CHORD_CLASSES, None),
    Field("bass_pitch", 2 + HIGH["bass"] - LOW["bass"], _BASS),
    Field("bass_duration", _DURATION, _BASS),
    Field("bass_velocity", _VELOCITY, _BASS),
    Field("bass_timing", _TIMING, _BASS),
    Field("lead_pitch", 2 + HIGH["lead"] - LOW["lead"], _LEAD),
    Field("lead_duration", _DURATION, _LEAD),
    Field("lead_velocity", _VELOCITY, _LEAD),
    Field("lead_timing", _TIMING, _LEAD),
    Field("chords_duration", _DURATION, _CHORDS),
    Field("chords_velocity", _VELOCITY, _CHORDS),
    Field("chords_timing", _TIMING, _CHORDS),
    *(Field(f"chords_note{i}", 2 + HIGH["chords"] - LOW["chords"], _CHORDS) for i in range(MAX_CHORD_NOTES)),
    Field("drums", DRUM_CLASSES, _DRUMS),
    *(Field(f"drums_velocity{i}", _VELOCITY, _DRUMS) for i in range(3)),
    Field("drums_timing", _TIMING, _DRUMS),
    # How many steps the sounding note still has after this one: state, not a decision.
    Field("bass_left", MAX_LEFT + 1, _BASS),
    Field("lead_left", MAX_LEFT + 1, _LEAD),
)
COLUMN = {field.name: i for i, field in enumerate(FIELDS)}
NOTE_COLUMNS = tuple(COLUMN[f"chords_note{i}"] for i in range(MAX_CHORD_NOTES))


class DrumVocabulary:
    """The DRUM_CLASSES - 1 most common sets of kit pieces; any other set is read as the nearest one.

    Args:
        masks: bit masks over DRUM_VOICES, ``masks[0] == 0``.

    Attributes:
        group_counts: (DRUM_CLASSES, 3) kit pieces of each class by velocity group.
    """

    def __init__(self, masks: tuple[int, ...]) -> None:
        if not masks or masks[0] != 0 or len(masks) > DRUM_CLASSES or len(set(masks)) != len(masks):
            raise ValueError("a drum vocabulary holds distinct masks and starts with silence")
        self.masks = masks
        known = np.array(masks, dtype=np.int64)
        everything = np.arange(1 << len(DRUM_VOICES), dtype=np.int64)
        bits = np.array([bin(i).count("1") for i in range(1 << len(DRUM_VOICES))], dtype=np.int16)
        # A hit is never read as silence: class 0 only stands for itself.
        sounding = known[1:] if len(known) > 1 else known
        self._class_of = (
            1 + bits[everything[:, None] ^ sounding[None, :]].argmin(axis=1) if len(known) > 1 else 0 * everything
        )
        self._class_of[0] = 0
        self._mask_of = known
        self.group_counts = np.zeros((DRUM_CLASSES, 3), dtype=np.int64)
        for index, mask in enumerate(masks):
            for voice, group in enumerate(DRUM_GROUPS):
                self.group_counts[index, group] += mask >> voice & 1

    @classmethod
    def fit(cls, masks: Iterable[int]) -> DrumVocabulary:
        """The most common sets of a corpus; ties in order of the mask."""
        counts = Counter(int(m) for m in masks if m)
        ranked = sorted(counts, key=lambda m: (-counts[m], m))
        return cls((0, *ranked[: DRUM_CLASSES - 1]))

    def classes(self, masks: np.ndarray) -> np.ndarray:
        return self._class_of[masks.astype(np.int64)]

    def to_masks(self, classes: np.ndarray) -> np.ndarray:
        return self._mask_of[np.minimum(classes, len(self._mask_of) - 1)]


def steps_left(pitch: np.ndarray, duration: np.ndarray) -> np.ndarray:
    """Steps that a monophonic part's sounding note still has after each step, capped at MAX_LEFT.

    Args:
        pitch: (steps,) 0 where nothing starts.
        duration: (steps,) duration field (1 + class).
    """
    left = np.zeros(len(pitch), dtype=np.int16)
    remaining = 0
    for step, (p, d) in enumerate(zip(pitch.tolist(), duration.tolist(), strict=True)):
        remaining = duration_steps(d) - 1 if p else max(0, remaining - 1)
        left[step] = min(remaining, MAX_LEFT)
    return left


def duration_steps(field: int) -> int:
    """Steps that a duration field (1 + class) covers, rounded up."""
    return -(-DURATIONS[field - 1] // TICKS_PER_STEP)


def to_table(grid: Grid, vocabulary: DrumVocabulary) -> np.ndarray:
    """(steps, fields) int16 of a grid. Columns of unobserved parts are 0."""
    table = np.zeros((grid.steps, len(FIELDS)), dtype=np.int16)
    table[:, COLUMN["chord"]] = grid.chord
    for name in ("bass", "lead", "chords"):
        part: Part = getattr(grid, name)
        starts = part.pitch > 0
        for column in ("duration", "velocity", "timing"):
            table[:, COLUMN[f"{name}_{column}"]] = np.where(starts, getattr(part, column) + 1, 0)
        if name != "chords":
            table[:, COLUMN[f"{name}_pitch"]] = part.pitch
            table[:, COLUMN[f"{name}_left"]] = steps_left(part.pitch, table[:, COLUMN[f"{name}_duration"]])
    for step in np.flatnonzero(grid.chords.pitch):
        pitches = np.flatnonzero(grid.voicing[step])
        table[step, list(NOTE_COLUMNS[: len(pitches)])] = pitches + 1
    table[:, COLUMN["drums"]] = vocabulary.classes(grid.drums)
    hit = grid.drums > 0
    for group in range(3):
        table[:, COLUMN[f"drums_velocity{group}"]] = np.where(hit, grid.drum_velocity[:, group] + 1, 0)
    table[:, COLUMN["drums_timing"]] = np.where(hit, grid.drum_timing + 1, 0)
    return table


def from_table(table: np.ndarray, vocabulary: DrumVocabulary, metre: str, observed: np.ndarray) -> Grid:
    """Inverse of :func:`to_table`, up to the drum vocabulary."""
    steps = len(table)
    if steps % (METRES[metre] * STEPS_PER_BEAT):
        raise ValueError("a table must hold whole bars")

    def column(name: str) -> np.ndarray:
        return table[:, COLUMN[name]].astype(np.int16)

    def detail(name: str) -> np.ndarray:
        return np.maximum(column(name) - 1, 0)

    def part(name: str, pitch: np.ndarray) -> Part:
        return Part(pitch, detail(f"{name}_duration"), detail(f"{name}_velocity"), detail(f"{name}_timing"))

    notes = table[:, list(NOTE_COLUMNS)]
    voicing = np.zeros((steps, HIGH["chords"] - LOW["chords"] + 1), dtype=bool)
    rows, slots = np.nonzero(notes)
    voicing[rows, notes[rows, slots] - 1] = True
    count = voicing.sum(axis=1).astype(np.int16)
    return Grid(
        metre=metre,
        observed=np.asarray(observed, dtype=bool),
        chord=column("chord"),
        bass=part("bass", column("bass_pitch")),
        lead=part("lead", column("lead_pitch")),
        chords=part("chords", count),
        voicing=voicing,
        drums=vocabulary.to_masks(table[:, COLUMN["drums"]].astype(np.int64)).astype(np.int16),
        drum_velocity=np.stack([detail(f"drums_velocity{g}") for g in range(3)], axis=1),
        drum_timing=detail("drums_timing"),
    )
