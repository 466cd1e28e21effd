"""Loudness against the published values of BS.1770 and EBU Tech 3341, and against other people's meters."""

import warnings

import numpy as np
import pytest

from musicgen_ui.audio.loudness import (
    SILENCE_LUFS,
    integrated_loudness,
    k_weighting,
    normalise,
    true_peak,
)

RATE = 44_100


def tone(level_db: float, seconds: float, frequency: float = 1000.0, rate: int = RATE) -> np.ndarray:
    """Stereo sine of a peak level."""
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)
    return np.stack([wave, wave]).astype(np.float32)


def hits(rng: np.random.Generator, seconds: float, every: float, decay: float, bright: float = 0.0) -> np.ndarray:
    """Decaying noise bursts: drums of any sparseness and crest factor."""
    n = round(seconds * RATE)
    samples = np.zeros((2, n), np.float32)
    for start in range(0, n, round(every * RATE)):
        length = min(n - start, RATE)
        burst = rng.standard_normal((2, length)) * np.exp(-np.arange(length) / (decay * RATE))
        burst[:, 1:] -= bright * burst[:, :-1]
        samples[:, start : start + length] += burst.astype(np.float32)
    return samples * np.float32(0.3)


class TestMeter:
    def test_coefficients_of_bs1770(self):
        """The tables of ITU-R BS.1770, for 48 kHz."""
        expected = [
            [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
            [1, -2, 1, 1, -1.99004745483398, 0.99007225036621],
        ]
        assert np.allclose(k_weighting(48_000), expected, atol=1e-10)

    @pytest.mark.parametrize("rate", [44_100, 48_000])
    def test_full_scale_sine_of_997_hz(self, rate):
        """BS.1770: 0 dBFS, 997 Hz, in one front channel is -3.01 LKFS."""
        assert integrated_loudness(tone(0, 5, 997, rate)[:1], rate) == pytest.approx(-3.01, abs=0.01)

    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            ([(-23, 20)], -23),
            ([(-33, 20)], -33),
            ([(-36, 10), (-23, 60), (-36, 10)], -23),
            ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
            ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
        ],
        ids=["case 1", "case 2", "case 3", "case 4", "case 5"],
    )
    def test_ebu_tech_3341(self, parts, expected):
        samples = np.concatenate([tone(level, seconds) for level, seconds in parts], axis=1)
        assert integrated_loudness(samples, RATE) == pytest.approx(expected, abs=0.1)

    @pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
    def test_other_meters_agree(self, rng, rate):
        pyloudnorm = pytest.importorskip("pyloudnorm")
        samples = (rng.standard_normal((2, 8 * rate)) * np.linspace(0.001, 0.3, 8 * rate)).astype(np.float32)
        ours = integrated_loudness(samples, rate)
        assert ours == pytest.approx(pyloudnorm.Meter(rate, "DeMan").integrated_loudness(samples.T), abs=0.02)
        # Its default filter and torchaudio's are rounded versions of the standard's.
        assert ours == pytest.approx(pyloudnorm.Meter(rate).integrated_loudness(samples.T), abs=0.15)

    def test_torchaudio_agrees(self, rng):
        torch = pytest.importorskip("torch")
        functional = pytest.importorskip("torchaudio.functional")
        samples = (rng.standard_normal((2, 5 * RATE)) * 0.1).astype(np.float32)
        theirs = float(functional.loudness(torch.from_numpy(samples), RATE))
        assert integrated_loudness(samples, RATE) == pytest.approx(theirs, abs=0.15)

    def test_gain_is_loudness(self, rng):
        samples = rng.standard_normal((2, 3 * RATE)).astype(np.float32)
        difference = integrated_loudness(samples, RATE) - integrated_loudness(samples * np.float32(0.1), RATE)
        assert difference == pytest.approx(20, abs=0.01)

    @pytest.mark.parametrize("n", [0, 1, 4410, 17_640, 30_001])
    def test_short_sounds(self, n):
        assert integrated_loudness(np.zeros((2, n), np.float32), RATE) == -np.inf
        if n > 4000:
            assert -30 < integrated_loudness(tone(-6, 1)[:, :n], RATE) < -5

    def test_true_peak(self):
        quarter = np.sin(np.pi / 2 * np.arange(4000) + np.pi / 4)[None].astype(np.float32) * np.float32(0.5)
        assert true_peak(quarter[:, 200:3800] * np.hanning(3600).astype(np.float32)) == pytest.approx(-6.02, abs=0.1)
        assert true_peak(np.zeros((2, 100), np.float32)) == -np.inf


