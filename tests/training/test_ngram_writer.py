"""What the n-gram writes is legal, is its seed's alone, and sounds like what was counted."""

from __future__ import annotations

import numpy as np
import pytest

from musicgen_ui.models.steps import DETAIL_GATES, DETAILS
from musicgen_ui.music.table import COLUMN, FIELDS, NOTE_COLUMNS, DrumVocabulary, from_table, to_table
from musicgen_ui.music.tokens import TIMINGS, decode, encode
from musicgen_ui.training.baselines import NGram
from musicgen_ui.training.ngram_writer import NGramWriter

VOCABULARY = DrumVocabulary((0, 1, 2, 16, 17))
STEPS = 64
EVERYBODY = np.ones((6, 4), dtype=bool)


def flat(rng: np.random.Generator) -> NGram:
    """Counts of everything, legal or not, so that only the writer keeps to what is legal."""
    counted = NGram()
    for field in FIELDS:
        counted.counts[field.name] = rng.random((field.classes, field.classes))
    return counted


@pytest.fixture
def tables(rng):
    return NGramWriter(flat(rng), VOCABULARY).write(EVERYBODY, STEPS, [(7, i) for i in range(6)])


def test_the_seed_decides_take_by_take(rng, tables):
    writer = NGramWriter(flat(np.random.default_rng(440)), VOCABULARY)
    assert (writer.write(EVERYBODY, STEPS, [(7, i) for i in range(6)]) == tables).all()
    assert (writer.write(EVERYBODY[:1], STEPS, [(7, 4)]) == tables[4]).all(), "a take does not depend on the others"
    assert (tables[0] != tables[1]).any()


def test_only_legal_tables_are_written(tables):
    for name in (field.name for field in FIELDS):
        assert tables[..., COLUMN[name]].min() >= 0
        assert tables[..., COLUMN[name]].max() < next(f.classes for f in FIELDS if f.name == name)
    assert tables[..., COLUMN["drums"]].max() < len(VOCABULARY.masks)
    chord = tables[..., COLUMN["chord"]].reshape(6, -1, 4)
    assert (chord == chord[..., :1]).all(), "chords change on beats"
    notes = tables[..., list(NOTE_COLUMNS)]
    below, above = notes[..., :-1], notes[..., 1:]
    assert ((above == 0) | ((below > 0) & (above > below))).all(), "notes ascend and have no gaps"
    for name, gate in zip(DETAILS, DETAIL_GATES, strict=True):
        starts = tables[..., COLUMN[gate]] > 0
        if name.startswith("drums_velocity"):
            starts &= VOCABULARY.group_counts[tables[..., COLUMN["drums"]], int(name[-1])] > 0
        assert ((tables[..., COLUMN[name]] > 0) == starts).all(), name
    timings = tables[:, 0, [COLUMN[name] for name in DETAILS if name.endswith("timing")]]
    assert ((timings == 0) | (timings > TIMINGS.index(0))).all(), "nothing starts before the first beat"


def test_tables_come_back_from_a_score(tables):
    """The grid, decoded and encoded again, is the same wherever decoding does not cut notes short."""
    for table in tables:
        score = decode(from_table(table, VOCABULARY, "4/4", EVERYBODY[0]), tempo=120.0)
        again = to_table(encode(score), VOCABULARY)
        for name in ("chord", "drums"):
            assert (again[:, COLUMN[name]] == table[:, COLUMN[name]]).all()
        assert all(score.notes(part) for part in score.parts)


def test_a_part_that_is_not_asked_for_stays_silent(rng):
    observed = np.array([[True, False, False, True]])
    [table] = NGramWriter(flat(rng), VOCABULARY).write(observed, STEPS, [(1,)])
    for index, name in ((0, "lead_pitch"), (1, "chords_note0"), (2, "bass_pitch"), (3, "drums")):
        assert (table[:, COLUMN[name]] > 0).any() == observed[0, index]
    assert not table[:, [i for i, f in enumerate(FIELDS) if f.part in (1, 2)]].any()


def test_it_follows_what_was_counted():
    """After C always D, after D always C: a bigram knows, a unigram only knows that there are both."""
    counted = NGram(smoothing=1e-12)
    for field in FIELDS:
        counted.counts[field.name] = np.ones((field.classes, field.classes))
    c, d = 13, 15
    counts = counted.counts["lead_pitch"] = np.zeros_like(counted.counts["lead_pitch"])
    counts[0, c] = counts[c, d] = counts[d, c] = 1.0
    [two] = NGramWriter(counted, VOCABULARY).write(EVERYBODY[:1], STEPS, [(1,)])
    assert two[:, COLUMN["lead_pitch"]].tolist() == [c, d] * (STEPS // 2)
    [one] = NGramWriter(counted, VOCABULARY, order=1).write(EVERYBODY[:1], STEPS, [(1,)])
    lead = one[:, COLUMN["lead_pitch"]]
    assert set(lead.tolist()) == {c, d}
    assert (lead[1:] == lead[:-1]).any()
