from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from musicgen_ui.audio.likeness import GROUPS, SLIDER_NAMES, SOUND_ALONE, Fingerprint, Likeness, key_distance
from musicgen_ui.music.theory import KEYS, transpose_key


def fingerprint(seed: int) -> Fingerprint:
    rng = np.random.default_rng(seed)
    values = {name: float(rng.uniform()) for name in SLIDER_NAMES}
    values |= {"tempo": float(rng.uniform(60, 180)), "key": KEYS[int(rng.integers(24))]}
    genres = dict(zip("abc", rng.dirichlet(np.ones(3)).tolist(), strict=True))
    band = {name: float(rng.uniform()) for name in ("lead", "drums")}
    return Fingerprint(values, genres, band, rng.standard_normal(5))


@pytest.fixture(scope="module")
def collection() -> list[Fingerprint]:
    return [fingerprint(seed) for seed in range(30)]


@pytest.fixture(scope="module")
def likeness(collection) -> Likeness:
    return Likeness.fit(collection)


def test_a_clip_is_nearest_to_itself(collection, likeness):
    for groups in (GROUPS, SOUND_ALONE):
        for clip in collection:
            distances = [likeness.distance(clip, other, groups) for other in collection]
            assert distances[np.argmin(distances)] == 0.0
            assert collection[int(np.argmin(distances))] is clip


def test_every_group_weighs_the_same(collection, likeness):
    for group in GROUPS:
        pairs = [likeness.distance(a, b, (group,)) for a, b in combinations(collection, 2)]
        assert np.mean(pairs) == pytest.approx(1.0)


def test_distances_are_symmetric(collection, likeness):
    a, b = collection[:2]
    assert likeness.distance(a, b) == pytest.approx(likeness.distance(b, a))


def test_what_cannot_be_told_counts_neither_way(collection, likeness):
    a, b = collection[:2]
    deaf = replace(a, genres={}, values=a.values | {"key": None, "tempo": None})
    for group in ("genre", "key", "tempo"):
        assert likeness.distance(deaf, b, (group,)) == 1.0


def test_units_do_not_matter(collection, likeness):
    scaled = [replace(f, colour=100 * f.colour) for f in collection]
    other = Likeness.fit(scaled)
    assert other.distance(scaled[0], scaled[1]) == pytest.approx(likeness.distance(collection[0], collection[1]))


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        ("C major", "C major", 0),
        ("C major", "G major", 1),
        ("C major", "F major", 1),
        ("C major", "A minor", 1),
        ("C major", "C minor", 4),
        ("C major", KEYS[6], 6),
        ("A minor", "E minor", 1),
    ],
)
def test_key_distance(first, second, steps):
    assert key_distance(first, second) == key_distance(second, first) == steps


def test_key_distance_does_not_depend_on_the_tonic():
    moved = {key_distance(transpose_key("C major", n), transpose_key("E minor", n)) for n in range(12)}
    assert moved == {2}


def test_one_clip_is_no_collection(collection):
    with pytest.raises(ValueError, match="two"):
        Likeness.fit(collection[:1])
