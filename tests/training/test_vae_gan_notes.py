"""What the note level learns from a folder of training audio."""

import numpy as np
import pytest
import torch

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import DETUNE_CENTS
from musicgen_ui.models.vae_gan.config import PITCHES
from musicgen_ui.training.vae_gan_notes import NoteFolder, _representatives

MELS = 16


@pytest.fixture
def folder(write_audio, tmp_path) -> NoteFolder:
    return NoteFolder(write_audio(tmp_path / "audio"), MELS)


def test_it_reads_the_presets_that_are_to_be_learned(folder):
    assert folder.configs["pitched"].programs == (0, 40)
    assert folder.configs["drums"].programs == (0,)
    assert [t.id for t in folder.timbres if not t.drums] == ["p000v0", "p040v0", "p000v1"]
    assert [t.instrument for t in folder.timbres if not t.drums] == [0, 1, 0]
    assert [t.notes for t in folder.timbres if not t.drums] == [(0, 4), (4, 8), (8, 12)]
    # Of four passages two are for training.
    assert all(len(t.mels) == 2 and t.mels[0].shape[0] == MELS for t in folder.timbres)


@pytest.mark.parametrize(("name", "knots", "grid"), [("pitched", KNOTS, GRID), ("drums", DRUM_KNOTS, DRUM_GRID)])
def test_targets(folder, name, knots, grid):
    found = folder.targets(name, np.array([2, 0]))
    assert found.amplitude.shape == found.angle.shape == (2, len(knots), len(grid))
    assert found.noise.shape == (2, len(knots), BANDS)
    assert found.pitch.dtype == torch.int64
    assert found.pitch.tolist() == folder.arrays[name].pitch[[2, 0]].tolist()
    assert all(value.dtype == torch.float32 for key, value in vars(found).items() if key != "pitch")


def test_the_tables_are_the_measured_tuning_and_phases(folder):
    ratio = folder.ratio["pitched"]
    assert ratio.shape == (2, PITCHES, len(GRID))
    assert ratio[0, 64] == pytest.approx(4e-4, rel=1e-2)
    # A pitch that nobody played lends from its neighbour.
    assert ratio[0, 66] == pytest.approx(4e-4, rel=1e-2)
    assert ratio[0, 127] == pytest.approx(9e-4, rel=1e-2)
    expected = np.mod(64 + np.arange(1, len(GRID) + 1), 2 * np.pi)
    assert np.abs(np.angle(np.exp(1j * (folder.phase["pitched"][1, 64] - expected)))).max() < 5e-3


def test_what_a_representative_itself_does_is_its_turn_alone(folder):
    neutral = folder.arrays["pitched"].angle[:4].astype(np.float32)
    assert np.abs(neutral).max() < 0.6
    assert neutral.std() == pytest.approx(0.1, rel=0.1)


def test_the_angle_makes_up_for_another_tuning(folder, write_audio, tmp_path):
    """A rendering whose partials lie 1e-3 higher runs ahead of the table by that many turns."""

    def sharp(spec, arrays):
        if spec.id == "p000v1":
            arrays["ratio"] = arrays["ratio"] + np.float32(1e-3)
            arrays["turn"] = np.zeros_like(arrays["turn"])
        return arrays

    found = NoteFolder(write_audio(tmp_path / "sharp", sharp), MELS)
    hertz = 440 * 2 ** ((57 - 69 + DETUNE_CENTS / 100) / 12)
    expected = 2 * np.pi * 1e-3 * hertz * KNOTS
    angle = found.arrays["pitched"].angle[8].astype(np.float32)
    early = KNOTS < 0.5
    assert np.abs(np.angle(np.exp(1j * (angle[early, 4] - expected[early])))).max() < 0.01


def test_tables_go_into_the_networks(folder, tiny_branches, write_audio, tmp_path):
    from musicgen_ui.models.vae_gan.note_network import NoteNetwork

    small = NoteFolder(write_audio(tmp_path / "again"), MELS)
    networks = {name: NoteNetwork(config) for name, config in small.configs.items()}
    small.fill_tables(networks)
    assert torch.equal(networks["pitched"].ratio, torch.from_numpy(folder.ratio["pitched"]))
    assert networks["drums"].phase.any()


def test_a_steady_note_of_middling_velocity_represents_a_pitch():
    instrument = np.array([0, 0, 0, 0, 0])
    pitch = np.array([60, 60, 60, 61, 70])
    velocity = np.array([90, 40, 88, 30, 90])
    vibrato = np.array([0.0, 0.0, 1.0, 0.0, 0.0])
    source = _representatives(instrument, pitch, velocity, vibrato, 2)
    assert source[0, 60] == 0
    # A soft note of its own stands for a pitch less well than its neighbour.
    assert source[0, 61] == 0
    assert source[0, 90] == 4
    assert np.all(source[1] == -1)


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(RequestError, match="holds no training audio"):
        NoteFolder(tmp_path, MELS)
    (tmp_path / "timbres.jsonl").write_text("")
    with pytest.raises(RequestError, match="no finished timbre"):
        NoteFolder(tmp_path, MELS)


def test_recordings_alone_are_one_sentence(write_audio, tmp_path):
    def without_notes(spec, arrays):
        fields = ("note_table", "ratio", "phase", "amplitude", "turn", "bend", "noise", "release")
        return arrays | {name: arrays[name][:0] for name in fields}

    with pytest.raises(RequestError, match="holds recordings only"):
        NoteFolder(write_audio(tmp_path / "recorded", without_notes), MELS)
