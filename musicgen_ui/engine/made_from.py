"""What a recipe's clip is made from, found or made again."""

from __future__ import annotations

from collections.abc import Callable

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import Recipe

Compose = Callable[[Recipe, Score | None], Score]
"""The score that a studio makes of a recipe; the second argument is a person's score, where the recipe needs one."""

Base = Score | tuple[Score, Score]
"""What a clip is made from: a score, or those at either end of a morph."""


def source_score(compose: Compose, recipe: Recipe, given: Score | None) -> Base:
    """The score that a recipe's clip is made from; to morph, both.

    Args:
        compose: makes the score of the source's own recipe; it may call this function again.
        recipe: its source is not None.
        given: the person's score where the recipe, or one that it is made from, names a MIDI file.

    Raises:
        RequestError: the MIDI file was not handed in.
    """
    source = recipe.source
    if source.recipe is not None:
        score = compose(source.recipe, given)
    elif given is None:
        raise RequestError("source", "the clip is made from a MIDI file, which must be handed in beside its recipe")
    else:
        score = given
    return score if source.other is None else (score, compose(source.other, given))


def sound_seed(recipe: Recipe) -> int:
    """The seed of a clip's sound.

    It is that of the clip which it was first made from, at the nearer end of a morph: a part that is kept sounds as it
    did.
    """
    while recipe.source is not None and recipe.source.nearer is not None:
        recipe = recipe.source.nearer
    return recipe.seed
