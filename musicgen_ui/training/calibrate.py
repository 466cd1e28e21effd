"""Audio scales of the unit sliders: where a raw measure of the Listener stands among clips of the studio."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.data.pieces import PieceStore
from musicgen_ui.music.measures import measure
from musicgen_ui.scale import KNOTS, UnitScale
from musicgen_ui.style import SLIDERS
from musicgen_ui.training.evaluate_listener import Listen, agreement
from musicgen_ui.training.listener_data import Sources, studio_scores

UNIT_SLIDERS = tuple(key for key, slider in SLIDERS.items() if (slider.low, slider.high) == (0, 1))


@dataclass(frozen=True)
class Calibrated:
    """One clip: its score's measures and what was heard of its sound, raw."""

    score: dict[str, float | None]
    audio: dict[str, float | None]


def hear_clips(
    store: PieceStore,
    sources: Sources,
    listen: Listen,
    *,
    n: int = 300,
    seed: int = 0,
    hook: Callable[[str, int, int], None] | None = None,
) -> list[Calibrated]:
    """Plays what the studio plays, scores of its composers and sections of the training pieces, and listens.

    Brightness and space are set, not learned; they are drawn evenly, so their scales span what the sliders can do.

    Args:
        store: prepared pieces.
        sources: composers and players.
        listen: the Listener; only its raw values are used.
        n: clips.
        seed: of every choice.
        hook: called as hook("calibrate", done, n).
    """
    rng = np.random.default_rng(seed)
    scores = studio_scores(store, sources, rng, bars=(8, 16))
    rows = []
    for number in range(n):
        _, score, style = next(scores)
        heard = listen(*sources.player(rng)(score, style, number))
        rows.append(Calibrated(measure(score), dict(heard.raw)))
        if hook is not None:
            hook("calibrate", number + 1, n)
    return rows


def audio_scales(rows: Sequence[Calibrated], score: Mapping[str, UnitScale]) -> dict[str, UnitScale]:
    """Scales of the raw audio measures, for ``checkpoints/measures.json``.

    A learned slider's audio scale is matched to its score scale: over the clips, the heard values are spread as the
    score's own values are, so that asked and heard are the same quantity. Brightness and space have no score side;
    their sliders were drawn evenly, so plain quantiles match them.

    Args:
        rows: what :func:`hear_clips` returned.
        score: the score side of the scales.

    Raises:
        ValueError: a measure was never heard.
    """
    scales = {}
    for slider in UNIT_SLIDERS:
        pairs = [(row.score.get(slider), row.audio[slider]) for row in rows]
        heard = [audio for _, audio in pairs if audio is not None]
        if not heard:
            raise ValueError(f"{slider} was heard in no clip")
        if slider not in score:
            scales[slider] = UnitScale.fit(heard)
            continue
        matched = [(score[slider].to_unit(raw), audio) for raw, audio in pairs if raw is not None and audio is not None]
        units, audio = (np.array(column) for column in zip(*matched, strict=True))
        share = [(units <= knot).mean() for knot in np.linspace(0, 1, KNOTS)]
        scales[slider] = UnitScale(tuple(float(q) for q in np.quantile(audio, share)))
    return scales


def correlations(rows: Sequence[Calibrated]) -> dict[str, float | None]:
    """Rank correlation of the score's with the audio's measures."""
    return agreement([(row.score, row.audio) for row in rows])
