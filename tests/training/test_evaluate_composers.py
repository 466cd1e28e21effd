"""The comparison from end to end, over a few songs of two kinds and a composer that has learned nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from musicgen_ui.cli.evaluate_composers import named_file, print_composers, shipped_composers
from musicgen_ui.cli.report import finite
from musicgen_ui.data.pieces import Piece
from musicgen_ui.data.tables import to_table_piece
from musicgen_ui.errors import RequestError
from musicgen_ui.models.composer import ComposerConfig
from musicgen_ui.models.composer_lstm import LSTMComposer
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.steps import HEADS
from musicgen_ui.music.measures import MEASURED
from musicgen_ui.music.score import PARTS, Chord, Note, Score
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.scale import UnitScale
from musicgen_ui.training.evaluate_composers import BIGRAM, OTHER_SONGS, Comparison, compare, write_corpus
from musicgen_ui.training.held_out import full_sections, in_vocabulary, real_corpus, whole_songs

MASKS = (0, 1, 2, 16, 17)
VOCABULARY = DrumVocabulary(MASKS)
SCALES = {key: UnitScale.fit(np.linspace(-2, 4, 300)) for key in MEASURED}
SETTINGS = Comparison(clips=4, bars=4, batch=3, batches=1, counted_batches=1)


def no_hook(stage: str, done: int, total: int) -> None:
    pass


def piece(rng, name: str, split: str, parts=PARTS, bars=9, metre="4/4"):
    beats = bars * (4 if metre == "4/4" else 3)
    pitches = {"lead": (60, 62, 64, 65, 67, 69, 71), "chords": (48, 52, 55), "bass": (36, 38, 43), "drums": (36, 38)}
    notes = {
        part: tuple(Note(b / 2, int(rng.choice(pitches[part])), 0.5, 80) for b in range(2 * beats)) for part in parts
    }
    chords = tuple(Chord(float(b), 2.0, int(rng.integers(12)), "maj") for b in range(0, beats, 2))
    score = Score(100.0, metre, bars, notes, chords, "C major")
    return to_table_piece(Piece(f"x/{name}", "x", name, name, split, {}, "CC0", score), VOCABULARY)


@pytest.fixture
def pieces(rng):
    splits = [*["train"] * 3, *["test"] * 3]
    return [piece(rng, f"{split} {i}", split) for i, split in enumerate(splits)]


@pytest.fixture
def tiny():
    config = ComposerConfig(width=8, hidden=8, head_hidden=8, latent=2, heads=2, drum_masks=MASKS)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LSTMComposer(config).eval()


def test_sections_are_of_songs_in_turn_and_do_not_overlap(pieces, rng):
    sections = full_sections(pieces, 9, bars=4, rng=rng)
    assert len({s.piece.id for s in sections[:6]}) == 6, "every song once before any twice"
    assert len({(s.piece.id, s.first_bar) for s in sections}) == 9
    assert {s.first_bar for s in sections} == {0, 4}
    assert len(full_sections(pieces, 100, bars=4, rng=rng)) == 12


def test_only_songs_in_which_everybody_plays_in_common_time_are_chosen(rng):
    trio = piece(rng, "trio", "test", parts=PARTS[:3])
    waltz = piece(rng, "waltz", "test", metre="3/4")
    short = piece(rng, "short", "test", bars=3)
    late = piece(rng, "late", "test", bars=8)
    late.table[:64] = 0
    sections = full_sections([trio, waltz, short, late], 10, bars=4, rng=rng)
    assert [(s.piece.id, s.first_bar) for s in sections] == [("x/late", 4)]
    assert len(full_sections([waltz], 10, bars=4, rng=rng, metre="3/4")) == 2
    corpus = whole_songs([trio, waltz, short, late], 4)
    assert [len(t) for t in corpus.tables] == [64, 64, 48, 48, 64, 64]


def test_real_sections_come_back_as_the_music_they_were(pieces, rng):
    [section, *_] = full_sections(pieces, 1, bars=4, rng=rng)
    corpus = real_corpus([section], VOCABULARY)
    [score] = corpus.scores
    assert (score.key, score.tempo, score.bars, set(score.parts)) == ("C major", 100.0, 4, set(PARTS))
    assert len(score.notes("lead")) == 32
    other = DrumVocabulary((0, 16, 17, 2, 1))
    moved = real_corpus([in_vocabulary(section, VOCABULARY, other)], other)
    assert moved.scores == corpus.scores, "another vocabulary says the same drums"


def test_a_composer_is_asked_for_the_sections_styles_and_writes_the_same_again(pieces, tiny, rng):
    sections = full_sections(pieces, 4, bars=4, rng=rng)

    def written(settings):
        return write_corpus(tiny, sections, VOCABULARY, SCALES, settings, no_hook)

    first = written(SETTINGS)
    assert first.songs == tuple(s.piece.id for s in sections)
    assert all(t.shape == (64, pieces[0].table.shape[1]) for t in first.tables)
    assert all(score.bars == 4 and score.key == "C major" for score in first.scores)
    whole_batch = written(replace(SETTINGS, batch=4))
    assert all((a == b).all() for a, b in zip(first.tables, whole_batch.tables, strict=True))
    other = written(replace(SETTINGS, seed=1))
    assert any((a != b).any() for a, b in zip(first.tables, other.tables, strict=True))
    bold = written(replace(SETTINGS, sampling=SamplingConfig(rest_bias=4.0)))
    count = [sum(len(s.notes("lead")) for s in corpus.scores) for corpus in (first, bold)]
    assert count[1] > count[0], "the sampling that was asked for is the one that is used"


def test_every_table_has_every_composer_and_prints(pieces, tiny, capsys):
    report = compare({"lstm": tiny, "again": tiny}, pieces, VOCABULARY, SCALES, SETTINGS, no_hook)
    json.dumps(finite(report), allow_nan=False)
    assert set(report["seconds"]) == {"lstm", "again"}
    row = report["nats"]["lstm, test, z from the section"]
    assert set(row) == {*HEADS, "total"}
    assert row == report["nats"]["again, test, z from the section"]
    assert report["nats"]["bigram, test"]["total"] < row["total"], "it has learned nothing yet"
    names = {"lstm", "again", BIGRAM}
    assert set(report["overlap"]) == names | {OTHER_SONGS}
    for entry in report["statistics"]:
        assert set(entry["corpora"]) <= names | {OTHER_SONGS}
    by_name = {entry["statistic"]: entry for entry in report["statistics"]}
    assert set(by_name["self-similarity of bars, drums"]["corpora"]) >= {BIGRAM, OTHER_SONGS}
    for entry in report["novelty"]:
        assert set(entry["corpora"]) == names
        assert entry["humans"]["held-out songs"]["clips"] == 4
    print_composers(report)
    out = capsys.readouterr().out
    for heading in ("nats a step", "self-similarity of bars", "overlap with held-out songs", "eight beats"):
        assert heading in out


def test_without_a_held_out_song_there_is_nothing_to_compare(pieces, tiny):
    with pytest.raises(RequestError, match="no held-out song"):
        compare({"lstm": tiny}, pieces[:3], VOCABULARY, SCALES, SETTINGS, no_hook)


def test_composers_are_found_by_their_file_names(tmp_path):
    for name in ("composer_lstm", "composer_wavenet", "listener"):
        (tmp_path / f"{name}.safetensors").touch()
    assert list(shipped_composers(tmp_path)) == ["lstm", "wavenet"]
    assert named_file("no attention=a=b.safetensors")[0] == "no attention"
