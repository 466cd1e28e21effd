"""One channel at 44.1 kHz from whatever was uploaded."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen_ui.audio.decode import UploadLimits, mono_44k
from musicgen_ui.audio.decode_worker import Status, decode
from musicgen_ui.audio.waveform import samples_of
from musicgen_ui.errors import RequestError

RATE = 44_100


def tone(frequency: float = 440.0, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.square(samples, dtype=np.float64).mean()))


def test_mono_at_the_rate_is_left_alone():
    assert np.abs(mono_44k(tone()[None], RATE) - tone()).max() < 1e-6


def test_equal_channels_keep_their_level():
    assert np.abs(mono_44k(np.stack([tone()] * 8), RATE) - tone()).max() < 1e-6


@pytest.mark.parametrize("balance", [1.0, 0.9, 0.3])
def test_opposite_channels_do_not_cancel(balance):
    mono = mono_44k(np.stack([tone(), -balance * tone()]), RATE)
    assert rms(mono) == pytest.approx(rms(tone()) * (1 + balance) / 2, rel=1e-3)


def test_different_channels_are_averaged():
    left, right = tone(440), tone(1000)
    assert np.abs(mono_44k(np.stack([left, right]), RATE) - (left + right) / 2).max() < 1e-3


def test_silent_channels_do_not_count():
    samples = np.zeros((6, len(tone())), np.float32)
    samples[3] = tone()
    assert np.abs(mono_44k(samples, RATE) - tone()).max() < 1e-6


def test_dc_goes():
    mono = mono_44k(np.stack([tone() + 0.4, tone() - 0.3]), RATE)
    assert abs(mono.mean()) < 1e-6
    assert np.abs(mono - tone()).max() < 1e-5


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 96_000, 192_000])
def test_other_rates(rate):
    mono = mono_44k(tone(rate=rate)[None], rate)
    assert mono.shape == (RATE // 2,)
    assert np.abs(mono - tone())[1000:-1000].max() < 2e-3


def test_beyond_full_scale_is_scaled_down():
    mono = mono_44k(40_000 * tone()[None], RATE)
    assert np.abs(mono).max() == pytest.approx(1.0, abs=1e-3)
    assert np.abs(mono_44k(3e38 * tone(rate=8000)[None], 8000)).max() <= 1.0


def test_silence_stays_silence():
    assert not mono_44k(np.zeros((2, 4000), np.float32), 8000).any()


@pytest.mark.parametrize(
    "samples", [tone(), np.zeros((2, 0)), np.zeros((0, 5)), np.full((1, 9), np.nan), np.full((1, 9), np.inf)]
)
def test_only_channels_of_numbers(samples):
    with pytest.raises(ValueError, match=r"must be \(channels, n\)"):
        mono_44k(samples, RATE)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    rate=st.sampled_from([8_000, 11_025, 16_000, 44_100, 48_000, 192_000]) | st.integers(1, 200_000),
    channels=st.integers(1, 9),
    subtype=st.sampled_from(["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]),
    length=st.integers(0, 30_000),
    amplitude=st.sampled_from([0.0, 1e-30, 1e-6, 1e-3, 0.5, 1.0, 3.0, 4e4, 1e30, np.nan, np.inf]),
    seed=st.integers(0, 9),
)
def test_nothing_but_numbers_reaches_the_model(rate, channels, subtype, length, amplitude, seed):
    noise = np.random.default_rng(seed).uniform(-1, 1, (length, channels))
    buffer = io.BytesIO()
    soundfile.write(buffer, amplitude * noise, rate, format="WAV", subtype=subtype)
    limits = UploadLimits()
    reply = decode(buffer.getvalue(), limits.bounds(cut=True))
    assert (reply.status == Status.DONE) == (channels <= 8 and 8_000 <= rate <= 192_000)
    try:
        samples, found = samples_of(reply, "WAV", limits, "recording")
    except RequestError:
        return
    assert (samples.shape, found) == ((channels, length), rate)
    mono = mono_44k(samples, rate)
    assert mono.dtype == np.float32
    assert mono.shape == (round(length * RATE / rate),)
    assert np.isfinite(mono).all()
    assert np.abs(mono).max(initial=0) <= 1.0
