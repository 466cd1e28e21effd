from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio import rhythm
from musicgen_ui.audio.attacks import HOP, SAMPLE_RATE, hear_attacks, step_features
from musicgen_ui.audio.networks import load_networks
from musicgen_ui.audio.rhythm import PHASES, Steps
from musicgen_ui.audio.tempo import Pulse
from musicgen_ui.audio.tonality import SAMPLE_RATE as PITCH_RATE
from musicgen_ui.audio.tonality import Pitches, hear_pitches
from musicgen_ui.audio.waveform import resample
from musicgen_ui.music import measures
from musicgen_ui.music.score import Score
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound


def front_end(clip: np.ndarray) -> tuple[Pulse, Pitches]:
    pitches = hear_pitches(resample(clip, SAMPLE_RATE, PITCH_RATE), load_networks()["pitch"])
    return rhythm.hear_pulse(clip, pitches), pitches


def steps_of(clip: np.ndarray, pitches: Pitches, tempo: float) -> Steps:
    attacks = hear_attacks(clip, resample(clip, SAMPLE_RATE, PITCH_RATE))
    return rhythm.hear_steps(step_features(attacks, pitches, tempo, 0.0), load_networks()["step"])


@pytest.fixture(scope="module")
def song() -> tuple[Score, np.ndarray, Pulse, Pitches]:
    rng = np.random.default_rng(11)
    score = synthetic_score(rng, tempo=108.0, key="G major", bars=8, offbeat=0.5)
    clip = synthetic_sound(score, rng, sample_rate=SAMPLE_RATE).mean(axis=0)
    return score, clip, *front_end(clip)


def test_a_pulse_has_six_envelopes_at_the_flux_rate(song):
    _, clip, pulse, _ = song
    assert pulse.envelopes.shape == (6, 1 + clip.size // HOP)
    assert pulse.frame_rate == SAMPLE_RATE / HOP
    assert (pulse.envelopes >= 0).all()


def test_a_clip_that_begins_on_a_beat_starts_at_zero(song):
    score, _, pulse, _ = song
    assert abs(rhythm.first_beat(pulse, score.tempo, load_networks()["beat"])) < 0.03


@pytest.mark.parametrize("cut_beats", [0.3, 0.75, 1.4])
def test_the_first_beat_follows_when_the_start_is_cut_off(song, cut_beats):
    score, clip, _, _ = song
    seconds = 60 / score.tempo
    pulse, _ = front_end(clip[int(cut_beats * seconds * SAMPLE_RATE) :])
    expected = -cut_beats % 1.0 * seconds
    assert rhythm.first_beat(pulse, score.tempo, load_networks()["beat"]) == pytest.approx(expected, abs=0.035)


def test_phase_features_turn_with_the_beat(song):
    score, _, pulse, _ = song
    frames_per_beat = 60 / score.tempo * pulse.frame_rate
    quarter = round(frames_per_beat / 4)
    later = rhythm.phase_features(Pulse(pulse.envelopes[:, quarter:], pulse.frame_rate), score.tempo)
    moved = np.roll(rhythm.phase_features(pulse, score.tempo), -PHASES // 4, axis=0)
    assert np.corrcoef(later.ravel(), moved.ravel())[0, 1] > 0.95


def test_measures_of_a_song_are_near_its_scores(song):
    score, clip, _, pitches = song
    steps = steps_of(clip, pitches, score.tempo)
    struck = measures.onset_strength(score)[:, 0] > 0
    assert ((steps.onset > 0.5) == struck).mean() > 0.9
    assert rhythm.density(steps) == pytest.approx(measures.density(score), rel=0.15)
    assert rhythm.syncopation(steps) == pytest.approx(measures.syncopation(score), abs=0.12)


def test_measures_by_hand():
    onset = np.array([0.9, 0.1, 0.8, 0.2, 0.9, 0.1, 0.1, 0.1])
    steps = Steps(onset, np.where(onset > 0.5, 2.0, 9.0), np.full(8, np.e))
    assert rhythm.density(steps) == pytest.approx(1.5)
    assert rhythm.syncopation(steps) == pytest.approx(1 / 3)
    assert rhythm.energy(steps) == pytest.approx(1.0)


def test_nothing_struck_is_no_syncopation_and_no_energy():
    steps = Steps(np.zeros(8), np.ones(8), np.ones(8))
    assert rhythm.density(steps) == 0.0
    assert rhythm.syncopation(steps) is None
    assert rhythm.energy(steps) is None


def test_more_off_beats_are_more_syncopation():
    heard = []
    for offbeat in (0.0, 1.0):
        rng = np.random.default_rng(4)
        score = synthetic_score(rng, tempo=96.0, key="A minor", bars=6, offbeat=offbeat, drums=False)
        clip = synthetic_sound(score, rng, sample_rate=SAMPLE_RATE).mean(axis=0)
        heard.append(rhythm.syncopation(steps_of(clip, front_end(clip)[1], score.tempo)))
    assert heard[1] > heard[0] + 0.1
