"""Accompaniments are compared with the songs' own and with borrowed ones; the numbers say what they mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.training.evaluate_accompaniment import MEASURES, ORIGINAL, OTHER, borrowed, chord_changes, compare

ROOTS = (0, 5, 7, 0)


def song(tonic, key, metre="4/4"):
    """A melody that outlines its chords."""
    beats = 4 if metre == "4/4" else 3
    lead = [Note(float(b * beats + i), 60 + tonic + root + step, 1.0, 80)
            for b, root in enumerate(ROOTS) for i, step in enumerate((0, 4, 7, 4)[:beats])]  # fmt: skip
    chords = [Note(float(b * beats), 48 + (tonic + root) % 12 + step, float(beats), 80)
              for b, root in enumerate(ROOTS) for step in (0, 4, 7)]  # fmt: skip
    symbols = tuple(Chord(float(b * beats), float(beats), (tonic + root) % 12, "maj") for b, root in enumerate(ROOTS))
    parts = {
        "lead": tuple(lead),
        "chords": tuple(sorted(chords)),
        "bass": (Note(0.0, 36 + tonic, 1.0, 80),),
        "drums": (),
    }
    return Score(100.0, metre, 4, parts, symbols, key)


C, D = song(0, "C major"), song(2, "D major")


def ideal(score, seed):
    return replace(
        C if score.key == "C major" else D,
        parts={**(C if score.key == "C major" else D).parts, "lead": score.notes("lead")},
    )


def silent(score, seed):
    return replace(score, parts={"lead": (), "chords": (), "bass": ()})


def test_the_songs_own_accompaniment_agrees_and_nothing_is_behind_itself():
    calls = []
    report = compare([C, D], {"ideal": ideal}, 0, lambda: calls.append(1))
    assert len(calls) == 2
    assert report["rows"][ORIGINAL] == report["rows"]["ideal"]
    assert report["rows"][ORIGINAL]["chord tones (symbols)"] == 1.0
    assert report["behind"]["ideal"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert report["kept"] == {"ideal": 1.0}


def test_silence_has_no_chord_tones_and_a_lost_melody_is_told():
    report = compare([C, D], {"silent": silent}, 0, lambda: None)
    assert report["rows"]["silent"]["chord tones (sounding)"] is None
    assert report["behind"]["silent"] is None
    assert report["kept"] == {"silent": 0.0}


def test_another_songs_accompaniment_is_moved_into_the_key():
    mixed = borrowed(C, D)
    assert mixed.notes("lead") == C.notes("lead")
    assert [n.pitch % 12 for n in mixed.notes("chords")] == [n.pitch % 12 for n in C.notes("chords")]
    assert mixed.key == "C major"


@pytest.mark.parametrize(("key", "other", "shift"), [("A minor", "D major", -2), ("C major", "E minor", 5)])
def test_a_song_of_the_other_mode_is_moved_into_the_relative_key(key, other, shift):
    mixed = borrowed(replace(C, key=key), replace(D, key=other))
    assert mixed.chords[0].root == (D.chords[0].root + shift) % 12


def test_songs_in_another_metre_lend_nothing():
    report = compare([C, song(2, "D major", "3/4")], {}, 0, lambda: None)
    assert report["rows"][OTHER] == dict.fromkeys(MEASURES)


def test_chord_changes_are_counted_a_bar():
    assert chord_changes(C) == 3 / 4
    assert chord_changes(replace(C, chords=())) is None
