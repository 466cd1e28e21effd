from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.attacks import (
    FRAME_RATE,
    LAG,
    SAMPLE_RATE,
    STEP_FEATURES,
    VARYING_FEATURES,
    Attacks,
    hear_attacks,
    mean_level,
    step_features,
)
from musicgen_ui.audio.spectral import FLUX_MELS
from musicgen_ui.audio.tonality import PITCHES, Pitches
from musicgen_ui.audio.tonality import SAMPLE_RATE as PITCH_RATE
from musicgen_ui.audio.waveform import resample


def attacks_of(clip: np.ndarray) -> Attacks:
    return hear_attacks(clip, resample(clip, SAMPLE_RATE, PITCH_RATE))


def silence_of(seconds: float) -> Pitches:
    return Pitches(np.zeros((PITCHES, int(seconds * PITCH_RATE / 1024) + 1)), 0.0)


@pytest.fixture(scope="module")
def scale_run() -> np.ndarray:
    """Eight seconds at 120: a legato tone that moves by a third on every beat and never gets louder."""
    time = np.arange(8 * SAMPLE_RATE) / SAMPLE_RATE
    pitch = np.where((time / 0.5).astype(int) % 2 == 0, 330.0, 415.3)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    return (0.2 * sum(np.sin(k * phase) / k for k in range(1, 8))).astype(np.float32)


def test_there_is_a_row_a_sixteenth_and_the_clip_columns_come_last(scale_run):
    rows = step_features(attacks_of(scale_run), silence_of(8.0), 120.0, 0.0)
    assert rows.shape == (64, STEP_FEATURES)
    assert np.isfinite(rows).all()
    assert (rows[:, VARYING_FEATURES:] == rows[0, VARYING_FEATURES:]).all()
    assert (rows[:, :VARYING_FEATURES].std(axis=0) > 0).mean() > 0.8


def test_a_tone_that_moves_without_getting_louder_is_news(scale_run):
    rows = step_features(attacks_of(scale_run), silence_of(8.0), 120.0, 0.0)
    news = rows[4:60, 48:60].sum(axis=1).reshape(-1, 4)  # of the groups right after each step
    assert (news[:, 0] > news[:, 1:].max(axis=1)).all()


def test_the_level_of_the_clip_changes_nothing(scale_run):
    loud, soft = (step_features(attacks_of(gain * scale_run), silence_of(8.0), 120.0, 0.0) for gain in (1.0, 0.1))
    assert (np.abs(loud - soft) > 0.02).mean() < 0.001  # where two places are equally strong, rounding chooses


def test_a_start_before_the_clip_and_steps_after_its_end_are_silent(scale_run):
    rows = step_features(attacks_of(scale_run[: 2 * SAMPLE_RATE]), silence_of(2.0), 120.0, -0.01)
    assert rows.shape == (16, STEP_FEATURES)
    assert np.isfinite(rows).all()


def test_silence_has_features_too():
    rows = step_features(attacks_of(np.zeros(2 * SAMPLE_RATE, np.float32)), silence_of(2.0), 100.0, 0.0)
    assert np.isfinite(rows).all()


def test_flux_has_a_frame_a_hop(scale_run):
    attacks = attacks_of(scale_run)
    assert attacks.mels.shape == (FLUX_MELS, LAG + 1 + scale_run.size // 128)
    assert attacks.flux.shape == (FLUX_MELS, 1 + scale_run.size // 128)


def test_means_of_levels_by_hand():
    level = np.arange(10.0)[None] * [[1.0], [2.0]]
    mean = mean_level(level, np.array([2.0, 9.0]) / FRAME_RATE, FRAME_RATE, 1.0 / FRAME_RATE, 2.0 / FRAME_RATE)
    np.testing.assert_allclose(mean[:, 0], [3.5, 7.0])
    assert (mean[:, 1] == 0).all(), "after the end there is nothing"
