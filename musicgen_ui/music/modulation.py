"""Where a piece changes key for good."""

from __future__ import annotations

import numpy as np

from musicgen_ui.music.harmony import beat_chroma
from musicgen_ui.music.score import Score
from musicgen_ui.music.theory import MAJOR_SCALE

BLOCK = 4
"""Bars in a block: keys change between phrases, not within."""

_IN_SCALE = np.array([[1.0 if (pc - tonic) % 12 in MAJOR_SCALE else 0.0 for tonic in range(12)] for pc in range(12)])
# The raised seventh of the relative minor belongs to the key as well, but tells less about it.
_IN_SCALE += np.array([[0.5 if (pc - tonic) % 12 == 8 else 0.0 for tonic in range(12)] for pc in range(12)])


def key_sections(score: Score, *, least: int = 16, penalty: float = 0.5) -> list[tuple[int, int]]:
    """Splits a score where its scale changes for at least ``least`` bars.

    A key and its relative share a scale, so that a turn from major to relative minor is no change. A Viterbi search
    over blocks of four bars pays ``penalty`` for each change; stretches that are too short join the longer neighbour.

    Args:
        score: the score; only pitched notes count.
        least: shortest section in bars.
        penalty: cost of a change, as blocks that lie wholly outside the old scale.

    Returns:
        (first bar, bars) of each section, in order, covering the score.
    """
    chroma = beat_chroma(score)
    size = BLOCK * score.beats_per_bar
    blocks = -(-len(chroma) // size)
    if blocks * BLOCK < 2 * least or chroma.sum() <= 0:
        return [(0, score.bars)]
    padded = np.zeros((blocks * size, 12))
    padded[: len(chroma)] = chroma
    weights = padded.reshape(blocks, size, 12).sum(axis=1)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    path = _best_path(weights @ _IN_SCALE, penalty)
    starts = [0] + [i for i in range(1, blocks) if path[i] != path[i - 1]]
    ends = [*starts[1:], blocks]
    kept: list[list[int]] = []
    for start, end in zip(starts, ends, strict=True):
        if kept and (
            (end - start) * BLOCK < least or (kept[-1][1] - kept[-1][0]) * BLOCK < least or kept[-1][2] == path[start]
        ):
            longer = kept[-1][1] - kept[-1][0] >= end - start
            kept[-1] = [kept[-1][0], end, kept[-1][2] if longer else int(path[start])]
        else:
            kept.append([start, end, int(path[start])])
    return [(start * BLOCK, min(end * BLOCK, score.bars) - start * BLOCK) for start, end, _ in kept]


def _best_path(evidence: np.ndarray, penalty: float) -> np.ndarray:
    score = evidence[0].copy()
    back = np.zeros(evidence.shape, np.int64)
    for i in range(1, len(evidence)):
        best = int(score.argmax())
        back[i] = np.where(score >= score[best] - penalty, np.arange(len(score)), best)
        score = np.maximum(score, score[best] - penalty) + evidence[i]
    path = [int(score.argmax())]
    for i in range(len(evidence) - 1, 0, -1):
        path.append(int(back[i, path[-1]]))
    return np.array(path[::-1])
