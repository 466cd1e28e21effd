"""How far a score lies from what is wanted: by its sliders, and by whether its key and tempo will be heard."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from musicgen_ui.audio.networks import FeatureNetwork
from musicgen_ui.engine.clarity import tempo_clarity
from musicgen_ui.music.measures import MEASURED, chroma, measure
from musicgen_ui.music.score import Score
from musicgen_ui.music.theory import KEYS, key_correlations
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import Style

CLEAR_KEY = 0.1
"""Lead, in correlation with the key profiles, from which on a key is clear."""

KEY_WEIGHT = 0.5
"""What a key that cannot be heard weighs against the mean miss of the sliders, when takes are compared."""

TEMPO_WEIGHT = 0.5
"""What a beat that would be heard at another tempo weighs, likewise: busy slow music sounds like fast music."""


def slider_errors(score: Score, style: Style, scales: Mapping[str, UnitScale]) -> dict[str, float]:
    """Measured minus asked, by learned slider, in slider units; sliders that cannot be measured are left out."""
    raw = measure(score)
    return {
        key: scales[key].to_unit(value) - getattr(style, key) for key in MEASURED if (value := raw[key]) is not None
    }


def key_doubt(score: Score) -> float:
    """How far the score's notes are from saying its key clearly, 0 to 1.

    0 when the key's profile fits better than every other by CLEAR_KEY, 1 when another fits better by as much.
    """
    correlations = key_correlations(chroma(score))
    own = KEYS.index(score.key)
    margin = correlations[own] - np.delete(correlations, own).max()
    return float(np.clip((CLEAR_KEY - margin) / (2 * CLEAR_KEY), 0.0, 1.0)) if score.pitched else 0.0


def distance(
    score: Score, style: Style, scales: Mapping[str, UnitScale], networks: Mapping[str, FeatureNetwork]
) -> float:
    """How far a take lies from what is wanted: mean miss of the sliders, and whether its key and tempo will be heard.

    Args:
        score: a take, in any key.
        style: what is wanted.
        scales: score side of the slider scales.
        networks: of ``audio.networks.load_networks``.
    """
    errors = slider_errors(score, style, scales)
    if not errors or not any(score.parts.values()):
        return 10.0  # a take that says nothing at all is the furthest
    doubt = KEY_WEIGHT * key_doubt(score) + TEMPO_WEIGHT * (1.0 - tempo_clarity(score, networks))
    return sum(abs(e) for e in errors.values()) / len(errors) + doubt
