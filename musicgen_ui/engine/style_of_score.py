"""The style that a score already has: what to go on with where the person asks for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.style import AUTO, SLIDERS, Style


def style_of_score(score: Score, measured: Mapping[str, float], *, whole: bool = True) -> Style:
    """Tempo, metre, key and measured sliders of a score.

    Args:
        score: somebody's music.
        measured: slider to its value, 0 to 1, as far as it can be told.
        whole: whether all of its parts play; one part alone says little but its mood, and every part is on.
    """
    tempo = SLIDERS["tempo"]
    told = {key: min(max(float(value), 0.0), 1.0) for key, value in measured.items() if whole or key == "mood"}
    style = Style().with_values(
        **told, tempo=min(max(score.tempo, tempo.low), tempo.high), metre=score.metre, key=score.key or AUTO
    )
    if not whole:
        return style
    return style.with_values(parts={p: replace(style.parts[p], on=bool(score.notes(p))) for p in PARTS})
