"""Real passages for an instrument: what a part of a prepared piece plays for some seconds, brought into its range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.data.fluid import BLOCK, whole_blocks
from musicgen_ui.data.pieces import PieceInfo, PieceStore
from musicgen_ui.data.songs import SPLITS
from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT

DRUM_HOLD = whole_blocks(2.0 * SAMPLE_RATE)
"""Samples that a struck drum is written to last; it rings out whatever this says."""

_TRIES = 60
_MIN_STRIKES = 8
_MIN_COVERAGE = 0.5
_LEAD_IN_SECONDS = 0.2


@dataclass(frozen=True)
class Passage:
    """Notes of one part on the sample axis, and the number of their piece's split in SPLITS."""

    notes: tuple[PlayedNote, ...]
    split: int


class PassageChooser:
    """Draws passages from a store of prepared pieces."""

    def __init__(self, store: PieceStore) -> None:
        self._store = store
        self._pieces: dict[tuple[str, str], list[PieceInfo]] = {
            (split, part): [info for info in store.index() if info.split == split and part in info.parts]
            for split in SPLITS
            for part in PARTS
        }

    def choose(
        self, rng: np.random.Generator, split: str, parts: Sequence[str], pitches: tuple[int, int], length: int
    ) -> Passage | None:
        """A passage of a random piece.

        Args:
            rng: draws piece, part and place.
            split: of the piece.
            parts: any of these.
            pitches: lowest and highest that the instrument plays; keys outside them are dropped from drums.
            length: samples.

        Returns:
            Notes whose starts and ends are whole blocks within ``length``, no key struck while it sounds; None when
            the store has nothing that is full enough.
        """
        for _ in range(_TRIES):
            part = parts[int(rng.integers(len(parts)))]
            pieces = self._pieces[split, part]
            if not pieces:
                continue
            info = pieces[int(rng.integers(len(pieces)))]
            rows, _ = self._store.arrays(info.id)
            rows = rows[rows[:, 0] == PARTS.index(part), 1:]
            notes = _cut(rng, rows, info.tempo, length, part == "drums")
            drums = part == "drums"
            notes = [n for n in notes if pitches[0] <= n.pitch <= pitches[1]] if drums else into_range(notes, pitches)
            notes = without_restrikes(notes)
            if _is_full(notes, length, drums):
                return Passage(tuple(notes), SPLITS.index(split))
        return None


def into_range(notes: Sequence[PlayedNote], pitches: tuple[int, int]) -> list[PlayedNote]:
    """The notes moved together by the octaves that bring most of them into a range; the rest fold into it."""
    low, high = pitches
    if not notes:
        return []
    keys = np.array([n.pitch for n in notes])

    def fit(octaves: int) -> tuple[int, int]:
        moved = keys + 12 * octaves
        return int(np.sum((moved >= low) & (moved <= high))), -abs(octaves)

    shift = 12 * max(range(-6, 7), key=fit)
    return [PlayedNote(n.start, n.end, _fold(n.pitch + shift, low, high), n.velocity) for n in notes]


def without_restrikes(notes: Sequence[PlayedNote]) -> list[PlayedNote]:
    """Sorted notes of which none sounds when its key is struck again; of two struck at once the longer stays."""
    kept: list[PlayedNote] = []
    struck_next: dict[int, int] = {}
    for note in sorted(notes, reverse=True):
        end = min(note.end, struck_next.get(note.pitch, note.end))
        if end > note.start:
            struck_next[note.pitch] = note.start
            kept.append(PlayedNote(note.start, end, note.pitch, note.velocity))
    return kept[::-1]


def _cut(rng: np.random.Generator, rows: np.ndarray, tempo: float, length: int, drums: bool) -> list[PlayedNote]:
    """Notes from a random one on, for ``length`` samples. ``rows`` is (n, 4): onset, pitch, ticks, velocity."""
    if len(rows) < _MIN_STRIKES:
        return []
    samples_per_tick = 60.0 / tempo * SAMPLE_RATE / TICKS_PER_BEAT
    onsets = rows[:, 0] * samples_per_tick
    # A start that leaves room for a whole passage, where the piece has one.
    latest = max(1, int(np.searchsorted(onsets, onsets[-1] - 0.8 * length)))
    first = onsets[int(rng.integers(latest))] - rng.uniform(0.0, _LEAD_IN_SECONDS) * SAMPLE_RATE
    notes = []
    for onset, pitch, ticks, velocity in rows.tolist():
        start = whole_blocks(onset * samples_per_tick - first)
        if not 0 <= start < length:
            continue
        end = start + DRUM_HOLD if drums else whole_blocks((onset + ticks) * samples_per_tick - first)
        notes.append(PlayedNote(start, min(max(end, start + BLOCK), length), pitch, velocity))
    return notes


def _fold(pitch: int, low: int, high: int) -> int:
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def _is_full(notes: Sequence[PlayedNote], length: int, drums: bool) -> bool:
    if len({n.start for n in notes}) < _MIN_STRIKES:
        return False
    sounding = np.zeros(length // BLOCK, dtype=bool)
    for note in notes:
        end = min(note.end, note.start + SAMPLE_RATE // 2) if drums else note.end
        sounding[note.start // BLOCK : end // BLOCK] = True
    return bool(sounding.mean() >= _MIN_COVERAGE)
