"""Variations and morphs in numbers: does likeness fall as it is asked to, and are the ends the clips themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from musicgen_ui.music.likeness import bar_likeness, note_likeness
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import Recipe
from musicgen_ui.training.evaluate_form import drawn_styles

AMOUNTS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)

SLACK = 0.005
"""By which a likeness may turn round without being counted as turning."""

Write = Callable[[Recipe], Score]
"""Composes a recipe that has no source."""

Vary = Callable[[Recipe, Score, float], Score]
"""A recipe, its score and the amount to a variation."""

Morph = Callable[[tuple[Recipe, Recipe], tuple[Score, Score], float], Score]
"""Two recipes, their scores and the mix to a morph."""


def drawn_recipes(composer: str, clips: int, *, bars: int, takes: int, seed: int = 0) -> list[Recipe]:
    """Clips in drawn styles."""
    styles = enumerate(drawn_styles(clips, seed))
    return [
        Recipe(style=style, seed=seed + number, bars=bars, composer=composer, takes=takes) for number, style in styles
    ]


def evaluate_variations(
    recipes: Sequence[Recipe], write: Write, vary: Vary, morph: Morph, hook: Callable[[], Any] = lambda: None
) -> dict[str, Any]:
    """The numbers of one composer.

    Args:
        recipes: of clips, at least 2: each is varied, and morphed with the next one, the last with the first.
        write: the composer.
        vary: the same for something like a clip.
        morph: the same for something between two.
        hook: called after each score.

    Returns:
        ``vary`` and ``morph``, see :func:`vary_report` and :func:`morph_report`.
    """

    def told(made: Score) -> Score:
        hook()
        return made

    scores = [told(write(recipe)) for recipe in recipes]
    varied, morphed = [], []
    for number, ends in enumerate(zip(recipes, scores, strict=True)):
        varied.append((ends[1], [told(vary(*ends, amount)) for amount in AMOUNTS]))
        there = (number + 1) % len(recipes)
        pair = (recipes[number], recipes[there]), (scores[number], scores[there])
        morphed.append((*pair[1], [told(morph(*pair, mix)) for mix in MIXES]))
    return {"vary": vary_report(varied), "morph": morph_report(morphed)}


def vary_report(series: Sequence[tuple[Score, Sequence[Score]]]) -> dict[str, Any]:
    """What became of clips.

    Args:
        series: each clip, and its variations by AMOUNTS.

    Returns:
        ``amounts``; ``notes`` and ``bars``, mean likeness at each; ``spearman`` of amount and likeness of notes, mean
        and least over the clips; ``monotone``, the share of clips whose likeness never rises; ``exact``, of those that
        0 leaves as they are; ``frame``, of variations with the clip's tempo, metre, key and length; and ``strangers``,
        how alike different clips are.
    """
    notes = np.array([[note_likeness(clip, made) for made in row] for clip, row in series])
    bars = np.array([[bar_likeness(clip, made) for made in row] for clip, row in series])
    frames = [_frame(clip) == _frame(made) for clip, row in series for made in row]
    strangers = [note_likeness(a, b) for (a, _), (b, _) in pairwise(series)]
    return {
        "clips": len(series),
        "amounts": list(AMOUNTS),
        "notes": _means(notes),
        "bars": _means(bars),
        "spearman": _spearman(AMOUNTS, notes),
        "monotone": _monotone(-notes),
        "exact": float(np.mean([clip.parts == row[0].parts for clip, row in series])),
        "frame": float(np.mean(frames)),
        "strangers": float(np.mean(strangers)) if strangers else None,
    }


def morph_report(series: Sequence[tuple[Score, Score, Sequence[Score]]]) -> dict[str, Any]:
    """What lies between clips.

    Args:
        series: two clips, and the morphs by MIXES.

    Returns:
        ``mixes``; for each end, ``a`` and ``b``, the mean likeness of ``notes`` at each, ``spearman`` of mix and
        likeness and the ``monotone`` share, as :func:`vary_report`; ``exact``, the share of the ends that are the clips
        themselves; and ``strangers``, how alike the two clips are.
    """
    to_a = np.array([[note_likeness(a, made) for made in row] for a, _, row in series])
    to_b = np.array([[note_likeness(b, made) for made in row] for _, b, row in series])
    exact = [(a.parts == row[0].parts, b.parts == row[-1].parts) for a, b, row in series]
    return {
        "pairs": len(series),
        "mixes": list(MIXES),
        "a": {"notes": _means(to_a), "spearman": _spearman(MIXES, to_a), "monotone": _monotone(-to_a)},
        "b": {"notes": _means(to_b), "spearman": _spearman(MIXES, to_b), "monotone": _monotone(to_b)},
        "exact": float(np.mean(exact)),
        "strangers": float(np.mean([note_likeness(a, b) for a, b, _ in series])),
    }


def _frame(score: Score) -> tuple[float, str, str | None, int]:
    return score.tempo, score.metre, score.key, score.bars


def _means(table: np.ndarray) -> list[float]:
    return [float(value) for value in table.mean(axis=0)]


def _spearman(asked: Sequence[float], table: np.ndarray) -> dict[str, float]:
    each = [float(spearmanr(asked, row).statistic) for row in table]
    return {"mean": float(np.mean(each)), "weakest": float(min(each, key=abs))}


def _monotone(table: np.ndarray) -> float:
    """Share of the rows that never fall."""
    return float(np.mean((np.diff(table, axis=1) >= -SLACK).all(axis=1)))
