"""Punch: soft and hard attacks are told apart, and brought to what is asked without harm."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.punch import punch, with_punch
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound

RATE = 22_050


@pytest.fixture(scope="module")
def clip() -> np.ndarray:
    rng = np.random.default_rng(8)
    return synthetic_sound(synthetic_score(rng, tempo=100.0, key="C major", bars=4), rng)


def decaying(seconds: float) -> np.ndarray:
    """A click every half second that dies away."""
    time = np.arange(4 * RATE) / RATE % 0.5
    return (np.sin(2 * np.pi * 440 * time) * np.exp(-time / seconds)).astype(np.float32)


def test_a_steady_tone_has_none_and_shorter_notes_have_more():
    tone = np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE).astype(np.float32)
    assert punch(tone, RATE) < 0.2
    values = [punch(decaying(seconds), RATE) for seconds in (2.0, 0.5, 0.2)]
    assert values == sorted(values)
    assert punch(np.zeros(RATE, dtype=np.float32), RATE) == 0.0


def test_it_depends_neither_on_level_nor_much_on_the_sample_rate(clip):
    assert punch(0.01 * clip, RATE) == pytest.approx(punch(clip, RATE), abs=1e-3)
    assert punch(np.repeat(clip, 2, axis=-1), 2 * RATE) == pytest.approx(punch(clip, RATE), rel=0.05)


@pytest.mark.parametrize("share", [0.8, 1.0, 1.4])
def test_it_becomes_what_is_asked(clip, share):
    target = share * punch(clip, RATE)
    shaped = with_punch(clip, RATE, target)
    assert shaped.dtype == np.float32
    assert shaped.shape == clip.shape
    assert punch(shaped, RATE) == pytest.approx(target, rel=0.05)


def test_more_asked_is_more_heard_and_the_impossible_stays_within_bounds(clip):
    values = [punch(with_punch(clip, RATE, target), RATE) for target in (0.0, 0.8, 1.5, 3.0, 50.0)]
    assert values == sorted(values)
    hardest = with_punch(clip, RATE, 50.0)
    audible = np.abs(clip) > 1e-3
    gain = 20 * np.log10(np.abs(hardest[audible]) / np.abs(clip[audible]))
    assert gain.max() <= 9.01
    assert gain.min() >= -12.01


def test_the_gain_is_smooth_and_the_channels_share_it(clip):
    shaped = with_punch(clip, RATE, 3.0)
    loud = np.abs(clip).min(axis=0) > 1e-3
    left, right = (shaped[:, loud] / clip[:, loud]).astype(np.float64)
    np.testing.assert_allclose(left, right, rtol=1e-4)
    gain = 20 * np.log10(left)
    near = np.diff(np.flatnonzero(loud)) == 1
    assert np.abs(np.diff(gain)[near]).max() < 0.2, "dB from one sample to the next"


def test_silence_stays_silence():
    nothing = np.zeros((2, RATE), dtype=np.float32)
    assert not with_punch(nothing, RATE, 2.0).any()
