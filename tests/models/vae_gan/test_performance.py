"""Which notes are written, how long each is held, and who plays."""

import numpy as np
import pytest
import torch

from musicgen_ui.audio.partials import DRUM_KNOTS, GRID
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.condition import DETUNE_CENTS, TimbreLabels
from musicgen_ui.models.vae_gan.config import Z_SIZE
from musicgen_ui.models.vae_gan.performance import Sound, instrument_of, lengths, perform

RING = round(DRUM_KNOTS[-1] * SAMPLE_RATE)


def test_a_note_is_held_until_its_end():
    assert lengths([PlayedNote(100, 900, 60, 90), PlayedNote(0, 50, 62, 90)], False).tolist() == [800, 50]
    assert lengths([PlayedNote(100, 100, 60, 90)], False).tolist() == [1]


def test_a_note_struck_again_is_let_go_first():
    notes = [PlayedNote(1000, 9000, 60, 90), PlayedNote(0, 5000, 60, 90), PlayedNote(0, 5000, 64, 90)]
    assert lengths(notes, False).tolist() == [8000, 1000, 5000]


def test_one_key_is_not_struck_twice_at_once():
    notes = [PlayedNote(0, 400, 60, 90), PlayedNote(0, 5000, 60, 80), PlayedNote(0, 300, 62, 90)]
    assert lengths(notes, False).tolist() == [0, 5000, 300]
    assert sorted(lengths([notes[1], notes[1]], False).tolist()) == [0, 5000]
    assert sorted(lengths([PlayedNote(7, 9, 38, 90)] * 2, True).tolist()) == [0, RING]


def test_drums_ring_out_whatever_their_length():
    assert lengths([PlayedNote(0, 10, 49, 90), PlayedNote(5, 100_000, 38, 90)], True).tolist() == [RING, RING]


def test_the_open_hi_hat_closes():
    open_hat, closed, pedal, snare = 46, 42, 44, 38
    notes = [PlayedNote(0, 10, open_hat, 90), PlayedNote(500, 510, snare, 90), PlayedNote(2000, 2010, closed, 90)]
    assert lengths(notes, True).tolist() == [2000, RING, RING]
    notes[2] = PlayedNote(2000, 2010, pedal, 90)
    assert lengths(notes, True)[0] == 2000
    # Not the other way round, and not on other instruments.
    assert lengths([PlayedNote(0, 10, closed, 90), PlayedNote(500, 510, open_hat, 90)], True).tolist() == [RING, RING]
    assert lengths([PlayedNote(0, 4000, 46, 90), PlayedNote(500, 600, 42, 90)], False).tolist() == [4000, 100]


@pytest.mark.parametrize(
    ("program", "found"), [(0, 0), (4, 4), (40, 40), (1, 0), (3, 4), (7, 4), (47, 40), (2, 0), (120, 40), (20, 4)]
)
def test_an_unknown_program_is_played_by_the_nearest_of_its_family(generator, program, found):
    network = generator.network(drums=False)
    assert network.config.programs == (0, 4, 40)
    assert network.config.programs[instrument_of(network, program)] == found


def play(network, notes, **kwargs):
    sound = Sound(0, network.prior_mean[0].detach(), **kwargs)
    with torch.inference_mode():
        return perform(network, notes, sound)


NOTES = [PlayedNote(2000 * i, 2000 * i + 1000, (60, 64, 60)[i % 3], (90, 90, 70)[i % 3]) for i in range(12)]


def test_equal_notes_are_written_once(generator, monkeypatch):
    network = generator.network(drums=False)
    written = []
    forward = network.forward
    monkeypatch.setattr(network, "forward", lambda notes: (written.append(len(notes.pitch)), forward(notes))[1])
    voices = play(network, NOTES)
    assert sum(written) == 3
    assert len(voices.start) == 12
    assert torch.equal(voices.real[0], voices.real[3])
    assert not torch.equal(voices.real[0], voices.real[2])


def test_large_scores_are_written_in_pieces_and_are_the_same(generator, monkeypatch):
    network = generator.network(drums=False)
    whole = play(network, NOTES)
    monkeypatch.setattr("musicgen_ui.models.vae_gan.performance._AT_ONCE", 2)
    pieces = play(network, NOTES)
    for name, value in vars(whole).items():
        torch.testing.assert_close(getattr(pieces, name), value, atol=1e-6, rtol=1e-5)


def test_notes_may_come_in_any_order(generator):
    network = generator.network(drums=False)
    order = np.random.default_rng(1).permutation(len(NOTES))
    plain, shuffled = play(network, NOTES), play(network, [NOTES[i] for i in order])
    assert torch.equal(shuffled.start, plain.start[order])
    assert torch.equal(shuffled.real, plain.real[order])


def test_pitch_and_detune(generator):
    network = generator.network(drums=False)
    for detune in (0.0, 1.0):
        labels = TimbreLabels(detune=detune)
        voices = play(network, [PlayedNote(0, 4000, 69, 90), PlayedNote(0, 4000, 57, 90)], labels=labels)
        bend = voices.speed[:, 0] * SAMPLE_RATE / (torch.tensor([440.0, 220.0]) * 2 ** (DETUNE_CENTS * detune / 1200))
        # What remains is what the network bends, a few cents at the most.
        assert torch.all((1200 * torch.log2(bend)).abs() < 25)
    drums = play(generator.network(drums=True), [PlayedNote(0, 4000, 38, 90)])
    assert drums.speed[0, 0] * SAMPLE_RATE == pytest.approx(1.0, rel=0.02)


def test_the_tables_are_those_of_the_instrument_as_far_as_it_is_known(generator):
    network = generator.network(drums=False)
    note = [PlayedNote(0, 4000, 60, 90)]
    grid = torch.tensor(GRID, dtype=torch.float32)
    full = grid * (1 + network.ratio[0, 60])
    assert torch.equal(play(network, note, known=0.0).ratio[0], grid)
    torch.testing.assert_close(play(network, note).ratio[0], full)
    torch.testing.assert_close(play(network, note, known=0.5).ratio[0], 0.5 * (grid + full))


def test_gradients_reach_the_timbre(generator):
    network = generator.network(drums=False)
    z = torch.zeros(Z_SIZE, requires_grad=True)
    perform(network, NOTES[:2], Sound(0, z)).real.square().sum().backward()
    assert z.grad.norm() > 0
