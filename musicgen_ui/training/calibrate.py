"""Audio scales of the unit sliders: where a raw measure of the Listener stands among clips of real scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.music.measures import measure
from musicgen_ui.scale import UnitScale
from musicgen_ui.style import SLIDERS, Style
from musicgen_ui.training.evaluate_listener import Listen, Play, agreement
from musicgen_ui.training.listener_data import draw_sections

UNIT_SLIDERS = tuple(key for key, slider in SLIDERS.items() if (slider.low, slider.high) == (0, 1))


@dataclass(frozen=True)
class Calibrated:
    """One section: its score's measures and what was heard of its sound, raw."""

    score: dict[str, float | None]
    audio: dict[str, float | None]


def hear_sections(
    store: PieceStore,
    play: Play,
    listen: Listen,
    *,
    n: int = 300,
    seed: int = 0,
    hook: Callable[[str, int, int], None] | None = None,
) -> list[Calibrated]:
    """Plays sections of 16 bars and three parts or more of the training pieces, and listens.

    Brightness and space are set, not learned, so each section gets random ones: their scales then span what the
    sliders can do. Everything else of the style is neutral.

    Args:
        store: prepared pieces.
        play: synthesizer and mixer.
        listen: the Listener; only its raw values are used.
        n: sections.
        seed: of every choice.
        hook: called as hook("calibrate", done, n).
    """
    rng = np.random.default_rng(seed)
    sections = draw_sections(store, "train", rng, parts=3)
    rows = []
    for number in range(n):
        _, score = next(sections)
        style = Style(tempo=score.tempo, brightness=float(rng.uniform()), space=float(rng.uniform()))
        rows.append(Calibrated(measure(score), dict(listen(*play(score, style, number)).raw)))
        if hook is not None:
            hook("calibrate", number + 1, n)
    return rows


def audio_knots(rows: Sequence[Calibrated]) -> dict[str, list[float]]:
    """Unit slider to the 101 quantiles of its raw audio measure, for ``checkpoints/measures.json``.

    Raises:
        ValueError: a measure was never heard.
    """
    knots = {}
    for slider in UNIT_SLIDERS:
        values = [row.audio[slider] for row in rows if row.audio[slider] is not None]
        if not values:
            raise ValueError(f"{slider} was heard in no clip")
        knots[slider] = list(UnitScale.fit(values).knots)
    return knots


def calibrate(store: PieceStore, play: Play, listen: Listen, *, n: int = 300, seed: int = 0) -> dict[str, list[float]]:
    """:func:`audio_knots` of :func:`hear_sections`."""
    return audio_knots(hear_sections(store, play, listen, n=n, seed=seed))


def correlations(rows: Sequence[Calibrated]) -> dict[str, float | None]:
    """Rank correlation of the score's with the audio's measures."""
    return agreement([(row.score, row.audio) for row in rows])
