import numpy as np
import pytest

from musicgen_ui.audio.dynamics import (
    ATTACK_DB_PER_SECOND,
    apply_gain,
    block_length,
    block_view,
    compress,
    limiter_gains,
    true_peaks,
)

RATE = 44_100


def tone(frequency: float, level_db: float, seconds: float = 1.0, phase: float = 0.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * time + phase)
    return np.stack([wave, wave]).astype(np.float32)


class TestBlocks:
    @pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000, 96_000])
    def test_about_a_millisecond_and_whole_in_100_ms(self, rate):
        size = block_length(rate)
        assert (rate // 10) % size == 0
        assert 0.0004 < size / rate < 0.0013

    def test_view_fills_up_with_zeros(self):
        view = block_view(np.arange(1, 6)[None], 3)
        assert view.tolist() == [[[1, 2, 3], [4, 5, 0]]]


class TestTruePeaks:
    def test_peak_between_samples(self):
        """A quarter of the sample rate at 45 degrees: samples at 0.707, the wave reaches 1."""
        wave = tone(RATE / 4, 0.0, 0.2, np.pi / 4)
        assert np.abs(wave).max() == pytest.approx(0.707, abs=0.001)
        assert true_peaks(wave, 50)[20:150].max() == pytest.approx(1.0, abs=0.01)

    def test_each_block_has_its_own(self):
        samples = np.zeros((2, 4000), np.float32)
        samples[1, 1000] = -0.8
        peaks = true_peaks(samples, 50)
        assert len(peaks) == 80
        assert peaks.argmax() == 20
        assert peaks[20] == pytest.approx(0.8, abs=0.02)
        assert peaks[:10].max() < 0.01

    def test_pieces_agree_with_the_whole(self, rng):
        samples = rng.standard_normal((1, (1 << 18) + 5000)).astype(np.float32)
        whole, tail = true_peaks(samples, 64), true_peaks(samples[:, (1 << 18) - 64 * 100 :], 64)
        assert np.allclose(whole[-150:], tail[-150:], atol=1e-4)

    def test_empty(self):
        assert true_peaks(np.zeros((2, 0), np.float32), 50).shape == (0,)


class TestGain:
    def test_lines_between_borders(self):
        samples = np.ones((2, 7), np.float32)
        assert apply_gain(samples, np.array([0.0, 1.0, 0.5]), 4)[0].tolist() == [0, 0.25, 0.5, 0.75, 1, 0.875, 0.75]


class TestCompress:
    @staticmethod
    def out_db(level_db: float, **settings: float) -> float:
        """Level (of the root mean square) after the gain has settled."""
        squeezed = compress(tone(1000, level_db + 3.01), RATE, **settings)[0, RATE // 2 :]
        return 20 * np.log10(np.sqrt(np.mean(squeezed**2)))

    def test_below_the_knee_nothing_changes(self):
        assert self.out_db(-30, threshold_db=-20) == pytest.approx(-30, abs=0.01)

    @pytest.mark.parametrize("ratio", [2.0, 4.0])
    def test_ratio_above_the_knee(self, ratio):
        assert self.out_db(-6, threshold_db=-20, ratio=ratio) == pytest.approx(-20 + 14 / ratio, abs=0.1)

    def test_the_knee_is_smooth(self):
        levels = np.arange(-28, -12, 0.5)
        out = np.array([self.out_db(level, threshold_db=-20, ratio=4, knee_db=8) for level in levels])
        slopes = np.diff(out) / 0.5
        assert np.all(np.diff(slopes) < 0.02)
        assert slopes[0] == pytest.approx(1, abs=0.02)
        assert slopes[-1] == pytest.approx(0.25, abs=0.02)

    def test_attack_and_release_times(self):
        step = np.concatenate([tone(1000, -40), tone(1000, -3), tone(1000, -40)], axis=1)
        gain = np.abs(compress(step, RATE, attack=0.05, release=0.2)).max(axis=0)
        loud = gain[RATE : 2 * RATE].reshape(-1, 441).max(axis=1)
        settled = loud[-1]
        reached = np.flatnonzero(20 * np.log10(loud / settled) < 0.37 * 20 * np.log10(loud[0] / settled))[0] / 100
        assert reached == pytest.approx(0.05, abs=0.02)

    def test_channels_are_linked(self):
        samples = tone(1000, -3)
        samples[1] *= 0.1
        squeezed = compress(samples, RATE)
        assert np.allclose(squeezed[1], squeezed[0] * 0.1, atol=1e-6)


class TestLimiter:
    BLOCK = 0.001

    def gains(self, peaks: np.ndarray, release: float = 100.0) -> np.ndarray:
        return limiter_gains(peaks, 0.5, self.BLOCK, release)

    def test_nothing_to_do(self):
        assert np.all(self.gains(np.full(50, 0.5)) == 1)

    @pytest.mark.parametrize("release", [50.0, 300.0, 3000.0])
    def test_every_block_is_held_down(self, rng, release):
        peaks = rng.exponential(0.3, 2000)
        gains = self.gains(peaks, release)
        assert len(gains) == 2001
        assert np.all(np.maximum(gains[:-1], gains[1:]) * peaks <= 0.5 + 1e-9)
        assert gains.max() <= 1

    def test_slopes(self):
        peaks = np.full(400, 0.1)
        peaks[200] = 2.0
        decibels = 20 * np.log10(self.gains(peaks))
        slopes = np.diff(decibels) / self.BLOCK
        assert decibels.min() == pytest.approx(-12.04, abs=0.01)
        assert slopes.min() >= -ATTACK_DB_PER_SECOND - 1e-6
        assert slopes.max() <= 100 + 1e-6
        assert decibels[195] == 0  # look-ahead of 4 ms, not more

    def test_gain_is_held_between_the_peaks_of_a_bass_note(self):
        peaks = np.where(np.arange(300) % 10 == 0, 1.0, 0.1)
        assert np.ptp(self.gains(peaks)[20:280]) < 1e-9
