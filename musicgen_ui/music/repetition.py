"""How a score comes back to what it said: bars against earlier bars, and the rhythm of neighbouring bars."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from musicgen_ui.music.score import PARTS, TICKS_PER_BEAT, Score, to_ticks

SIMILAR = 0.8
"""Overlap (intersection over union of note starts) at which two bars count as the same idea."""

_STEP = TICKS_PER_BEAT // 4

BarContent = frozenset[tuple[str, int, int]]


def nearest_step(beats: float) -> int:
    """Nearest sixteenth step of a time in beats."""
    return (to_ticks(beats) + _STEP // 2) // _STEP


def bar_contents(score: Score, part: str | None = None) -> list[BarContent]:
    """For every bar, the (part, step within the bar, pitch) of what starts in it, in one part or in all together."""
    steps = score.beats_per_bar * 4
    contents: list[set[tuple[str, int, int]]] = [set() for _ in range(score.bars)]
    for name in PARTS if part is None else (part,):
        for note in score.notes(name):
            bar, step = divmod(min(nearest_step(note.onset), score.bars * steps - 1), steps)
            contents[bar].add((name, step, note.pitch))
    return [frozenset(content) for content in contents]


def best_overlaps(score: Score, part: str | None = None) -> list[float]:
    """For every bar in which something starts, from the second such bar on, the best overlap with an earlier one.

    Overlap is the intersection over union of the bars' contents: 1 for the same bar, 0 for nothing in common.
    """
    bars = [content for content in bar_contents(score, part) if content]
    return [
        max(len(bar & earlier) / len(bar | earlier) for earlier in bars[:index])
        for index, bar in enumerate(bars)
        if index
    ]


def self_similarity(score: Score, part: str | None = None) -> float | None:
    """Mean over the bars of their best overlap with an earlier bar, 0 to 1; None with fewer than two sounding bars."""
    overlaps = best_overlaps(score, part)
    return float(np.mean(overlaps)) if overlaps else None


def repeated_bars(score: Score, similar: float = 1.0) -> float | None:
    """Share of the sounding bars, from the second on, that an earlier bar had said already.

    Args:
        score: the score; two bars are compared by part, sixteenth step and pitch of what starts in them.
        similar: overlap that counts; 1 wants the same bar, SIMILAR the same idea.

    Returns:
        0 to 1; None with fewer than two bars in which something starts.
    """
    overlaps = best_overlaps(score)
    return sum(overlap >= similar for overlap in overlaps) / len(overlaps) if overlaps else None


def groove_consistency(score: Score) -> float | None:
    """Mean over neighbouring bars of 1 - the share of steps on which only one of the two has an onset, 0 to 1.

    The grooving pattern similarity of Wu & Yang (2020, "The Jazz Transformer on the front line"), on sixteenths, over
    neighbours. Neighbours that are both silent do not count.

    Returns:
        None when no two neighbours are left.
    """
    steps = score.beats_per_bar * 4
    onsets = np.zeros((score.bars, steps), dtype=bool)
    for bar, content in enumerate(bar_contents(score)):
        onsets[bar, [step for _, step, _ in content]] = True
    alike = [1.0 - float((a ^ b).mean()) for a, b in pairwise(onsets) if a.any() or b.any()]
    return float(np.mean(alike)) if alike else None
