"""How well a taste is learned from few likes: simulated people judge real clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from musicgen_ui.library.taste_model import TasteModel
from musicgen_ui.library.taste_people import KINDS, Truth, simulated_person

SIZES = (5, 10, 30, 100)
"""Likes and dislikes after which it is asked how well the taste is known."""

LEARNERS = ("taste", "most popular", "nearest neighbour", "random")
NEIGHBOURS = 5
TESTED = 0.3
"""Share of the clips that nobody learns from."""


def auc(liked: np.ndarray, score: np.ndarray) -> float:
    """Chance that a liked clip scores above one that is not; ties count half (Mann and Whitney 1947)."""
    liked = np.asarray(liked, dtype=bool)
    pairs = liked.sum() * (~liked).sum()
    if not pairs:
        return float("nan")
    return float((rankdata(score)[liked].sum() - liked.sum() * (liked.sum() + 1) / 2) / pairs)


def learn_and_judge(features: np.ndarray, said: np.ndarray, unheard: np.ndarray) -> np.ndarray:
    """(m,) how much clips (m, SIZE) should be liked by somebody who said that of clips (n, SIZE)."""
    return TasteModel.fit(features, said, np.ones(len(said))).score(unheard)[0]


def neighbours_judge(features: np.ndarray, said: np.ndarray, unheard: np.ndarray) -> np.ndarray:
    """(m,) share of the likes among the nearest clips that were judged."""
    distance = np.square(unheard[:, None] - features[None]).sum(axis=2)
    near = np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
    return said[near].mean(axis=1) - 1e-6 * np.take_along_axis(distance, near, axis=1).mean(axis=1)


def measure_learning(
    clips: Sequence[Mapping[str, Any]], *, people: int, seed: int = 0, hook: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Held-out AUC of what each learner expects, against what the person really likes.

    Args:
        clips: rows of :meth:`Truth.of`.
        people: of each kind; the others' likes are what is popular.
        seed: of the people and of what they judge.
        hook: called once for each person.

    Returns:
        learner to size to ``mean``, ``low`` and ``high`` (10th and 90th percentile over people) and ``kinds``.
    """
    truth = Truth.of(clips)
    crowd = [
        simulated_person(kind, truth, np.random.default_rng([seed, number, 0x9E]))
        for number, kind in enumerate(kind for kind in KINDS for _ in range(people))
    ]
    likes = np.array([person.likes(truth) for person in crowd])
    sizes = [size for size in SIZES if size <= (1.0 - TESTED) * len(clips)]
    found: dict[str, dict[int, list[tuple[str, float]]]] = {name: {size: [] for size in sizes} for name in LEARNERS}
    for number, person in enumerate(crowd):
        generator = np.random.default_rng([seed, number, 0xA7])
        order = generator.permutation(len(clips))
        test, judged = np.split(order, [int(TESTED * len(clips))])
        said = person.labels(truth, generator).astype(float)
        others = np.delete(likes, number, axis=0).mean(axis=0)[test]
        for size in sizes:
            some = judged[:size]
            seen = truth.features[some], said[some], truth.features[test]
            scores = {
                "taste": learn_and_judge(*seen),
                "most popular": others,
                "nearest neighbour": neighbours_judge(*seen),
                "random": generator.random(len(test)),
            }
            for name, score in scores.items():
                found[name][size].append((person.kind, auc(likes[number][test], score)))
        hook()
    return {name: {str(size): _summary(values) for size, values in by.items()} for name, by in found.items()}


def _summary(values: Sequence[tuple[str, float]]) -> dict[str, Any]:
    every = np.array([value for _, value in values])
    low, high = np.quantile(every, [0.1, 0.9])
    kinds = {kind: round(float(np.mean([v for k, v in values if k == kind])), 4) for kind in KINDS}
    return {"mean": round(float(every.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4),
            "kinds": kinds}  # fmt: skip
