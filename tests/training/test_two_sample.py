from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from musicgen_ui.training import two_sample as ts

SECONDS = 4
STEMS = 16


def coloured(rng, colour):
    """Four seconds of noise with a spectrum that falls with ``colour``."""
    spectrum = np.fft.rfft(rng.standard_normal(SECONDS * 44_100))
    return np.fft.irfft(spectrum / (1.0 + np.arange(spectrum.size)) ** colour).astype(np.float32)


@pytest.fixture(scope="module")
def stems():
    """Windows of stems, each of another colour."""
    rng = np.random.default_rng(3)
    return [ts.windows(coloured(rng, 0.3 + 0.04 * k), np.arange(SECONDS)) for k in range(STEMS)]


@pytest.fixture(scope="module")
def others():
    """Windows of other stems of the same colours."""
    rng = np.random.default_rng(4)
    return [ts.windows(coloured(rng, 0.3 + 0.04 * k), np.arange(SECONDS)) for k in range(STEMS)]


@pytest.fixture(scope="module")
def dull():
    """Windows of stems that each have lost some treble."""
    rng = np.random.default_rng(5)
    return [ts.windows(coloured(rng, 0.75 + 0.04 * k), np.arange(SECONDS)) for k in range(STEMS)]


def test_auc_agrees_with_scikit_learn(rng):
    labels = rng.integers(0, 2, 200)
    scores = np.round(labels + rng.standard_normal(200), 1)  # with ties
    assert ts.auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))
    assert np.isnan(ts.auc(scores[:2], np.ones(2)))


def test_the_same_distribution_cannot_be_told_apart(stems, others):
    found = ts.tell_apart(stems, others, range(STEMS))
    assert all(0.3 < area < 0.7 for area in found["all"].values())
    assert found["interval"][0] <= found["auc"] <= found["interval"][1]


def test_halves_of_one_side_cannot_be_told_apart(stems):
    left, right = ts.random_halves(stems)
    assert [len(a) + len(b) for a, b in zip(left, right, strict=True)] == [SECONDS] * STEMS
    assert 0.25 < ts.tell_apart(left, right, range(STEMS))["auc"] < 0.75


def test_what_differs_is_told_apart(stems, dull, rng):
    found = ts.tell_apart(stems, dull, range(STEMS))
    assert found["auc"] > 0.8
    noise = [ts.windows(rng.standard_normal(SECONDS * 44_100).astype(np.float32), np.arange(SECONDS)) for _ in stems]
    found = ts.tell_apart(stems, noise, range(STEMS))
    assert all(area > 0.95 for area in found["all"].values())
    assert found["stems auc"] > 0.95


def test_results_repeat(stems, dull):
    assert ts.tell_apart(stems, dull, range(STEMS), seed=1) == ts.tell_apart(stems, dull, range(STEMS), seed=1)


def test_no_group_is_in_training_and_test_at_once(stems, others, monkeypatch):
    groups = [k // 2 for k in range(STEMS)]
    marked = [[np.full_like(w, g) for w, g in zip(side, groups, strict=True)] for side in (stems, others)]
    shared = []

    def spy(train, labels, test):
        shared.append(set(train[:, 0]) & set(test[:, 0]))
        return np.zeros(len(test))

    monkeypatch.setattr(ts, "CLASSIFIERS", {"spy": spy})
    found = ts.tell_apart(*marked, groups)
    assert shared == [set()] * ts.FOLDS
    assert found["auc"] == 0.5


def test_one_group_is_not_enough(stems):
    with pytest.raises(ValueError, match="two groups"):
        ts.tell_apart(stems, stems, [0] * STEMS)


def test_neither_gain_nor_file_format_gives_the_answer(rng):
    samples = coloured(rng, 0.5)
    plain = ts.windows(samples, np.arange(SECONDS))
    assert ts.windows(0.01 * samples, np.arange(SECONDS)) == pytest.approx(plain, abs=1e-2)
    assert ts.windows(ts.quantised(samples), np.arange(SECONDS)) == pytest.approx(plain, abs=1e-2)


def test_silent_windows_are_not_judged(rng):
    samples = coloured(rng, 0.5)
    samples[44_032 : 2 * 44_032] = 0.0
    assert list(ts.audible(samples)) == [0, 2, 3]
    assert not ts.audible(np.zeros(90_000, dtype=np.float32)).size
