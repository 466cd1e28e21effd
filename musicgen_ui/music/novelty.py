"""Novelty: which eight-beat phrases of a part were said already, note for note, in other pieces.

Phrases are read off tables (``music.table``), so both sides of a comparison are rounded in the same way. A phrase is
everything that starts within eight beats of one of the part's onsets; two are the same when the steps between their
onsets and the intervals between their notes are the same, whatever the key, the octave and the place in the bar.
Durations, velocities and timing are not compared. A phrase that many would write alone proves nothing, so these are
left out: fewer than MIN_ONSETS onsets, fewer than MIN_PITCH_CLASSES pitch classes (a repeated note, a root and its
fifth), and what only repeats two beats or less (an arpeggio, a boom-chick bass, a strummed chord).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS
from musicgen_ui.music.tokens import STEPS_PER_BEAT

PHRASE_STEPS = 8 * STEPS_PER_BEAT
MIN_ONSETS = 8
MIN_PITCH_CLASSES = 3
MAX_PERIOD = 2 * STEPS_PER_BEAT
"""A phrase that is periodic with so many steps or fewer is an accompaniment figure, not an idea."""

PITCH_COLUMNS: dict[str, tuple[int, ...]] = {
    "lead": (COLUMN["lead_pitch"],),
    "bass": (COLUMN["bass_pitch"],),
    "chords": NOTE_COLUMNS,
}
"""Parts that can be compared, and the table's columns of their pitches, lowest first."""

_OCTAVE = np.uint64(12)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True)
class Phrases:
    """The telling phrases of some pieces, one an onset, in order.

    Attributes:
        fingerprint: (n,) uint64, equal for equal phrases.
        piece: (n,) which piece. step: (n,) on which of its steps the phrase starts.
        plain: how many phrases were left out because they say too little.
    """

    fingerprint: np.ndarray
    piece: np.ndarray
    step: np.ndarray
    plain: int


def phrases(tables: Sequence[np.ndarray], part: str) -> Phrases:
    """All telling phrases of a part.

    Args:
        tables: (steps, fields) each, see ``music.table``; a phrase never reaches from one into the next.
        part: a key of PITCH_COLUMNS.
    """
    lengths = np.array([len(table) for table in tables], dtype=np.int64)
    ends = lengths.cumsum()
    if not lengths.sum():
        return Phrases(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64), 0)
    notes = np.concatenate([table[:, list(PITCH_COLUMNS[part])] for table in tables])
    content = _note_sets(notes)
    onsets = np.flatnonzero(content)
    piece = np.searchsorted(ends, onsets, side="right")
    first = np.flatnonzero(onsets + PHRASE_STEPS <= ends[piece])  # indices into onsets at which a phrase starts
    step = onsets[first]
    stop = np.searchsorted(onsets, step + PHRASE_STEPS)  # index after the phrase's last onset
    telling = (stop - first >= MIN_ONSETS) & ~_repeats_itself(content, step)
    first, stop = first[telling], stop[telling]
    fingerprint, classes = _fingerprints(content[onsets], notes[onsets, 0], np.diff(onsets, prepend=0), first, stop)
    telling = np.array([bin(mask).count("1") for mask in range(1 << 12)])[classes] >= MIN_PITCH_CLASSES
    found = first[telling]
    own = piece[found]
    return Phrases(fingerprint[telling], own, onsets[found] - (ends - lengths)[own], len(step) - len(found))


class PhraseIndex:
    """The phrases of a corpus, to be asked which phrases of other pieces it holds.

    Args:
        tables: of the corpus's pieces; their numbers are the places in this sequence.
        part: a key of PITCH_COLUMNS.
    """

    def __init__(self, tables: Sequence[np.ndarray], part: str) -> None:
        self.part = part
        known = phrases(tables, part)
        self._fingerprints, index = np.unique(known.fingerprint, return_index=True)
        self._pieces, self._steps = known.piece[index], known.step[index]

    def __len__(self) -> int:
        """How many different phrases the corpus holds."""
        return len(self._fingerprints)

    def sources(self, found: Phrases) -> tuple[np.ndarray, np.ndarray]:
        """For every phrase the first piece of the corpus that holds it, -1 for none, and the step it starts on there.

        Returns:
            piece (n,) and step (n,) int64.
        """
        if not len(self):
            return np.full(len(found.fingerprint), -1), np.full(len(found.fingerprint), -1)
        place = np.searchsorted(self._fingerprints, found.fingerprint).clip(max=len(self) - 1)
        known = self._fingerprints[place] == found.fingerprint
        return np.where(known, self._pieces[place], -1), np.where(known, self._steps[place], -1)


def _note_sets(notes: np.ndarray) -> np.ndarray:
    """(steps, slots) pitch classes of the table, 0 for none → (steps,) uint64 with a bit a note."""
    bits = np.left_shift(np.uint64(1), np.maximum(notes.astype(np.int64) - 1, 0).astype(np.uint64))
    return np.bitwise_or.reduce(np.where(notes > 0, bits, np.uint64(0)), axis=1)


def _repeats_itself(content: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Whether the phrase that starts on each step is periodic with MAX_PERIOD steps or fewer."""
    periodic = np.zeros(len(step), dtype=bool)
    for period in range(1, MAX_PERIOD + 1):
        differs = np.zeros(len(content) + 1, dtype=np.int64)
        np.cumsum(content[:-period] != content[period:], out=differs[1 : len(content) - period + 1])
        periodic |= differs[step + PHRASE_STEPS - period] == differs[step]
    return periodic


def _fingerprints(
    content: np.ndarray, lowest: np.ndarray, gap: np.ndarray, first: np.ndarray, stop: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fingerprints and pitch-class masks of the phrases that hold onsets ``first`` to ``stop``.

    Args:
        content: (onsets,) note sets.
        lowest: (onsets,) lowest pitch class of the table.
        gap: (onsets,) steps since the onset before.
        first: (phrases,) index of each phrase's first onset.
        stop: (phrases,) index after its last.
    """
    shape = content >> (lowest - 1).astype(np.uint64)
    interval = np.diff(lowest.astype(np.int64), prepend=0) + 128
    code = _mixed(shape + _mixed((gap * 256 + interval).astype(np.uint64)))
    classes = np.zeros_like(content)
    for octave in range(6):
        classes |= content >> (_OCTAVE * np.uint64(octave))
    classes = (classes & np.uint64(0xFFF)).astype(np.int64)
    fingerprint, mask = _mixed(shape[first]), classes[first]
    rows, at = np.arange(len(first)), first + 1
    while True:
        going_on = at < stop[rows]
        rows, at = rows[going_on], at[going_on]
        if not len(rows):
            return fingerprint, mask
        fingerprint[rows] = _mixed(fingerprint[rows] + code[at])
        mask[rows] |= classes[at]
        at = at + 1


def _mixed(values: np.ndarray) -> np.ndarray:
    """A scrambling of 64-bit words that loses nothing (after splitmix64), wrapping around silently."""
    values = values * _MIX + _MULTIPLIER
    return values ^ (values >> np.uint64(31))