class TestNormalise:
    """-16 LUFS and -1 dBTP, both, on whatever music there is."""

    @staticmethod
    def check(samples: np.ndarray, tolerance: float = 0.3) -> np.ndarray:
        before = samples.copy()
        result = normalise(samples, RATE)
        assert result.shape == samples.shape
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
        assert np.array_equal(samples, before)
        assert integrated_loudness(result, RATE) == pytest.approx(-16, abs=tolerance)
        assert true_peak(result) <= -1
        return result

    @pytest.mark.parametrize("level", [-55, -30, -12, 0, 12])
    def test_steady_sound_of_any_level(self, level):
        self.check(tone(level, 4))

    def test_music_below_the_ceiling_only_changes_its_gain(self, rng):
        samples = (rng.standard_normal((2, 4 * RATE)) * 0.02).astype(np.float32)
        result = self.check(samples)
        assert np.allclose(result / samples, result[0, 0] / samples[0, 0], rtol=1e-3)

    @pytest.mark.parametrize("every", [0.25, 0.5, 2.0])
    @pytest.mark.parametrize("decay", [0.01, 0.05, 0.2])
    def test_drums_alone(self, rng, every, decay):
        """Crest factors of 15 to 30 dB: here the limiter has to work."""
        samples = hits(rng, 8, every, decay)
        crest = true_peak(samples) - integrated_loudness(samples, RATE)
        assert crest > 10
        self.check(samples)

    def test_bright_hats(self, rng):
        self.check(hits(rng, 8, 0.5, 0.01, bright=0.9))

    def test_one_bass_note_a_bar(self):
        note = tone(-20, 8, 41.2) * np.where(np.arange(8 * RATE) % (2 * RATE) < RATE // 2, 1, 0).astype(np.float32)
        self.check(note)

    def test_quiet_then_loud(self):
        self.check(np.concatenate([tone(-60, 4), tone(-3, 1), tone(-40, 4)], axis=1))

    def test_clicks_get_as_loud_as_they_can(self):
        samples = np.zeros((2, 4 * RATE), np.float32)
        samples[:, ::RATE] = 0.5
        result = normalise(samples, RATE)
        assert np.isfinite(result).all()
        assert -1.5 < true_peak(result) <= -1

    @pytest.mark.parametrize("level", [-200, -120, -75, SILENCE_LUFS - 8])
    def test_silence_is_not_raised_to_noise(self, rng, level):
        samples = (rng.standard_normal((2, RATE)) * 10 ** (level / 20)).astype(np.float32)
        assert np.allclose(normalise(samples, RATE), samples, rtol=1e-6)
        assert not normalise(np.zeros((2, RATE), np.float32), RATE).any()

    def test_both_channels_get_the_same_gain(self, rng):
        samples = hits(rng, 4, 0.5, 0.05)
        samples[1] = samples[0] * np.float32(0.25)
        result = normalise(samples, RATE)
        assert np.allclose(result[1], result[0] * 0.25, atol=1e-6)

    def test_zeros_stay_zeros(self, rng):
        samples = hits(rng, 4, 1.0, 0.05)
        samples[:, 30_000:44_000] = 0
        assert not normalise(samples, RATE)[:, 30_000:44_000].any()

    def test_deterministic(self, rng):
        samples = hits(rng, 4, 0.5, 0.05)
        assert np.array_equal(normalise(samples, RATE), normalise(samples, RATE))

    @pytest.mark.parametrize("n", [0, 1, 44, 4000])
    def test_tiny_input(self, n):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert normalise(tone(-6, 1)[:, :n], RATE).shape == (2, n)

    @pytest.mark.parametrize(("target", "ceiling"), [(-23, -3), (-14, -0.5)])
    def test_other_targets(self, rng, target, ceiling):
        result = normalise(hits(rng, 6, 0.5, 0.1), RATE, target, ceiling)
        assert integrated_loudness(result, RATE) == pytest.approx(target, abs=0.3)
        assert true_peak(result) <= ceiling
