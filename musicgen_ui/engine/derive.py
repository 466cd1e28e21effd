"""Recipes of what is made from clips: something like one, something between two, one with another sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from musicgen_ui.errors import RequestError
from musicgen_ui.music.form import FREE
from musicgen_ui.music.score import PARTS
from musicgen_ui.recipe import LIMITS, TIMBRE_SYNTHS, Recipe, checked_integer
from musicgen_ui.source import Source
from musicgen_ui.style import EFFECTS, SLIDERS, PartSetting, Style, checked_number
from musicgen_ui.timbre import Timbre, TimbrePoint

SOUND = ("brightness", "space", *EFFECTS, "genre", "parts")
"""What of a style a performance may change; the genre chooses the band."""

QUICK_TAKES = 2
"""Scores that are written for a quick look."""


def varied(recipe: Recipe, amount: float, seed: int, **style: Any) -> Recipe:
    """Something like a clip.

    Args:
        recipe: of the clip.
        amount: 0 (the very notes) to 1 (another clip of the same tempo, metre, key, length and form).
        seed: of what is new.
        style: fields of the Style to change; they count as far as the notes are new. ``parts`` may leave out parts and
            settings that stay.

    Raises:
        RequestError: a value is bad, or the clip comes at the end of too long a chain.
    """
    amount = checked_number("amount", amount, 0.0, 1.0)
    source = Source("vary", recipe=recipe, amount=amount)
    return replace(recipe, source=source, seed=seed, style=_with(recipe.style, style), checkpoints={})


def morphed(a: Recipe, b: Recipe, mix: float, bars: int | None = None) -> Recipe:
    """Something between two clips. Metre, key, length, ending, instruments and engines are those of the nearer one.

    Args:
        a: of the clip at the near end.
        b: of the clip at the far end.
        mix: 0 (the notes of ``a``) to 1 (those of ``b``); in the middle ``b`` counts as the nearer one.
        bars: at most so many, for a quick look: fewer takes, no rounds, no end. None for the nearer clip's length.

    Raises:
        RequestError: a value is bad, or a clip comes at the end of too long a chain.
    """
    mix = checked_number("mix", mix, 0.0, 1.0)
    near = a if mix < 0.5 else b
    whole = min(length(near) or LIMITS["bars"][1], LIMITS["bars"][1])
    shorter = bars is not None and checked_integer("bars", bars, *LIMITS["bars"]) < whole
    return replace(
        near,
        style=_between(a.style, b.style, mix),
        seed=a.seed,
        bars=int(bars) if shorter else whole,
        takes=min(near.takes, QUICK_TAKES) if shorter else near.takes,
        rounds=0 if shorter else near.rounds,
        form=FREE,
        intro=False,
        ending="open" if shorter and near.ending == "close" else near.ending,
        source=Source("morph", recipe=a, other=b, mix=mix),
        timbre=_timbre(a, b, mix) if near.synth in TIMBRE_SYNTHS else near.timbre,
        checkpoints={},
    )


def performed(recipe: Recipe, *, synth: str | None = None, timbre: Timbre | None = None, **style: Any) -> Recipe:
    """The same notes with another sound.

    Args:
        recipe: of the clip.
        synth: who plays; None for who did.
        timbre: what the neural synthesizer's instruments sound like; None for what they did.
        style: fields of the Style to change, those of SOUND. ``parts`` may leave out parts and settings that stay.

    Raises:
        RequestError: a value is bad, would change notes, or the clip comes at the end of too long a chain.
    """
    asked = _with(recipe.style, style)
    for name in style:
        if name not in SOUND and getattr(asked, name) != getattr(recipe.style, name):
            raise RequestError(name, "is in the notes, which a performance keeps; vary the clip instead")
    # A performance of a performance is one of the notes themselves.
    again = recipe.source is not None and recipe.source.action == "perform"
    source = recipe.source if again else Source("perform", recipe=recipe)
    synth = recipe.synth if synth is None else synth
    if timbre is None:
        timbre = recipe.timbre if synth in TIMBRE_SYNTHS else Timbre()
    return replace(recipe, source=source, style=asked, synth=synth, timbre=timbre, checkpoints={})


def length(recipe: Recipe) -> int | None:
    """How many bars a recipe's clip has; None where only a MIDI file knows."""
    source = recipe.source
    if source is None:
        return recipe.bars
    if source.action == "morph":
        near = length(source.nearer)
        return recipe.bars if near is None else min(recipe.bars, near)
    before = None if source.recipe is None else length(source.recipe)
    return before + recipe.bars if source.action == "continue" and before is not None else before


def _with(style: Style, values: Mapping[str, Any]) -> Style:
    """The style with some fields changed, and of its parts only what is named."""
    parts = values.get("parts")
    if not isinstance(parts, Mapping):
        return style.with_values(**values)
    settings = {part: asdict(setting) for part, setting in style.parts.items()}
    for part, setting in parts.items():
        if isinstance(setting, PartSetting):
            setting = asdict(setting)
        settings[part] = {**settings.get(part, {}), **setting} if isinstance(setting, Mapping) else setting
    return style.with_values(**{**values, "parts": settings})


def _between(a: Style, b: Style, mix: float) -> Style:
    near = a if mix < 0.5 else b
    if mix in (0, 1):
        return near
    numbers = {name: _mixed(getattr(a, name), getattr(b, name), mix) for name in SLIDERS | EFFECTS}
    genre = {name: _mixed(a.genre.get(name, 0.0), b.genre.get(name, 0.0), mix) for name in a.genre | b.genre}
    parts = {}
    for part in PARTS:
        ends = a.parts[part], b.parts[part]
        nearer = near.parts[part] if ends[0].on == ends[1].on else next(end for end in ends if end.on)
        parts[part] = replace(nearer, level=_mixed(ends[0].level, ends[1].level, mix))
    # A blend with "any" would be all of the other at once.
    return near.with_values(**numbers, genre=genre if a.genre and b.genre else near.genre, parts=parts)


def _mixed(a: float, b: float, mix: float) -> float:
    return a if a == b else round((1 - mix) * a + mix * b, 4)


def _timbre(a: Recipe, b: Recipe, mix: float) -> Timbre:
    """The neural synthesizer's timbre between those of two clips."""
    near = a if mix < 0.5 else b
    if mix in (0, 1) or a.timbre == b.timbre or not {a.synth, b.synth} <= set(TIMBRE_SYNTHS):
        return near.timbre
    if (a.timbre.a, a.timbre.b, a.timbre.parts) == (b.timbre.a, b.timbre.b, b.timbre.parts):
        return replace(a.timbre, morph=_mixed(a.timbre.morph, b.timbre.morph, mix))
    parts = tuple(p for p in PARTS if any(p in t.parts and not t.is_own for t in (a.timbre, b.timbre)))
    return Timbre(_point(a.timbre), _point(b.timbre), mix, parts)


def _point(timbre: Timbre) -> TimbrePoint:
    """The nearer point of a timbre that is itself between two."""
    if timbre.is_own:
        return TimbrePoint()
    return timbre.a if timbre.morph < 0.5 else timbre.b
