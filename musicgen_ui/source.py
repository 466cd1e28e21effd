"""The Source of a clip that was made from other music: a clip of ours or a MIDI file, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS

ACTIONS = ("accompany", "continue", "regenerate", "vary", "morph", "perform")
"""Keep some parts and write the others; go on after the end; write some bars or parts anew; write something like
it; something between two clips; the same notes with another sound."""

MAX_DEPTH = 8
"""How many times a clip may be made from a clip that was made from a clip."""

MAX_CLIPS = 16
"""How many clips a clip may be made from, all told: each morph has two."""

MAX_BARS = 256
MAX_SECONDS = 600.0
"""Length of the longest music that anything is made from or becomes."""

_FIELDS = ("action", "recipe", "midi_sha256", "parts", "bars", "amount", "other", "mix")
_BRANCHES = ("recipe", "other")


class MadeFrom(Protocol):
    """What a Source needs of a recipe."""

    source: Source | None
    checkpoints: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Source:
    """What a clip is made from. Every field is checked on construction.

    Attributes:
        action: one of ACTIONS.
        recipe: of the clip that it is made from, or None. It is composed again by the models of the outer recipe, so
            its own models' hashes are dropped.
        midi_sha256: SHA-256 of a person's MIDI file, which is handed in beside the recipe, or None. Exactly one of
            ``recipe`` and ``midi_sha256`` is set.
        parts: to accompany, the parts that are kept; to regenerate, the parts that are written anew (none: all). In
            the order of PARTS.
        bars: to regenerate, the bars [first, last) that are written anew, counted from 0; None for all.
        amount: to vary, how much: 0 is the same notes, 1 a new clip of the same tempo, key and form; else None.
        other: to morph, the recipe of the clip at the far end; else None.
        mix: to morph, how far it is to ``other``, 0 to 1; else None.

    Raises:
        RequestError: a value is of the wrong type, unknown, out of range, or contradicts the others.
    """

    action: str
    recipe: MadeFrom | None = None
    midi_sha256: str | None = None
    parts: tuple[str, ...] = ()
    bars: tuple[int, int] | None = None
    amount: float | None = None
    other: MadeFrom | None = None
    mix: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.action, str) or self.action not in ACTIONS:
            raise RequestError("source", f"{self.action!r:.40} is not one of {', '.join(ACTIONS)}")
        for branch in _BRANCHES:
            object.__setattr__(self, branch, _checked_recipe(getattr(self, branch)))
        if self.midi_sha256 is not None and (
            not isinstance(self.midi_sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", self.midi_sha256)
        ):
            raise RequestError("source", "the SHA-256 of a MIDI file must be 64 hexadecimal digits")
        if (self.recipe is None) == (self.midi_sha256 is None):
            raise RequestError("source", "must name either the recipe of a clip or the SHA-256 of a MIDI file")
        object.__setattr__(self, "parts", _checked_parts(self.parts))
        object.__setattr__(self, "bars", _checked_bars(self.bars))
        self._check_branches()
        if self.action == "accompany" and not self.parts:
            raise RequestError("source", "name at least one part to keep")
        if self.action == "accompany" and len(self.parts) == len(PARTS):
            raise RequestError("source", "keeps every part, which leaves nothing to write")
        if self.action not in ("accompany", "regenerate") and self.parts:
            raise RequestError("source", f"to {self.action} takes every part; switch parts off in the style")
        if self.action != "regenerate" and self.bars is not None:
            raise RequestError("source", "only regenerating needs the bars that are written anew")
        if self.action == "regenerate" and self.bars is None and len(self.parts) in (0, len(PARTS)):
            raise RequestError("source", "name the bars or the parts to write anew; all of them would be a new clip")

    def _check_branches(self) -> None:
        object.__setattr__(self, "amount", _checked_share(self.amount, "vary", self.action))
        object.__setattr__(self, "mix", _checked_share(self.mix, "morph", self.action))
        if (self.other is not None) != (self.action == "morph"):
            raise RequestError("source", "a morph, and nothing else, needs the recipe of another clip")
        if self.depth > MAX_DEPTH:
            raise _too_deep()
        if self.clips > MAX_CLIPS:
            raise _too_many()
        files = {(origin.midi_sha256, origin.parts) for origin in self._origins() if origin.midi_sha256}
        if len(files) > 1:
            raise RequestError("source", "both clips go back to MIDI files; only one file can be handed in")

    @property
    def branches(self) -> tuple[MadeFrom, ...]:
        """The recipes of the clips that it is made from: none for a MIDI file, two for a morph."""
        return tuple(recipe for recipe in (self.recipe, self.other) if recipe is not None)

    @property
    def nearer(self) -> MadeFrom | None:
        """The recipe that it is made from; to morph, that of the nearer end, of the far one from the middle on."""
        return self.recipe if self.mix is None or self.mix < 0.5 else self.other

    @property
    def keeps_notes(self) -> bool:
        """Whether nothing is left to be written."""
        return self.action == "perform" or self.amount == 0 or self.mix in (0, 1)

    @property
    def depth(self) -> int:
        """1 for a source that is not itself made from anything, 2 for a clip made from such a clip, and so on."""
        return 1 + max((r.source.depth for r in self.branches if r.source is not None), default=0)

    @property
    def clips(self) -> int:
        """How many clips it goes back to, all told."""
        return sum(1 + (0 if r.source is None else r.source.clips) for r in self.branches)

    @property
    def first(self) -> Source:
        """Where it all began: the innermost source, and of those of a morph the one with a MIDI file."""
        origins = tuple(self._origins())
        return next((origin for origin in origins if origin.midi_sha256), origins[0])

    def _origins(self) -> Iterator[Source]:
        """The innermost sources."""
        if self.midi_sha256 is not None:
            yield self
        for recipe in self.branches:
            if recipe.source is None:
                yield self
            else:
                yield from recipe.source._origins()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value without the fields that say nothing."""
        values: dict[str, Any] = {"action": self.action}
        values |= {name: getattr(self, name).to_dict() for name in _BRANCHES if getattr(self, name) is not None}
        if self.midi_sha256 is not None:
            values["midi_sha256"] = self.midi_sha256
        if self.parts:
            values["parts"] = list(self.parts)
        if self.bars is not None:
            values["bars"] = list(self.bars)
        values |= {name: getattr(self, name) for name in ("amount", "mix") if getattr(self, name) is not None}
        return values

    @classmethod
    def from_dict(cls, values: Any, parse: Callable[[Any], MadeFrom]) -> Source:
        """Inverse of :meth:`to_dict`; missing fields take their defaults.

        Args:
            values: what a JSON text held.
            parse: makes a recipe of a JSON value, and may call this function again for the source in it.

        Raises:
            RequestError: not an object, an unknown field, a bad value, or nested too deep; the last is found before
                anything is parsed.
        """
        if not isinstance(values, Mapping):
            raise RequestError("source", "must be an object")
        for name in values:
            if name not in _FIELDS:
                raise RequestError("source", f"has no field {name!r:.40}")
        if "action" not in values:
            raise RequestError("source", f"needs an action, one of {', '.join(ACTIONS)}")
        _check_nesting(values)
        recipes = {name: parse(values[name]) for name in _BRANCHES if values.get(name) is not None}
        return cls(**{**values, **recipes})


