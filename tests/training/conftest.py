"""A tiny folder of training audio, in the format that ``prepare-audio`` writes, and a tiny VAE-GAN."""

from pathlib import Path

import numpy as np
import pytest

from musicgen_ui.audio.partials import BANDS, DRUM_GRID, DRUM_KNOTS, GRID, KNOTS, Partials
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.data.render import note_arrays, passage_arrays
from musicgen_ui.data.render_folder import audio_path, write_arrays, write_rows
from musicgen_ui.data.render_passages import Passage
from musicgen_ui.data.render_presets import TimbreSpec
from musicgen_ui.models.vae_gan import config
from musicgen_ui.models.vae_gan.condition import TimbreLabels
from musicgen_ui.training import vae_gan_notes

PASSAGE = 24 * 1024
TIMBRES = (
    TimbreSpec("p000v0", 0, False, "piano", "train", 0, TimbreLabels()),
    TimbreSpec("p040v0", 40, False, "strings", "train", 0, TimbreLabels()),
    TimbreSpec("k000v0", 0, True, "drums", "train", 0, TimbreLabels()),
    TimbreSpec("p000v1", 0, False, "piano", "train", 1, TimbreLabels(brightness=0.5, detune=1.0)),
    TimbreSpec("p073v0", 73, False, "pipe", "unseen", 0, TimbreLabels()),
)


def partials_of(spec: TimbreSpec, pitch: int, rng: np.random.Generator) -> Partials:
    """Decays of the instrument's own; its phases and tuning depend on the pitch."""
    grid, knots = (DRUM_GRID, DRUM_KNOTS) if spec.drums else (GRID, KNOTS)
    order = np.arange(len(grid)) + 1
    decay = 1.0 + spec.program / 20
    amplitude = 0.05 / order * np.exp(-decay * knots[:, None] * (1 + order / 30))
    return Partials(
        ratio=(grid * (1 + 1e-4 * (pitch - 60))).astype(np.float32),
        phase=np.mod(pitch + order, 2 * np.pi).astype(np.float32),
        amplitude=amplitude.astype(np.float32),
        turn=(0.1 * rng.standard_normal((len(knots), len(grid)))).astype(np.float32),
        bend=np.zeros(len(knots), np.float32),
        noise=np.full((len(knots), BANDS), 1e-4, np.float32),
        release=0.1 + 0.001 * spec.program,
    )


def arrays_of(spec: TimbreSpec) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(spec.program + spec.variant)
    pitches = (36, 38, 42) if spec.drums else (57, 60, 64, 69)
    notes = [((pitch, 60 + 5 * i, 1000), partials_of(spec, pitch, rng)) for i, pitch in enumerate(pitches)]
    time = np.arange(PASSAGE) / 44_100
    passages, sounds = [], []
    for split in (0, 0, 1, 2):
        played = tuple(PlayedNote(6400 * i, 6400 * i + 5000, pitch, 80) for i, pitch in enumerate(pitches[:3]))
        sound = sum(
            0.1 * np.sin(2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) * time) * (time >= note.start / 44_100)
            for note in played
        )
        passages.append(Passage(played, split))
        sounds.append((sound + 1e-3 * rng.standard_normal(PASSAGE)).astype(np.float32))
    return note_arrays(notes, drums=spec.drums) | passage_arrays(passages, sounds, PASSAGE)


@pytest.fixture
def write_audio():
    """Writes the folder; ``change`` may do something to the arrays of each timbre first."""

    def write(folder: Path, change=lambda spec, arrays: arrays) -> Path:
        (folder / "audio").mkdir(parents=True)
        write_rows(folder / "timbres.jsonl", [spec.to_row() for spec in TIMBRES])
        for spec in TIMBRES:
            write_arrays(audio_path(folder, spec.id), change(spec, arrays_of(spec)))
        return folder

    return write


@pytest.fixture
def tiny_branches(monkeypatch):
    """Networks that are built for a folder are tiny."""
    branch = vae_gan_notes._branch

    def small(rows: list[dict], drums: bool) -> config.BranchConfig:
        b = branch(rows, drums)
        return config.BranchConfig(b.programs, drums, b.knots, b.partials, b.bands, code=32, seed=8, width=16, zone=8)

    monkeypatch.setattr(vae_gan_notes, "_branch", small)
