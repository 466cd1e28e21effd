from __future__ import annotations

import time

import numpy as np
import pytest

from musicgen_ui.audio.networks import load_networks
from musicgen_ui.engine.clarity import tempo_clarity
from musicgen_ui.music.score import Note, Score
from musicgen_ui.training.synthetic import synthetic_score


def band(tempo: float, **options: object) -> Score:
    return synthetic_score(np.random.default_rng(3), tempo=tempo, key="D minor", bars=8, **options)


def test_a_score_without_notes_has_no_tempo():
    assert tempo_clarity(Score(100.0, "4/4", 4, {"lead": ()}), load_networks()) == 0.0


def test_a_band_at_a_walking_tempo_is_clear():
    clear = [tempo_clarity(band(tempo), load_networks()) for tempo in (96.0, 108.0, 120.0)]
    assert min(clear) > 0.5
    assert max(clear) <= 1.0


def test_calling_half_the_tempo_the_tempo_is_less_clear():
    """The same sounds at the same seconds, but written as twice as many beats."""
    score = band(110.0)
    parts = {
        part: tuple(Note(2 * n.onset, n.pitch, 2 * n.duration, n.velocity) for n in notes)
        for part, notes in score.parts.items()
    }
    doubled = Score(220.0, "4/4", 2 * score.bars, parts)
    assert tempo_clarity(doubled, load_networks()) < 0.5 * tempo_clarity(score, load_networks())


def test_it_is_the_same_every_time():
    networks = load_networks()
    assert tempo_clarity(band(90.0), networks) == pytest.approx(tempo_clarity(band(90.0), networks), abs=0)


@pytest.mark.slow
def test_sixteen_bars_take_milliseconds():
    networks = load_networks()
    score = synthetic_score(np.random.default_rng(3), tempo=90.0, key="D minor", bars=16)
    tempo_clarity(score, networks)
    began = time.process_time()
    for _ in range(10):
        tempo_clarity(score, networks)
    assert time.process_time() - began < 0.3
