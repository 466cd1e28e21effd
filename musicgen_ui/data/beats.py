"""Bars from annotated beats: POP909's three annotations of the downbeat, which disagree, brought to one answer."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAD_IN = 48
"""Beats kept before the first annotated one; whole bars of three and of four."""

_CHANGE_PENALTY = 8.0
"""A bar line may move (a bar of two beats, a missed beat) when at least this much evidence asks for it."""


@dataclass(frozen=True)
class BeatMap:
    """Annotated beats of a performance.

    Attributes:
        seconds: time of each beat.
        metre: ``4/4`` or ``3/4``.
        runs: (first beat, beat after the last, first bar line) of each stretch in which bars follow one another
            steadily.
    """

    seconds: tuple[float, ...]
    metre: str
    runs: tuple[tuple[int, int, int], ...]

    @property
    def tempo(self) -> float:
        """Beats per minute."""
        return 60.0 / float(np.median(np.diff(self.seconds)))

    def numbers(self, seconds: np.ndarray) -> np.ndarray:
        """Beat numbers of times, not rounded; the first annotated beat is LEAD_IN.

        Times before the first and after the last annotated beat keep the pace there.
        """
        times = np.array(self.seconds)
        head, tail = np.median(np.diff(times[:9])), np.median(np.diff(times[-9:]))
        steps = np.arange(1, LEAD_IN + 1)
        times = np.concatenate([times[0] - head * steps[::-1], times, times[-1] + tail * steps])
        return np.interp(seconds, times, np.arange(len(times), dtype=float))

    def stretches(self) -> list[tuple[int, int]]:
        """(first bar line, end) of each run in beat numbers; what comes before the first bar line is in whole bars."""
        lines = [line + (LEAD_IN if i else 0) for i, (_, _, line) in enumerate(self.runs)]
        return [(line, last + LEAD_IN) for line, (_, last, _) in zip(lines, self.runs, strict=True)]


def beat_map(annotation: Mapping[str, Any]) -> BeatMap | None:
    """The beats and bars of one song of POP909; None when it has fewer than 16 beats.

    Evidence for a bar line at a beat: a chord begins there (1), a beat tracker on the audio counted "one" (0.7), the
    downbeat found in the MIDI (0.5). A Viterbi search over the phase of the bar line weighs them against a cost of
    moving it.

    Args:
        annotation: ``beat_midi`` rows (seconds, first of a simple bar, first of a compound bar), ``beat_audio`` rows
            (seconds, count) and ``chord_midi`` rows (start, end, symbol).
    """
    rows = annotation.get("beat_midi") or []
    if len(rows) < 16:
        return None
    seconds = np.array([row[0] for row in rows], float)
    simple = [i for i, row in enumerate(rows) if row[1] == 1]
    compound = [i for i, row in enumerate(rows) if row[2] == 1]
    chords = _nearest(seconds, [row[0] for row in annotation.get("chord_midi") or ()])
    audio = annotation.get("beat_audio") or []
    ones = _nearest(seconds, [row[0] for row in audio if row[1] == 1])
    spacing = Counter(b - a for a, b in itertools.pairwise(simple)).most_common(1)
    triple = (bool(spacing) and spacing[0][0] == 3) or max((row[1] for row in audio), default=4) == 3
    beats = 3 if triple and _concentration(chords, 3) >= _concentration(chords, 4) else 4
    evidence = np.zeros(len(seconds))
    for marks, weight in ((chords, 1.0), (ones, 0.7), (simple if beats == 3 else compound, 0.5)):
        np.add.at(evidence, np.array(marks, int), weight)
    phases = _phases(np.minimum(evidence, 2.2), beats)
    starts = [0] + [i for i in range(1, len(phases)) if phases[i] != phases[i - 1]]
    runs = []
    for start, end in zip(starts, [*starts[1:], len(phases)], strict=True):
        line = start + (int(phases[start]) - start) % beats
        runs.append((start, end, line))
    return BeatMap(tuple(seconds.tolist()), f"{beats}/4", tuple(runs))


def _nearest(seconds: np.ndarray, times: list[float]) -> list[int]:
    """Index of the beat nearest to each time."""
    after = np.clip(np.searchsorted(seconds, times), 1, len(seconds) - 1)
    earlier = np.asarray(times) - seconds[after - 1] < seconds[after] - np.asarray(times)
    return (after - earlier).astype(int).tolist()


def _concentration(beats: list[int], modulus: int) -> float:
    """Largest share of one phase, less what chance gives it."""
    if not beats:
        return 0.0
    return max(Counter(b % modulus for b in beats).values()) / len(beats) - 1.0 / modulus


def _phases(evidence: np.ndarray, beats: int) -> np.ndarray:
    """(n,) phase of the bar line at each beat: the path that collects most evidence, less the cost of its changes."""
    score = np.zeros(beats)
    back = np.zeros((len(evidence), beats), np.int64)
    for i, weight in enumerate(evidence):
        best = int(score.argmax())
        moved = score[best] - _CHANGE_PENALTY
        back[i] = np.where(score >= moved, np.arange(beats), best)
        score = np.maximum(score, moved)
        score[i % beats] += weight
    path = np.empty(len(evidence), np.int64)
    state = int(score.argmax())
    for i in range(len(evidence) - 1, -1, -1):
        path[i] = state
        state = int(back[i, state])
    return path
