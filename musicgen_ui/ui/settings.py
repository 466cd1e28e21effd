"""The page's controls as flat named values, and their two-way mapping to Style and Recipe.

One control has one name: it is the name of the API argument, the ``elem_id`` on the page and the argument that
an error sentence names. Nothing is checked here: Style and Recipe check every value, so that the page, the HTTP
interface and the command line refuse the same things with the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS
from musicgen_ui.recipe import TIMBRE_SYNTHS, Recipe
from musicgen_ui.style import EFFECTS, GENRES, SLIDERS, Style
from musicgen_ui.timbre import TIMBRE_PARTS, Timbre, TimbrePoint

STYLE_CONTROLS: tuple[str, ...] = (
    *SLIDERS,
    "key",
    "metre",
    *(f"genre_{name}" for name in GENRES),
    *(f"{part}_{field}" for part in PARTS for field in ("on", "instrument", "level")),
    *EFFECTS,
)
"""Every control that a preset sets."""

FORM_CONTROLS = ("form", "intro", "ending")

RECIPE_CONTROLS: tuple[str, ...] = (
    *(*STYLE_CONTROLS, "bars", "seed", "composer", "synth", "takes", "rounds", "timbre"),
    *FORM_CONTROLS,
)
"""Every argument of ``/generate``, in its order, to which later releases only append; ``timbre`` is a JSON object."""

SLOTS = ("a", "b")
TIMBRE_CONTROLS: tuple[str, ...] = (
    *(f"timbre_{slot}_{field}" for slot in SLOTS for field in ("kind", "seed", "z")),
    "timbre_morph",
    *(f"timbre_{part}" for part in TIMBRE_PARTS),
)
"""The controls on the page that the timbre is made of; a slot keeps seed and recording while another kind is chosen."""

PAGE_CONTROLS: tuple[str, ...] = (*(name for name in RECIPE_CONTROLS if name != "timbre"), *TIMBRE_CONTROLS)
"""Every control of the page that reaches the Recipe, in the order of the event's inputs."""

FIRST_SEEDS = {"a": 123, "b": 456}
"""Seeds of the slots before anything was rolled."""


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


def from_timbre(timbre: Timbre | None = None) -> dict[str, Any]:
    """Control values that show ``timbre``; None for the default."""
    timbre = timbre or Timbre()
    values: dict[str, Any] = {}
    for slot in SLOTS:
        point: TimbrePoint = getattr(timbre, slot)
        values[f"timbre_{slot}_kind"] = point.kind
        values[f"timbre_{slot}_seed"] = point.seed if point.kind == "random" else FIRST_SEEDS[slot]
        values[f"timbre_{slot}_z"] = point.to_dict().get("z", "")
    values["timbre_morph"] = round(100 * timbre.morph, 4)
    values |= {f"timbre_{part}": part in timbre.parts for part in TIMBRE_PARTS}
    return {name: values[name] for name in TIMBRE_CONTROLS}


def slot_point(kind: Any, seed: Any, z: Any) -> TimbrePoint:
    """The point that a slot shows; while it waits for a recording, the instrument's own.

    Raises:
        RequestError: a value is bad.
    """
    if kind == "random":
        return TimbrePoint(kind, seed)
    if kind == "recorded":
        return TimbrePoint.from_dict({"kind": kind, "z": z}) if z else TimbrePoint()
    return TimbrePoint(kind)


def to_timbre(values: Mapping[str, Any]) -> Timbre:
    """The Timbre that the panel shows.

    Raises:
        RequestError: a value is bad, from Timbre's own checks.
    """
    points = (slot_point(*(values[f"timbre_{slot}_{field}"] for field in ("kind", "seed", "z"))) for slot in SLOTS)
    share, ticks = values["timbre_morph"], {part: values[f"timbre_{part}"] for part in TIMBRE_PARTS}
    if not all(isinstance(tick, bool) for tick in ticks.values()):
        raise RequestError("timbre", "a part must be true or false")
    # Percent only where it is a number: the check of Timbre has the words for anything else.
    morph = share / 100 if isinstance(share, (int, float)) and not isinstance(share, bool) else share
    return Timbre(*points, morph, tuple(part for part, tick in ticks.items() if tick))


def from_recipe(recipe: Recipe) -> dict[str, Any]:
    """Values of the page's controls that ask for a recipe; what it was made from has no control."""
    plain = ("bars", "seed", "composer", "synth", "takes", "rounds", *FORM_CONTROLS)
    values = {name: getattr(recipe, name) for name in plain} | from_style(recipe.style) | from_timbre(recipe.timbre)
    return {name: values[name] for name in PAGE_CONTROLS}


def page_recipe(values: Mapping[str, Any]) -> Recipe:
    """The Recipe that the page's controls ask for; a synthesizer with fixed instruments ignores the timbre panel.

    Args:
        values: control name to raw value, for every name in PAGE_CONTROLS.

    Raises:
        RequestError: a value is bad.
    """
    timbre = to_timbre(values) if values["synth"] in TIMBRE_SYNTHS else Timbre()
    return to_recipe({**values, "timbre": timbre.to_dict()})


def to_recipe(values: Mapping[str, Any]) -> Recipe:
    """The Recipe that the controls ask for.

    Args:
        values: name in RECIPE_CONTROLS to raw value, as any HTTP client sent it.

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
        timbre=Timbre.from_dict(values["timbre"]),
        **{name: values[name] for name in FORM_CONTROLS},
    )
