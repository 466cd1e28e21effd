"""Introductions made of the piece's own beginning, and endings that end."""

from dataclasses import replace

import pytest

from musicgen_ui.music.frame import closed, closing_beat, introduced
from musicgen_ui.music.score import METRES, Chord, Note, Score
from musicgen_ui.music.theory import chord_pitch_classes, key_is_minor, key_tonic
from musicgen_ui.music.tokens import HIGH, LOW


def piece(bars=4, metre="4/4", key="C major", parts=("lead", "chords", "bass", "drums")) -> Score:
    """Something on every beat, each note ringing over the next beat."""
    pitches = {"lead": (72, 74, 77), "chords": (60, 64, 67), "bass": (43,), "drums": (36,)}
    beats = bars * METRES[metre]
    notes = {
        part: tuple(
            Note(float(beat), pitch + (beat % 2 if part == "lead" else 0), min(2.0, beats - beat), 90)
            for beat in range(beats)
            for pitch in (pitches[part][beat % 3 : beat % 3 + 1] if part == "lead" else pitches[part])
        )
        for part in parts
    }
    chords = tuple(Chord(float(METRES[metre] * bar), float(METRES[metre]), 7, "7") for bar in range(bars))
    return Score(100.0, metre, bars, notes, chords, key)


@pytest.mark.parametrize("metre", METRES)
@pytest.mark.parametrize("bars", [1, 2, 5])
@pytest.mark.parametrize("key", ["C major", "A minor", "F# minor", "Bb major"])
def test_everybody_ends_on_the_tonic_and_holds_it(metre, bars, key):
    score = closed(piece(bars, metre, key))
    beat, quality = closing_beat(score), "min" if key_is_minor(key) else "maj"
    tones = chord_pitch_classes(key_tonic(key), quality)
    assert score.bars == bars
    last = score.chords[-1]
    assert (last.onset, last.onset + last.duration) == (beat, score.beats)
    assert (last.root, last.quality) == (key_tonic(key), quality)
    for part, notes in score.parts.items():
        final = [note for note in notes if note.onset >= beat]
        assert final
        assert all(note.onset == beat for note in final)
        assert all(note.onset + note.duration <= beat for note in notes if note.onset < beat)
        if part == "drums":
            continue
        assert {note.pitch % 12 for note in final} <= tones
        assert all(LOW[part] <= note.pitch <= HIGH[part] for note in final)
        assert all(beat + note.duration < score.beats for note in final)
        assert all(note.duration >= 0.5 * (score.beats - beat) for note in final)
        if part == "bass":
            assert final[0].pitch % 12 == key_tonic(key)
        if part == "chords":
            assert {note.pitch % 12 for note in final} == tones


def test_the_last_note_of_the_melody_is_near_the_one_before():
    score = piece()
    before = [n for n in score.notes("lead") if n.onset < closing_beat(score)][-1]
    assert abs(closed(score).notes("lead")[-1].pitch - before.pitch) <= 2


def test_silence_and_unknown_keys_are_left_alone():
    silent = piece(parts=()).with_parts(())
    assert closed(silent) == silent
    unknown = replace(piece(), key=None)
    assert closed(unknown) == unknown
    lead = piece(parts=("lead",))
    assert closed(replace(lead, parts={**lead.parts, "bass": ()})).notes("bass") == ()


@pytest.mark.parametrize("metre", METRES)
@pytest.mark.parametrize("bars", [1, 2, 4, 6])
def test_an_introduction_is_the_beginning_with_fewer_parts(metre, bars):
    score = piece(4, metre)
    whole = introduced(score, bars)
    shift = bars * score.beats_per_bar
    assert whole.bars == score.bars + bars
    for part in score.parts:
        body = tuple(n for n in whole.notes(part) if n.onset >= shift)
        assert body == tuple(replace(n, onset=n.onset + shift) for n in score.notes(part))
        for note in whole.notes(part):
            if note.onset < shift:
                assert note.onset + note.duration <= shift
                place = note.onset % score.beats
                assert (place, note.pitch) in {(n.onset, n.pitch) for n in score.notes(part)}
    first = {part: min(n.onset for n in whole.notes(part)) for part in score.parts}
    assert first["chords"] == 0.0
    assert first["chords"] <= first["bass"] <= first["drums"] <= first["lead"]
    assert first["lead"] == shift
    if bars >= 3:
        assert first["chords"] < first["bass"] < first["drums"] < first["lead"]
    assert sum(chord.duration for chord in whole.chords) == whole.beats


def test_a_lonely_melody_introduces_itself():
    whole = introduced(piece(parts=("lead",)), 2)
    assert whole.notes("lead")[0].onset == 0.0
    assert whole.notes("lead")[0].velocity < whole.notes("lead")[-1].velocity


def test_whoever_rests_at_first_enters_later():
    score = piece()
    late = {**score.parts, "chords": tuple(n for n in score.notes("chords") if n.onset >= 4)}
    whole = introduced(replace(score, parts=late), 4)
    assert min(n.onset for n in whole.notes("bass")) == 0.0
    assert introduced(score, 0) is score
