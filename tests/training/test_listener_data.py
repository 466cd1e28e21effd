from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest

from musicgen_ui.data.pieces import Piece, PieceInfo
from musicgen_ui.music.instruments import KITS
from musicgen_ui.music.measures import measure
from musicgen_ui.music.score import Score
from musicgen_ui.training.calibrate import UNIT_SLIDERS, correlations, hear_clips
from musicgen_ui.training.evaluate_listener import Judged, agreement, refusals, run, summary
from musicgen_ui.training.listener_data import (
    Sources,
    any_style,
    composed_scores,
    draw_sections,
    fitting_examples,
    not_music,
    scrambled,
    without_some_parts,
)
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound


@dataclass
class Songs:
    """A store of synthetic pieces."""

    scores: dict[str, Score]

    def index(self) -> list[PieceInfo]:
        return [
            PieceInfo(
                name, "own", name, name, "test" if number % 3 == 0 else "train", {}, "CC0", score.tempo, True,
                score.metre, score.bars, score.key, tuple(score.parts),
            )
            for number, (name, score) in enumerate(self.scores.items())
        ]  # fmt: skip

    def read(self, piece_id: str) -> Piece:
        return Piece(piece_id, "own", piece_id, piece_id, "train", {}, "CC0", self.scores[piece_id])


@dataclass
class Answer:
    """What a perfect listener would say."""

    values: dict[str, float | str | None]
    raw: dict[str, float | None]


@pytest.fixture
def songs() -> Songs:
    rng = np.random.default_rng(0)
    keys = ("C major", "A minor", "E major", "F minor", "G major", "D minor")
    scores = [synthetic_score(rng, tempo=70.0 + 12 * i, key=key, bars=24) for i, key in enumerate(keys)]
    return Songs({f"song{i}": score for i, score in enumerate(scores)})


def test_sections_have_their_length_a_tempo_in_range_and_instruments(songs):
    for _, score in islice(draw_sections(songs, "train", np.random.default_rng(1), bars=8), 20):
        assert score.bars == 8
        assert 60 <= score.tempo <= 180
        assert set(score.programs) == set(score.parts)
        assert score.programs["drums"] in KITS.values()
        assert max(n.onset for n in score.pitched) < score.beats


def test_sections_stay_in_their_split(songs):
    splits = {info.id: info.split for info in songs.index()}
    for split in ("train", "test"):
        drawn = {name for name, _ in islice(draw_sections(songs, split, np.random.default_rng(2)), 12)}
        assert {splits[name] for name in drawn} == {split}


def test_sections_repeat_with_their_seed(songs):
    first, second = (list(islice(draw_sections(songs, "train", np.random.default_rng(3)), 5)) for _ in range(2))
    assert first == second


def test_a_split_without_such_pieces_is_an_error(songs):
    with pytest.raises(ValueError, match="validation"):
        next(draw_sections(songs, "validation", np.random.default_rng(0)))


def test_at_least_one_part_is_kept(songs):
    rng = np.random.default_rng(4)
    score = songs.scores["song0"]
    kept = [set(without_some_parts(score, rng, chance=0.9).parts) for _ in range(30)]
    assert all(kept)
    assert any(len(parts) < 4 for parts in kept)


def test_scrambling_keeps_the_notes_and_loses_the_grid(songs):
    score = songs.scores["song1"]
    mixed = scrambled(score, np.random.default_rng(5))
    assert sorted(n.pitch for n in mixed.pitched) == sorted(n.pitch for n in score.pitched)
    assert np.mean([n.onset % 0.5 < 1e-9 for n in mixed.pitched]) < 0.01
    assert mixed.key is None


def test_what_is_no_music_is_loud_finite_and_says_so():
    rng = np.random.default_rng(6)
    examples = [not_music(rng) for _ in range(12)]
    assert len({e.piece_id for e in examples}) >= 4
    for example in examples:
        assert np.isfinite(example.samples).all()
        assert np.abs(example.samples).max() == pytest.approx(0.5)
        assert example.samples.size == example.score.samples(example.sample_rate)
        assert not example.rhythmic


def test_fitting_examples_hold_music_and_what_is_none(songs):
    def play(score, style, seed):
        return np.full((2, 100), style.space, np.float32), 44_100

    examples = list(fitting_examples(songs, Sources(play), np.random.default_rng(7), 60))
    assert len(examples) == 60
    assert 3 <= sum(not e.rhythmic for e in examples) <= 20
    assert any(set(e.score.parts) == {"drums"} for e in examples)
    assert all(e.space == pytest.approx(e.samples[0, 0]) for e in examples if e.space is not None)


