"""Scores are values: operations return new ones and keep what they do not change."""

import pytest

from musicgen_ui.music.score import Chord, Note, Score, from_ticks, to_ticks


@pytest.fixture
def score() -> Score:
    return Score(
        tempo=120.0,
        metre="3/4",
        bars=4,
        parts={"lead": (Note(0.0, 60, 1.0, 80), Note(8.5, 64, 3.0, 80)), "drums": (Note(3.0, 36, 0.25, 100),)},
        chords=(Chord(0.0, 6.0, 0, "maj"), Chord(6.0, 6.0, 7, "7")),
        key="C major",
    )


def test_length_is_exact(score):
    assert score.beats == 12
    assert score.seconds == 6.0
    assert score.samples(44_100) == 6 * 44_100


def test_transposition_moves_all_but_the_drums_and_back(score):
    up = score.transposed(5)
    assert [n.pitch for n in up.notes("lead")] == [65, 69]
    assert up.notes("drums") == score.notes("drums")
    assert (up.key, up.chords[1].root) == ("F major", 0)
    assert up.transposed(-5) == score


@pytest.mark.parametrize("semitones", [120, -120])
def test_transposition_never_leaves_the_midi_range(score, semitones):
    moved = score.transposed(semitones)
    assert all(0 <= n.pitch <= 127 for n in moved.pitched)
    assert [n.pitch % 12 for n in moved.pitched] == [0, 4]


def test_section_rebases_and_cuts(score):
    section = score.section(1, 2)
    assert section.bars == 2
    assert section.notes("drums") == (Note(0.0, 36, 0.25, 100),)
    assert section.notes("lead") == (Note(5.5, 64, 0.5, 80),)
    assert section.chords == (Chord(0.0, 3.0, 0, "maj"), Chord(3.0, 3.0, 7, "7"))
    assert score.section(0, 4) == Score(score.tempo, score.metre, 4, {**score.parts}, score.chords, score.key)


@pytest.mark.parametrize("ticks", range(-30, 60, 7))
def test_ticks_round_trip(ticks):
    assert to_ticks(from_ticks(ticks)) == ticks
    assert to_ticks(from_ticks(ticks) + 0.4 / 24) == ticks
