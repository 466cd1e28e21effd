"""Spelling: it sounds as it is meant, follows the signature, and says what a musician expects."""

from __future__ import annotations

from itertools import product

import pytest

from musicgen_ui.music.musicxml_spelling import Speller, signature, signature_alters
from musicgen_ui.music.theory import KEYS, MAJOR_SCALE, MINOR_SCALE, QUALITIES, key_is_minor, key_tonic

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def sounding(spelling):
    return 12 * (spelling.octave + 1) + STEPS[spelling.step] + spelling.alter


@pytest.mark.parametrize("key", [None, *KEYS])
def test_what_is_written_sounds_as_it_should(key):
    speller = Speller(key)
    assert [sounding(speller.spell(pitch)) for pitch in range(128)] == list(range(128))
    for pitch, root, quality in product(range(59, 71), range(12), QUALITIES):
        spelling = speller.spell(pitch, (root, quality))
        assert sounding(spelling) == pitch
        assert abs(spelling.alter) < 2 or key == "Ab minor"


@pytest.mark.parametrize("key", KEYS)
def test_notes_of_the_key_need_no_accidental(key):
    speller, alters = Speller(key), signature_alters(signature(key))
    for step in MINOR_SCALE if key_is_minor(key) else MAJOR_SCALE:
        spelling = speller.spell(60 + key_tonic(key) + step)
        assert spelling.alter == alters.get(spelling.step, 0)


@pytest.mark.parametrize(
    ("key", "fifths"),
    [("C major", 0), ("F# major", 6), ("Eb minor", -6), ("Db major", -5), ("B major", 5), ("Db minor", 4),
     ("Ab minor", 5), ("F minor", -4), ("A minor", 0), (None, 0)],
)  # fmt: skip
def test_signatures(key, fifths):
    assert signature(key) == fifths


@pytest.mark.parametrize(
    ("key", "chord", "pitches", "names"),
    [
        ("A minor", None, (68, 66, 70), ["G#", "F#", "Bb"]),
        ("C major", (4, "7"), (64, 68, 71, 74), ["E", "G#", "B", "D"]),
        ("C major", (8, "maj"), (68, 72, 75), ["Ab", "C", "Eb"]),
        ("C major", (5, "7"), (63,), ["Eb"]),
        ("F minor", (0, "7"), (64, 70), ["E", "Bb"]),
        ("Ab minor", (3, "maj"), (67,), ["F##"]),
        ("Eb minor", (10, "7"), (62,), ["D"]),
        ("E major", None, (60, 72), ["C", "C"]),
    ],
)
def test_what_a_musician_expects(key, chord, pitches, names):
    spelled = [Speller(key).spell(pitch, chord) for pitch in pitches]
    assert [s.step + ("#" * s.alter if s.alter > 0 else "b" * -s.alter) for s in spelled] == names
