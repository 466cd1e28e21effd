"""Sections are labelled by the measures and drawn fairly; tables survive the cache."""

import numpy as np
import pytest

from musicgen_ui.data.pieces import Piece
from musicgen_ui.data.sections import SECTION_BARS, SectionSampler, fit_scales, measure_table
from musicgen_ui.data.tables import neutral_shift, to_table_piece, with_vocabulary
from musicgen_ui.models.condition import CONDITION_SLIDERS
from musicgen_ui.music.measures import MEASURED, measure
from musicgen_ui.music.score import Chord, Note, Score
from musicgen_ui.music.table import DrumVocabulary, from_table
from musicgen_ui.music.theory import KEYS, key_is_minor, transpose_key
from musicgen_ui.music.tokens import decode
from musicgen_ui.scale import UnitScale
from musicgen_ui.training.batches import collate

VOCABULARY = DrumVocabulary((0, 1, 2, 16, 17, 18))


def song(rng, name="song", *, metre="4/4", bars=40, key="D major", corpus="arranged", tempo_known=True) -> Piece:
    beats = bars * (4 if metre == "4/4" else 3)
    tonic = KEYS.index(key) % 12
    steps = (0, 2, 3, 5, 7, 8, 10) if key_is_minor(key) else (0, 2, 4, 5, 7, 9, 11)

    def notes(low, gap, length):
        return tuple(
            Note(float(beat), low + (tonic + steps[int(rng.integers(7))]) % 12, length, int(rng.integers(40, 110)))
            for beat in np.arange(0, beats - length, gap)
        )

    parts = {"lead": notes(60, 0.5, 0.5), "chords": notes(48, 1.0, 1.0), "bass": notes(36, 2.0, 1.5)}
    parts["drums"] = tuple(Note(float(b), int(rng.choice([36, 38, 42])), 0.25, 80) for b in np.arange(0, beats, 0.5))
    chords = tuple(Chord(float(b), 1.0, tonic, "maj") for b in range(beats))
    score = Score(100.0, metre, bars, parts, chords, key)
    return Piece(f"{corpus}/{name}", corpus, name, name, "train", {"jazz": 1.0}, "CC0", score, tempo_known)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_moves_to_the_neutral_one_by_at_most_a_tritone(key):
    shift = neutral_shift(key)
    assert -6 <= shift <= 5
    assert transpose_key(key, shift) == ("A minor" if key_is_minor(key) else "C major")


def test_a_piece_without_a_key_takes_its_best_one(rng):
    piece = song(rng, key="E major")
    unknown = Piece(**{**vars(piece), "score": Score(**{**vars(piece.score), "key": None})})
    np.testing.assert_array_equal(to_table_piece(unknown, VOCABULARY).table, to_table_piece(piece, VOCABULARY).table)


@pytest.mark.parametrize("observed", [(1, 1, 1, 1), (1, 0, 1, 0), (0, 1, 0, 1), (0, 0, 0, 1), (0, 0, 0, 0)])
@pytest.mark.parametrize("metre", ["4/4", "3/4"])
def test_measures_of_a_table_are_those_of_its_score(rng, metre, observed):
    observed = np.array(observed, dtype=bool)
    table = to_table_piece(song(rng, metre=metre, bars=8), VOCABULARY).table
    score = decode(from_table(table, VOCABULARY, metre, observed), tempo=100.0)
    ours, theirs = measure_table(table, observed, VOCABULARY), measure(score)
    for key in MEASURED:
        if key == "complexity" and ours[key] is not None:
            assert ours[key] == pytest.approx(theirs[key], abs=0.02)
        elif theirs[key] is None:
            assert ours[key] is None, key
        else:
            assert ours[key] == pytest.approx(theirs[key], abs=1e-6), key


def test_sections_have_the_right_size_and_keep_at_least_one_part(rng):
    pieces = [to_table_piece(song(rng, str(i), bars=bars), VOCABULARY) for i, bars in enumerate((6, 16, 60))]
    sampler = SectionSampler(pieces, part_dropout=0.9)
    for section in sampler.draw(rng, 60):
        assert section.bars == min(SECTION_BARS, section.piece.bars)
        assert 0 <= section.first_bar <= section.piece.bars - section.bars
        assert section.observed.any()
        assert not (section.observed & ~section.piece.observed).any()


def test_a_large_corpus_does_not_drown_a_small_one(rng):
    many = [to_table_piece(song(rng, f"c{i}", bars=8, corpus="openscore_quartets_cc0"), VOCABULARY) for i in range(20)]
    few = [to_table_piece(song(rng, "a", bars=8), VOCABULARY)]
    drawn = SectionSampler(many + few).draw(rng, 400)
    assert np.mean([s.piece.corpus == "arranged" for s in drawn]) > 0.6


def test_a_batch_pads_short_sections_and_says_what_it_knows(rng):
    pieces = [
        to_table_piece(song(rng, "a", bars=6, tempo_known=False), VOCABULARY),
        to_table_piece(song(rng, "b"), VOCABULARY),
    ]
    scales = {key: UnitScale.fit(np.linspace(-2, 4, 300)) for key in MEASURED}
    sampler = SectionSampler(pieces, part_dropout=0.0)
    sections = sampler.draw(rng, 40)
    batch = collate(sections, scales, VOCABULARY)
    assert batch.table.shape[1] == SECTION_BARS * 16
    for i, section in enumerate(sections):
        assert int(batch.valid[i].sum()) == section.bars * 16
        assert bool(batch.condition.known[i, 0]) == (section.piece.tempo is not None)
        raw = measure_table(section.table, section.observed, VOCABULARY)
        density = batch.condition.sliders[i, CONDITION_SLIDERS.index("density")]
        assert float(density) == pytest.approx(scales["density"].to_unit(raw["density"]), abs=1e-6)


def test_scales_cover_every_measured_slider(rng):
    pieces = [to_table_piece(song(rng, k, key=k), VOCABULARY) for k in ("C major", "A minor", "E minor")]
    scales = fit_scales(pieces, VOCABULARY, count=100)
    assert set(scales) == set(MEASURED)
    assert scales["mood"].to_unit(0.0) == 0.5


def test_another_vocabulary_says_the_same_drums(rng):
    piece = to_table_piece(song(rng), VOCABULARY)
    other = DrumVocabulary((0, 18, 17, 16, 2, 1))
    moved = with_vocabulary(piece, VOCABULARY, other)
    same = [from_table(p.table, v, "4/4", p.observed).drums for p, v in ((piece, VOCABULARY), (moved, other))]
    np.testing.assert_array_equal(*same)
