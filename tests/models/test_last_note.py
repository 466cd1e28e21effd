"""What was struck last is what was struck last, and it reaches the heads the same way in training and in writing."""

import torch

from musicgen_ui.models.last_note import LastNote, struck_last
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.step_writer import DECISIONS, StepWriter
from musicgen_ui.music.table import COLUMN, NOTE_COLUMNS, DrumVocabulary


def test_struck_last_by_hand():
    notes = torch.tensor([[[0], [5], [0], [0], [7], [2], [0]]])
    assert struck_last(notes)[0, :, 0].tolist() == [0, 0, 5, 5, 5, 7, 2]


def test_a_chord_is_remembered_whole():
    notes = torch.tensor([[[3, 5, 8], [0, 0, 0], [4, 0, 0], [0, 0, 0]]])
    assert struck_last(notes)[0].tolist() == [[0, 0, 0], [3, 5, 8], [3, 5, 8], [4, 0, 0]]


def test_an_interval_raises_every_pitch_by_what_lies_that_far_from_the_last():
    last = LastNote(4, 6)
    with torch.no_grad():
        last.interval[6 - 1 + 2] = 1.5  # two classes up
    moved = last.moved(torch.zeros(3, 6), torch.tensor([1, 3, 0]))
    assert moved[0].tolist() == [0, 0, 0, 1.5, 0, 0]
    assert moved[1].tolist() == [0, 0, 0, 0, 0, 1.5]
    assert not moved[2].any(), "nothing was struck before"


def test_nothing_struck_tells_nothing():
    last = LastNote(4, 6)
    torch.nn.init.ones_(last.notes)
    held = torch.zeros(2, 4)
    told = last.told(held, torch.tensor([[0, 0], [2, 0]]))
    assert not told[0].any()
    torch.testing.assert_close(told[1], torch.ones(4))


def test_writing_remembers_what_training_is_told(composer, make_batch, rng):
    batch = make_batch(rng, bars=2)
    observed = batch.observed
    writer = StepWriter(composer.heads, observed, DrumVocabulary(composer.config.drum_masks), SamplingConfig())
    z, rows, remembered = torch.zeros(2, 4), [], []
    noise = torch.rand(2, 32, DECISIONS, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        state = composer.start(batch.condition, z)
        for step in range(32):
            bar, place = (torch.full((2,), v) for v in divmod(step, 16))
            remembered.append({name: last.clone() for name, last in writer.last.items()})
            row = writer.write(composer.step(state, bar, batch.total_bars, place, 16), noise[:, step], step)
            composer.wrote(state, row, observed, 16)
            rows.append(row)
    table = torch.stack(rows, dim=1)
    assert (table[..., COLUMN["lead_pitch"]] > 0).any()
    for name, columns in (
        ("lead", [COLUMN["lead_pitch"]]),
        ("bass", [COLUMN["bass_pitch"]]),
        ("chords", list(NOTE_COLUMNS)),
    ):
        ours = torch.stack([memory[name] for memory in remembered], dim=1)
        assert torch.equal(ours, struck_last(table[..., columns])), name
