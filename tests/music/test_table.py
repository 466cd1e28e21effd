"""The table holds all that the grid holds."""

import numpy as np
import pytest

from musicgen_ui.music.score import Note, Score
from musicgen_ui.music.table import (
    COLUMN,
    DRUM_CLASSES,
    FIELDS,
    MAX_LEFT,
    DrumVocabulary,
    from_table,
    steps_left,
    to_table,
)
from musicgen_ui.music.tokens import DRUM_VOICES, Grid, encode

KICK, SNARE, HAT = 36, 38, 42


def drum_mask(*pitches: int) -> int:
    return sum(1 << next(v for v, known in enumerate(DRUM_VOICES) if p in known) for p in pitches)


@pytest.fixture
def vocabulary() -> DrumVocabulary:
    return DrumVocabulary((0, drum_mask(HAT), drum_mask(KICK), drum_mask(KICK, HAT), drum_mask(SNARE, HAT)))


@pytest.fixture
def grid() -> Grid:
    notes = {
        "lead": (Note(0.0, 60, 1.0, 76), Note(2.5, 64, 0.5, 100)),
        "chords": tuple(Note(1.0, p, 2.0, 52) for p in (48, 52, 55)),
        "bass": (Note(0.0, 36, 4.0, 88),),
        "drums": (
            Note(0.0, KICK, 0.25, 116),
            Note(0.0, HAT, 0.25, 40),
            Note(1.0, SNARE, 0.25, 88),
            Note(1.0, HAT, 0.25, 52),
        ),
    }
    return encode(Score(100.0, "4/4", 2, notes))


def test_round_trip(grid, vocabulary):
    again = from_table(to_table(grid, vocabulary), vocabulary, "4/4", grid.observed)
    for name in ("chord", "voicing", "drums", "drum_velocity", "drum_timing", "observed"):
        if name == "drum_timing":  # only meant where something is struck
            np.testing.assert_array_equal(again.drum_timing[grid.drums > 0], grid.drum_timing[grid.drums > 0])
        else:
            np.testing.assert_array_equal(getattr(again, name), getattr(grid, name), err_msg=name)
    for name in ("lead", "bass", "chords"):
        for column in ("pitch", "duration", "velocity", "timing"):
            np.testing.assert_array_equal(getattr(getattr(again, name), column), getattr(getattr(grid, name), column))


def test_every_cell_is_a_class(grid, vocabulary):
    table = to_table(grid, vocabulary)
    assert table.min() >= 0
    assert (table.max(axis=0) < [f.classes for f in FIELDS]).all()


def test_steps_left_counts_down_and_is_capped():
    pitch = np.array([5, 0, 0, 0, 0, 7, 0])
    duration = np.array([1 + 5, 0, 0, 0, 0, 1 + 14, 0])  # a beat less a quarter: 18 ticks; then eight beats
    assert steps_left(pitch, duration).tolist() == [2, 1, 0, 0, 0, MAX_LEFT, MAX_LEFT]


def test_drum_vocabulary_keeps_the_commonest_and_reads_others_as_the_nearest(vocabulary):
    fitted = DrumVocabulary.fit([drum_mask(HAT)] * 5 + [drum_mask(KICK)] * 3 + [0] * 99)
    assert fitted.masks == (0, drum_mask(HAT), drum_mask(KICK))
    known = np.array(vocabulary.masks)
    np.testing.assert_array_equal(vocabulary.to_masks(vocabulary.classes(known)), known)
    odd = np.array([drum_mask(KICK, HAT, 49), drum_mask(49)])
    nearest = vocabulary.to_masks(vocabulary.classes(odd))
    assert nearest[0] == drum_mask(KICK, HAT)
    assert nearest[1] != 0, "a hit must not become silence"


def test_group_counts(vocabulary):
    assert vocabulary.group_counts.shape == (DRUM_CLASSES, 3)
    assert vocabulary.group_counts[3].tolist() == [1, 0, 1]


@pytest.mark.parametrize("masks", [(), (1,), (0, 1, 1)])
def test_a_vocabulary_starts_with_silence_and_has_no_doubles(masks):
    with pytest.raises(ValueError, match="drum vocabulary"):
        DrumVocabulary(masks)


def test_unobserved_parts_are_empty_columns(vocabulary):
    grid = encode(Score(100.0, "3/4", 1, {"bass": (Note(0.0, 40, 1.0, 76),)}))
    table = to_table(grid, vocabulary)
    assert table[0, COLUMN["bass_pitch"]] > 0
    others = [i for i, f in enumerate(FIELDS) if f.part in (0, 1, 3)]
    assert not table[:, others].any()
