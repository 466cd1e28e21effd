"""What a composer must beat: the frequencies of its own decisions, alone and after the previous one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from musicgen_ui.models.composer import ComposerBatch
from musicgen_ui.models.steps import DETAIL_GATES, DETAILS, HEADS
from musicgen_ui.music.score import PARTS
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS
from musicgen_ui.music.tokens import STEPS_PER_BEAT

_CLASSES = {field.name: field.classes for field in FIELDS}


class NGram:
    """Unigram and bigram of every decision that the heads take, with additive smoothing.

    A decision's context is the same decision on the step before (for chord symbols on the beat before, for the notes
    of a chord the note below). Heads and counts are those of :meth:`StepHeads.losses`, so nats can be compared.
    """

    def __init__(self, smoothing: float = 0.05) -> None:
        self.smoothing = smoothing
        self.counts: dict[str, np.ndarray] = {}

    def fit(self, batches: Sequence[ComposerBatch]) -> NGram:
        """Counts the decisions of the batches; may be called again with more."""
        for batch in batches:
            for _, name, context, target in decisions(batch):
                classes = _CLASSES[name]
                counts = self.counts.setdefault(name, np.zeros((classes, classes)))
                np.add.at(counts, (context, target), 1)
        return self

    def losses(self, batches: Sequence[ComposerBatch], order: int) -> dict[str, float]:
        """Nats a step by head over the batches, of the unigram (order 1) or the bigram (order 2)."""
        nats = self._nats(batches, order)
        steps = dict.fromkeys(HEADS, 0.0)
        for batch in batches:
            for head, count in observed_steps(batch).items():
                steps[head] += count
        return {head: nats[head] / max(steps[head], 1.0) for head in HEADS}

    def total(self, batches: Sequence[ComposerBatch], order: int) -> float:
        """Nats a step of all heads together, over all steps: what a composer's total is to be compared with."""
        return sum(self._nats(batches, order).values()) / sum(float(batch.valid.sum()) for batch in batches)

    def probabilities(self, name: str, order: int) -> np.ndarray:
        """(contexts, classes) probabilities of a column's decision; every context has the same ones with order 1."""
        counts = self.counts.get(name)
        if counts is None:
            counts = np.zeros((_CLASSES[name], _CLASSES[name]))
        row = np.broadcast_to(counts.sum(axis=0), counts.shape) if order == 1 else counts
        # A context that was never seen falls back to the unigram.
        row = row + self.smoothing * (counts.sum(axis=0) + 1) / (counts.sum() + len(counts)) * len(counts)
        return row / row.sum(axis=1, keepdims=True)

    def _nats(self, batches: Sequence[ComposerBatch], order: int) -> dict[str, float]:
        nats = dict.fromkeys(HEADS, 0.0)
        tables: dict[str, np.ndarray] = {}
        for batch in batches:
            for head, name, context, target in decisions(batch):
                if name not in tables:
                    tables[name] = np.log(self.probabilities(name, order))
                nats[head] -= float(tables[name][context, target].sum())
        return nats


def observed_steps(batch: ComposerBatch) -> dict[str, float]:
    """Steps that each head is charged for, as in :meth:`StepHeads.losses`."""
    valid = batch.valid.numpy()
    observed = batch.observed.numpy()
    counts = {head: float(valid.sum()) for head in ("chord", "details")}
    return counts | {part: float((valid & observed[:, i : i + 1]).sum()) for i, part in enumerate(PARTS)}


def decisions(batch: ComposerBatch) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """(head, column, context, target) of everything that was decided in a batch; context and target are flat."""
    table = batch.table.numpy()
    valid = batch.valid.numpy()
    seen = {part: valid & batch.observed.numpy()[:, i : i + 1] for i, part in enumerate(PARTS)}

    def before(values: np.ndarray) -> np.ndarray:
        return np.pad(values, ((0, 0), (1, 0)))[:, :-1]

    chord = table[:, ::STEPS_PER_BEAT, COLUMN["chord"]]
    beats = valid[:, ::STEPS_PER_BEAT]
    yield "chord", "chord", before(chord)[beats], chord[beats]
    for head, name in (("bass", "bass_pitch"), ("lead", "lead_pitch"), ("drums", "drums")):
        values = table[..., COLUMN[name]]
        yield head, name, before(values)[seen[head]], values[seen[head]]
    notes = table[..., list(NOTE_COLUMNS)]
    for slot, column in enumerate(NOTE_COLUMNS):
        previous = notes[..., slot - 1] if slot else before(notes[..., 0])
        mask = seen["chords"] & (notes[..., slot - 1] > 0) if slot else seen["chords"]
        yield "chords", FIELDS[column].name, previous[mask], notes[..., slot][mask]
    for name, gate in zip(DETAILS, DETAIL_GATES, strict=True):
        values = table[..., COLUMN[name]]
        mask = seen[name.split("_")[0]] & (table[..., COLUMN[gate]] > 0) & (values > 0)
        yield "details", name, before(values)[mask], values[mask]
