"""Lines, turns, ranges: what is done to lists of notes."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.music.midi_file import Notes
from musicgen_ui.music.voices import (
    coverage,
    fold,
    off_grid,
    polyphony,
    relay,
    split_line,
    thin,
    without_overlaps,
)


def notes(*rows: tuple[int, int, int]) -> Notes:
    """(onset, pitch, duration) rows at velocity 80."""
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Notes(table[:, 0], table[:, 1], table[:, 2], np.full(len(table), 80)).in_order()


def some(rng: np.random.Generator, count: int = 200) -> Notes:
    return notes(
        *zip(rng.integers(0, 960, count), rng.integers(30, 90, count), rng.integers(1, 96, count), strict=True)
    )


def triples(found: Notes) -> list[tuple[int, int, int]]:
    return [row[:3] for row in found.rows()]


@pytest.mark.parametrize("top", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_a_line_sounds_one_note_at_a_time_and_nothing_is_lost(top, seed):
    given = some(np.random.default_rng(seed))
    line, rest = split_line(given, top=top)
    assert (line.onset[1:] >= line.end[:-1]).all()
    assert (line.duration > 0).all()
    assert sorted(row[:2] for row in line.rows() + rest.rows()) == sorted(row[:2] for row in given.rows())


def test_the_skyline_is_what_is_heard_on_top():
    given = notes((0, 72, 48), (0, 60, 96), (24, 64, 24), (48, 74, 48), (96, 50, 24))
    line, rest = split_line(given, top=True)
    assert triples(line) == [(0, 72, 48), (48, 74, 48), (96, 50, 24)]
    assert triples(rest) == [(0, 60, 96), (24, 64, 24)]


def test_a_higher_note_ends_the_one_it_overtakes():
    line, _ = split_line(notes((0, 60, 96), (24, 70, 24)), top=True)
    assert triples(line) == [(0, 60, 24), (24, 70, 24)]


def test_taking_turns():
    first, second = notes((0, 60, 24), (192, 62, 24)), notes((0, 40, 24), (96, 41, 24), (200, 42, 24))
    assert triples(relay([first, second])) == [(0, 60, 24), (96, 41, 24), (192, 62, 24)]
    assert len(relay([])) == 0


@pytest.mark.parametrize(("low", "high"), [(24, 60), (48, 96), (36, 91)])
@pytest.mark.parametrize("shift", [-30, 0, 36])
def test_folding_keeps_pitch_classes_and_moves_whole_lines_first(low, high, shift, rng):
    given = some(rng)
    given = Notes(given.onset, given.pitch + shift, given.duration, given.velocity)
    found = fold(given, low, high)
    assert found.pitch.min() >= low
    assert found.pitch.max() <= high
    assert sorted((o, p % 12) for o, p, _, _ in found.rows()) == sorted((o, p % 12) for o, p, _, _ in given.rows())
    narrow = notes((0, 60 + shift, 24), (24, 64 + shift, 24), (48, 67 + shift, 24))
    assert np.diff(fold(narrow, low, high).pitch).tolist() == [4, 3]


def test_no_pitch_sounds_twice_at_once(rng):
    found = without_overlaps(some(rng, 600))
    for pitch in np.unique(found.pitch):
        mine = found.take(found.pitch == pitch)
        assert (mine.onset[1:] >= mine.end[:-1]).all()
    assert triples(without_overlaps(notes((0, 60, 10), (0, 60, 30), (12, 60, 5)))) == [(0, 60, 12), (12, 60, 5)]


def test_thinning_keeps_the_outer_notes():
    chord = notes(*((0, 40 + 3 * i, 24) for i in range(9)), (24, 60, 24))
    found = thin(chord, 6)
    assert found.pitch.tolist() == [40, 52, 55, 58, 61, 64, 60]


def test_shares():
    given = notes((0, 60, 24), (0, 64, 24), (96, 60, 24))
    assert coverage(given, 384) == 0.5
    assert polyphony(given) == 1.5


def test_grid_distance_knows_sixteenths_and_triplets_from_noise(rng):
    steps = np.arange(400)
    for grid in (6 * steps, 8 * steps, 6 * steps + rng.integers(-1, 2, 400)):
        assert off_grid(notes(*((int(t), 60, 2) for t in grid))) < 0.4
    assert off_grid(notes(*((int(t), 60, 2) for t in rng.integers(0, 9600, 2000)))) > 0.9
    assert off_grid(Notes.empty()) == 0.0
