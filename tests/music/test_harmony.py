"""Chord symbols read and heard, keys, modulations, bar lines."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from musicgen_ui.music.downbeat import bar_phase
from musicgen_ui.music.harmony import beat_chroma, estimate_chords, estimate_key, joined, parse_chord, with_harmony
from musicgen_ui.music.midi import notes_to_arrays
from musicgen_ui.music.modulation import key_sections
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.music.theory import KEYS, QUALITIES

SYMBOLS = {
    "C": (0, "maj"), "Cm": (0, "min"), "C7": (0, "7"), "CM7": (0, "maj7"), "Cmaj7": (0, "maj7"), "Cm7": (0, "min7"),
    "F#m7b5": (6, "dim"), "Bbdim7": (10, "dim"), "Gaug7": (7, "aug"), "Eb/F": (3, "maj"), "A6": (9, "maj"),
    "Am6": (9, "min"), "D9": (2, "7"), "DM9": (2, "maj7"), "Dm9": (2, "min7"), "G7sus": (7, "sus"),
    "Gsus4": (7, "sus"), "Gsus2": (7, "sus"), "C5": (0, "maj"), "C13": (0, "7"), "CM13": (0, "maj7"),
    "Cm11": (0, "min7"), "CmM7": (0, "min"), "G7(b9)": (7, "7"), "G7(addb9)": (7, "7"), "G9(#5)": (7, "aug"),
    "Cb": (11, "maj"), "E#m": (5, "min"), "Cminor-major": (0, "min"), "sus4": None, "Daugmented-ninth": (2, "aug"),
    "Gm7(b5)": (7, "dim"), "C+": (0, "aug"), "Csus4(add7)": (0, "sus"), "C7(b5)": (0, "7"), "C(add4)": (0, "maj"),
    "A:min": (9, "min"), "A:min7/b3": (9, "min7"), "Bb:maj7/5": (10, "maj7"), "D:7(#9)": (2, "7"),
    "C:maj(9)/5": (0, "maj"), "G:hdim7": (7, "dim"), "G:dim": (7, "dim"), "E:sus4(b7,9)": (4, "sus"),
    "E:aug(b7)": (4, "aug"), "E:5": (4, "maj"), "E:5(b7)": (4, "7"), "E:min6": (4, "min"), "E:minmaj7": (4, "min"),
    "E:min(11)": (4, "min"), "E:maj6(9)": (4, "maj"), "E:9": (4, "7"), "E:11": (4, "7"), "E:min9": (4, "min7"),
    "E:maj9/3": (4, "maj7"), "E:1": (4, "maj"), "N": None, "": None, "N.C.": None, "X": None, "&pause": None,
    "H7": None,
}  # fmt: skip


@pytest.mark.parametrize(("symbol", "chord"), SYMBOLS.items())
def test_symbols(symbol, chord):
    assert parse_chord(symbol) == chord


def song(chords: list[tuple[int, str]], beats: int = 4, octave: int = 48) -> Score:
    """A bar a chord: its notes on every beat, its root in the bass, its fifth as the tune."""
    comping, bass, lead = [], [], []
    for bar, (root, quality) in enumerate(chords):
        for beat in range(beats):
            at = float(bar * beats + beat)
            comping += [Note(at, octave + root + step, 0.9, 80) for step in QUALITIES[quality]]
            lead.append(Note(at, 72 + (root + QUALITIES[quality][-1]) % 12, 0.9, 90))
        bass.append(Note(float(bar * beats), 36 + root, beats - 0.1, 80))
    parts = {"lead": tuple(lead), "chords": tuple(sorted(comping)), "bass": tuple(bass)}
    return Score(120.0, "4/4" if beats == 4 else "3/4", len(chords), parts)


PROGRESSIONS = [
    [(0, "maj"), (9, "min"), (5, "maj"), (7, "7")],
    [(2, "min7"), (7, "7"), (0, "maj7"), (0, "maj7")],
    [(9, "min"), (5, "maj"), (0, "maj"), (4, "7")],
    [(0, "maj"), (11, "dim"), (0, "aug"), (5, "sus")],
]


@pytest.mark.parametrize("beats", [4, 3])
@pytest.mark.parametrize("progression", PROGRESSIONS)
def test_plain_chords_are_heard_as_they_are(progression, beats):
    found = estimate_chords(song(progression * 2, beats))
    expected = joined([Chord(float(i * beats), float(beats), *c) for i, c in enumerate(progression * 2)])
    assert found == expected


@pytest.mark.parametrize("shift", range(-6, 6))
def test_hearing_moves_with_the_key(shift, rng):
    notes = tuple(
        sorted(
            Note(float(o) / 4, int(p), float(d) / 4, 80)
            for o, p, d in zip(rng.integers(0, 64, 60), rng.integers(50, 70, 60), rng.integers(1, 9, 60), strict=True)
        )
    )
    score = Score(120.0, "4/4", 4, {"chords": notes})
    assert (
        estimate_chords(score.transposed(shift))
        == replace(score, chords=estimate_chords(score)).transposed(shift).chords
    )


def test_silence_has_no_chord():
    score = song(PROGRESSIONS[0])
    late = {p: tuple(replace(n, onset=n.onset + 16) for n in notes) for p, notes in score.parts.items()}
    found = estimate_chords(replace(score, parts=late, bars=12))
    assert found[0].onset >= 13
    assert found[-1].onset + found[-1].duration <= 35
    assert estimate_chords(Score(120.0, "4/4", 4, {"drums": (Note(0.0, 36, 0.1, 90),)})) == ()


def test_chords_are_joined_and_cut():
    given = [
        Chord(4, 4, 0, "maj"),
        Chord(0, 6, 0, "maj"),
        Chord(8, 0, 2, "min"),
        Chord(8, 4, 7, "7"),
        Chord(10, 2, 0, "maj"),
    ]
    assert joined(given) == (Chord(0, 8, 0, "maj"), Chord(8, 2, 7, "7"), Chord(10, 2, 0, "maj"))


@pytest.mark.parametrize("tonic", range(12))
def test_keys_of_cadences(tonic):
    major = song([((tonic + r) % 12, q) for r, q in [(0, "maj"), (5, "maj"), (7, "7"), (0, "maj")]])
    minor = song([((tonic + r) % 12, q) for r, q in [(0, "min"), (5, "min"), (7, "7"), (0, "min")]])
    assert with_harmony(major).key == KEYS[tonic]
    assert with_harmony(minor).key == KEYS[tonic + 12]


def test_a_stated_key_stands_unless_the_notes_speak_against_it():
    score = song([(9, "min"), (5, "maj"), (0, "maj"), (7, "maj")])
    assert with_harmony(score, "A minor").key == "A minor"
    assert with_harmony(score).key == "C major"
    assert with_harmony(score, "F# major").key == "C major"
    assert estimate_key(np.zeros(12)) == (None, 0.0)


def test_a_chart_without_notes_has_a_key():
    chart = Score(120.0, "4/4", 4, {}, tuple(Chord(4.0 * i, 4.0, r, q) for i, (r, q) in enumerate(PROGRESSIONS[0])))
    assert with_harmony(chart).key == "C major"
    assert with_harmony(chart).chords == chart.chords


def test_written_chords_stay_and_an_introduction_is_heard():
    score = song(PROGRESSIONS[0] * 3)
    written = (Chord(16.0, 16.0, 3, "aug"),)
    found = with_harmony(replace(score, chords=written)).chords
    assert Chord(16.0, 16.0, 3, "aug") in found
    assert found[0] == Chord(0.0, 4.0, 0, "maj")
    assert found[-1] == Chord(44.0, 4.0, 7, "7")
    assert all(a.onset + a.duration <= b.onset for a, b in pairwise(found))


def test_beat_chroma_counts_sounding_time():
    score = Score(120.0, "4/4", 1, {"chords": (Note(0.5, 60, 1.0, 80),), "bass": (Note(0.0, 43, 2.0, 80),)})
    grid = beat_chroma(score)
    assert grid.shape == (4, 12)
    np.testing.assert_allclose(grid[:, 0], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(grid[:, 7], [1.5, 1.5, 0, 0])


@pytest.mark.parametrize(("shift", "cuts"), [(6, [(0, 16), (16, 16)]), (0, [(0, 32)]), (1, [(0, 16), (16, 16)])])
def test_a_lasting_change_of_key_is_found(shift, cuts):
    here = [(0, "maj"), (9, "min"), (5, "maj"), (7, "7")]
    there = [((r + shift) % 12, q) for r, q in here]
    assert key_sections(song(here * 4 + there * 4)) == cuts


def test_a_passing_change_and_the_relative_minor_are_none():
    here, away = [(0, "maj"), (9, "min"), (5, "maj"), (7, "7")], [(2, "maj"), (9, "maj"), (2, "maj"), (9, "maj")]
    relative = [(9, "min"), (2, "min"), (4, "7"), (9, "min")]
    assert key_sections(song(here * 4 + away * 2 + here * 4)) == [(0, 40)]
    assert key_sections(song(here * 4 + relative * 4)) == [(0, 32)]
    assert key_sections(song(here)) == [(0, 4)]


@pytest.mark.parametrize("beats", [4, 3])
@pytest.mark.parametrize("pickup", [0, 12, 24, 36, 48])
def test_bar_lines_after_a_pickup(pickup, beats):
    score = song([c for p in PROGRESSIONS[:3] for c in p] * 2, beats)
    bar = beats * 24
    texture = notes_to_arrays(score.pitched)
    shift = bar - pickup if pickup else 0
    keep = texture.onset >= shift
    moved = replace(texture, onset=texture.onset - shift).take(keep)
    assert bar_phase(moved, bar) == pickup % bar
    changes = np.arange(len(score.chords) or 24) * bar - shift
    assert bar_phase(moved, bar, changes) == pickup % bar


def test_too_few_notes_have_no_pickup():
    assert bar_phase(notes_to_arrays((Note(1.0, 60, 1.0, 80),)), 96) == 0
