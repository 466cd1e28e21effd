"""N-grams count the decisions that the heads are charged for."""

import numpy as np
import pytest
import torch

from musicgen_ui.data.sections import SectionSampler
from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.steps import HEADS
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.scale import UnitScale
from musicgen_ui.training.baselines import NGram, decisions, observed_steps
from musicgen_ui.training.batches import collate


@pytest.fixture
def batch(rng):
    from musicgen_ui.data.pieces import Piece
    from musicgen_ui.data.tables import to_table_piece
    from musicgen_ui.music.score import Chord, Note, Score
    from musicgen_ui.music.table import DrumVocabulary

    vocabulary = DrumVocabulary((0, 1, 2, 16, 17))
    lead = tuple(Note(float(b), int(rng.choice([60, 64, 67])), 0.5, 80) for b in range(64))
    chords = tuple(n for b in range(0, 64, 4) for n in (Note(float(b), 48, 4.0, 70), Note(float(b), 52, 4.0, 70)))
    drums = tuple(Note(b / 2, 36 if b % 2 else 38, 0.25, 90) for b in range(128))
    symbols = tuple(Chord(float(b), 4.0, b % 12, "maj") for b in range(0, 64, 4))
    score = Score(100.0, "4/4", 16, {"lead": lead, "chords": chords, "drums": drums}, symbols, "C major")
    piece = to_table_piece(Piece("x/a", "x", "a", "a", "train", {}, "CC0", score), vocabulary)
    scales = {key: UnitScale.fit(np.linspace(-2, 4, 300)) for key in MEASURED}
    return collate(SectionSampler([piece], part_dropout=0.0).draw(rng, 2), scales, vocabulary)


def test_it_charges_the_steps_that_the_heads_charge(batch):
    config = ComposerConfig(width=8, hidden=8, head_hidden=8, latent=2, heads=2, drum_masks=(0, 1, 2, 16, 17))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LSTMComposer(config)
    with torch.inference_mode():
        context = model.contexts(batch, torch.zeros(2, 2))
        losses = model.heads.losses(*context, batch.table, batch.observed, batch.valid)
    ours = observed_steps(batch)
    assert {head: float(count) for head, (_, count) in losses.items()} == {head: ours[head] for head in HEADS}


def test_number_of_decisions_by_hand(batch):
    count = {}
    for _, name, context, target in decisions(batch):
        assert context.shape == target.shape
        count[name] = len(target)
    assert count["chord"] == 2 * 64
    assert count["lead_pitch"] == 2 * 256
    assert count["bass_pitch"] == 0, "a part that is not observed decides nothing"
    assert count["chords_note0"] == 2 * 256
    assert count["chords_note1"] == count["chords_note2"] == 2 * 16, (
        "after each note one more question: is there another?"
    )
    assert count["chords_note3"] == 0


def test_the_bigram_beats_the_unigram_on_its_own_data(batch):
    model = NGram(smoothing=0.01).fit([batch])
    unigram, bigram = model.losses([batch], 1), model.losses([batch], 2)
    assert bigram["drums"] < 0.6 * unigram["drums"]
    assert model.total([batch], 2) < model.total([batch], 1)


def test_a_unigram_costs_the_entropy(batch):
    [(_, _, _, target)] = [d for d in decisions(batch) if d[1] == "lead_pitch"]
    p = np.bincount(target)[np.bincount(target) > 0] / len(target)
    cost = NGram(smoothing=1e-9).fit([batch]).losses([batch], 1)["lead"]
    assert cost == pytest.approx(float(-(p * np.log(p)).sum()), rel=1e-4)
