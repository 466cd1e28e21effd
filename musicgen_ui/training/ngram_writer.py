"""The n-gram as a composer: tables written from counted frequencies, so that it can be judged by its music too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musicgen_ui.models.steps import DETAIL_GATES, DETAILS
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS, DrumVocabulary, steps_left
from musicgen_ui.music.tokens import MAX_CHORD_NOTES, STEPS_PER_BEAT, TIMINGS
from musicgen_ui.training.baselines import NGram

_DECISIONS = 4 + MAX_CHORD_NOTES + len(DETAILS)
_MONOPHONIC = (("bass", 1), ("lead", 2))


class NGramWriter:
    """Draws every decision from the bigram (or unigram) of itself, keeping to what is legal, as ``StepWriter`` does.

    Args:
        counted: fitted on tables with the drum classes of ``vocabulary``.
        vocabulary: of the tables that are written.
        order: 1 or 2.
    """

    def __init__(self, counted: NGram, vocabulary: DrumVocabulary, order: int = 2) -> None:
        names = ("chord", "bass_pitch", "lead_pitch", "drums", *(FIELDS[c].name for c in NOTE_COLUMNS), *DETAILS)
        self.tables = {name: counted.probabilities(name, order) for name in names}
        self.tables["drums"][:, len(vocabulary.masks) :] = 0.0
        for name in DETAILS:
            self.tables[name][:, 0] = 0.0  # what starts has a duration, a velocity and a timing
        self.groups = vocabulary.group_counts > 0

    def write(self, observed: np.ndarray, steps: int, seeds: Sequence[Sequence[int]]) -> np.ndarray:
        """Writes one table a seed.

        Args:
            observed: (takes, 4) bool, parts to write.
            steps: length of each.
            seeds: one each, for ``numpy.random.default_rng``.

        Returns:
            (takes, steps, fields) int64.
        """
        noise = np.stack([np.random.default_rng(seed).random((steps, _DECISIONS)) for seed in seeds])
        table = np.zeros((len(seeds), steps, len(FIELDS)), dtype=np.int64)
        before = np.zeros_like(table[:, 0])
        for step in range(steps):
            row = table[:, step]
            self._write_row(row, before, observed, noise[:, step], step)
            before = row
        for take in table:
            for name, _ in _MONOPHONIC:
                left = steps_left(take[:, COLUMN[f"{name}_pitch"]], take[:, COLUMN[f"{name}_duration"]])
                take[:, COLUMN[f"{name}_left"]] = left
        return table

    def _write_row(
        self, row: np.ndarray, before: np.ndarray, observed: np.ndarray, noise: np.ndarray, step: int
    ) -> None:
        active = dict(zip(PARTS, observed.T, strict=True))
        chord = COLUMN["chord"]
        row[:, chord] = before[:, chord]
        if step % STEPS_PER_BEAT == 0:
            row[:, chord] = _draw(self.tables["chord"][before[:, chord]], noise[:, 0])
        for part, decision in _MONOPHONIC:
            column = COLUMN[f"{part}_pitch"]
            row[:, column] = _draw(self.tables[f"{part}_pitch"][before[:, column]], noise[:, decision]) * active[part]
        context, floor, going_on = before[:, NOTE_COLUMNS[0]], np.zeros(len(row), dtype=np.int64), active["chords"]
        for slot, column in enumerate(NOTE_COLUMNS):
            p = self.tables[FIELDS[column].name][context]
            classes = np.arange(p.shape[1])
            legal = (classes == 0) | (classes > floor[:, None])
            row[:, column] = _draw(p * legal, noise[:, 4 + slot]) * going_on
            context = floor = row[:, column]
            going_on = going_on & (context > 0)
        drums = COLUMN["drums"]
        row[:, drums] = _draw(self.tables["drums"][before[:, drums]], noise[:, 3]) * active["drums"]
        for i, (name, gate) in enumerate(zip(DETAILS, DETAIL_GATES, strict=True)):
            p = self.tables[name][before[:, COLUMN[name]]]
            if step == 0 and name.endswith("timing"):
                p[:, 1 : 1 + TIMINGS.index(0)] = 0.0  # nothing can start before the first beat
            starts = row[:, COLUMN[gate]] > 0
            if name.startswith("drums_velocity"):
                starts &= self.groups[row[:, drums], int(name[-1])]
            row[:, COLUMN[name]] = _draw(p, noise[:, 4 + MAX_CHORD_NOTES + i]) * starts


def _draw(weights: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """A class a row, by inverting the cumulative sum of its weights; noise (rows,) uniform in [0, 1)."""
    mass = weights.cumsum(axis=1)
    # The sum must rise above the threshold, so a class of no weight is never drawn, and rounding must not run past the
    # last one.
    threshold = np.minimum(noise[:, None] * mass[:, -1:], np.nextafter(mass[:, -1:], 0.0))
    return (mass <= threshold).sum(axis=1)
