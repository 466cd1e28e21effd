"""Tiny models and random but legal tables."""

import numpy as np
import pytest
import torch

from musicgen_ui.models.composer import ComposerBatch, ComposerConfig
from musicgen_ui.models.composer_base import ComposerBase
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.composer_wavenet import WaveNetComposer, WaveNetComposerConfig
from musicgen_ui.models.condition import CONDITION_SLIDERS, Condition
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS
from musicgen_ui.style import GENRES

MASKS = (0, 1, 2, 3, 16, 17, 18, 256)


def tiny_config() -> ComposerConfig:
    return ComposerConfig(
        width=16,
        hidden=24,
        head_hidden=16,
        latent=4,
        heads=2,
        memory_bars=3,
        dropout=0.0,
        pointer=True,
        last_notes=True,
        drum_masks=MASKS,
    )


@pytest.fixture
def tiny_lstm() -> LSTMComposer:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return LSTMComposer(tiny_config()).eval()


@pytest.fixture
def tiny_wavenet() -> WaveNetComposer:
    config = WaveNetComposerConfig(
        width=16,
        hidden=12,
        head_hidden=16,
        latent=4,
        heads=2,
        memory_bars=3,
        dropout=0.0,
        drum_masks=MASKS,
        skip=24,
        dilations=(1, 2, 4),
        encoder_width=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return WaveNetComposer(config).eval()


@pytest.fixture(params=["lstm", "wavenet"])
def composer(request) -> ComposerBase:
    """A tiny composer of every kind, whose copy gates are half open."""
    made = request.getfixturevalue(f"tiny_{request.param}")
    for gate in made.heads.gates.values():
        torch.nn.init.zeros_(gate.net.bias)
    return made


def random_table(rng: np.random.Generator, batch: int, steps: int) -> np.ndarray:
    """Tables that could have come from a score: details only where something starts, notes ascending."""
    table = np.zeros((batch, steps, len(FIELDS)), dtype=np.int64)
    for field in FIELDS:
        table[..., COLUMN[field.name]] = rng.integers(0, field.classes, (batch, steps))
    table[..., COLUMN["drums"]] = rng.integers(0, len(MASKS), (batch, steps))
    notes = np.sort(rng.permuted(np.tile(np.arange(1, 57), (batch, steps, 1)), axis=-1)[..., :6], axis=-1)
    count = rng.integers(0, 5, (batch, steps, 1))
    table[..., list(NOTE_COLUMNS)] = np.where(np.arange(6) < count, notes, 0)
    for name, gate in (("bass", "bass_pitch"), ("lead", "lead_pitch"), ("chords", "chords_note0"), ("drums", "drums")):
        silent = table[..., COLUMN[gate]] == 0
        for column in [f.name for f in FIELDS if f.name.startswith(name) and f.name != gate and "note" not in f.name]:
            values = np.maximum(table[..., COLUMN[column]], 1)
            table[..., COLUMN[column]] = np.where(silent, 0, values)
    return table


def random_condition(rng: np.random.Generator, batch: int, metre: int = 0) -> Condition:
    return Condition(
        sliders=torch.from_numpy(rng.random((batch, len(CONDITION_SLIDERS)), dtype=np.float32)),
        known=torch.from_numpy(rng.random((batch, len(CONDITION_SLIDERS))) < 0.8),
        genre=torch.from_numpy(np.eye(len(GENRES), dtype=np.float32)[rng.integers(0, len(GENRES), batch)]),
        mode=torch.from_numpy(rng.integers(0, 3, batch)),
        metre=torch.full((batch,), metre),
        active=torch.ones(batch, 4, dtype=torch.bool),
    )


def random_batch(rng: np.random.Generator, batch: int = 2, bars: int = 5, metre: int = 0) -> ComposerBatch:
    steps = bars * (12 if metre else 16)
    condition = random_condition(rng, batch, metre)
    return ComposerBatch(
        table=torch.from_numpy(random_table(rng, batch, steps)),
        observed=condition.active,
        valid=torch.ones(batch, steps, dtype=torch.bool),
        first_bar=torch.zeros(batch, dtype=torch.long),
        total_bars=torch.full((batch,), bars),
        condition=condition,
    )


@pytest.fixture
def batch(rng) -> ComposerBatch:
    return random_batch(rng)


@pytest.fixture
def make_batch():
    return random_batch
