"""The excitation: exact pitch, phases from the onset, in step with the analysed sound, silence where nothing sounds."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.partials import KNOTS, analyse
from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.models.wavenet.excitation import BANDS, EXCITATION, PARTIALS, Tone, excitation, hertz
from musicgen_ui.models.wavenet.frames import HOP, RATE, TAIL_SECONDS
from musicgen_ui.models.wavenet.mu_law import pre_emphasis

NOTES = [PlayedNote(1000, 9000, 69, 90), PlayedNote(12_000, 20_000, 52, 40), PlayedNote(20_000, 30_000, 88, 120)]
FIRST = np.eye(PARTIALS)[0]


def plain(cents: float = 0.0, depth: float = 0.0) -> Tone:
    """A sine, bent by a vibrato of 5 Hz."""
    bend = depth * np.sin(2 * np.pi * 5.0 * KNOTS)
    return Tone(FIRST * np.sqrt(2.0), np.zeros(PARTIALS), np.zeros(PARTIALS), bend, cents)


def peak(samples: np.ndarray) -> float:
    """Frequency in Hz of the strongest partial."""
    size = 8 * len(samples)
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))) * RATE / size)


@pytest.mark.parametrize(("pitch", "cents"), [(28, 0.0), (69, 0.0), (69, 37.0), (95, -20.0)])
def test_a_tuned_tone_lies_at_equal_temperament_and_another_at_its_own(pitch, cents):
    length = 4 * RATE
    note = [PlayedNote(0, length, pitch, 90)]
    tuned = excitation(note, length, lambda _: plain(cents))
    assert peak(tuned[:, 0]) == pytest.approx(hertz(pitch), abs=0.04)
    own = excitation(note, length, lambda _: plain(cents), tuned=False)
    assert peak(own[:, 0]) == pytest.approx(hertz(pitch) * 2 ** (cents / 1200), abs=0.04)


def test_phase_starts_at_the_onset_and_quadratures_follow():
    features = excitation(NOTES, 32_000, lambda _: plain())
    time = np.arange(8000)
    turns = 2 * np.pi * 440.0 * time / RATE
    np.testing.assert_allclose(features[1000:9000, 0], np.sqrt(2) * np.cos(turns), atol=2e-5)
    np.testing.assert_allclose(features[1000:9000, len(BANDS)], np.sqrt(2) * np.sin(turns), atol=2e-5)
    assert [features[n.start, -1] for n in NOTES] == [1.0, 1.0, 1.0]


def test_vibrato_leaves_the_mean_pitch():
    cycles = plain(depth=30.0).cycles(69, 0, 2 * RATE, tuned=True)
    assert cycles[-1] == pytest.approx(440.0 * 2.0, rel=3e-4)
    speed = np.diff(cycles) * RATE
    assert 1200 * np.log2(speed.max() / 440.0) == pytest.approx(30.0, abs=3.0)
    late = np.diff(plain(depth=30.0).cycles(69, 4 * RATE, 5 * RATE, tuned=True)) * RATE
    assert 1200 * np.log2(late.max() / late.min()) > 40.0


def test_nothing_is_excited_before_the_first_note_and_after_the_last_tail():
    features = excitation(NOTES[:1], 40_000, lambda _: plain())
    tail = 9000 + round(TAIL_SECONDS * RATE)
    assert features.shape == (40_000, EXCITATION)
    assert not features[:1000].any()
    assert not features[tail:].any()
    assert features[9000:tail].any(axis=1).all()
    assert not excitation([], 640, lambda _: plain()).any()


def test_a_stretch_is_the_same_as_that_part_of_the_whole():
    shift, length = 100 * HOP, 200 * HOP
    moved = [PlayedNote(n.start - shift, n.end - shift, n.pitch, n.velocity) for n in NOTES]
    whole = excitation(NOTES, 32_000, lambda _: plain(5.0, 20.0), tuned=False)
    part = excitation(moved, length, lambda _: plain(5.0, 20.0), tuned=False)
    np.testing.assert_allclose(part, whole[shift : shift + length], atol=1e-5)


def test_a_stretch_that_begins_in_a_tail_has_no_key_down():
    features = excitation([PlayedNote(-5000, -1000, 60, 90)], 8000, lambda _: plain())
    assert features[:8000, 0].any()
    assert not features[:, 2 * len(BANDS)].any()


def test_a_measured_tone_runs_in_step_with_the_sound():
    pitch, rate = 57, 44_100
    time = np.arange(3 * rate) / rate
    phases = np.random.default_rng(0).uniform(-np.pi, np.pi, 8)

    def sound(seconds: np.ndarray) -> np.ndarray:
        cycles = hertz(pitch) * 2 ** (7 / 1200) * seconds
        parts = [np.cos(2 * np.pi * k * cycles + phases[k - 1]) / k for k in range(1, 9)]
        return 0.1 * np.sum(parts, axis=0) * np.exp(-0.5 * seconds)

    tone = Tone.from_row(Tone.measured(analyse(sound(time), hertz(pitch), int(2.5 * rate)), pitch).row())
    assert tone.cents == pytest.approx(7.0, abs=0.5)
    length = RATE
    target = pre_emphasis(sound(np.arange(length) / RATE))
    made = excitation([PlayedNote(0, length, pitch, 90)], length, lambda _: tone, tuned=False)[:, : len(BANDS)]
    wave = made.sum(axis=1)
    assert np.corrcoef(wave[2000:], target[2000:])[0, 1] > 0.97
    assert np.sqrt(np.mean(wave**2)) == pytest.approx(1.0, abs=0.05)
