"""What happens when a key is let go, and to notes that are held longer than any that was analysed."""

import numpy as np
import pytest
import torch

from musicgen_ui.audio.oscillators import noise_bands, render
from musicgen_ui.audio.partials import FRACTIONS, GRID, KNOTS
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.models.vae_gan.voices import HOLD_KNOTS, RELEASE_FALL, RELEASE_SECONDS, assemble, steady_partials

T = torch.tensor(KNOTS, dtype=torch.float32)
BANDS = noise_bands(np.array([200.0, 1000.0, 5000.0]))


def voice(envelopes, hold_seconds, frequency=220.0, start=0):
    count, _, partials = envelopes.log_amplitude.shape
    return assemble(
        envelopes,
        T,
        start=torch.full((count,), start),
        hold=torch.tensor([round(s * SAMPLE_RATE) for s in np.broadcast_to(hold_seconds, count)]),
        frequency=torch.full((count,), frequency),
        ratio=torch.arange(1.0, partials + 1).expand(count, -1),
        phase=torch.zeros(count, partials),
    )


def level_at(voices, seconds, row=0):
    """(K,) magnitude at a time."""
    position = voices.position[row].numpy() / SAMPLE_RATE
    parts = [
        np.array([np.interp(seconds, position, values[row, :, k].numpy()) for k in range(values.shape[2])])
        for values in (voices.real, voices.imaginary)
    ]
    return np.hypot(*parts)


def falling(rate):
    """(T, 3) amplitudes that fall at different speeds."""
    return 0.1 * torch.exp(-T[:, None] * torch.tensor([0.5, 1.0, 2.0]) * rate)


def test_positions_never_fall_and_begin_at_zero(make_envelopes):
    voices = voice(make_envelopes(T, 4, bend=20.0), [1 / SAMPLE_RATE, 0.3, 2.0, 6.0])
    assert torch.all(voices.position.diff(dim=1) >= 0)
    assert torch.all(voices.position[:, 0] == 0)
    assert torch.all(voices.cycles.diff(dim=1) >= 0)
    assert torch.all(torch.isfinite(voices.real))


def test_while_it_is_held_a_note_follows_its_envelope(make_envelopes):
    voices = voice(make_envelopes(T, amplitude=falling(3.0)), 1.0)
    for seconds in (0.0, 0.1, 0.5, 0.9):
        expected = [np.interp(seconds, KNOTS, falling(3.0)[:, k].numpy()) for k in range(3)]
        assert level_at(voices, seconds) == pytest.approx(expected, rel=1e-4)


def release_moments(time):
    """Seconds after the release at which a voice has its knots."""
    return np.minimum(np.array(RELEASE_FALL) * time, RELEASE_SECONDS)


@pytest.mark.parametrize("time", [0.01, 0.2, 2.5])
def test_release_keeps_the_proportions_of_what_was_sustained(make_envelopes, time):
    hold = 0.4
    levels = torch.tensor([0.1, 0.05, 0.01]).expand(len(T), 3)
    voices = voice(make_envelopes(T, amplitude=levels, release=time), hold)
    *moments, last = release_moments(time)
    for moment in moments:
        expected = levels[0].numpy() * np.exp(-moment / time)
        assert level_at(voices, hold + moment) == pytest.approx(expected, rel=2e-3)
    assert level_at(voices, hold + last).max() < 1e-6
    assert float(voices.position[0, -1]) == pytest.approx((hold + last) * SAMPLE_RATE, rel=1e-5)


def test_what_was_falling_by_itself_goes_on_falling_under_the_damper(make_envelopes):
    hold, time = 0.4, 0.2
    voices = voice(make_envelopes(T, amplitude=falling(3.0), release=time), hold)
    for moment in release_moments(time)[:-1]:
        undamped = [np.interp(hold + moment, KNOTS, falling(3.0)[:, k].numpy()) for k in range(3)]
        assert level_at(voices, hold + moment) == pytest.approx(np.array(undamped) * np.exp(-moment / time), rel=2e-3)


def test_what_the_attack_had_not_reached_is_never_reached(make_envelopes):
    rising = (0.1 * torch.clamp(T / 0.5, max=1.0))[:, None].expand(-1, 3)
    hold, time = 0.1, 0.2
    voices = voice(make_envelopes(T, amplitude=rising, noise=1e-3, release=time), hold)
    at_release = level_at(voices, hold)
    assert at_release == pytest.approx(0.02, rel=0.01)
    for moment in release_moments(time)[:-1]:
        assert level_at(voices, hold + moment) == pytest.approx(at_release * np.exp(-moment / time), rel=5e-3)


