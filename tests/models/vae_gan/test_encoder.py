"""From sound to timbre: the level and the silence around it say nothing."""

import numpy as np
import pytest
import torch

from musicgen_ui.models.vae_gan.config import LABELS, Z_SIZE, EncoderConfig
from musicgen_ui.models.vae_gan.encoder import SHORTEST_FRAMES, TimbreEncoder, features

MELS = 16
RATE = 44_100


@pytest.fixture(scope="module")
def encoder() -> TimbreEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return TimbreEncoder(EncoderConfig(mels=MELS, width=16)).eval()


def tone(seconds=1.5, frequency=300.0):
    time = np.arange(int(seconds * RATE)) / RATE
    noise = 0.01 * np.random.default_rng(2).standard_normal(len(time))
    return (0.3 * np.sign(np.sin(2 * np.pi * frequency * time)) * np.exp(-time) + noise).astype(np.float32)


def test_shapes(encoder):
    mel = torch.zeros(3, MELS, SHORTEST_FRAMES)
    mean, log_variance, labels = encoder(mel)
    assert mean.shape == log_variance.shape == (3, Z_SIZE)
    assert labels.shape == (3, LABELS)
    assert encoder.encode(tone()).shape == (Z_SIZE,)


def test_different_sounds_lie_apart(encoder):
    assert np.abs(encoder.encode(tone()) - encoder.encode(tone(frequency=900.0))).max() > 1e-2


@pytest.mark.parametrize("gain", [0.02, 3.0])
def test_the_level_does_not_matter(encoder, gain):
    assert features(tone() * np.float32(gain), MELS) == pytest.approx(features(tone(), MELS), abs=1e-3)
    assert encoder.encode(tone() * np.float32(gain)) == pytest.approx(encoder.encode(tone()), abs=1e-3)


def test_silence_around_a_sound_is_left_out():
    rest = np.zeros(2 * RATE, np.float32)
    padded = np.concatenate([rest, tone(), rest])
    plain, found = features(tone(), MELS), features(padded, MELS)
    assert abs(found.shape[1] - plain.shape[1]) <= 6
    # A frame or two at either end see both.
    assert found.mean(axis=1) == pytest.approx(plain.mean(axis=1), abs=0.05)


@pytest.mark.parametrize("samples", [1, 100, 3000])
def test_short_sounds_have_a_timbre_too(encoder, samples):
    short = tone()[:samples]
    found = features(short, MELS)
    assert found.shape[0] == MELS
    assert found.shape[1] >= SHORTEST_FRAMES
    assert np.all(np.isfinite(encoder.encode(short)))


def test_silence_is_not_an_error(encoder):
    found = features(np.zeros(RATE, np.float32), MELS)
    assert np.all(found == -1.0)
    assert found.shape[1] >= SHORTEST_FRAMES
    assert np.all(np.isfinite(encoder.encode(np.zeros(RATE, np.float32))))


def test_features_are_about_one():
    found = features(tone(), MELS)
    assert found.dtype == np.float32
    assert found.max() == pytest.approx(1.0)
    assert found.min() >= -1.0
