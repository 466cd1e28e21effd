"""Keys and chords, over all of them."""

import numpy as np
import pytest

from musicgen_ui.music.theory import (
    KEYS,
    MAJOR_PROFILE,
    MINOR_PROFILE,
    QUALITIES,
    chord_pitch_classes,
    key_correlations,
    key_is_minor,
    key_tonic,
    parse_key,
    pitch_class,
    scale,
    transpose_key,
)  # fmt: skip


def test_every_key_name_parses_to_itself():
    assert len(set(KEYS)) == 24
    assert [parse_key(key) for key in KEYS] == list(KEYS)


@pytest.mark.parametrize(("name", "expected"), [("C", 0), ("B#", 0), ("Cb", 11), ("F##", 7), ("e♭", 3)])
def test_pitch_classes(name, expected):
    assert pitch_class(name) == expected


@pytest.mark.parametrize("text", ["", "H", "C majorish", "12", "minor"])
def test_nonsense_is_no_key(text):
    with pytest.raises(ValueError, match="is not a key"):
        parse_key(text)


@pytest.mark.parametrize("key", KEYS)
def test_transposition_is_a_group(key):
    for semitones in (-13, -1, 0, 5, 12):
        moved = transpose_key(key, semitones)
        assert key_is_minor(moved) == key_is_minor(key)
        assert key_tonic(moved) == (key_tonic(key) + semitones) % 12
        assert transpose_key(moved, -semitones) == key
    assert transpose_key(None, 3) is None


@pytest.mark.parametrize("index", range(24))
def test_a_profile_is_nearest_to_its_own_key(index):
    profile = MAJOR_PROFILE if index < 12 else MINOR_PROFILE
    correlations = key_correlations(np.roll(profile, index % 12))
    assert int(correlations.argmax()) == index
    assert correlations[index] == pytest.approx(1.0)


def test_a_flat_chroma_has_no_key():
    assert not key_correlations(np.ones(12)).any()


def test_scales_hold_their_diatonic_chords():
    assert chord_pitch_classes(7, "7") <= scale("C major")
    assert chord_pitch_classes(4, "7") <= scale("A minor"), "the dominant of minor has the raised seventh"
    assert all(0 in intervals for intervals in QUALITIES.values())
