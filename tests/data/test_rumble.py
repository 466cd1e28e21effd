"""What lies below hearing goes; everything else stays."""

from __future__ import annotations

import numpy as np

from musicgen_ui.data.rumble import without_rumble


def test_an_offset_goes_and_a_low_tone_stays():
    time = np.arange(44_100) / 44_100
    tone = 0.3 * np.sin(2 * np.pi * 60.0 * time).astype(np.float32)
    inside = slice(5_000, -5_000)
    assert np.abs(without_rumble(tone + 0.2) - tone)[inside].max() < 0.01
    assert np.abs(without_rumble(tone) - tone)[inside].max() < 0.01
    assert np.abs(without_rumble(np.full(44_100, 0.2, np.float32)))[inside].max() < 0.005


def test_phases_stay():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(30_000).astype(np.float32)
    spectrum, filtered = np.fft.rfft(noise), np.fft.rfft(without_rumble(noise))
    audible = np.fft.rfftfreq(30_000, 1 / 44_100) > 40.0
    angle = np.angle(filtered[audible] * np.conj(spectrum[audible]))
    assert np.median(np.abs(angle)) < 0.01
