"""How far a clip is from what was asked: misses, tolerances, and the rank by which takes are compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from musicgen_ui.music.measures import MEASURED
from musicgen_ui.style import SLIDERS

Values = Mapping[str, float | str | None]
"""Slider, ``key`` or ``genre`` to what was asked or heard; None where there is nothing to say."""

NOTES = MEASURED
"""Sliders that need other notes; a score can be measured for them before it is played."""

MIXED = ("brightness", "space")
"""Sliders that the mixer alone can move: the stems stay."""

CORRECTED = (*NOTES, *MIXED)

TOLERANCE: dict[str, float] = {key: 0.04 if key == "tempo" else 0.1 for key in SLIDERS}
"""Largest miss that counts as obeyed: a tenth of a slider's range, and 4 % of the tempo itself."""

BLIND_GUESS = 1 / 3
"""Mean distance of two values drawn evenly from 0 to 1: what a slider that was not heard counts."""

WRONG = 0.5
"""What a wrong key or tempo counts beside the mean miss: more than any slider could win back."""


def misses(asked: Values, heard: Values, sliders: tuple[str, ...] = CORRECTED) -> dict[str, float]:
    """Asked minus heard for each of ``sliders`` that was asked for and could be measured."""
    return {
        key: float(asked[key]) - float(heard[key])
        for key in sliders
        if isinstance(asked.get(key), (int, float)) and isinstance(heard.get(key), (int, float))
    }


def mean_miss(missed: Mapping[str, float]) -> float | None:
    """Mean absolute miss; None when nothing could be measured."""
    return float(np.mean([abs(value) for value in missed.values()])) if missed else None


def compared(asked: Values, heard: Values) -> tuple[str, ...]:
    """Sliders, and the key, that were asked for and heard."""
    return tuple(key for key in (*SLIDERS, "key") if asked.get(key) is not None and heard.get(key) is not None)


def outside(asked: Values, heard: Values) -> tuple[str, ...]:
    """What was heard outside its tolerance: sliders, a tempo that is an octave off too, and another key."""
    wrong = []
    for key in compared(asked, heard):
        if key == "key":
            far = asked[key] != heard[key]
        elif key == "tempo":
            far = abs(heard[key] / asked[key] - 1) > TOLERANCE[key]
        else:
            far = abs(heard[key] - asked[key]) > TOLERANCE[key]
        if far:
            wrong.append(key)
    return tuple(wrong)


def rank(asked: Values, heard: Values) -> float:
    """What takes are compared by: the mean miss, and WRONG for each of tempo and key that is not the one asked for.

    A slider that was asked for and not heard counts as a blind guess would, and an unheard tempo or key as a wrong
    one: without that, a take in which less can be heard would win by silence.
    """
    missed, wrong = misses(asked, heard), outside(asked, heard)
    unheard = len(CORRECTED) - len(missed)
    distance = (sum(abs(value) for value in missed.values()) + BLIND_GUESS * unheard) / len(CORRECTED)
    return distance + WRONG * sum(
        key in wrong or (asked.get(key) is not None and heard.get(key) is None) for key in ("tempo", "key")
    )