def _check_nesting(values: Mapping[str, Any]) -> None:
    waiting, clips = [(values, 1)], 0
    while waiting:
        inner, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _too_deep()
        recipes = [recipe for name in _BRANCHES if isinstance(recipe := inner.get(name), Mapping)]
        clips += len(recipes)
        if clips > MAX_CLIPS:
            raise _too_many()
        waiting += [(source, depth + 1) for r in recipes if isinstance(source := r.get("source"), Mapping)]


def _too_deep() -> RequestError:
    return RequestError("source", f"is nested too deep; at most {MAX_DEPTH} clips can be made one from another")


def _too_many() -> RequestError:
    return RequestError("source", f"goes back to too many clips; at most {MAX_CLIPS} can be in one recipe")


def _checked_recipe(recipe: Any) -> MadeFrom | None:
    if recipe is None:
        return None
    if not is_dataclass(recipe) or not {"source", "checkpoints"} <= {f.name for f in fields(recipe)}:
        raise RequestError("source", "recipe must be the recipe of a clip")
    # The outer recipe says which models are asked; hashes at every level would fill a link.
    return replace(recipe, checkpoints={}) if recipe.checkpoints else recipe


def _checked_share(value: Any, needed_by: str, action: str) -> float | None:
    """How much to ``needed_by``, 0 to 1; None for every other action."""
    if value is None and action != needed_by:
        return None
    if action != needed_by:
        raise RequestError("source", f"only to {needed_by} takes a share from 0 to 1")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        shown = "a huge number" if isinstance(value, int) and abs(value) > 10**30 else f"{value!r:.40}"
        raise RequestError("source", f"how much to {needed_by} must be a number from 0 to 1, not {shown}")
    return float(value)


def _checked_parts(parts: Any) -> tuple[str, ...]:
    if isinstance(parts, str) or not isinstance(parts, Sequence) or len(parts) > len(PARTS):
        raise RequestError("source", f"parts must be a list of {', '.join(PARTS)}")
    for part in parts:
        if part not in PARTS:
            raise RequestError("source", f"{part!r:.40} is not one of {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in parts)


def _checked_bars(bars: Any) -> tuple[int, int] | None:
    if bars is None:
        return None
    if isinstance(bars, str) or not isinstance(bars, Sequence) or len(bars) != 2:
        raise RequestError("source", "bars must be the first one and the one after the last, counted from 0")
    if not all(_is_whole(bar) for bar in bars):
        raise RequestError("source", "bars must be whole numbers")
    first, last = (int(bar) for bar in bars)
    if not 0 <= first < last <= MAX_BARS:
        raise RequestError("source", f"bars must rise and lie from 0 to {MAX_BARS}")
    return first, last


def _is_whole(value: Any) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)
