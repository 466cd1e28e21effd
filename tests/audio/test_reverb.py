import numpy as np
import pytest

from musicgen_ui.audio.reverb import impulse_response, reverberation_time, room, wet_gain

RATE = 44_100


def measured_rt60(response: np.ndarray) -> float:
    """Schroeder's backward integration, fitted from -5 to -25 dB (T20)."""
    energy = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    decay = 10 * np.log10(energy / energy[0] + 1e-30)
    inside = np.flatnonzero((decay < -5) & (decay > -25))
    slope = np.polyfit(inside / RATE, decay[inside], 1)[0]
    return -60 / slope


class TestImpulseResponse:
    @pytest.mark.parametrize("space", [0.0, 0.3, 0.6, 1.0])
    def test_decay_time(self, space):
        response = impulse_response(RATE, space)
        # The treble dies sooner, so the whole is a little shorter than the name of the room.
        for channel in response:
            assert 0.6 * reverberation_time(space) < measured_rt60(channel) < 1.1 * reverberation_time(space)

    def test_range(self):
        assert reverberation_time(0) == pytest.approx(0.2)
        assert reverberation_time(1) == pytest.approx(2.5)

    def test_larger_rooms_ring_longer(self):
        times = [measured_rt60(impulse_response(RATE, space)[0]) for space in np.linspace(0, 1, 6)]
        assert np.all(np.diff(times) > 0)

    def test_unit_energy_wide_and_without_bass(self):
        response = impulse_response(RATE, 0.7)
        assert np.allclose(np.sum(response.astype(np.float64) ** 2, axis=1), 1, atol=1e-4)
        assert abs(np.corrcoef(response)[0, 1]) < 0.1
        spectrum = np.abs(np.fft.rfft(response[0])) ** 2
        frequencies = np.fft.rfftfreq(response.shape[1], 1 / RATE)
        assert spectrum[frequencies < 60].mean() < 0.05 * spectrum[(frequencies > 300) & (frequencies < 3000)].mean()

    def test_the_same_every_time(self):
        assert np.array_equal(impulse_response(RATE, 0.4), impulse_response(RATE, 0.4))


class TestRoom:
    def test_no_space_adds_exactly_nothing(self, rng):
        samples = rng.standard_normal((2, 9000)).astype(np.float32)
        assert wet_gain(0) == 0
        assert not room(samples, RATE, 0.0).any()

    def test_a_click_gives_the_impulse_response(self):
        click = np.zeros((2, 2 * RATE), np.float32)
        click[:, 100] = 1
        added = room(click, RATE, 0.5)
        response = impulse_response(RATE, 0.5) * wet_gain(0.5)
        length = min(response.shape[1], 2 * RATE - 100)
        assert np.allclose(added[:, 100 : 100 + length], response[:, :length], atol=1e-5)
        assert np.abs(added[:, :100]).max() < 1e-6
        assert added.dtype == np.float32

    def test_agrees_with_torchaudio(self, rng):
        torch = pytest.importorskip("torch")
        functional = pytest.importorskip("torchaudio.functional")
        samples = rng.standard_normal((2, 20_000)).astype(np.float32)
        response = impulse_response(RATE, 0.3) * np.float32(wet_gain(0.3))
        theirs = functional.fftconvolve(torch.from_numpy(samples), torch.from_numpy(response)).numpy()[:, :20_000]
        assert np.allclose(room(samples, RATE, 0.3), theirs, atol=1e-4)

    def test_level_rises_with_space(self, rng):
        samples = rng.standard_normal((2, 2 * RATE)).astype(np.float32)
        levels = [np.std(room(samples, RATE, space)) for space in (0.1, 0.3, 0.6, 1.0)]
        assert np.all(np.diff(levels) > 0)
        assert levels[-1] < 0.8 * samples.std()
