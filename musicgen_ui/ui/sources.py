"""Orders for what is made from other music: from the clip on the page, or from a person's file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import FREE
from musicgen_ui.recipe import LIMITS, Recipe, checked_integer
from musicgen_ui.source import MAX_DEPTH, Source
from musicgen_ui.ui.clip import Made, Order
from musicgen_ui.ui.settings import page_recipe
from musicgen_ui.ui.song import Song

CONTROLS = {"accompany": "keep", "continue": "bars", "regenerate": "bars and parts"}
"""Action to what a person chose for it."""


def made_from(action: str, origin: Recipe | str, *, parts: Any = (), span: Any = None) -> Source:
    """The Source, with errors that name a control instead.

    Args:
        action: as in Source.
        origin: a clip's recipe, or the SHA-256 of a MIDI file.
        parts: as in Source.
        span: its bars.

    Raises:
        RequestError: a value is bad, or the clip comes at the end of too long a chain.
    """
    before = origin if isinstance(origin, Recipe) else None
    if before is not None and before.source is not None and before.source.depth >= MAX_DEPTH:
        raise RequestError("clip", f"was made from a clip {MAX_DEPTH} times over; start anew from its MIDI file")
    try:
        return Source(action, before, None if before else origin, parts or (), span or None)
    except RequestError as error:
        raise RequestError(CONTROLS[action] if error.argument == "source" else error.argument, error.reason) from None


def derived(recipe: Recipe, source: Source, bars: Any = None) -> Recipe:
    """The recipe of what is made from other music: without a form of its own.

    Args:
        recipe: what the new notes are asked for.
        source: the other music.
        bars: how many new ones to continue with; otherwise the other music decides.

    Raises:
        RequestError: ``bars`` is not possible.
    """
    length = {"bars": checked_integer("bars", bars, *LIMITS["bars"])} if source.action == "continue" else {}
    return replace(recipe, source=source, form=FREE, intro=False, **length)


def from_clip(
    made: Any,
    settings: dict[str, Any],
    action: str,
    *,
    bars: Any = None,
    parts: tuple[str, ...] = (),
    span: tuple[int, int] | None = None,
) -> Order:
    """The order for a clip that is made from the one on the page, whose tempo, metre and key stay."""
    if not isinstance(made, Made):
        raise _no_clip()
    source = made_from(action, made.order.recipe, parts=parts, span=span)
    recipe = derived(page_recipe(settings), source, bars)
    # What is only mended ends as it did.
    ending = recipe.ending if action == "continue" else made.order.recipe.ending
    return replace(made.order, recipe=replace(recipe, ending=ending), base=made.score)


def from_page_song(
    song: Any, settings: dict[str, Any], action: str, *, bars: Any = None, parts: tuple[str, ...] = ()
) -> Order:
    """The order for a clip that is made from a person's file."""
    if not isinstance(song, Song):
        raise RequestError("MIDI file", "there is none yet; choose one first")
    return from_song(song, page_recipe(settings), action, bars=bars, parts=parts)


def from_song(song: Song, recipe: Recipe, action: str, *, bars: Any = None, parts: Any = (), span: Any = None) -> Order:
    """The order for what is made from a person's file.

    Args:
        song: the file.
        recipe: what the new notes are asked for.
        action: as in Source.
        bars: how many new ones, to continue with.
        parts: as in Source.
        span: the bars to write anew, as in Source.

    Raises:
        RequestError: a value is bad, or the file has no notes for a part that is to be kept.
    """
    source = made_from(action, song.music.sha256, parts=parts, span=span)
    if action != "accompany":
        return Order(derived(recipe, source, bars), song.title, song.music.score)
    music = song.as_kept(source.parts)
    played = {part: replace(recipe.style.parts[part], on=True) for part in source.parts}
    style = recipe.style.with_values(parts={**recipe.style.parts, **played})
    # A person's music ends as it ends.
    return Order(derived(replace(recipe, style=style, ending="open"), source), song.title, music.score)


def bars_of(made: Any, first: Any, last: Any) -> tuple[int, int] | None:
    """[first, last) counted from 0; None for the whole clip."""
    if not isinstance(made, Made):
        raise _no_clip()
    low = checked_integer("from bar", first, 1, made.score.bars)
    high = checked_integer("to bar", last, low, made.score.bars)
    return None if (low, high) == (1, made.score.bars) else (low - 1, high)


def _no_clip() -> RequestError:
    return RequestError("clip", "there is none here to work on; press Generate first")


def parts_of(values: Any) -> tuple[str, ...]:
    return tuple(values) if isinstance(values, (list, tuple)) else ()
