from __future__ import annotations

import itertools

import numpy as np
import pytest

from musicgen_ui.audio.networks import load_networks
from musicgen_ui.audio.tempo import (
    TEMPO_RANGE,
    Pulse,
    refine_tempo,
    tempo_candidates,
    tempo_features,
)

FRAME_RATE = 22_050 / 128


def clicks(bpm: float, seconds: float = 24.0, *, events: float = 1.0, start: float = 0.1, jitter: float = 0.0) -> Pulse:
    """Equal impulses in all bands at ``events`` a beat; strong on the beat."""
    rng = np.random.default_rng(0)
    envelopes = np.full((6, int(seconds * FRAME_RATE)), 0.01)
    beats = np.arange(0, (seconds - start) * bpm / 60, 1 / events)
    times = start + beats * 60 / bpm + jitter * rng.standard_normal(beats.size)
    for beat, time in zip(beats, times, strict=True):
        frame = time * FRAME_RATE
        low = int(frame)
        strength = 1.0 if abs(beat - round(beat)) < 1e-6 else 0.5
        if 0 <= low < envelopes.shape[1] - 1:
            envelopes[:, low] += strength * (1 - (frame - low))
            envelopes[:, low + 1] += strength * (frame - low)
    return Pulse(envelopes, FRAME_RATE)


@pytest.mark.parametrize("bpm", [61.3, 87.0, 119.7, 144.4, 178.9])
def test_refinement_finds_the_tempo_to_a_tenth_of_a_percent(bpm):
    pulse = clicks(bpm, events=2, jitter=0.005)
    for guess in (0.992, 1.0, 1.008):
        assert refine_tempo(pulse, bpm * guess) == pytest.approx(bpm, rel=1e-3)


@pytest.mark.parametrize("bpm", [66.0, 93.5, 128.0, 171.0])
def test_the_tempo_is_among_the_candidates(bpm):
    found, features = tempo_features(clicks(bpm, events=2))
    assert features.shape == (found.size, 212)
    assert np.isfinite(features).all()
    assert np.abs(found / bpm - 1).min() < 0.005
    assert found.min() >= TEMPO_RANGE[0] * 0.98
    assert found.max() <= TEMPO_RANGE[1] * 1.02


def test_candidates_are_distinct_and_ordered_by_a_probability_that_leaves_room_for_none():
    tempi = tempo_candidates(clicks(120.0, events=2), load_networks()["tempo"])
    probabilities = [tempo.probability for tempo in tempi]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.0 < sum(probabilities) < 1.0
    bpm = sorted(tempo.bpm for tempo in tempi)
    assert all(b / a > 1.01 for a, b in itertools.pairwise(bpm))


def test_an_empty_pulse_has_no_candidates():
    assert tempo_candidates(Pulse(np.zeros((6, 4000)), FRAME_RATE), load_networks()["tempo"]) == []


def test_the_transform_of_a_metronome_has_its_start_as_phase():
    pulse = clicks(120.0, start=0.2)
    turn = np.angle(pulse.at(np.array([2.0]))[0, 0]) / (2 * np.pi)
    assert -turn % 1.0 == pytest.approx(0.2 * 2.0, abs=0.02)
