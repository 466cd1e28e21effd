"""Sections stacked into the tensors that composers are trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from musicgen_ui.data.sections import Section, measure_table
from musicgen_ui.models.composer import ComposerBatch
from musicgen_ui.models.condition import CONDITION_SLIDERS, Condition, unit_tempo
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import METRES
from musicgen_ui.music.table import FIELDS, DrumVocabulary
from musicgen_ui.music.tokens import STEPS_PER_BEAT
from musicgen_ui.scale import UnitScale


def collate(sections: Sequence[Section], scales: Mapping[str, UnitScale], vocabulary: DrumVocabulary) -> ComposerBatch:
    """Stacks sections of one metre into a batch, labelled by their own measures; shorter ones are padded."""
    per_bar = METRES[sections[0].piece.metre] * STEPS_PER_BEAT
    steps = max(s.bars for s in sections) * per_bar
    table = np.zeros((len(sections), steps, len(FIELDS)), dtype=np.int64)
    valid = np.zeros((len(sections), steps), dtype=bool)
    sliders = np.zeros((len(sections), len(CONDITION_SLIDERS)), dtype=np.float32)
    known = np.zeros((len(sections), len(CONDITION_SLIDERS)), dtype=bool)
    for i, section in enumerate(sections):
        rows = section.table
        table[i, : len(rows)] = rows
        valid[i, : len(rows)] = True
        sliders[i], known[i] = slider_labels(section, scales, vocabulary)
    condition = Condition(
        sliders=torch.from_numpy(sliders),
        known=torch.from_numpy(known),
        genre=torch.from_numpy(np.stack([s.piece.genre for s in sections])),
        mode=torch.tensor([s.piece.mode for s in sections]),
        metre=torch.tensor([list(METRES).index(s.piece.metre) for s in sections]),
        active=torch.from_numpy(np.stack([s.observed for s in sections])),
    )
    return ComposerBatch(
        table=torch.from_numpy(table),
        observed=condition.active,
        valid=torch.from_numpy(valid),
        first_bar=torch.tensor([s.first_bar for s in sections]),
        total_bars=torch.tensor([s.piece.bars for s in sections]),
        condition=condition,
    )


def slider_labels(
    section: Section, scales: Mapping[str, UnitScale], vocabulary: DrumVocabulary
) -> tuple[np.ndarray, np.ndarray]:
    """Values and known-mask, each (6,), in the order of ``models.condition.CONDITION_SLIDERS``."""
    raw = measure_table(section.table, section.observed, vocabulary)
    tempo = section.piece.tempo
    values, known = [0.0 if tempo is None else unit_tempo(tempo)], [tempo is not None]
    for key in MEASURED:
        value = raw[key]
        known.append(value is not None)
        values.append(0.0 if value is None else scales[key].to_unit(value))
    return np.array(values, dtype=np.float32), np.array(known)
