"""Match: the sliders that make more like a recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from musicgen_ui.audio.genre import Impression
from musicgen_ui.engine.listen import SHORTEST_SECONDS, SILENCE_RMS, UNIT_SLIDERS
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import SLIDERS, PartSetting, Style

MOST_GENRES = 3
"""Genres that a blend names at most."""

LEAST_SHARE = 0.15
"""Probability from which on a genre joins the blend."""

SURELY_ABSENT = 0.15
"""Probability that a part plays, below which it is switched off."""

SURELY_WALTZ = 0.6
"""Probability of 3/4 from which on the metre is 3/4; 4/4 is by far the more common."""


class HeardLike(Protocol):
    """What is used of ``engine.listen.Heard``."""

    values: Mapping[str, float | str | None]
    impression: Impression | None


@dataclass(frozen=True)
class Matched:
    """What a recording asks for.

    Attributes:
        style: as heard; what cannot be heard keeps its default.
        unheard: names of the sliders, and ``key``, ``genre``, ``metre`` and ``parts``, that keep their default
            because they could not be told.
        genres: every genre's probability, of which the style's blend keeps the foremost.
    """

    style: Style
    unheard: tuple[str, ...]
    genres: Mapping[str, float]


def match(
    samples: np.ndarray,
    sample_rate: int,
    listen: Callable[[np.ndarray, int], HeardLike],
    *,
    argument: str = "FILE",
) -> Matched:
    """Listens to a recording and sets the sliders as it sounds.

    Args:
        samples: (channels, n) float, finite.
        sample_rate: in Hz.
        listen: the Listener, with a classifier of genres.
        argument: what an error calls the recording.

    Raises:
        RequestError: the recording is silent or too short to be judged.
    """
    samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    if samples.shape[1] < SHORTEST_SECONDS * sample_rate:
        raise RequestError(argument, f"is too short: a style can be heard in {SHORTEST_SECONDS:g} seconds or more")
    if samples.std(axis=1, dtype=np.float64).max() <= SILENCE_RMS:
        raise RequestError(argument, "is silent: there is no style to hear in it")
    heard = listen(samples, sample_rate)
    values, impression = heard.values, heard.impression
    bpm = values["tempo"]
    chosen: dict[str, Any] = {}
    if bpm is not None:
        chosen["tempo"] = round(folded_tempo(float(bpm)), 2)
    for key in (*UNIT_SLIDERS, "key"):
        if values[key] is not None:
            chosen[key] = values[key] if key == "key" else round(float(values[key]), 4)
    unheard = [name for name in (*SLIDERS, "key") if name not in chosen]
    if impression is None:
        return Matched(Style().with_values(**chosen), (*unheard, "genre", "metre", "parts"), {})
    blend = genre_blend(impression.genres)
    chosen["metre"] = "3/4" if impression.waltz >= SURELY_WALTZ else "4/4"
    chosen["parts"] = {part: PartSetting(on=on) for part, on in playing(impression.parts).items()}
    style = Style().with_values(**chosen, genre=blend)
    return Matched(style, (*unheard, *(() if blend else ("genre",))), impression.genres)


def folded_tempo(bpm: float) -> float:
    """The tempo, doubled or halved into the range of the slider."""
    low, high = SLIDERS["tempo"].low, SLIDERS["tempo"].high
    while bpm < low:
        bpm *= 2.0
    while bpm > high:
        bpm /= 2.0
    return bpm


def genre_blend(probabilities: Mapping[str, float]) -> dict[str, float]:
    """The foremost genres with their shares, to a hundredth; empty where no genre stands out."""
    order = sorted(probabilities, key=lambda name: -probabilities[name])[:MOST_GENRES]
    kept = {name: probabilities[name] for name in order if probabilities[name] >= LEAST_SHARE}
    total = sum(kept.values())
    return {name: round(weight / total, 2) for name, weight in kept.items()}


def playing(parts: Mapping[str, float]) -> dict[str, bool]:
    """Part to whether it is on: off where it is surely absent, but never all of them."""
    on = {part: parts[part] >= SURELY_ABSENT for part in PARTS}
    if not any(on.values()):
        on[max(PARTS, key=parts.__getitem__)] = True
    return on
