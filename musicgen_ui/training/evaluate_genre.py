"""Whether genres can be heard: held-out sections, generated clips of one genre, and blends between two.

The classifier has only ever heard pieces of the corpora, so what it calls a generated clip is what the composers
learnt, together with the band that plays. Sections played by one fixed band show how much the notes alone say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from musicgen_ui.audio.genre import blend_distance, named_genre
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import GENRES, Style
from musicgen_ui.training.evaluate import Finished

Hear = Callable[[np.ndarray, int], Mapping[str, float]]
"""Samples (channels, n) and their rate to the probability of every genre; empty where no music is heard."""

PAIRS = (("pop", "jazz"), ("classical", "rock"), ("folk", "funk"), ("country", "game"), ("latin", "classical"))
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Blends that are generated: these shares of the second genre of each pair."""

TEMPI = (80, 150)
"""Between which generated clips lie: so that no genre is told by its tempo."""


@dataclass(frozen=True)
class Guess:
    """A clip's genre, and what was heard.

    Attributes:
        genre: the true one.
        heard: genre to probability; empty where nothing was heard.
    """

    genre: str
    heard: Mapping[str, float]


def pure_recipes(composer: str, synth: str, *, seeds: int, bars: int) -> Iterator[tuple[str, Recipe]]:
    """Each genre with its recipes, the seeds in the outer loop; everything but genre and tempo at its default."""
    for seed in range(seeds):
        for number, genre in enumerate(GENRES):
            style = Style(tempo=_tempo(seed, number), genre={genre: 1.0})
            yield genre, Recipe(style=style, seed=seed, bars=bars, composer=composer, synth=synth)


def blend_recipes(
    pair: tuple[str, str], composer: str, synth: str, *, seeds: int, bars: int
) -> Iterator[tuple[float, Recipe]]:
    """The share of the pair's second genre with its recipe; a seed's recipes differ in nothing else."""
    first, second = pair
    for seed in range(seeds):
        for share in LEVELS:
            style = Style(tempo=_tempo(seed, 0), genre={first: 1.0 - share, second: share})
            yield share, Recipe(style=style, seed=seed, bars=bars, composer=composer, synth=synth)


def _tempo(seed: int, number: int) -> float:
    return float(round(np.random.default_rng([seed, number, 7]).uniform(*TEMPI)))


def confusion(guesses: Sequence[Guess]) -> dict[str, Any]:
    """How often genres are recognised.

    Returns:
        ``clips``; ``top-1`` and ``top-3``: shares of the clips; ``named``: share of which a genre was said, and
        ``right when named``; ``confidence``: mean probability of the most probable, to be compared with ``top-1``;
        ``recall``: genre to its share recognised; ``matrix``: true genre to heard genre to number of clips.
    """
    if not guesses:
        raise ValueError("there are no clips to judge")
    matrix: dict[str, dict[str, int]] = {}
    hits = {"top-1": 0, "top-3": 0, "named": 0, "right when named": 0}
    confidence = []
    for guess in guesses:
        order = sorted(guess.heard, key=lambda name: -guess.heard[name])
        best = order[0] if order else "-"
        row = matrix.setdefault(guess.genre, {})
        row[best] = row.get(best, 0) + 1
        name = named_genre(guess.heard)
        hits["top-1"] += best == guess.genre
        hits["top-3"] += guess.genre in order[:3]
        hits["named"] += name is not None
        hits["right when named"] += name == guess.genre
        confidence.append(guess.heard[best] if order else 0.0)
    count, named = len(guesses), hits["named"]
    return {
        "clips": count,
        **{key: hits[key] / count for key in ("top-1", "top-3", "named")},
        "right when named": hits["right when named"] / named if named else None,
        "confidence": float(np.mean(confidence)),
        "recall": {name: row.get(name, 0) / sum(row.values()) for name, row in matrix.items()},
        "matrix": matrix,
    }


def judge_blend(pair: tuple[str, str], heard: Sequence[tuple[float, Mapping[str, float]]]) -> dict[str, Any]:
    """Whether what is heard moves from the first genre of a pair to the second as the blend does.

    Args:
        pair: two genres.
        heard: share of the second genre in the blend, and probabilities heard of that clip.

    Returns:
        ``share heard``: asked share to the mean of p2 / (p1 + p2); ``both``: mean of p1 + p2; ``spearman``: rank
        correlation of asked and heard share over the clips, ``spearman of means`` over the shares asked;
        ``distance``: mean ``blend_distance``, and ``distance of swapped`` to the blend with its weights swapped.
    """
    first, second = pair
    rows = [(share, p[first], p[second], p) for share, p in heard if p]
    asked = np.array([row[0] for row in rows])
    share = np.array([b / max(a + b, 1e-9) for _, a, b, _ in rows])
    means = {level: float(share[asked == level].mean()) for level in sorted(set(asked.tolist()))}
    return {
        "clips": len(rows),
        "share heard": {f"{level:g}": mean for level, mean in means.items()},
        "both": float(np.mean([a + b for _, a, b, _ in rows])),
        "spearman": _rank_correlation(asked, share),
        "spearman of means": _rank_correlation(list(means), list(means.values())),
        "distance": float(np.mean([blend_distance({first: 1 - s, second: s}, p) for s, _, _, p in rows])),
        "distance of swapped": float(np.mean([blend_distance({first: s, second: 1 - s}, p) for s, _, _, p in rows])),
    }


def _rank_correlation(asked: Sequence[float], heard: Sequence[float]) -> float | None:
    """Spearman's; None where either is all alike."""
    if len(set(map(float, asked))) < 2 or len(set(map(float, heard))) < 2:
        return None
    return float(spearmanr(asked, heard)[0])


def evaluate_pure(
    generate: Callable[[Recipe], Finished], hear: Hear, recipes: Iterable[tuple[str, Recipe]]
) -> dict[str, Any]:
    """Generates clips of one genre and judges what is heard; audio is dropped at once."""
    guesses = []
    for genre, recipe in recipes:
        clip = generate(recipe).clip
        guesses.append(Guess(genre, hear(clip.samples, clip.sample_rate)))
    return confusion(guesses)


def evaluate_blends(
    generate: Callable[[Recipe], Finished],
    hear: Hear,
    pairs: Iterable[tuple[str, str]],
    recipes: Callable[[tuple[str, str]], Iterable[tuple[float, Recipe]]],
) -> dict[str, Any]:
    """Generates blends of each pair and judges how they move: ``first-second`` to :func:`judge_blend`."""
    report = {}
    for pair in pairs:
        heard = []
        for share, recipe in recipes(pair):
            clip = generate(recipe).clip
            heard.append((share, hear(clip.samples, clip.sample_rate)))
        report["-".join(pair)] = judge_blend(pair, heard)
    return report
