"""A small fake studio behind the command line."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from musicgen_ui.audio.waveform import Clip
from musicgen_ui.cli import bench_live
from musicgen_ui.engine import loading
from musicgen_ui.engine.pipeline import Studio
from musicgen_ui.music.midi import score_to_midi
from musicgen_ui.music.score import Note, Score
from musicgen_ui.recipe import COMPOSERS, SYNTHS
from musicgen_ui.timbre import Z_SIZE, TimbrePoint

NOTES = tuple(Note(float(beat), 60, 1.0, 90) for beat in range(4))


def compose(style, *, seed, bars, takes, shape, hook, early=None):
    hook("compose", bars, bars)
    key = "A minor" if style.key == "auto" else style.key
    return Score(style.tempo, style.metre, bars, dict.fromkeys(style.active_parts, NOTES), key=key)


class Synthesizer:
    def render(self, score, programs, *, style, timbre, seed, hook):
        self.programs, self.timbre = dict(programs), timbre
        return {part: np.full(score.samples(), 0.1, dtype=np.float32) for part in score.parts}

    def encode(self, samples):
        return TimbrePoint("recorded", z=(len(samples) / 44_100, *[0.0] * (Z_SIZE - 1)))


def mix(stems, style, *, seed, tempo, ending, energy, hook):
    return Clip(np.stack([next(iter(stems.values()))] * 2))


@pytest.fixture
def loaded(monkeypatch):
    """Replaces the models by fakes and records how they were asked for."""
    record = SimpleNamespace(options=None, synthesizer=Synthesizer())

    def load(**options):
        record.options = options
        return Studio(
            composers=dict.fromkeys(COMPOSERS, compose),
            synthesizers=dict.fromkeys(SYNTHS, record.synthesizer),
            mix=mix,
            listen=lambda samples, rate, hook: {"tempo": 96.04, "key": None},
            checkpoints={"composer_lstm": "0" * 64},
        )

    monkeypatch.setattr(loading, "load_studio", load)
    monkeypatch.setattr(bench_live, "LENGTHS", (2, 4))
    monkeypatch.setattr(bench_live, "STOPPED", (2,))
    return record


@pytest.fixture
def song(tmp_path):
    score = Score(100.0, "4/4", 1, {"lead": NOTES, "bass": NOTES}, programs={"lead": 73, "bass": 33})
    score_to_midi(score, tmp_path / "song.mid")
    return tmp_path / "song.mid"
