import itertools

import numpy as np
import pytest

from musicgen_ui.audio.alignment import align


def cheapest(cost):
    """By trying every path: whole rows, steps (1, 1), (1, 2) and (2, 1), the last counted twice."""
    rows, columns = cost.shape
    best = np.full((rows, columns), np.inf)
    best[0] = cost[0]
    for i, j in itertools.product(range(1, rows), range(columns)):
        for di, dj, weight in ((1, 1, 1), (1, 2, 1), (2, 1, 2)):
            if i >= di and j >= dj:
                best[i, j] = min(best[i, j], best[i - di, j - dj] + weight * cost[i, j])
    return best[-1].min() / rows


def test_costs_are_those_of_every_path():
    rng = np.random.default_rng(0)
    for rows, columns in ((2, 5), (6, 9), (7, 7)):
        cost = rng.random((rows, columns))
        assert align(cost).cost == pytest.approx(cheapest(cost))


def test_finds_the_place():
    cost = np.ones((10, 40))
    cost[np.arange(10), np.arange(10) + 17] = 0.0
    path = align(cost)
    assert (path.begin, path.end, path.cost) == (17, 27, 0.0)
    assert path.covered(10) == 1.0
    assert path.mean(cost) == 0.0


def test_a_longer_fragment_is_met_by_the_whole_clip():
    cost = np.ones((40, 10))
    cost[np.arange(10) + 17, np.arange(10)] = 0.0
    path = align(cost)
    assert (path.begin, path.end, path.cost) == (0, 10, 0.0)
    assert path.path[0].tolist() == [17, 0]
    assert path.covered(40) == 0.25


def test_one_frame_has_a_place_too():
    assert align(np.array([[1.0, 0.2, 0.5]])).begin == 1


def test_cosine_costs_are_those_of_librosa():
    librosa = pytest.importorskip("librosa")
    rng = np.random.default_rng(2)
    a, b = rng.random((12, 6)), rng.random((12, 9))
    own = 1.0 - (a / np.linalg.norm(a, axis=0)).T @ (b / np.linalg.norm(b, axis=0))
    theirs = librosa.segment.cross_similarity(a, b, metric="cosine", mode="distance", full=True)
    near = theirs > 0.0  # librosa gives each frame's nearest ones only
    assert near.sum() > 20
    assert own.T[near] == pytest.approx(theirs[near], abs=1e-6)
