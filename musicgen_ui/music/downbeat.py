"""Where the bars begin: files that open with a pickup seldom say so."""

from __future__ import annotations

import numpy as np

from musicgen_ui.music.midi_file import Notes
from musicgen_ui.music.score import TICKS_PER_BEAT

_STEP = TICKS_PER_BEAT // 2


def bar_phase(notes: Notes, bar: int, changes: np.ndarray | None = None, *, trust: float = 0.12) -> int:
    """Ticks from the start of the axis to the first bar line, in [0, bar).

    Downbeats draw long notes, low notes and changes of harmony. Each candidate (every half beat) is scored by what
    falls on its bar lines as a share of what falls anywhere; it must beat "no pickup" by ``trust``.

    Args:
        notes: pitched notes of the whole texture, sorted, from tick 0 on.
        bar: ticks a bar.
        changes: ticks at which a written chord symbol changes, if the corpus has them; they count most.
        trust: advantage that a pickup must show over no pickup.
    """
    if len(notes) < 8:
        return 0
    steps = int(notes.onset.max()) // _STEP + 1
    candidates = bar // _STEP
    length = np.zeros(steps)
    low = np.zeros(steps)
    at = (notes.onset + _STEP // 4) // _STEP
    on_step = (notes.onset % _STEP <= 2) & (at < steps)
    seconds = np.minimum(notes.duration, bar) / TICKS_PER_BEAT
    np.maximum.at(length, at[on_step], seconds[on_step])
    depth = np.clip((72 - notes.pitch) / 24.0, 0.0, 1.5)
    np.maximum.at(low, at[on_step], depth[on_step])
    features = [(length, 1.0), (low, 0.7), (_harmony_change(notes, steps), 1.2)]
    if changes is not None and len(changes) >= 4:
        marks = np.zeros(steps)
        step = changes // _STEP
        np.add.at(marks, step[(step >= 0) & (step < steps) & (changes % _STEP == 0)], 1.0)
        features.append((marks, 4.0))
    score = np.zeros(candidates)
    for feature, weight in features:
        total = feature.sum()
        if total > 0:
            share = np.bincount(np.arange(steps) % candidates, weights=feature, minlength=candidates) / total
            score += weight * share * candidates / 4
    score /= sum(weight for _, weight in features)
    best = int(score.argmax())
    return best * _STEP if score[best] > score[0] + trust else 0


def _harmony_change(notes: Notes, steps: int) -> np.ndarray:
    """(steps,) how much the pitch classes of the beat after each step differ from those of the beat before it."""
    chroma = np.zeros((steps + 4, 12))
    first = notes.onset // _STEP
    spans = np.minimum(np.maximum(notes.duration // _STEP, 1), 8)
    for k in range(8):
        hit = (spans > k) & (first + k < steps)
        np.add.at(chroma, (first[hit] + k, notes.pitch[hit] % 12), 1.0)
    total = np.cumsum(np.vstack([np.zeros(12), chroma]), axis=0)
    at = np.arange(2, steps)
    before, after = total[at] - total[at - 2], total[np.minimum(at + 2, steps)] - total[at]
    norm = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    change = np.zeros(steps)
    change[2:] = np.where(norm > 0, 1.0 - (before * after).sum(axis=1) / np.maximum(norm, 1e-12), 0.0)
    return change
