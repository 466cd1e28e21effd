from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio.networks import load_networks
from musicgen_ui.audio.tonality import (
    HOP,
    LOWEST_PITCH,
    PITCHES,
    SAMPLE_RATE,
    Pitches,
    activations,
    beat_changes,
    fold,
    harmonic_change,
    hear_pitches,
    is_tonal,
    key_features,
    mood,
)
from musicgen_ui.music import measures
from musicgen_ui.music.score import Note, Score
from musicgen_ui.music.theory import KEYS
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound


def sound(notes: list[Note], *, tempo: float = 120.0, bars: int = 2, part: str = "chords") -> np.ndarray:
    score = Score(tempo, "4/4", bars, {part: tuple(notes)})
    return synthetic_sound(score, np.random.default_rng(0), sample_rate=SAMPLE_RATE).mean(axis=0)


def roll_of(*pitches: int, frames: int = 40) -> Pitches:
    probability = np.zeros((PITCHES, frames))
    probability[[p - LOWEST_PITCH for p in pitches]] = 1.0
    return Pitches(probability, 0.0)


@pytest.fixture(scope="module")
def song() -> tuple[Score, Pitches]:
    rng = np.random.default_rng(5)
    score = synthetic_score(rng, tempo=100.0, key="D major", bars=8)
    clip = synthetic_sound(score, rng, sample_rate=SAMPLE_RATE).mean(axis=0)
    return score, hear_pitches(clip, load_networks()["pitch"])


@pytest.mark.parametrize("pitch", [36, 48, 60, 72, 84])
def test_a_single_note_is_its_own_strongest_pitch(pitch):
    strength, _ = activations(sound([Note(0.0, pitch, 4.0, 100)]))
    assert strength.sum(axis=1).argmax() == pitch - LOWEST_PITCH


def test_a_triad_is_three_pitches():
    chord = (48, 55, 64)
    heard = hear_pitches(sound([Note(0.0, p, 6.0, 100) for p in chord]), load_networks()["pitch"])
    steady = heard.probability[:, 4:20].mean(axis=1)
    assert {int(row) + LOWEST_PITCH for row in np.argsort(-steady)[:3]} == set(chord)


@pytest.mark.parametrize("cents", [-30, 20, 40])
def test_tuning_is_found_and_followed(cents):
    time = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    hertz = [440.0 * 2 ** ((p - 69 + cents / 100) / 12) for p in (60, 64, 67)]
    clip = sum(np.sin(2 * np.pi * f * k * time) / k for f in hertz for k in range(1, 6)).astype(np.float32)
    strength, found = activations(clip)
    assert abs(found - cents) <= 10
    loudest = np.argsort(-strength.sum(axis=1))[:3] + LOWEST_PITCH
    assert set(loudest.tolist()) == {60, 64, 67}


def test_there_is_one_frame_a_hop():
    strength, _ = activations(np.zeros(5 * HOP + 3, dtype=np.float32))
    assert strength.shape == (PITCHES, 6)


def test_drums_alone_sound_no_pitches():
    score = synthetic_score(np.random.default_rng(2), tempo=110.0, key="C major", bars=6).with_parts(["drums"])
    clip = synthetic_sound(score, np.random.default_rng(3), sample_rate=SAMPLE_RATE).mean(axis=0)
    assert not is_tonal(hear_pitches(clip, load_networks()["pitch"]))


def test_fold_sums_octaves():
    rows = np.zeros((PITCHES, 2))
    rows[[60 - LOWEST_PITCH, 72 - LOWEST_PITCH]] = 1.0
    chroma = fold(rows)
    assert chroma[0].tolist() == [2.0, 2.0]
    assert chroma[1:].sum() == 0


def test_lowest_gives_the_bass_note_of_a_chord():
    lowest = roll_of(40, 47, 52).lowest()
    assert lowest[:, 0].tolist() == [1.0 if row == 40 - LOWEST_PITCH else 0.0 for row in range(lowest.shape[0])]


def test_harmonic_change_peaks_where_the_chord_changes():
    chroma = np.zeros((12, 60))
    chroma[[0, 4, 7], :30] = 1.0
    chroma[[2, 5, 9], 30:] = 1.0
    change = harmonic_change(chroma)
    assert change.shape == (60,)
    assert abs(int(change.argmax()) - 30) <= 1
    assert change.max() == pytest.approx(1.0)
    assert change[[5, 20, 45]] == pytest.approx([0, 0, 0], abs=1e-9)


def test_key_features_turn_with_the_music():
    low, high = key_features(roll_of(60, 64, 67)), key_features(roll_of(62, 66, 69))
    for mode in (0, 12):
        np.testing.assert_allclose(low[KEYS.index("C major") + mode], high[KEYS.index("D major") + mode])


def test_mood_is_the_scores_for_a_perfect_transcription():
    for chord in ((48, 52, 55, 59), (48, 51, 55, 58)):
        score = Score(120.0, "4/4", 1, {"chords": tuple(Note(0.0, p, 4.0, 90) for p in chord)})
        assert mood(roll_of(*chord)) == pytest.approx(measures.mood(score))


def test_beat_changes_count_chord_changes():
    still, moving = np.zeros((2, PITCHES, 86))
    still[[60 - LOWEST_PITCH, 64 - LOWEST_PITCH, 67 - LOWEST_PITCH]] = 1.0
    moving[:, :] = still
    moving[:, 43:] = np.roll(moving[:, 43:], 5, axis=0)
    moved, held = (beat_changes(Pitches(roll, 0.0), 120.0, 0.0) for roll in (moving, still))
    assert moved[1] > held[1] + 0.1
    assert moved[2] > held[2] == pytest.approx(0.0, abs=1e-6)


def test_beat_changes_of_silence_are_finite():
    assert np.isfinite(beat_changes(Pitches(np.zeros((PITCHES, 50)), 0.0), 120.0, 0.0)).all()


def test_measures_of_a_song_are_near_its_scores(song):
    score, heard = song
    assert mood(heard) == pytest.approx(measures.mood(score), abs=0.12)
    assert beat_changes(heard, score.tempo, 0.0)[1] == pytest.approx(measures.complexity(score), abs=0.12)


def test_a_held_chord_is_no_key_and_two_chords_are():
    held, moving = roll_of(48, 52, 55), roll_of(48, 52, 55)
    moving.probability[:, 20:] = np.roll(moving.probability[:, 20:], 5, axis=0)
    assert not is_tonal(held)
    assert is_tonal(moving)


def test_doubtful_pitches_and_all_pitch_classes_alike_are_no_key():
    rng = np.random.default_rng(1)
    assert not is_tonal(Pitches(0.2 * rng.random((PITCHES, 60)), 0.0))
    row = np.eye(PITCHES)[:, np.arange(20, 56).repeat(3)]
    assert not is_tonal(Pitches(row, 0.0))
