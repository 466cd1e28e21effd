"""Is it new? The training pieces that come nearest to a clip, by the alignment that finds similar clips.

A coarse search compares windows of the clip with every place of every training piece, in all keys and at half, the same
and double tempo; then tune and chords are aligned eighth by eighth, and notes that are the very same are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from musicgen_ui.audio.alignment import Alignment, align
from musicgen_ui.errors import RequestError
from musicgen_ui.library.index import Candidate, CoarseIndex
from musicgen_ui.library.novelty_pieces import CORPORA, INDEX, TrainingPiece, read_pieces
from musicgen_ui.music.score import Score
from musicgen_ui.music.sketch import STEPS_PER_CHORD, Sketch, beat_frames, chord_tones, sketch, sounding
from musicgen_ui.music.tokens import STEPS_PER_BEAT

WINDOW = 12
"""Beats of a clip that are looked for at once."""

TEMPI = {1.0: 1.0, 0.5: 0.85, 2.0: 0.85}
CANDIDATES = 32

_HARMONY = 0.35  # what chords count beside the tune
_FAR = 3.0  # semitones from which on a wrong note is just wrong
_CHANCE = 0.62  # likeness that the nearest of thousands of strangers reaches: the 0 of a score
_CHUNK = 256  # pieces
_TELLING = 10  # notes of a passage's tune from which on a likeness counts in full
_EXACT = 0.01  # what a beat of the very same notes adds, when pieces are put in order
_SAME = 16.0  # beats of the very same notes that make a passage the same, whatever the chords
_WINDOWS = 5
_AROUND = 8  # beats beside the window that are looked at


@dataclass(frozen=True)
class Nearest:
    """A training piece and the passage of it that is like a passage of a clip.

    Attributes:
        title: of the piece.
        corpus: where it comes from.
        licence: of the piece.
        piece: its number in the index.
        there: first beat and beat after the last in the piece.
        here: the same in the clip.
        bar_there: the bar, from 1, in which the passage begins.
        bar_here: the same in the clip.
        likeness: 0 (as like as strangers are) to 1 (the same tune over the same chords).
        exact_beats: longest stretch in which every note of the tune is the same at the same time, in any key.
    """

    title: str
    corpus: str
    licence: str
    piece: int
    there: tuple[float, float]
    here: tuple[float, float]
    bar_there: int
    bar_here: int
    likeness: float
    exact_beats: float


class TrainingIndex:
    """The training pieces, ready to be searched; 100 MB for 1.6 million beats.

    Args:
        pieces: all of them.
    """

    def __init__(self, pieces: Sequence[TrainingPiece]) -> None:
        self.pieces = tuple(pieces)
        self._coarse = CoarseIndex(WINDOW)
        for start in range(0, len(pieces), _CHUNK):
            self._coarse.extend(_frames(pieces[start : start + _CHUNK], start))

    @classmethod
    def load(cls, path: Path = INDEX) -> TrainingIndex:
        """Reads what ``prepare-index`` wrote.

        Raises:
            RequestError: the file is missing or damaged.
        """
        return cls(read_pieces(path))

    def nearest(self, score: Score | Sketch, count: int = 5) -> list[Nearest]:
        """The training pieces that hold what is most like a passage of a score; one of each song, best first.

        Raises:
            RequestError: the score has neither tune nor chords, or is shorter than two bars.
        """
        own = score if isinstance(score, Sketch) else sketch(score)
        frames = _unit(beat_frames(own))
        if own.beats < 6 or not frames.any():
            raise RequestError("clip", "has no tune or chords that could be compared")
        windows = max(1, min(_WINDOWS, round(own.beats / WINDOW)))
        found = self._coarse.search(frames, TEMPI, CANDIDATES, windows=windows)
        judged = [self._judged(own, candidate) for candidate in found]
        best: dict[int, Nearest] = {}
        for near in sorted(judged, key=lambda near: (-near.likeness - _EXACT * near.exact_beats, near.piece)):
            best.setdefault(self.pieces[near.piece].group, near)
        return list(best.values())[:count]

    def _judged(self, own: Sketch, candidate: Candidate) -> Nearest:
        """The fine stage: the clip's window against the piece about the place that was found."""
        number = int(candidate.id)
        piece = self.pieces[number]
        length = min(WINDOW, own.beats - candidate.window)
        if candidate.scale < 1.0:
            length = min(own.beats - candidate.window, 2 * WINDOW)
        elif candidate.scale > 1.0:
            length = min(length, WINDOW // 2)
        place = candidate.frame + round(candidate.window * candidate.scale)
        first = max(0, place - _AROUND)
        last = min(piece.sketch.beats, place + round(length * candidate.scale) + _AROUND)
        mine = Line.of(own, candidate.window, candidate.window + length, candidate.scale)
        theirs = Line.of(piece.sketch, first, last, 1.0)
        path = align(mine.cost(theirs, candidate.shift))
        begin, end = first + path.begin / 2, first + path.end / 2
        likeness = float(np.clip((1.0 - path.cost - _CHANCE) / (1.0 - _CHANCE), 0.0, 1.0)) * path.covered(
            len(mine.tune)
        )
        notes = np.count_nonzero(
            own.tune[STEPS_PER_BEAT * candidate.window : STEPS_PER_BEAT * (candidate.window + length)]
        )
        likeness *= 0.5 + 0.5 * min(1.0, notes / _TELLING)
        exact = exact_beats(own, piece.sketch, candidate, first, path) if candidate.scale == 1.0 else 0.0
        likeness = max(likeness, min(1.0, exact / _SAME))
        return Nearest(
            piece.title,
            CORPORA.get(piece.corpus, piece.corpus),
            piece.licence,
            number,
            (begin, end),
            (float(candidate.window), float(candidate.window + length)),
            piece.sketch.bar(begin),
            own.bar(candidate.window),
            round(likeness, 4),
            exact,
        )


@dataclass(frozen=True)
class Line:
    """Tune and chords eighth by eighth: (eighths,) 1 + MIDI pitch, 0 in rests; (eighths, 12) chord tones, unit."""

    tune: np.ndarray
    chords: np.ndarray

    @classmethod
    def of(cls, value: Sketch, first: int, last: int, scale: float) -> Line:
        """Beats ``first`` to ``last`` of a sketch, played ``scale`` times as long."""
        eighths = np.arange(round(2 * (last - first) * scale)) / scale + 2 * first
        at = np.minimum(np.floor(eighths + 1e-6).astype(int), len(value.chord) - 1)
        tones = chord_tones()[value.chord[at]]
        tune = sounding(value.tune).reshape(-1, STEPS_PER_CHORD).max(axis=1)[at]
        return cls(tune.astype(int), tones / np.maximum(np.linalg.norm(tones, axis=1, keepdims=True), 1e-6))

    def cost(self, other: Line, shift: int) -> np.ndarray:
        """(own eighths, other's) in [0, 1], with the own line ``shift`` semitones higher."""
        distance = np.abs((self.tune[:, None] + shift - other.tune[None, :] + 6) % 12 - 6)
        rests = (self.tune == 0)[:, None] | (other.tune == 0)[None, :]
        both = (self.tune == 0)[:, None] & (other.tune == 0)[None, :]
        wrong = np.where(both, 0.3, np.where(rests, 0.7, np.minimum(distance, _FAR) / _FAR))
        alike = np.roll(self.chords, shift, axis=1) @ other.chords.T
        return (1.0 - _HARMONY) * wrong + _HARMONY * (1.0 - alike)


def exact_beats(own: Sketch, other: Sketch, candidate: Candidate, first: int, path: Alignment) -> float:
    """Beats of the longest stretch about an alignment in which both tunes have the same notes at the same times.

    Octaves are not compared; a stretch must hold two notes or more, and is counted from its first to its last.
    """
    # The alignment that most of the path's eighths agree on.
    offsets = path.path[:, 1] - path.path[:, 0]
    values, counts = np.unique(offsets, return_counts=True)
    offset = (2 * first + int(values[counts.argmax()]) - 2 * candidate.window) * STEPS_PER_CHORD
    begin, end = max(0, -offset), min(len(own.tune), len(other.tune) - offset)
    if end <= begin:
        return 0.0
    mine, theirs = own.tune[begin:end].astype(int), other.tune[begin + offset : end + offset].astype(int)
    moved = np.where(mine > 0, (mine - 1 + candidate.shift) % 12, -1)
    differs = np.flatnonzero(moved != np.where(theirs > 0, (theirs - 1) % 12, -1))
    longest = 0
    for start, stop in zip([-1, *differs], [*differs, end - begin], strict=True):
        notes = np.flatnonzero(mine[start + 1 : stop])
        if len(notes) > 1:
            longest = max(longest, int(notes[-1] - notes[0]) + 1)
    return longest / STEPS_PER_BEAT


@lru_cache(maxsize=1)
def shipped_index() -> TrainingIndex:
    """The index that ships, read when it is first asked for.

    Raises:
        RequestError: it is missing or damaged.
    """
    return TrainingIndex.load()


def nearest_training(score: Score | Sketch, count: int = 5) -> list[Nearest]:
    """The training pieces nearest to a score, by the index that ships; see :meth:`TrainingIndex.nearest`."""
    return shipped_index().nearest(score, count)


VERDICTS = (
    (8.0, 0.0, "Some bars are note for note as in a piece that the studio learned from."),
    (4.0, 0.0, "A phrase of it is note for note as in a piece that the studio learned from, as happens between songs."),
    (0.0, 0.93, "It is close to a piece that the studio learned from, closer than most songs are to each other."),
    (0.0, 0.0, "It is new: no training piece is nearer to it than songs commonly are to each other."),
)
"""Exact beats and likeness from which on a sentence holds, the first that does."""


def verdict(nearest: Sequence[Nearest]) -> str:
    """How new a clip is in a sentence, one of VERDICTS."""
    exact = max((near.exact_beats for near in nearest), default=0.0)
    likeness = max((near.likeness for near in nearest), default=0.0)
    return next(sentence for beats, least, sentence in VERDICTS if exact >= beats and likeness >= least)


def _frames(pieces: Sequence[TrainingPiece], start: int) -> list[tuple[str, np.ndarray]]:
    """Number, counted from ``start``, and frames of pieces, computed in one go: one by one takes ten times as long."""
    tune = np.concatenate([piece.sketch.tune for piece in pieces])
    chord = np.concatenate([piece.sketch.chord for piece in pieces])
    frames = _unit(beat_frames(Sketch(tune, chord, "4/4")))
    ends = np.cumsum([piece.sketch.beats for piece in pieces])
    return [
        (str(start + i), frames[end - p.sketch.beats : end])
        for i, (p, end) in enumerate(zip(pieces, ends, strict=True))
    ]


def _unit(frames: np.ndarray) -> np.ndarray:
    """(n, 12) frames without their means and of length 1; zeros stay."""
    centred = frames - frames.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.where(length > 1e-3, centred / np.maximum(length, 1e-9), 0.0).astype(np.float32)
