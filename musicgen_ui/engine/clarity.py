"""Whether the tempo of a score will be plain to hear, judged before it is played: for choosing among takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from musicgen_ui.audio.networks import FeatureNetwork
from musicgen_ui.audio.score_pulse import score_pulse
from musicgen_ui.audio.tempo import tempo_candidates
from musicgen_ui.music.score import Score

SAME_TEMPO = 0.04
"""Relative difference up to which two tempi are the same."""


def tempo_clarity(score: Score, networks: Mapping[str, FeatureNetwork]) -> float:
    """Probability that a listener who hears the score played tells its tempo, and not half or twice of it.

    Args:
        score: at the tempo in question.
        networks: of ``audio.networks.load_networks``; ``clarity`` is used.

    Returns:
        0 to 1; 0 where nothing happens regularly.
    """
    found = tempo_candidates(score_pulse(score), networks["clarity"])
    near = [c.probability for c in found if abs(np.log(c.bpm / score.tempo)) <= np.log1p(SAME_TEMPO)]
    return float(min(sum(near), 1.0))
