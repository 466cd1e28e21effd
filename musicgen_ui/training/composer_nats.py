"""How well composers predict held-out songs, part by part, beside what counting alone achieves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from musicgen_ui.data.sections import Section, SectionSampler
from musicgen_ui.data.tables import TablePiece
from musicgen_ui.models.composer import ComposerBatch
from musicgen_ui.models.steps import HEADS
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.scale import UnitScale
from musicgen_ui.training.baselines import NGram
from musicgen_ui.training.batches import collate
from musicgen_ui.training.composer import validate
from musicgen_ui.training.held_out import in_vocabulary

SPLITS = ("train", "validation", "test")
BATCH = 32
COUNTED_BATCHES = 200


def draw_batches(
    pieces: Sequence[TablePiece], split: str, count: int, seed: int, batch: int = BATCH
) -> list[list[Section]]:
    """The same ``count`` batches of sections of a split for the same seed, however many others are drawn."""
    sampler = SectionSampler([p for p in pieces if p.split == split], part_dropout=0.0)
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    return [sampler.draw(rng, batch) for _ in range(count)]


def count_ngrams(
    pieces: Sequence[TablePiece],
    vocabulary: DrumVocabulary,
    scales: Mapping[str, UnitScale],
    *,
    seed: int,
    batches: int = COUNTED_BATCHES,
) -> NGram:
    """N-grams of training sections, drawn as composers are trained."""
    counted = NGram()
    for sections in draw_batches(pieces, "train", batches, seed):
        counted.fit([collate(sections, scales, vocabulary)])  # one at a time: together they would fill the memory
    return counted


def nats_rows(
    composers: Mapping[str, Any],
    counted: NGram,
    pieces: Sequence[TablePiece],
    vocabulary: DrumVocabulary,
    scales: Mapping[str, UnitScale],
    *,
    splits: Sequence[str],
    batches: int,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Nats a step by head and in total, on the same sections for all.

    Args:
        composers: name to model.
        counted: fitted on training sections.
        pieces: on the grid, with the drum classes of ``vocabulary``; each composer is given them in its own.
        vocabulary: of the pieces.
        scales: score side of the slider scales.
        splits: of SPLITS.
        batches: of BATCH sections, of each split.
        seed: of the draw.

    Returns:
        a row for each composer with z from the section (by head and total), with z from the prior (total) and its KL
        divergence (nats a section), and one for the unigram and the bigram.
    """
    rows: dict[str, dict[str, float]] = {}
    for split in splits:
        drawn = draw_batches(pieces, split, batches, seed)
        collated: dict[tuple[int, ...], list[ComposerBatch]] = {}
        for own in (vocabulary, *(DrumVocabulary(model.config.drum_masks) for model in composers.values())):
            if own.masks not in collated:
                collated[own.masks] = [
                    collate([in_vocabulary(s, vocabulary, own) for s in sections], scales, own) for sections in drawn
                ]
        for name, model in composers.items():
            numbers = validate(model, collated[model.config.drum_masks])
            model.eval()
            by_head = {head: numbers[head] for head in HEADS}
            rows[f"{name}, {split}, z from the section"] = by_head | {"total": numbers["posterior"]}
            rows[f"{name}, {split}, z from the prior"] = {"total": numbers["loss"]}
            rows[f"{name}, {split}, kl of z (nats a section)"] = {"total": numbers["kl"]}
        plain = collated[vocabulary.masks]
        for order, name in ((1, "unigram"), (2, "bigram")):
            rows[f"{name}, {split}"] = counted.losses(plain, order) | {"total": counted.total(plain, order)}
    return rows
