"""Voices: one note at a time, no melody lost, in the register that was learned."""

from itertools import pairwise

import numpy as np
import pytest

from musicgen_ui.audio.soundfont import PlayedNote
from musicgen_ui.engine.raw_voices import LEGATO, in_register, voices_of


def note(start, end, pitch, velocity=90):
    return PlayedNote(start, end, pitch, velocity)


def random_notes(seed, count=60):
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.integers(0, 400_000, count))
    return [note(int(s), int(s + rng.integers(3000, 60_000)), int(rng.integers(40, 90))) for s in starts]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("highest", [True, False])
def test_a_voice_sounds_one_note_at_a_time_and_the_outer_line_is_all_there(seed, highest):
    notes = random_notes(seed)
    voices = voices_of(notes, highest=highest)
    assert 1 < len(voices) <= 4
    for voice in voices:
        assert all(a.end <= b.start and a.start < b.start for a, b in pairwise(voice))
        assert all(n.start < n.end for n in voice)
    kept = {(n.start, n.pitch) for voice in voices for n in voice}
    assert kept <= {(n.start, n.pitch) for n in notes}
    pick = max if highest else min
    for struck in notes:
        sounding = [n.pitch for n in notes if n.start <= struck.start < n.end]
        if struck.pitch == pick(sounding):
            assert (struck.start, struck.pitch) in kept


def test_a_melody_is_one_voice_and_a_slur_is_no_chord():
    melody = [note(i * 10_000, (i + 1) * 10_000 + LEGATO, 60 + i) for i in range(8)]
    (voice,) = voices_of(melody, highest=True)
    assert [(n.start, n.pitch) for n in voice] == [(n.start, n.pitch) for n in melody]
    assert [n.end for n in voice[:-1]] == [n.start for n in melody[1:]]
    assert len(voices_of([note(0, 10_000 + LEGATO + 1, 60), note(10_000, 20_000, 64)], highest=True)) == 2
    (repeated,) = voices_of([note(0, 30_000, 60), note(10_000, 20_000, 60)], highest=True)
    assert repeated[0].end == 10_000


def test_of_a_chord_that_is_too_thick_the_inside_is_missing():
    chord = [note(0, 9000, pitch) for pitch in (48, 52, 55, 60, 64)]
    assert [voice[0].pitch for voice in voices_of(chord, highest=True)] == [64, 60, 55, 52]
    assert [voice[0].pitch for voice in voices_of(chord, highest=False)] == [48, 52, 55, 60]
    entering = [note(0, 9000, pitch) for pitch in (48, 52, 55, 60)] + [note(4000, 9000, 72), note(5000, 9000, 40)]
    voices = voices_of(entering, highest=True)
    assert [(n.start, n.end, n.pitch) for n in voices[3]] == [(0, 4000, 48), (4000, 9000, 72)]
    assert voices_of([], highest=True) == []
    assert voices_of([note(5, 5, 60)], highest=True) == []


def test_what_lies_outside_the_register_moves_by_octaves():
    found = in_register([note(0, 1, pitch) for pitch in (30, 59, 60, 84, 85, 127)], 60, 84)
    assert [n.pitch for n in found] == [66, 71, 60, 84, 73, 79]
