"""How well a composer predicts held-out songs, part by part, beside what counting alone achieves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.data.sections import SectionSampler
from musicgen_ui.data.tables import load_tables, with_vocabulary
from musicgen_ui.models import checkpoint
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.steps import HEADS
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.scale import load_score_scales
from musicgen_ui.training.baselines import NGram
from musicgen_ui.training.batches import collate
from musicgen_ui.training.composer_lstm import validate

COUNTED_BATCHES = 200
BATCH = 32


def evaluate_composer(data: Path, path: Path, *, batches: int = 16, seed: int = 0) -> dict[str, Any]:
    """Nats a step by head: the model on training, validation and test sections, and n-grams on the same ones.

    Args:
        data: what ``prepare`` wrote.
        path: the composer's checkpoint.
        batches: how many batches of 32 sections to judge on, of each split.
        seed: of the draw.

    Returns:
        ``{"rows": {row: {head: nats, "total": nats}}, "card": the checkpoint's card}``.

    Raises:
        RequestError: the checkpoint or the data is missing or damaged.
    """
    model = LSTMComposer.from_checkpoint(path)
    pieces, prepared = load_tables(data)
    vocabulary = DrumVocabulary(model.config.drum_masks)
    pieces = [with_vocabulary(piece, prepared, vocabulary) for piece in pieces]
    scales = load_score_scales(Path(data) / "measures.json")
    drawn = {}
    for index, split in enumerate(("train", "validation", "test")):
        sampler = SectionSampler([p for p in pieces if p.split == split], part_dropout=0.0)
        rng = np.random.default_rng([seed, index])
        count = COUNTED_BATCHES if split == "train" else batches
        drawn[split] = [collate(sampler.draw(rng, BATCH), scales, vocabulary) for _ in range(count)]
    counted = NGram().fit(drawn["train"])
    rows = {}
    for split, sections in drawn.items():
        numbers = validate(model, sections[:batches])
        rows[f"lstm, {split}, z from the section"] = {h: numbers[h] for h in HEADS} | {"total": numbers["posterior"]}
        rows[f"lstm, {split}, z from the prior"] = {"total": numbers["loss"]}
        rows[f"lstm, {split}, kl of z (nats a section)"] = {"total": numbers["kl"]}
    for split in ("validation", "test"):
        for order, name in ((1, "unigram"), (2, "bigram")):
            rows[f"{name}, {split}"] = counted.losses(drawn[split], order) | {
                "total": counted.total(drawn[split], order)
            }
    return {"rows": rows, "card": checkpoint.describe(path)["card"]}
