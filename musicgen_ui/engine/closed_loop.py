"""The closed loop: hear what came out, lean the condition the other way, and try again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from musicgen_ui.style import SLIDERS, Style

ADJUSTABLE = tuple(key for key, slider in SLIDERS.items() if slider.learned)
"""Sliders that the models only approach, and that a second try can therefore correct."""

GAIN = 0.6
"""Share of the miss that one round corrects: below 1, since the models answer with noise and neighbours move along."""

CLOSE_ENOUGH = 0.02
"""Mean miss at which further rounds would chase the meter's own noise."""


BLIND_GUESS = 1 / 3
"""Mean distance of two values drawn evenly from 0 to 1."""


def misses(asked: Mapping[str, object], heard: Mapping[str, object]) -> dict[str, float]:
    """Asked minus heard for every adjustable slider that could be measured."""
    return {
        key: float(asked[key]) - float(heard[key])
        for key in ADJUSTABLE
        if isinstance(asked.get(key), (int, float)) and isinstance(heard.get(key), (int, float))
    }


def mean_miss(missed: Mapping[str, float]) -> float | None:
    """Mean absolute miss; None when nothing could be measured."""
    return float(np.mean([abs(value) for value in missed.values()])) if missed else None


def rank(missed: Mapping[str, float]) -> float:
    """What takes are compared by: the mean miss, where a slider that was not heard counts as a blind guess would.

    Without that, a take in which less can be heard would win by silence.
    """
    unheard = len(ADJUSTABLE) - len(missed)
    return (sum(abs(value) for value in missed.values()) + BLIND_GUESS * unheard) / len(ADJUSTABLE)


def adjusted(style: Style, missed: Mapping[str, float]) -> Style:
    """The style moved by GAIN times what was missed, within each slider's range."""
    values = {}
    for key, miss in missed.items():
        slider = SLIDERS[key]
        values[key] = round(min(max(getattr(style, key) + GAIN * miss, slider.low), slider.high), 6)
    return style.with_values(**values)


def round_seed(seed: int, number: int) -> int:
    """Seed of round ``number``: the recipe's own for the first, independent ones after it."""
    return seed if number == 0 else int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
