from __future__ import annotations

from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from musicgen_ui.data.ledger import write_lines
from musicgen_ui.data.pieces import PieceInfo, PieceStore, score_arrays, to_row, write_arrays
from musicgen_ui.music.score import PARTS, Note, Score
from musicgen_ui.style import GENRES
from musicgen_ui.training.fit_genre import Table, fit_genre, fit_temperature, hear_labelled, logistic_regression
from musicgen_ui.training.genre_data import FIXED_BAND, GenreSections
from musicgen_ui.training.synthetic import synthetic_score, synthetic_sound


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> PieceStore:
    """Three pop pieces with drums, two of classical music without, one half and half, one of drums alone."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "notes").mkdir()
    blends = [{"pop": 1.0}] * 3 + [{"classical": 1.0}] * 2 + [{"pop": 0.5, "classical": 0.5}, {"pop": 1.0}]
    infos, arrays, at = [], [], 0
    for number, genre in enumerate(blends):
        notes = tuple(Note(float(beat), 60 + beat % 5, 1.0, 90) for beat in range(64))
        parts = PARTS if genre == {"pop": 1.0} else PARTS[:3]
        parts = ("drums",) if number == 6 else parts
        score = Score(120.0, "4/4", 16, dict.fromkeys(parts, notes))
        rows, chords = score_arrays(score)
        facts = (f"own/{number}", "own", "A piece", f"song:{number}", "train", genre, "CC0", 120.0, True, "4/4")
        infos.append(PieceInfo(*facts, 16, None, parts, {"lead": 40, "drums": 99}, (at, len(rows)), (0, 0)))
        arrays.append((rows, chords))
        at += len(rows)
    write_arrays(folder / "notes" / "own.npz", arrays)
    write_lines(folder / "index.jsonl", map(to_row, infos))
    return PieceStore(folder)


def drawn(store, count=200, **options):
    return list(islice(GenreSections(store, "train", **options).draw(np.random.default_rng(0)), count))


def test_genres_take_turns_and_only_pure_pieces_with_pitches_are_drawn(store):
    sections = drawn(store)
    assert [s.genre for s in sections] == ["pop", "classical"] * 100
    assert {s.piece_id for s in sections} == {f"own/{n}" for n in range(5)}
    assert all(s.score.bars == 8 and s.style.genre == {s.genre: 1.0} for s in sections)


def test_drums_do_not_tell_the_genre(store):
    sections = drawn(store)
    shares = [np.mean([bool(s.score.notes("drums")) for s in sections if s.genre == g]) for g in ("pop", "classical")]
    assert shares[0] == pytest.approx(0.8, abs=0.1)
    assert shares[1] == pytest.approx(0.4, abs=0.12)


def test_kits_that_no_soundfont_has_are_not_asked_for(store):
    programs = [s.score.programs for s in drawn(store)]
    assert not any(p.get("drums") == 99 for p in programs)
    shares = [np.mean([len(p) == count for p in programs]) for count in (0, 1, 4)]
    np.testing.assert_allclose(shares, (0.55, 0.3, 0.15), atol=0.1)


def test_a_fixed_band_is_fixed(store):
    sections = drawn(store, 20, fixed_band=True)
    assert all(s.score.programs == FIXED_BAND and s.style.brightness == 0.5 for s in sections)


def test_a_split_without_pieces_is_refused(store):
    with pytest.raises(ValueError, match="test"):
        GenreSections(store, "test")


def test_sections_are_played_and_heard_at_the_tempo_that_the_listener_finds(store):
    played = []

    def play(score, style, seed):
        played.append(score)
        rng = np.random.default_rng(seed)
        return synthetic_sound(synthetic_score(rng, tempo=120.0, key="C major", bars=4), rng), 22_050

    tempi = iter((120.0, None, 120.0))

    def listen(samples, rate):
        return SimpleNamespace(values={"tempo": next(tempi)}, raw={})

    heard = list(hear_labelled(drawn(store, 3), play, listen))
    assert len(played) == 3
    assert [h.labelled.score for h in heard] == [played[0], played[2]]
    table = Table.of(heard)
    assert table.features.shape == (2, len(heard[0].features))
    assert table.others.shape == (2, 5)


def clouds(count: int, seed: int, noise: float = 1.0) -> Table:
    """Points about one centre a genre; the first five features also say who plays."""
    rng = np.random.default_rng(seed)
    genre = np.arange(count) % len(GENRES)
    others = rng.random((count, 5)) < 0.5
    features = noise * rng.standard_normal((count, 20))
    features[np.arange(count), 5 + genre] += 3.0
    features[:, :5] += 4.0 * others
    return Table(features, genre, others)


def test_the_classifier_finds_what_is_there():
    classifier, numbers = fit_genre(clouds(440, 0), clouds(220, 1))
    test = clouds(220, 2)
    heard = [classifier(row) for row in test.features]
    right = np.mean([max(h.genres, key=h.genres.get) == GENRES[g] for h, g in zip(heard, test.genre, strict=True)])
    assert right > 0.8
    assert numbers["accuracy"] == pytest.approx(right, abs=0.1)
    for column, part in enumerate(PARTS):
        said = np.array([h.parts[part] > 0.5 for h in heard])
        assert (said == test.others[:, column]).mean() > 0.9
    said = np.array([h.waltz > 0.5 for h in heard])
    assert (said == test.others[:, 4]).mean() > 0.9


def test_probabilities_are_calibrated():
    classifier, _ = fit_genre(clouds(440, 0, noise=2.0), clouds(440, 1, noise=2.0))
    test = clouds(1100, 2, noise=2.0)
    best = [max(classifier(row).genres.items(), key=lambda item: item[1]) for row in test.features]
    right = np.mean([name == GENRES[g] for (name, _), g in zip(best, test.genre, strict=True)])
    assert np.mean([p for _, p in best]) == pytest.approx(right, abs=0.06)


def test_regression_agrees_with_scikit_learn():
    table = clouds(220, 0)
    weights, bias = logistic_regression(table.features, table.genre, len(GENRES), 0.01)
    # Mean loss + 0.01 w² is, up to a factor, C times the sum of the losses + w² / 2 with C = 1 / (2 * 0.01 * rows).
    other = LogisticRegression(C=1 / (0.02 * 220), max_iter=2000, tol=1e-8).fit(table.features, table.genre)
    np.testing.assert_allclose(weights.T, other.coef_, atol=2e-3)
    np.testing.assert_allclose(bias - bias.mean(), other.intercept_ - other.intercept_.mean(), atol=2e-3)


def test_rare_classes_count_as_much():
    rng = np.random.default_rng(0)
    labels = np.array([0] * 180 + [1] * 20)
    x = rng.standard_normal((200, 1)) + labels[:, None]
    weights, bias = logistic_regression(x, labels, 2, 1e-6)
    border = -(bias[1] - bias[0]) / (weights[0, 1] - weights[0, 0])
    assert border == pytest.approx(0.5, abs=0.25)


def test_temperature():
    rng = np.random.default_rng(0)
    logits = 2.0 * rng.standard_normal((4000, 3))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_temperature(logits, labels) == pytest.approx(1.0, abs=0.1)
    assert fit_temperature(3 * logits, labels) == pytest.approx(3.0, abs=0.3)
