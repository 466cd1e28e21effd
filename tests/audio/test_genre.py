from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.audio import rhythm, tonality
from musicgen_ui.audio.genre import (
    CLEAR,
    GenreClassifier,
    blend_distance,
    clip_features,
    hear_genre,
    load_genre,
    named_genre,
    save_genre,
)
from musicgen_ui.audio.genre_features import N_MFCC, timbre_features
from musicgen_ui.audio.networks import FeatureNetwork, load_networks
from musicgen_ui.audio.spectral import mfcc
from musicgen_ui.audio.waveform import resample
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import GENRES
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound

RATE = 22_050
FEATURES = 197


def band(key: str = "C major", **options: object) -> np.ndarray:
    rng = np.random.default_rng(4)
    return synthetic_sound(synthetic_score(rng, tempo=120.0, key=key, bars=8, **options), rng)


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return band()


@pytest.fixture
def classifier() -> GenreClassifier:
    rng = np.random.default_rng(1)
    outputs = len(GENRES) + len(PARTS) + 1
    nothing = np.zeros((FEATURES, 0)), np.zeros(0), np.zeros((0, outputs))
    weights = 0.05 * rng.standard_normal((FEATURES, outputs))
    network = FeatureNetwork(rng.standard_normal(FEATURES), np.ones(FEATURES), *nothing, weights, np.zeros(outputs))
    return GenreClassifier(GENRES, network)


def test_features_are_finite_and_as_many_as_the_classifier_reads(song):
    features = clip_features(song, RATE, 120.0)
    assert features.shape == (FEATURES,)
    assert np.isfinite(features).all()


def test_features_do_not_depend_on_level_or_rate(song):
    features = clip_features(song, RATE, 120.0)
    np.testing.assert_allclose(clip_features(0.25 * song, RATE, 120.0), features, atol=0.06)
    stereo = clip_features(np.stack([song, song]), RATE, 120.0)
    np.testing.assert_allclose(stereo, features, atol=1e-4)


def test_harmony_is_read_relative_to_the_tonic():
    first, second = (clip_features(band(key), RATE, 120.0)[-55:-31] for key in ("C major", "D major"))
    other = clip_features(band("C minor"), RATE, 120.0)[-55:-31]
    assert np.abs(first - second).mean() < 0.5 * np.abs(first - other).mean()


def test_swing_and_metre_move_the_groove():
    straight, swung, waltz = (
        clip_features(band(**options), RATE, 120.0)[45:142]
        for options in ({"offbeat": 0.9}, {"offbeat": 0.9, "swing": 2 / 3}, {"offbeat": 0.9, "metre": "3/4"})
    )
    hats = slice(97 - 15 - 12, 97 - 15)  # twelve places within a beat, high band
    assert straight[hats].argsort()[-2:].tolist() in ([0, 6], [6, 0])
    assert swung[hats].argsort()[-2:].tolist() in ([0, 8], [8, 0])
    third_of_a_bar = slice(1 + 1, 1 + 36, 6)  # the rate of 1/3 a beat in each envelope
    assert (waltz[third_of_a_bar] > straight[third_of_a_bar]).mean() > 0.8


def test_timbre_features_are_the_mean_mfcc_of_a_clip_that_always_sounds():
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    np.testing.assert_allclose(
        timbre_features(noise), mfcc(noise, RATE, n_mfcc=N_MFCC, n_mels=64).mean(axis=1), rtol=1e-4, atol=1e-3
    )


def test_the_impression_is_made_of_probabilities(classifier, song):
    impression = classifier(clip_features(song, RATE, 120.0))
    assert set(impression.genres) == set(GENRES)
    assert sum(impression.genres.values()) == pytest.approx(1.0)
    assert set(impression.parts) == set(PARTS)
    assert all(0 <= p <= 1 for p in (*impression.parts.values(), impression.waltz))


def test_features_far_from_all_music_count_no_more_than_far_ones(classifier):
    mean = classifier.network.mean
    far, farther = (classifier(mean + distance) for distance in (4.0, 400.0))
    assert far == farther
    assert far != classifier(mean + 3.0)


def test_the_listener_s_own_front_end_gives_the_same(classifier, song):
    networks = load_networks()
    mixed = song - song.mean()
    pitches = tonality.hear_pitches(resample(mixed, RATE, tonality.SAMPLE_RATE), networks["pitch"])
    pulse = rhythm.hear_pulse(mixed, pitches)
    start = rhythm.first_beat(pulse, 120.0, networks["beat"])
    expected = classifier(clip_features(song, RATE, 120.0))
    heard = hear_genre(mixed, pulse, pitches, (120.0, start), classifier)
    np.testing.assert_allclose(list(heard.genres.values()), list(expected.genres.values()), rtol=1e-4)


def test_without_a_beat_there_is_no_genre(classifier, song):
    pitches = tonality.Pitches(np.zeros((tonality.PITCHES, 10)), 0.0)
    assert hear_genre(song, rhythm.hear_pulse(song, pitches), pitches, None, classifier) is None


@pytest.mark.parametrize(
    ("probabilities", "name"),
    [
        ({}, None),
        ({"pop": CLEAR + 0.01, "jazz": 0.2}, "pop"),
        ({"pop": CLEAR - 0.01, "jazz": 0.2}, None),
        ({"pop": 0.1, "jazz": 0.9}, "jazz"),
    ],
)
def test_only_a_clear_genre_is_named(probabilities, name):
    assert named_genre(probabilities) == name


def test_blend_distance():
    assert blend_distance({"pop": 1.0}, {"pop": 1.0}) == 0.0
    assert blend_distance({"pop": 1.0}, {"jazz": 1.0}) == 1.0
    assert blend_distance({"pop": 0.5, "jazz": 0.5}, {"pop": 1.0}) == pytest.approx(0.5)
    assert blend_distance({"pop": 2.0, "jazz": 2.0}, {"pop": 0.25, "jazz": 0.25}) == 0.0
    assert blend_distance({"pop": 0.7, "folk": 0.3}, {"jazz": 0.1, "pop": 0.9}) == pytest.approx(
        blend_distance({"jazz": 0.1, "pop": 0.9}, {"pop": 0.7, "folk": 0.3})
    )
    with pytest.raises(ValueError, match="weights"):
        blend_distance({}, {"pop": 1.0})


def test_save_and_load_in_half_precision(classifier, tmp_path, song):
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_genre(first, classifier, {"model": "Genre"})
    save_genre(second, classifier, {"model": "Genre"})
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size <= 8192
    features = clip_features(song, RATE, 120.0)
    ours, theirs = classifier(features).genres, load_genre(first)(features).genres
    np.testing.assert_allclose(list(theirs.values()), list(ours.values()), atol=0.01)


def test_a_damaged_file_is_one_sentence(classifier, tmp_path):
    path = tmp_path / "genre.safetensors"
    with pytest.raises(RequestError, match="genre classifier"):
        load_genre(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(RequestError, match="genre classifier"):
        load_genre(path)
    other = GenreClassifier(("polka", *GENRES[1:]), classifier.network)
    save_genre(path, other)
    with pytest.raises(RequestError, match="genre classifier"):
        load_genre(path)
