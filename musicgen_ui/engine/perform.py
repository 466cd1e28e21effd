"""The same notes with another sound: who plays changes, what is played does not."""

from __future__ import annotations

from dataclasses import replace

from musicgen_ui.engine.orchestrate import choose_programs
from musicgen_ui.engine.origin import programs_of
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import Recipe


def performed(score: Score, recipe: Recipe) -> Score:
    """The notes of a score, every one as it is, with the parts and the instruments that a recipe's style asks for.

    Where the recipe's genre is another than that of the clip that it is made from, the genre's band takes over every
    part for which no instrument is named; otherwise such a part keeps its own.

    Args:
        score: what was written.
        recipe: its source is what is performed.

    Raises:
        RequestError: every part that has notes is switched off.
    """
    style = recipe.style
    parts = {part: notes for part, notes in score.parts.items() if style.parts[part].on}
    if not any(parts.values()):
        raise RequestError("parts", "switch on at least one part that has notes")
    before = recipe.source.recipe
    programs = programs_of(score, style, recipe.seed)
    if before is not None and style.genre != before.style.genre:
        programs = choose_programs(style, recipe.seed)
    return replace(score, parts=parts, programs={part: programs[part] for part in parts if part in programs})