def test_shares_of_composed_scores_and_of_neural_sound(songs):
    written = []

    def write(style, bars, seed):
        written.append((style, bars))
        return synthetic_score(np.random.default_rng(seed), tempo=style.tempo, key="C major", bars=bars)

    def player(level):
        return lambda score, style, seed: (np.full((2, 100), level, np.float32), 44_100)

    sources = Sources(player(0.1), player(0.2), write, neural_share=0.7, composed_share=0.5)
    examples = [
        e for e in fitting_examples(songs, sources, np.random.default_rng(3), 120) if e.samples.shape[-1] == 100
    ]
    composed = [e for e in examples if e.piece_id == "composed"]
    assert 0.35 < len(composed) / len(examples) < 0.65
    assert 0.55 < np.mean([e.samples[0, 0] > 0.15 for e in examples]) < 0.85
    assert len(written) == len(composed)
    assert {bars for _, bars in written} <= {6, 8, 12}


def test_requests_reach_all_over_the_sliders():
    styles = [any_style(np.random.default_rng(seed)) for seed in range(200)]
    for name in ("mood", "energy", "density", "syncopation", "complexity", "brightness", "space"):
        values = [getattr(style, name) for style in styles]
        assert min(values) < 0.1
        assert max(values) > 0.9
    assert {style.metre for style in styles} == {"3/4", "4/4"}
    assert 0.6 < np.mean([len(style.active_parts) == 4 for style in styles]) < 0.95
    assert len({style.key for style in styles}) == 24


def test_a_composer_that_writes_nothing_is_passed_over():
    def write(style, bars, seed):
        return Score(style.tempo, style.metre, bars, {"lead": ()})

    assert list(composed_scores(write, np.random.default_rng(0), 4, 3)) == []


def perfect(score: Score) -> Answer:
    measured = measure(score)
    return Answer({"tempo": score.tempo, "key": score.key}, measured | {"brightness": 7.0, "space": 0.5})


def test_a_perfect_listener_scores_perfectly_and_an_octave_is_told_apart(songs):
    scores = [s for _, s in islice(draw_sections(songs, "train", np.random.default_rng(8), bars=8), 16)]
    report = summary([Judged(s, perfect(s)) for s in scores])
    assert report["tempo"]["exact"] == 1.0
    assert report["tempo"]["median error (%)"] == 0.0
    assert report["key"]["exact"] == report["key"]["weighted"] == 1.0
    assert report["spearman"]["mood"] == pytest.approx(1.0)
    doubled = [Answer({"tempo": 2 * s.tempo, "key": None}, {}) for s in scores]
    report = summary([Judged(s, d) for s, d in zip(scores, doubled, strict=True)])
    assert report["tempo"]["octave off"] == 1.0
    assert report["key"]["not told"] == 1.0


def test_correlation_needs_ten_clips_that_differ():
    rising = [({"mood": float(i), "density": 1.0}, {"mood": float(i**2), "density": float(i)}) for i in range(12)]
    assert agreement(rising)["mood"] == pytest.approx(1.0)
    assert agreement(rising)["density"] is None
    assert agreement(rising)["energy"] is None
    assert agreement(rising[:9])["mood"] is None


def test_refusals_count_what_was_not_claimed(songs):
    score = songs.scores["song0"]
    names = ("mood", "energy", "density", "syncopation", "complexity")
    silent = Answer({"tempo": None, "key": None}, dict.fromkeys(names))
    report = refusals([Judged(score, silent), Judged(score, perfect(score))])
    assert report == dict.fromkeys(("tempo", "key", *names), 0.5)


def test_run_writes_its_report(songs, tmp_path):
    def play(score, style, seed):
        return synthetic_sound(score, np.random.default_rng(seed), sample_rate=11_025), 11_025

    def deaf(samples, sample_rate):
        return Answer({"tempo": None, "key": None}, dict.fromkeys(UNIT_SLIDERS))

    seen = []
    path = tmp_path / "new" / "listener.json"
    report = run(path, deaf, store=songs, play=play, clips=2, hook=lambda *a: seen.append(a))
    assert path.exists()
    assert report["synthetic"]["tempo"]["not told"] == 1.0
    assert report["no music"]["tempo"] == 1.0
    assert {kind for kind, _, _ in seen} == {"synthetic", "held-out pieces", "no music"}


def test_calibration_hears_what_was_played(songs):
    played = []

    def play(score, style, seed):
        played.append((score, style))
        return np.zeros((2, 10), np.float32), 44_100

    def listen(samples, sample_rate):
        score, style = played[-1]
        return Answer({}, measure(score) | {"brightness": style.brightness, "space": style.space})

    rows = hear_clips(songs, Sources(play), listen, n=15, seed=1)
    assert len(rows) == 15
    assert min(row.audio["space"] for row in rows) < 0.3 < 0.7 < max(row.audio["space"] for row in rows)
    assert correlations(rows)["mood"] == pytest.approx(1.0)
