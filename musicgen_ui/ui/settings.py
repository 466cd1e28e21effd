"""The page's controls as flat named values, and their two-way mapping to Style and Recipe.

One control has one name: it is the name of the API argument, the ``elem_id`` on the page and the argument that
an error sentence names. Nothing is checked here: Style and Recipe check every value, so that the page, the HTTP
interface and the command line refuse the same things with the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musicgen_ui.music.score import PARTS
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import EFFECTS, GENRES, SLIDERS, Style

STYLE_CONTROLS: tuple[str, ...] = (
    *SLIDERS,
    "key",
    "metre",
    *(f"genre_{name}" for name in GENRES),
    *(f"{part}_{field}" for part in PARTS for field in ("on", "instrument", "level")),
    *EFFECTS,
)
"""Every control that a preset sets."""

RECIPE_CONTROLS: tuple[str, ...] = (*STYLE_CONTROLS, "bars", "seed", "composer", "synth", "takes", "rounds")
"""Every control that reaches the Recipe, in the order of the event's inputs."""


def from_style(style: Style) -> dict[str, Any]:
    """Control values that show ``style``; genre weights as whole percent."""
    values: dict[str, Any] = {name: getattr(style, name) for name in (*SLIDERS, "key", "metre", *EFFECTS)}
    values |= {f"genre_{name}": round(100 * style.genre.get(name, 0.0)) for name in GENRES}
    for part, setting in style.parts.items():
        values |= {f"{part}_on": setting.on, f"{part}_instrument": setting.instrument, f"{part}_level": setting.level}
    return {name: values[name] for name in STYLE_CONTROLS}


def to_style(values: Mapping[str, Any]) -> Style:
    """The Style that the controls show.

    Raises:
        RequestError: a value is bad, from Style's own checks.
    """
    plain = {name: values[name] for name in (*SLIDERS, "key", "metre", *EFFECTS)}
    weights = {name: values[f"genre_{name}"] for name in GENRES}
    # All at zero means "any genre"; a weight that is no number must still reach Style's check.
    genre = {name: weight for name, weight in weights.items() if weight != 0}
    parts = {
        part: {"on": values[f"{part}_on"], "level": values[f"{part}_level"], "instrument": values[f"{part}_instrument"]}
        for part in PARTS
    }
    return Style(**plain, genre=genre, parts=parts)


def to_recipe(values: Mapping[str, Any]) -> Recipe:
    """The Recipe that the controls ask for.

    Args:
        values: control name to raw value, as the browser or any HTTP client sent it.

    Raises:
        RequestError: a value is bad.
    """
    return Recipe(
        style=to_style(values),
        seed=values["seed"],
        bars=values["bars"],
        composer=values["composer"],
        synth=values["synth"],
        takes=values["takes"],
        rounds=values["rounds"],
    )
