"""Copies are found wherever they were planted and in any key; everything else is not called a copy."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.music.novelty import PHRASE_STEPS, PITCH_COLUMNS, PhraseIndex, phrases
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS

STEPS = 128


def melody(rng: np.random.Generator, steps: int = STEPS, part: str = "lead") -> np.ndarray:
    """A table with a note on every second step, all random; three notes at a time in the chord part."""
    table = np.zeros((steps, len(FIELDS)), dtype=np.int16)
    onsets = np.arange(0, steps, 2)
    if part == "chords":
        notes = np.sort(rng.permuted(np.tile(np.arange(10, 40), (len(onsets), 1)), axis=1)[:, :3], axis=1)
        table[onsets[:, None], list(NOTE_COLUMNS[:3])] = notes
    else:
        table[onsets, COLUMN[f"{part}_pitch"]] = rng.integers(10, 25, len(onsets))
    return table


def transposed(table: np.ndarray, semitones: int) -> np.ndarray:
    moved = table.copy()
    for columns in PITCH_COLUMNS.values():
        notes = moved[:, list(columns)]
        moved[:, list(columns)] = np.where(notes > 0, notes + semitones, 0)
    return moved


def copies(index: PhraseIndex, table: np.ndarray) -> np.ndarray:
    """Steps at which copied phrases start."""
    found = phrases([table], index.part)
    return found.step[index.sources(found)[0] >= 0]


@pytest.mark.parametrize("part", PITCH_COLUMNS)
@pytest.mark.parametrize("semitones", [0, 5, -7])
def test_a_planted_copy_is_found_in_any_key_and_at_any_place_of_the_bar(rng, part, semitones):
    corpus = [melody(rng, part=part) for _ in range(5)]
    index = PhraseIndex(corpus, part)
    made = melody(rng, part=part)
    assert not len(copies(index, made))
    made[51 : 51 + PHRASE_STEPS] = transposed(corpus[3], semitones)[20 : 20 + PHRASE_STEPS]
    found = phrases([made], part)
    pieces, steps = index.sources(found)
    assert found.step[pieces >= 0].tolist() == [51]
    assert pieces[pieces >= 0].tolist() == [3]
    assert steps[pieces >= 0].tolist() == [20]


def test_a_shuffled_copy_and_a_copy_with_one_wrong_note_are_not_found(rng):
    corpus = [melody(rng)]
    index = PhraseIndex(corpus, "lead")
    shuffled = corpus[0].copy()
    shuffled[::2] = rng.permutation(shuffled[::2])
    assert not len(copies(index, shuffled))
    wrong = corpus[0][:PHRASE_STEPS].copy()
    assert copies(index, wrong).tolist() == [0]
    wrong[PHRASE_STEPS // 2, COLUMN["lead_pitch"]] += 1
    assert not len(copies(index, wrong))


def test_a_copy_of_seven_beats_is_not_enough(rng):
    corpus = [melody(rng)]
    made = melody(rng)
    made[32 : 32 + PHRASE_STEPS - 4] = corpus[0][: PHRASE_STEPS - 4]
    assert not len(copies(PhraseIndex(corpus, "lead"), made))


def test_rhythm_counts(rng):
    corpus = [melody(rng)]
    late = np.roll(corpus[0], 1, axis=0)
    late[1::4] = 0
    late[2::4] = np.roll(corpus[0], 1, axis=0)[1::4]
    assert not len(copies(PhraseIndex(corpus, "lead"), late[: PHRASE_STEPS + 8]))


def test_a_phrase_does_not_reach_from_one_piece_into_the_next(rng):
    whole = melody(rng, 64)
    index = PhraseIndex([whole[:32], whole[32:]], "lead")
    found = phrases([whole], "lead")
    pieces, _ = index.sources(found)
    assert found.step[pieces >= 0].tolist() == [0, 32]


def test_what_any_piece_may_hold_is_left_out():
    def table(pitches, step=2):
        out = np.zeros((64, len(FIELDS)), dtype=np.int16)
        out[::step, COLUMN["lead_pitch"]] = np.resize(pitches, 64 // step)
        return out

    rng = np.random.default_rng(1)
    telling = rng.integers(10, 22, 32)
    assert len(phrases([table(telling)], "lead").step) == 17
    for plain in (
        table([20]),  # a repeated note
        table(rng.choice([20, 27, 32], 32)),  # a root, its fifth and its octave
        table([20, 24, 27, 24]),  # an arpeggio of two beats
        table(telling, step=8),  # four onsets
    ):
        found = phrases([plain], "lead")
        assert len(found.step) == 0
        assert found.plain > 0


def test_empty_corpora_and_silent_pieces(rng):
    silence = np.zeros((64, len(FIELDS)), dtype=np.int16)
    for corpus in ([], [silence]):
        index = PhraseIndex(corpus, "lead")
        assert len(index) == 0
        found = phrases([melody(rng)], "lead")
        assert (index.sources(found)[0] == -1).all()
        assert len(phrases(corpus, "lead").step) == 0


def test_each_phrase_is_the_one_that_reading_it_note_by_note_finds(rng):
    """Against a plain reading: tuples of (steps since the first onset, intervals above the first lowest note)."""
    corpus = [melody(rng, 64, "chords") for _ in range(3)]
    corpus.append(np.concatenate([corpus[0][8:48], corpus[1][:40]]))

    def reading(table, start):
        rows = table[start : start + PHRASE_STEPS, list(NOTE_COLUMNS)].astype(int)
        base = rows[0, 0]
        return tuple((s, tuple(n - base for n in row if n)) for s, row in enumerate(rows) if row[0])

    found = phrases(corpus, "chords")
    read = [reading(corpus[p], s) for p, s in zip(found.piece, found.step, strict=True)]
    same = np.array([[a == b for b in read] for a in read])
    assert ((found.fingerprint[:, None] == found.fingerprint[None, :]) == same).all()
    assert same.sum() > len(same), "there are copies among them"
