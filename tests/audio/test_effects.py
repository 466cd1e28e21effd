"""Each effect does what its unit says, and nothing when it is off."""

import numpy as np
import pytest
from scipy import signal

from musicgen_ui.audio.effects import (
    TILT_DB_PER_OCTAVE,
    drive,
    fade,
    high_pass,
    in_blocks,
    noise,
    pan,
    tilt,
    varispeed,
    vibrato,
    widen,
)

RATE = 44_100


def tone(frequency: float = 440.0, seconds: float = 2.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def music(rng: np.random.Generator, seconds: float = 2.0) -> np.ndarray:
    """Pink noise: something at every frequency."""
    spectrum = np.fft.rfft(rng.standard_normal(round(seconds * RATE)))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    samples = np.fft.irfft(spectrum, round(seconds * RATE))
    return (0.2 * samples / samples.std()).astype(np.float32)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def level_at(samples: np.ndarray, frequency: float) -> float:
    """Amplitude of a partial, in dB."""
    window = np.hanning(len(samples))
    wave = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / RATE)
    return 20 * np.log10(2 * abs(np.sum(samples * window * wave)) / window.sum() + 1e-12)


def instantaneous_cents(samples: np.ndarray, frequency: float) -> np.ndarray:
    phase = np.unwrap(np.angle(signal.hilbert(samples.astype(np.float64))))
    hertz = np.gradient(phase) * RATE / (2 * np.pi)
    return 1200 * np.log2(hertz[15_000:-15_000] / frequency)


@pytest.mark.parametrize(
    "effect",
    [
        lambda x: vibrato(x, RATE, 0),
        lambda x: drive(x, 0),
        lambda x: tilt(x, RATE, 0.5),
        lambda x: varispeed(x, 1.0),
    ],
    ids=["vibrato", "drive", "tilt", "varispeed"],
)
def test_off_is_the_input_itself(effect, rng):
    samples = music(rng)
    assert np.array_equal(effect(samples), samples)
    assert effect(samples) is not samples


@pytest.mark.parametrize(
    "effect",
    [
        lambda x: vibrato(x, RATE, 50),
        lambda x: drive(x, 0.7),
        lambda x: tilt(x, RATE, 0.9),
        lambda x: high_pass(x, RATE),
        lambda x: fade(x, RATE, 0.1, 0.2),
        lambda x: varispeed(x, 1.25),
    ],
    ids=["vibrato", "drive", "tilt", "high_pass", "fade", "varispeed"],
)
class TestEveryEffect:
    def test_keeps_its_input_and_its_type(self, effect, rng):
        samples = music(rng)
        before = samples.copy()
        result = effect(samples)
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
        assert np.array_equal(samples, before)

    def test_is_deterministic(self, effect, rng):
        samples = music(rng)
        assert np.array_equal(effect(samples), effect(samples))

    def test_silence_stays_silence(self, effect):
        assert not effect(np.zeros((2, 5000), np.float32)).any()

    @pytest.mark.parametrize("n", [1, 2, 100])
    def test_tiny_input(self, effect, n):
        assert np.isfinite(effect(np.ones((2, n), np.float32))).all()


class TestVibrato:
    @pytest.mark.parametrize("depth", [10, 30, 60])
    @pytest.mark.parametrize("rate", [4.0, 6.0])
    def test_depth_is_reached_and_pitch_is_kept_on_average(self, depth, rate):
        cents = instantaneous_cents(vibrato(tone(), RATE, depth, rate), 440)
        assert cents.max() == pytest.approx(depth, rel=0.05)
        assert cents.min() == pytest.approx(-depth, rel=0.08)
        assert abs(cents.mean()) < 1.0

    def test_rate(self):
        cents = instantaneous_cents(vibrato(tone(seconds=4), RATE, 40, 5.0), 440)
        spectrum = np.abs(np.fft.rfft(cents - cents.mean()))
        assert spectrum.argmax() * RATE / len(cents) == pytest.approx(5.0, abs=0.3)

    def test_nothing_sounds_early_and_little_is_late(self):
        click = np.zeros(RATE, np.float32)
        click[20_000] = 1
        moved = vibrato(click, RATE, 50)
        assert not moved[:19_998].any()
        assert np.abs(moved).argmax() < 20_000 + 0.002 * RATE

    def test_channels_and_blocks_agree(self, rng):
        samples = rng.standard_normal((2, (1 << 19) + 999)).astype(np.float32)
        both = vibrato(samples, RATE, 40)
        assert np.array_equal(both[1], vibrato(samples[1], RATE, 40))
        join = 1 << 19
        smooth = vibrato(np.tile(tone(100, 13), (1, 1)), RATE, 40)[0]
        steps = np.abs(np.diff(smooth))
        assert steps[join - 5 : join + 5].max() <= steps.max()


