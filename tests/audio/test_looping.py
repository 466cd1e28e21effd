"""Joining a sound's end to its beginning, and telling a join from the rest."""

import numpy as np
import pytest

from musicgen_ui.audio.looping import closed, seam

RATE = 8000


def beats_of(seed, beats=16, size=2000):
    """A noisy hit on every beat, of much the same level, each ringing into the next: periodic by construction."""
    rng = np.random.default_rng(seed)
    n = beats * size
    turn = np.zeros(n)
    for beat in range(beats):
        hit = rng.standard_normal(3 * size) * np.exp(-np.arange(3 * size) / 900) * rng.uniform(0.8, 1.2)
        hit[:60] *= np.linspace(0, 1, 60)
        turn[(beat * size + np.arange(3 * size)) % n] += hit
    return np.stack([turn, turn[::-1]])[:1].astype(np.float32)


def test_the_join_of_a_periodic_sound_is_one_beat_among_others():
    shares, hidden = [], []
    for seed in range(20):
        found = seam(beats_of(seed), RATE, 16)
        assert found.step_db <= 0
        shares.append(found.level_percentile)
        hidden.append(found.hidden)
    assert 0.2 < np.mean(shares) < 0.8
    assert np.mean(hidden) > 0.9


def test_a_cut_tail_is_found():
    turn = beats_of(3)
    faded = turn.copy()
    faded[:, -2000:] *= np.linspace(1, 0, 2000)
    assert seam(faded, RATE, 16).level_percentile == 1.0
    assert not seam(faded, RATE, 16).hidden


def test_a_click_is_found():
    time = np.arange(16_000) / RATE
    even = np.sin(2 * np.pi * 100 * time)[None]
    assert seam(even, RATE, 8).step_db <= 0
    uneven = np.sin(2 * np.pi * 100.13 * time + 1.2)[None]
    assert seam(uneven, RATE, 8).step_db > 6


def test_another_sound_is_found():
    time = np.arange(32_000) / RATE
    rising = np.sin(2 * np.pi * np.cumsum(np.linspace(200, 2000, len(time))) / RATE)[None]
    assert seam(rising, RATE, 16).spectral_percentile == 1.0


def test_the_measure_does_not_depend_on_the_gain():
    turn = beats_of(5)
    a, b = seam(turn, RATE, 16).to_dict(), seam(turn * 0.25, RATE, 16).to_dict()
    assert {k: pytest.approx(v, abs=1e-2) for k, v in a.items()} == b
    assert set(a) == {
        "step_db",
        "level_jump",
        "level_excess",
        "level_percentile",
        "spectral_jump",
        "spectral_excess",
        "spectral_percentile",
        "hidden",
    }


@pytest.mark.parametrize("beats", [1, 2])
def test_silence_and_single_beats_can_be_measured(beats):
    found = seam(np.zeros((2, 4000), np.float32), RATE, beats)
    assert found.hidden
    assert found.level_percentile == 0.0


def test_a_periodic_sound_is_not_changed():
    turn = beats_of(1)
    sound = np.tile(turn, 3)
    np.testing.assert_allclose(closed(sound, turn.shape[1], turn.shape[1], 200, 50), turn, atol=1e-6)


def test_the_end_becomes_what_lies_before_the_beginning():
    sound = np.arange(1000, dtype=np.float64)
    turn = closed(sound, 400, 500, 100, 20)
    np.testing.assert_array_equal(turn[:380], sound[400:780])
    np.testing.assert_array_equal(turn[-20:], sound[380:400])
    assert turn[-1] + 1 == turn[0]
    assert len(turn) == 500


def test_a_sound_that_ends_early_is_completed():
    sound = np.tile(np.sin(2 * np.pi * np.arange(100) / 50), 3)
    np.testing.assert_allclose(closed(sound[:-5], 200, 100, 20, 10), sound[:100], atol=1e-12)
    np.testing.assert_array_equal(closed(sound, 0, 100, 20, 10), sound[:100])
