from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import fftconvolve

from musicgen_ui.audio.effects import tilt
from musicgen_ui.audio.networks import load_networks
from musicgen_ui.audio.timbre import TILTS, brightness, is_stereo, space_features, tilt_towards
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound

RATE = 22_050


@pytest.fixture(scope="module")
def dry() -> np.ndarray:
    rng = np.random.default_rng(8)
    return synthetic_sound(synthetic_score(rng, tempo=100.0, key="C major", bars=4), rng)


def in_a_room(clip: np.ndarray, seconds: float, wet: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    n = int(seconds * RATE)
    tail = rng.standard_normal((2, n)) * 10 ** (-3 * np.arange(n) / n)
    tail /= np.linalg.norm(tail, axis=1, keepdims=True)
    return (clip + wet * fftconvolve(clip, tail, axes=1)[:, : clip.shape[1]]).astype(np.float32)


def test_brightness_of_a_tone_is_the_log_of_its_frequency():
    tone = np.sin(2 * np.pi * 1500.0 * np.arange(3 * RATE) / RATE).astype(np.float32)
    assert brightness(tone, RATE) == pytest.approx(np.log(1500.0), abs=0.05)


def test_brightness_rises_when_the_treble_does_and_ignores_level(dry):
    mixed = dry.mean(axis=0)
    brighter = mixed + 2.0 * np.diff(mixed, prepend=0.0).astype(np.float32)
    assert brightness(brighter, RATE) > brightness(mixed, RATE) + 0.1
    assert brightness(0.1 * mixed, RATE) == pytest.approx(brightness(mixed, RATE), abs=1e-3)


def test_brightness_of_silence_is_finite():
    assert np.isfinite(brightness(np.zeros(RATE, dtype=np.float32), RATE))


def test_stereo_needs_two_channels_that_differ(dry):
    assert is_stereo(dry)
    assert not is_stereo(dry[:1])
    assert not is_stereo(np.stack([dry[0], dry[0]]))
    assert not is_stereo(dry[0])


def test_a_larger_room_is_heard_as_more_space(dry):
    network = load_networks()["space"]
    heard = [
        float(network(space_features(in_a_room(dry, seconds, wet), RATE))[0])
        for seconds, wet in ((0.2, 0.05), (0.7, 0.25), (2.2, 0.6))
    ]
    assert heard[0] < heard[1] < heard[2]


def test_space_features_are_finite_also_in_silence_and_noise(dry):
    rng = np.random.default_rng(0)
    for clip in (dry, np.zeros((2, 2 * RATE)), rng.standard_normal((2, 2 * RATE))):
        features = space_features(clip.astype(np.float32), RATE)
        assert features.shape == (40,)
        assert np.isfinite(features).all()


@pytest.mark.parametrize("octaves", [-0.5, 0.0, 0.4])
def test_the_equaliser_is_turned_until_the_clip_is_as_bright_as_asked(dry, octaves):
    clip = dry.mean(axis=0)
    target = brightness(clip, RATE) + octaves * np.log(2)
    assert brightness(tilt(clip, RATE, tilt_towards(clip, RATE, target)), RATE) == pytest.approx(target, abs=0.03)


def test_a_brightness_out_of_reach_gives_the_nearest_end(dry):
    clip = dry.mean(axis=0)
    assert tilt_towards(clip, RATE, 20.0) == pytest.approx(TILTS[1], abs=0.01)
    assert tilt_towards(clip, RATE, 0.0) == pytest.approx(TILTS[0], abs=0.01)