def test_noise_is_let_go_with_the_partials(make_envelopes):
    voices = voice(make_envelopes(T, noise=0.01, release=0.2), 0.4)
    position = voices.position[0].numpy() / SAMPLE_RATE
    assert np.interp(0.3, position, voices.noise[0, :, 0].numpy()) == pytest.approx(0.01, rel=1e-4)
    assert np.interp(0.6, position, voices.noise[0, :, 0].numpy()) == pytest.approx(0.01 * np.exp(-1), rel=0.01)


@pytest.mark.parametrize("hold", [0.004, 0.33, 2.9])
def test_there_is_no_jump_at_the_release(make_envelopes, hold):
    swing = 25.0 * torch.sin(2 * np.pi * 5.0 * T)
    voices = voice(make_envelopes(T, amplitude=falling(2.0), bend=swing, release=0.1), hold)
    made = render(voices.numpy(), BANDS, 0, int((hold + 0.3) * SAMPLE_RATE)).astype(np.float64)
    # Of sines below 700 Hz, a second difference is at most (2 pi f / rate)^2 of their size: a jump is far more.
    bend = np.abs(np.diff(made, 2))
    place = round(hold * SAMPLE_RATE)
    assert bend[place - 20 : place + 20].max() < 0.3 * (2 * np.pi * 700 / SAMPLE_RATE) ** 2


def test_the_pitch_stays_where_the_release_found_it(make_envelopes):
    swing = 25.0 * torch.sin(2 * np.pi * 5.0 * T)
    hold = 0.24
    voices = voice(make_envelopes(T, bend=swing), hold)
    seconds = voices.position[0].numpy() / SAMPLE_RATE
    after = voices.speed[0].numpy()[seconds >= hold - 1e-6]
    cents = np.interp(hold, KNOTS, swing.numpy())
    assert after == pytest.approx(220.0 / SAMPLE_RATE * 2 ** (cents / 1200), rel=1e-5)
    assert len(after) > len(RELEASE_FALL)


def test_the_phase_is_the_integral_of_the_speed(make_envelopes):
    voices = voice(make_envelopes(T, 2, bend=30.0 * torch.sin(2 * np.pi * 5.5 * T)), [0.5, 4.0])
    mean = 0.5 * (voices.speed[:, 1:] + voices.speed[:, :-1])
    torch.testing.assert_close(voices.cycles.diff(dim=1), mean * voices.position.diff(dim=1), rtol=1e-9, atol=1e-9)
    assert torch.all(voices.cycles[:, 0] == 0)


@pytest.mark.parametrize("hold", [3.0, 8.0, 20.0])
def test_what_is_sustained_stays(make_envelopes, hold):
    voices = voice(make_envelopes(T), hold)
    for seconds in (KNOTS[-1], 0.5 * hold, hold - 0.01):
        assert level_at(voices, seconds) == pytest.approx(0.1, rel=0.01)


def test_what_falls_goes_on_falling(make_envelopes):
    amplitude = 0.1 * torch.exp(-2.0 * T)[:, None].expand(-1, 3)
    voices = voice(make_envelopes(T, amplitude=amplitude), 6.0)
    last = float(KNOTS[-1])
    for extra in HOLD_KNOTS[:2]:
        expected = 0.1 * np.exp(-2.0 * (last + extra))
        assert level_at(voices, last + extra) == pytest.approx(expected, rel=0.05)


def test_steady_partials_of_an_unknown_instrument_keep_peaks_low():
    grid = torch.tensor(GRID, dtype=torch.float32)
    ratio, phase = steady_partials(grid, 2, drums=False)
    assert torch.equal(ratio[1], grid)
    time = np.arange(4096) / 4096
    harmonics = GRID[FRACTIONS:]

    def peak(phases):
        return np.abs(np.cos(2 * np.pi * harmonics * time[:, None] + phases).sum(axis=1)).max()

    assert peak(phase[0, FRACTIONS:].numpy()) < 0.35 * peak(np.zeros(len(harmonics)))


def test_drum_channels_start_where_the_analysis_says():
    _, phase = steady_partials(torch.arange(1.0, 5.0), 3, drums=True)
    assert phase.shape == (3, 4)
    assert not phase.any()
