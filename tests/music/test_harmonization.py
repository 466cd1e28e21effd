"""Chords are judged by the melody over them, and by what comes after."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.music.harmonization import agreement, foresight, likelihood, symbol_agreement
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.music.tokens import CHORD_CLASSES, QUALITY_NAMES, chord_class, chord_symbol


def melody(*pitches, duration=1.0):
    return tuple(Note(beat * duration, pitch, duration, 80) for beat, pitch in enumerate(pitches))


@pytest.mark.parametrize(
    ("pitches", "root", "quality"),
    [((60, 64, 67), 0, "maj"), ((69, 72, 76), 9, "min"), ((67, 71, 74, 77), 7, "7"), ((71, 74, 77), 11, "dim")],
)
def test_a_broken_chord_is_heard_as_itself(pitches, root, quality):
    total = likelihood(melody(*pitches), len(pitches)).sum(axis=0)
    triads = [chord_class(r, q) for q in ("maj", "min", "7", "dim") for r in range(12)]
    assert max(triads, key=lambda c: total[c]) == chord_class(root, quality)


def test_a_note_suits_the_chords_that_hold_it():
    row = likelihood(melody(64), 1)[0]
    assert row[chord_class(0, "maj")] > row[chord_class(5, "maj")]
    assert row[chord_class(0, "maj")] > row[chord_class(0, "min")]


def test_silence_says_nothing_and_longer_notes_say_more():
    rows = likelihood((Note(1.0, 60, 2.0, 80),), 4)
    assert not rows[[0, 3]].any()
    spread = np.ptp(rows, axis=1)
    assert spread[1] > spread[2] > 0  # it begins on beat 1


def test_likelihood_moves_with_the_roots():
    """What C is to C major, G is to G major: the measured shares are by interval."""
    first, second = likelihood(melody(60), 1)[0], likelihood(melody(67), 1)[0]
    for quality in QUALITY_NAMES:
        assert first[chord_class(0, quality)] == pytest.approx(second[chord_class(7, quality)])


def test_foresight_of_the_last_beat_is_its_own_evidence():
    evidence = likelihood(melody(60, 62, 64, 65), 4)
    assert foresight(evidence, "4/4")[-1] == pytest.approx(evidence[-1] - evidence[-1].max())
    assert foresight(evidence, "4/4").max(axis=1) == pytest.approx(np.zeros(4))


def test_a_chord_is_chosen_for_the_notes_to_come():
    """E over the first beat suits C and A minor alike; an A on the next beat decides."""
    major, minor = chord_class(0, "maj"), chord_class(9, "min")
    alone = foresight(likelihood(melody(64), 4), "4/4")[0]
    to_minor = foresight(likelihood(melody(64, 69, 69, 69), 4), "4/4")[0]
    to_major = foresight(likelihood(melody(64, 67, 67, 67), 4), "4/4")[0]
    assert to_minor[minor] - to_minor[major] > alone[minor] - alone[major] > to_major[minor] - to_major[major]
    assert to_minor[minor] > to_minor[major]
    assert to_major[major] > to_major[minor]


def test_what_comes_after_a_bar_line_counts_less():
    """Chords mostly go on within a bar and change at bar lines."""
    within = foresight(likelihood((Note(1.0, 69, 1.0, 80),), 8), "4/4")
    across = foresight(likelihood((Note(4.0, 69, 1.0, 80),), 8), "4/4")
    assert np.ptp(within[0]) > 1.5 * np.ptp(across[3])


def test_foresight_agrees_with_all_paths_summed_up():
    """Three beats over the whole vocabulary, against the sum over every path of the hidden Markov model."""
    rng = np.random.default_rng(2)
    evidence = rng.normal(size=(3, CHORD_CLASSES))
    from musicgen_ui.music import harmonization

    common = harmonization._common()
    stays = harmonization.STAYS["3/4"]
    step = [s * np.eye(CHORD_CLASSES) + (1 - s) * common for s in stays]
    total = np.exp(evidence[0]) * (step[1] @ (np.exp(evidence[1]) * (step[2] @ np.exp(evidence[2]))))
    expected = np.log(total)
    assert foresight(evidence, "3/4")[0] == pytest.approx(expected - expected.max())


def score(lead, chords, symbols=()):
    return Score(100.0, "4/4", 1, {"lead": lead, "chords": chords}, symbols, "C major")


def test_agreement_is_the_share_of_time_in_which_the_accompaniment_has_the_note():
    lead = (Note(0.0, 64, 1.0, 80), Note(1.0, 65, 1.0, 80), Note(3.0, 61, 1.0, 80))
    triad = tuple(Note(0.0, pitch, 2.0, 80) for pitch in (48, 52, 55))
    assert agreement(score(lead, triad)) == 0.5  # the last note is alone and does not count
    assert agreement(score(lead, ())) is None
    assert agreement(score((), triad)) is None


def test_symbols_are_compared_the_same_way():
    lead = (Note(0.0, 64, 1.0, 80), Note(1.0, 65, 1.0, 80))
    assert symbol_agreement(score(lead, (), (Chord(0.0, 2.0, 0, "maj"),))) == 0.5
    assert symbol_agreement(score(lead, (), (Chord(0.0, 1.0, 0, "maj"), Chord(1.0, 1.0, 5, "maj")))) == 1.0
    assert symbol_agreement(score(lead, ())) is None


def test_every_class_has_a_likelihood():
    assert np.isfinite(likelihood(melody(*range(60, 72)), 12)).all()
    assert chord_symbol(0) is None
    assert np.isfinite(foresight(likelihood(melody(60), 1), "3/4")).all()
