"""The public endpoints that make one clip from others, by their recipes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from musicgen_ui.engine.derive import morphed, performed, varied
from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import Recipe
from musicgen_ui.server.services import Services
from musicgen_ui.timbre import Timbre
from musicgen_ui.ui.api import Files, files_of
from musicgen_ui.ui.clip import Order


def api_make_recipe(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/make_recipe``."""

    def make_recipe(recipe: Any, person: Any = "") -> Files:
        """Make the clip of a recipe, or of the code in a share link.

        Args:
            recipe: what clip.json calls so, or {"code": "m1..."}.
            person: as for /generate.

        Returns:
            As /generate.
        """
        yield from files_of(services, lambda: Order(_recipe(recipe)), person)

    return make_recipe


def api_vary(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/vary``."""

    def vary(recipe: Any, amount: Any, seed: Any, person: Any = "") -> Files:
        """Make something like a clip: the same tempo, metre, key and length, the nearer the smaller the amount.

        Args:
            recipe: of the clip, as for /make_recipe.
            amount: 0 (the same notes) to 1 (another clip in this style).
            seed: of what is new.
            person: as for /generate.

        Returns:
            As /generate.
        """
        yield from files_of(services, lambda: Order(varied(_recipe(recipe), amount, seed), origin="vary"), person)

    return vary


def api_morph(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/morph``."""

    def morph(a: Any, b: Any, mix: Any, bars: Any, person: Any = "") -> Files:
        """Make what lies between two clips.

        Args:
            a: recipe of one, as for /make_recipe.
            b: recipe of the other.
            mix: 0 (the one) to 1 (the other).
            bars: at most so many; 0 for the whole length.
            person: as for /generate.

        Returns:
            As /generate.
        """

        def order() -> Order:
            return Order(morphed(_recipe(a), _recipe(b), mix, bars or None), origin="morph")

        yield from files_of(services, order, person)

    return morph


def api_perform(services: Services) -> Callable[..., Files]:
    """The public endpoint ``/perform``."""

    def perform(recipe: Any, style: Any, synth: Any, timbre: Any, person: Any = "") -> Files:
        """Play the very same notes with another sound.

        Args:
            recipe: of the clip, as for /make_recipe.
            style: fields of the style that sound differently: parts (instrument, level, on), genre, brightness, space
                and the effects, such as {"parts": {"lead": {"instrument": "flute"}}, "space": 0.8}.
            synth: who plays: vaegan, wavenet or soundfont; empty for who did.
            timbre: as for /generate; empty for what it was.
            person: as for /generate.

        Returns:
            As /generate.
        """

        def order() -> Order:
            if not isinstance(style, dict):
                raise RequestError("style", "must be an object of slider values")
            sound = Timbre.from_dict(timbre) if timbre else None
            return Order(performed(_recipe(recipe), synth=synth or None, timbre=sound, **style), origin="vary")

        yield from files_of(services, order, person)

    return perform


def _recipe(values: Any) -> Recipe:
    """A recipe from its JSON or its code; which models made it before does not matter."""
    code = values.get("code") if isinstance(values, dict) else None
    return replace(Recipe.from_dict(values) if code is None else Recipe.from_code(code), checkpoints={})