class TestNoise:
    @pytest.mark.parametrize("level", [-60, -40, -20])
    def test_level(self, level):
        hiss = noise((2, RATE), RATE, level, np.random.default_rng(1))
        assert hiss.shape == (2, RATE)
        assert 20 * np.log10(rms(hiss)) == pytest.approx(level, abs=0.05)

    def test_seeded(self):
        first, again, other = (noise((2, 9000), RATE, -40, np.random.default_rng(seed)) for seed in (5, 5, 6))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_hiss_is_bright_and_the_channels_are_independent(self):
        hiss = noise((2, 5 * RATE), RATE, -40, np.random.default_rng(1))
        frequencies, power = signal.welch(hiss[0], RATE, nperseg=2048)
        assert power[(frequencies > 8000)].mean() > 2 * power[(frequencies < 1000)].mean()
        assert abs(np.corrcoef(hiss)[0, 1]) < 0.05

    def test_crackle_is_sparse(self):
        hiss = noise((1, 20 * RATE), RATE, -40, np.random.default_rng(1))[0]
        loud = np.flatnonzero(np.abs(hiss) > 6 * rms(hiss))
        ticks = 1 + np.sum(np.diff(loud) > 200)
        assert 10 <= ticks <= 120  # about four a second, the louder half of them counted


class TestVarispeed:
    @pytest.mark.parametrize("speed", [0.5, 0.77, 1.01, 1.5, 2.0])
    def test_length_and_pitch(self, speed):
        moved = varispeed(tone(), speed)
        assert len(moved) == round(2 * RATE / speed)
        cents = instantaneous_cents(moved, 440 * speed)
        assert np.abs(cents).max() < 1.0

    def test_nothing_folds_back(self):
        moved = varispeed(tone(15_000), 2.0)
        assert rms(moved[2000:-2000]) < 1e-3


class TestDrive:
    def test_harmonics_grow_with_the_amount(self):
        levels = [level_at(drive(tone(500), amount), 1500) for amount in (0.1, 0.3, 0.6, 1.0)]
        assert np.all(np.diff(levels) > 3)
        assert level_at(drive(tone(500), 0.6), 1000) > level_at(tone(500), 1000) + 40  # even ones too

    def test_aliases_stay_low(self):
        """A driven 5 kHz tone has its harmonics at multiples of 5 kHz; anything else has folded back."""
        driven = drive(tone(5000), 1.0)[5000:-5000]
        spectrum = np.abs(np.fft.rfft(driven * signal.windows.blackmanharris(len(driven))))
        frequencies = np.fft.rfftfreq(len(driven), 1 / RATE)
        harmonic = np.abs((frequencies + 2500) % 5000 - 2500) < 30
        alias = spectrum[~harmonic & (frequencies > 50)].max() / spectrum.max()
        assert 20 * np.log10(alias) < -60

    @pytest.mark.parametrize("amount", [0.2, 1.0])
    def test_level_and_mean_are_kept(self, amount, rng):
        samples = music(rng)
        driven = drive(samples, amount)
        assert rms(driven) == pytest.approx(rms(samples), rel=1e-4)
        assert abs(driven.mean()) < 1e-4

    def test_does_not_depend_on_the_gain(self, rng):
        samples = music(rng)
        assert np.allclose(drive(samples * 0.01, 0.5), drive(samples, 0.5) * 0.01, atol=1e-5)

    def test_a_little_is_nearly_nothing(self):
        assert np.abs(drive(tone(), 0.01) - tone()).max() < 0.02


