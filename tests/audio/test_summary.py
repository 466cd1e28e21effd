from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.attacks import STEP_FEATURES
from musicgen_ui.audio.rhythm import Steps
from musicgen_ui.audio.summary import complexity_summary, mood_summary, rhythm_summary
from musicgen_ui.audio.tonality import LOWEST_PITCH, PITCHES, Pitches, mood


def roll(*pitches: int) -> Pitches:
    probability = np.zeros((PITCHES, 60))
    probability[[p - LOWEST_PITCH for p in pitches]] = 0.9
    return Pitches(probability, 0.0)


def steps_of(onset: list[float]) -> Steps:
    return Steps(np.array(onset), np.full(len(onset), 1.5), np.full(len(onset), 2.0))


def test_the_first_numbers_of_a_rhythm_are_its_plain_measures():
    steps = steps_of([1.0, 0.0, 1.0, 0.0] * 8)
    summary = rhythm_summary(steps, np.zeros((32, STEP_FEATURES)), 120.0, 1.5)
    np.testing.assert_allclose(summary[[0, 1, 3, 4, 5, 7]], [2, 2, 0.5, 0.5, np.log(2), np.log(2)], atol=1e-5)


def test_a_rhythm_is_summed_up_over_its_onsets():
    features = np.random.default_rng(0).standard_normal((8, STEP_FEATURES))
    steps = steps_of([1.0, 0, 0, 0, 1.0, 0, 0, 0])
    summary = rhythm_summary(steps, features, 90.0, 1.5)
    np.testing.assert_allclose(summary[21 : 21 + STEP_FEATURES], features[[0, 4]].mean(axis=0), atol=1e-5)


def test_nothing_struck_is_finite():
    assert np.isfinite(rhythm_summary(steps_of([0.0] * 8), np.ones((8, STEP_FEATURES)), 90.0, 0.0)).all()


def test_moods_of_transposed_clips_are_alike():
    keys = np.zeros(24)
    keys[0] = 5.0
    here = mood_summary(roll(48, 60, 64, 67), keys)
    there = mood_summary(roll(50, 62, 66, 69), np.roll(keys, 2))
    np.testing.assert_allclose(here, there, atol=1e-9)
    assert here[0] == pytest.approx(mood(roll(48, 60, 64, 67)), abs=1e-3)


def test_complexity_adds_how_harmony_moves():
    keys = np.eye(24)[0]
    still, moving = roll(48, 60, 64, 67), roll(48, 60, 64, 67)
    moving.probability[:, 30:] = np.roll(moving.probability[:, 30:], 5, axis=0)
    first, second = (complexity_summary(p, keys, 120.0, 0.0) for p in (still, moving))
    assert first.shape == second.shape
    assert second.size > mood_summary(still, keys).size
    assert np.abs(second - first).max() > 0.1
