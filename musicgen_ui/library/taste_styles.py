"""Styles to listen to: from everywhere, near one that is liked, and a tour for somebody of whom nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from musicgen_ui.music.instruments import CHOICES
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import AUTO, GENRES, SLIDERS, PartSetting, Style

MARGIN = 0.05
"""Share of a slider's range at either end that is left out: the very ends are for people who ask for them."""

BLENDED, ANY_GENRE = 0.25, 0.05
WALTZ = 0.12
CHOSEN_INSTRUMENT = 0.5
WITHOUT_DRUMS = 0.12

SPREAD = 0.12
"""Standard deviation, in shares of the range, by which a slider moves when a style is varied."""

TYPICAL: dict[str, tuple[float, ...]] = {
    # tempo, mood, energy, density, syncopation, complexity, brightness, space
    "pop": (112, 0.8, 0.55, 0.5, 0.45, 0.35, 0.6, 0.25),
    "rock": (138, 0.3, 0.9, 0.6, 0.35, 0.3, 0.7, 0.3),
    "jazz": (124, 0.45, 0.4, 0.6, 0.7, 0.9, 0.35, 0.4),
    "blues": (86, 0.45, 0.5, 0.4, 0.6, 0.5, 0.4, 0.3),
    "latin": (128, 0.6, 0.45, 0.5, 0.8, 0.7, 0.5, 0.3),
    "folk": (94, 0.65, 0.2, 0.4, 0.2, 0.15, 0.55, 0.15),
    "country": (132, 0.9, 0.6, 0.65, 0.25, 0.2, 0.7, 0.15),
    "funk": (106, 0.45, 0.8, 0.8, 0.9, 0.5, 0.75, 0.1),
    "dance": (156, 0.75, 0.45, 0.35, 0.1, 0.35, 0.5, 0.6),
    "classical": (80, 0.7, 0.25, 0.45, 0.15, 0.65, 0.45, 0.8),
    "game": (160, 0.1, 0.9, 0.8, 0.5, 0.6, 0.85, 0.2),
}
"""Where each genre is at home, in the order of SLIDERS: the stops of the tour."""

TOUR = ("jazz", "pop", "classical", "funk", "folk", "game", "latin", "rock", "blues", "dance", "country")
"""The order of the tour: neighbours differ much."""


def from_everywhere(generator: np.random.Generator) -> Style:
    """A style that may be anything: every slider even over its range, any genre, band and metre."""
    values = {}
    for key, slider in SLIDERS.items():
        share = generator.uniform(MARGIN, 1.0 - MARGIN)
        values[key] = _value(key, slider.low + share * (slider.high - slider.low))
    metre = "3/4" if generator.random() < WALTZ else "4/4"
    return Style(**values, genre=_any_genre(generator), metre=metre, parts=_any_band(generator))


def near(style: Style, generator: np.random.Generator, *, spread: float = SPREAD) -> Style:
    """A style like another one: every slider moves a little; now and then an instrument or the genre changes.

    Args:
        style: where it starts.
        generator: of what is drawn.
        spread: standard deviation of the sliders' moves, in shares of their ranges.
    """
    values = {}
    for key, slider in SLIDERS.items():
        moved = getattr(style, key) + spread * (slider.high - slider.low) * generator.standard_normal()
        values[key] = _value(key, moved)
    parts = dict(style.parts)
    if generator.random() < CHOSEN_INSTRUMENT:
        part = PARTS[int(generator.integers(len(PARTS)))]
        parts[part] = replace(parts[part], instrument=_instrument(part, generator))
    genre = _any_genre(generator) if generator.random() < BLENDED else style.genre
    return style.with_values(**values, parts=parts, genre=genre, key=AUTO)


def crossed(first: Style, second: Style, generator: np.random.Generator) -> Style:
    """A child of two styles: every slider lies between theirs, genre, metre and each instrument are one parent's."""
    mix = {key: generator.random() for key in SLIDERS}
    values = {
        key: _value(key, (1.0 - share) * getattr(first, key) + share * getattr(second, key))
        for key, share in mix.items()
    }
    one, band, metre = (first if generator.random() < 0.5 else second for _ in range(3))
    return band.with_values(**values, genre=one.genre, metre=metre.metre, key=AUTO)


def tour_stop(number: int, generator: np.random.Generator, stops: Sequence[Style] = ()) -> Style:
    """The style at a stop of the tour, a little varied so that no two tours are the same.

    Args:
        number: 0, 1, …; the tour begins anew after its last stop.
        generator: of the variation.
        stops: complete styles to visit; without any, every genre where it is at home.
    """
    if stops:
        return near_in_sliders(stops[number % len(stops)], generator)
    genre = TOUR[number % len(TOUR)]
    values = dict(zip(SLIDERS, TYPICAL[genre], strict=True))
    return near_in_sliders(Style(**values, genre={genre: 1.0}), generator)


def near_in_sliders(style: Style, generator: np.random.Generator, *, spread: float = SPREAD / 2) -> Style:
    """The same genre and band with the sliders moved a little."""
    values = {
        key: _value(key, getattr(style, key) + spread * (slider.high - slider.low) * generator.standard_normal())
        for key, slider in SLIDERS.items()
    }
    return style.with_values(**values)


def _value(key: str, value: float) -> float:
    """Within the slider's range and on its steps, so that a recipe shows no digits that nobody can set."""
    slider = SLIDERS[key]
    return round(min(max(float(value), slider.low), slider.high), 0 if slider.step >= 1 else 2)


def _any_genre(generator: np.random.Generator) -> dict[str, float]:
    first, second = (GENRES[int(i)] for i in generator.choice(len(GENRES), 2, replace=False))
    kind = generator.random()
    if kind < ANY_GENRE:
        return {}
    share = round(float(generator.uniform(0.5, 0.8)), 2) if kind < ANY_GENRE + BLENDED else 1.0
    return {first: share, second: 1.0 - share}


def _any_band(generator: np.random.Generator) -> dict[str, PartSetting]:
    band = {}
    for part in PARTS:
        chosen = _instrument(part, generator)
        band[part] = PartSetting(instrument=chosen if generator.random() < CHOSEN_INSTRUMENT else AUTO)
    if generator.random() < WITHOUT_DRUMS:
        band["drums"] = PartSetting(on=False)
    return band


def _instrument(part: str, generator: np.random.Generator) -> str:
    return CHOICES[part][int(generator.integers(len(CHOICES[part])))]
