from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.score_pulse import PULSE_RATE, score_pulse
from musicgen_ui.audio.tempo import tempo_features
from musicgen_ui.music.score import Note, Score
from musicgen_ui.training.synthetic import synthetic_score


def test_a_pulse_is_as_long_as_its_score_and_rises_where_notes_begin():
    score = Score(120.0, "4/4", 2, {"bass": (Note(0.0, 36, 1.0, 100), Note(3.0, 36, 1.0, 100))})
    pulse = score_pulse(score)
    assert pulse.envelopes.shape == (6, int(4.0 * PULSE_RATE) + 1)
    assert set(np.flatnonzero(pulse.envelopes[0])) == {0, round(1.5 * PULSE_RATE)}
    assert pulse.envelopes[0].max() > pulse.envelopes[4].max(), "a bass is low"


def test_cymbals_are_high_and_harder_notes_stronger():
    def struck(pitch: int, velocity: int) -> np.ndarray:
        return score_pulse(Score(100.0, "4/4", 1, {"drums": (Note(0.0, pitch, 0.2, velocity),)})).envelopes[:5, 0]

    assert struck(42, 90).argmax() == 4
    assert struck(36, 90).argmax() == 0
    assert (struck(38, 110) > struck(38, 40)).all()


def test_a_chord_change_is_harmonic_change():
    first, second = ((48, 52, 55), (53, 57, 60))
    notes = [Note(0.0, p, 8.0, 80) for p in first] + [Note(8.0, p, 8.0, 80) for p in second]
    change = score_pulse(Score(120.0, "4/4", 4, {"chords": tuple(sorted(notes))})).envelopes[5]
    assert change.argmax() == pytest.approx(4.0 * PULSE_RATE, abs=0.2 * PULSE_RATE)


def test_the_tempo_is_among_the_candidates():
    for tempo in (63.0, 111.5, 177.0):
        score = synthetic_score(np.random.default_rng(1), tempo=tempo, key="C major", bars=8)
        found, _ = tempo_features(score_pulse(score))
        assert np.abs(np.log(found / tempo)).min() < 0.01


def test_an_empty_score_is_still():
    assert not score_pulse(Score(90.0, "4/4", 2, {"lead": ()})).envelopes[:5].any()
