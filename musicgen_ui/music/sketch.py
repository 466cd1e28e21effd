"""A piece reduced to what makes it that piece: its tune and its chords, two bytes an eighth, in any key.

Sketches of the training corpora ship with the studio: anybody can ask which training piece a clip is nearest to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musicgen_ui.music.score import METRES, Score
from musicgen_ui.music.theory import QUALITIES
from musicgen_ui.music.tokens import LOW, STEPS_PER_BEAT, encode

STEPS_PER_CHORD = STEPS_PER_BEAT // 2
"""Steps between the chords of a sketch: an eighth."""

HOLD_STEPS = 2 * STEPS_PER_BEAT
"""How long a note of the tune is taken to sound when nothing follows it."""

_TUNE, _CHORD = 1.0, 0.45
"""What a sounding note of the tune and a chord tone weigh in a frame."""


@dataclass(frozen=True)
class Sketch:
    """The tune and the chords of a piece.

    Attributes:
        tune: (steps,) uint8, 1 + MIDI pitch where a note of the lead starts, else 0; STEPS_PER_BEAT a beat.
        chord: (steps / STEPS_PER_CHORD,) uint8 chord class in force (``music.tokens``), 0 for none.
        metre: a key of METRES.
    """

    tune: np.ndarray
    chord: np.ndarray
    metre: str

    @property
    def beats(self) -> int:
        return len(self.tune) // STEPS_PER_BEAT

    def bar(self, beat: float) -> int:
        """The bar in which a beat lies, the first being 1."""
        return int(beat // METRES[self.metre]) + 1


def sketch(score: Score) -> Sketch:
    """The sketch of a score, read off the grid that composers write on."""
    grid = encode(score)
    return from_columns(grid.lead.pitch, grid.chord, score.metre)


def from_columns(lead_pitch: np.ndarray, chord: np.ndarray, metre: str) -> Sketch:
    """A sketch of a grid's or table's lead pitches (1 + pitch - LOW) and chord classes, (steps,) each."""
    tune = np.where(lead_pitch > 0, lead_pitch + LOW["lead"], 0)
    return Sketch(tune.astype(np.uint8), chord[::STEPS_PER_CHORD].astype(np.uint8), metre)


def passage(value: Sketch, bars: int, rng: np.random.Generator) -> Sketch:
    """So many bars from anywhere in a piece, moved to another key; all of a shorter piece."""
    per_bar = METRES[value.metre]
    first = int(rng.integers(0, max(1, value.beats // per_bar - bars + 1))) * per_bar
    steps = slice(first * STEPS_PER_BEAT, (first + bars * per_bar) * STEPS_PER_BEAT)
    chords = slice(steps.start // STEPS_PER_CHORD, steps.stop // STEPS_PER_CHORD)
    return transposed(Sketch(value.tune[steps], value.chord[chords], value.metre), int(rng.integers(-5, 7)))


def transposed(value: Sketch, semitones: int) -> Sketch:
    """The sketch in another key."""
    qualities = len(QUALITIES)
    chord = value.chord.astype(int) - 1
    moved = 1 + (chord // qualities + semitones) % 12 * qualities + chord % qualities
    return Sketch(
        np.where(value.tune > 0, value.tune.astype(int) + semitones, 0).astype(np.uint8),
        np.where(value.chord > 0, moved, 0).astype(np.uint8),
        value.metre,
    )


def sounding(tune: np.ndarray) -> np.ndarray:
    """(steps,) 1 + MIDI pitch of the tune's note that sounds, held for at most HOLD_STEPS; 0 in rests."""
    at = np.arange(len(tune))
    last = np.maximum.accumulate(np.where(tune > 0, at, -HOLD_STEPS - 1))
    return np.where(at - last < HOLD_STEPS, tune[np.maximum(last, 0)], 0)


def chord_tones() -> np.ndarray:
    """(chord classes, 12) 1 for each tone of a chord; nothing for no chord."""
    tones = np.zeros((1 + 12 * len(QUALITIES), 12), dtype=np.float32)
    for root in range(12):
        for number, intervals in enumerate(QUALITIES.values()):
            tones[1 + root * len(QUALITIES) + number, [(root + step) % 12 for step in intervals]] = 1.0
    return tones


def beat_frames(value: Sketch) -> np.ndarray:
    """(beats, 12) how much of each pitch class tune and chords hold in each beat."""
    tune = sounding(value.tune)
    classes = np.zeros((len(tune), 12), dtype=np.float32)
    steps = np.flatnonzero(tune)
    classes[steps, (tune[steps].astype(int) - 1) % 12] = 1.0
    of_tune = classes.reshape(-1, STEPS_PER_BEAT, 12).mean(axis=1)
    of_chords = chord_tones()[value.chord].reshape(-1, STEPS_PER_BEAT // STEPS_PER_CHORD, 12).mean(axis=1)
    return _TUNE * of_tune + _CHORD * of_chords