class TestBlocks:
    def test_pieces_make_the_whole(self, rng):
        samples = rng.standard_normal((2, (1 << 20) + 77)).astype(np.float32)

        def smooth(x):
            return signal.fftconvolve(x, np.ones((1, 5), np.float32) / 5, mode="same", axes=-1).astype(np.float32)

        assert np.allclose(in_blocks(samples, smooth, overlap=8), smooth(samples), atol=1e-5)


class TestTilt:
    @pytest.mark.parametrize("brightness", [0.0, 0.25, 0.8, 1.0])
    def test_slope(self, brightness):
        click = np.zeros(16_384, np.float32)
        click[8192] = 1
        response = 20 * np.log10(np.abs(np.fft.rfft(tilt(click, RATE, brightness))))
        at = {f: response[round(f * 16_384 / RATE)] for f in (250, 1000, 4000, 8000)}
        slope = (brightness - 0.5) * 2 * TILT_DB_PER_OCTAVE
        assert at[1000] == pytest.approx(0, abs=0.2)
        assert at[4000] == pytest.approx(2 * slope, abs=0.3)
        assert at[8000] == pytest.approx(3 * slope, abs=0.3)
        assert at[250] == pytest.approx(-2 * slope, abs=0.4)

    def test_centroid_rises_strictly(self, rng):
        samples = music(rng)
        frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
        centroids = []
        for brightness in np.linspace(0, 1, 11):
            power = np.abs(np.fft.rfft(tilt(samples, RATE, brightness))) ** 2
            centroids.append((power * frequencies).sum() / power.sum())
        assert np.all(np.diff(centroids) > 0)
        assert centroids[-1] > 4 * centroids[0]

    def test_no_delay(self):
        click = np.zeros(5000, np.float32)
        click[2500] = 1
        assert np.abs(tilt(click, RATE, 0.8)).argmax() == 2500


class TestPlace:
    @pytest.mark.parametrize("position", [-1, -0.3, 0, 0.15, 1])
    def test_power_is_constant(self, position, rng):
        samples = music(rng)
        placed = pan(samples, position)
        assert placed.shape == (2, len(samples))
        assert rms(placed) * np.sqrt(2) == pytest.approx(rms(samples), rel=1e-5)

    def test_sides(self):
        samples = tone()
        assert np.abs(pan(samples, -1)[1]).max() < 1e-7
        assert np.abs(pan(samples, 1)[0]).max() < 1e-7
        assert np.array_equal(*pan(samples, 0))

    def test_wide_but_the_same_in_mono(self, rng):
        samples = music(rng)
        wide = widen(samples, RATE, 0.6)
        middle = wide.sum(axis=0)
        assert np.allclose(middle / rms(middle), samples / rms(samples), atol=1e-4)
        assert np.corrcoef(wide)[0, 1] < 0.8
        assert rms(wide) * np.sqrt(2) == pytest.approx(rms(samples), rel=0.15)

    def test_bass_stays_in_the_middle(self):
        wide = widen(tone(60), RATE, 1.0)
        assert rms(wide[0] - wide[1]) < 0.2 * rms(wide[0] + wide[1])

    def test_no_width_is_the_middle(self, rng):
        samples = music(rng)
        assert np.allclose(widen(samples, RATE, 0.0), pan(samples, 0), atol=1e-6)


class TestEnds:
    def test_high_pass_takes_out_dc_and_keeps_bass(self):
        offset = high_pass(tone(60) + np.float32(0.3), RATE)
        assert abs(offset[RATE:].mean()) < 1e-4
        assert 20 * np.log10(rms(offset[RATE:]) / rms(tone(60))) == pytest.approx(0, abs=0.3)

    def test_fade(self):
        faded = fade(np.ones((2, RATE), np.float32), RATE, 0.005, 0.3)
        assert not faded[:, 0].any()
        assert faded[0, -1] < 1e-4
        assert np.all(faded[:, 221 : RATE - 13_230] == 1)
        assert np.all(np.diff(faded[0, :221]) > 0)
        assert np.all(np.diff(faded[0, RATE - 13_229 :]) < 0)

    def test_fades_longer_than_the_sound(self):
        faded = fade(np.ones((2, 100), np.float32), RATE, 1.0, 1.0)
        assert faded.max() <= 1
        assert not faded[:, 0].any()
