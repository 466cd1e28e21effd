"""The Source of a clip that was made from other music: a clip of ours or a MIDI file, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Protocol

from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS

ACTIONS = ("accompany", "continue", "regenerate")
"""Keep some parts and write the others; go on after the end; write some bars or parts anew."""

MAX_DEPTH = 8
"""How many times a clip may be made from a clip that was made from a clip."""

MAX_BARS = 256
MAX_SECONDS = 600.0
"""Length of the longest music that anything is made from or becomes."""

_FIELDS = ("action", "recipe", "midi_sha256", "parts", "bars")


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

    Raises:
        RequestError: a value is of the wrong type, unknown, out of range, or contradicts the others.
    """

    action: str
    recipe: MadeFrom | None = None
    midi_sha256: str | None = None
    parts: tuple[str, ...] = ()
    bars: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.action, str) or self.action not in ACTIONS:
            raise RequestError("source", f"{self.action!r:.40} is not one of {', '.join(ACTIONS)}")
        object.__setattr__(self, "recipe", _checked_recipe(self.recipe))
        if self.midi_sha256 is not None and (
            not isinstance(self.midi_sha256, str) or not re.fullmatch(r"[0-9a-f]{64}", self.midi_sha256)
        ):
            raise RequestError("source", "the SHA-256 of a MIDI file must be 64 hexadecimal digits")
        if (self.recipe is None) == (self.midi_sha256 is None):
            raise RequestError("source", "must name either the recipe of a clip or the SHA-256 of a MIDI file")
        if self.depth > MAX_DEPTH:
            raise _too_deep()
        object.__setattr__(self, "parts", _checked_parts(self.parts))
        object.__setattr__(self, "bars", _checked_bars(self.bars))
        if self.action == "accompany" and not self.parts:
            raise RequestError("source", "name at least one part to keep")
        if self.action == "accompany" and len(self.parts) == len(PARTS):
            raise RequestError("source", "keeps every part, which leaves nothing to write")
        if self.action == "continue" and self.parts:
            raise RequestError("source", "a continuation goes on with every part; switch parts off in the style")
        if self.action != "regenerate" and self.bars is not None:
            raise RequestError("source", "only regenerating needs the bars that are written anew")
        if self.action == "regenerate" and self.bars is None and len(self.parts) in (0, len(PARTS)):
            raise RequestError("source", "name the bars or the parts to write anew; all of them would be a new clip")

    @property
    def depth(self) -> int:
        """1 for a source that is not itself made from anything, 2 for a clip made from such a clip, and so on."""
        depth, source = 0, self
        while source is not None:
            depth += 1
            source = None if source.recipe is None else source.recipe.source
        return depth

    @property
    def first(self) -> Source:
        """Where it all began: the innermost source."""
        source = self
        while source.recipe is not None and source.recipe.source is not None:
            source = source.recipe.source
        return source

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON value without the fields that say nothing."""
        values: dict[str, Any] = {"action": self.action}
        if self.recipe is not None:
            values["recipe"] = self.recipe.to_dict()
        if self.midi_sha256 is not None:
            values["midi_sha256"] = self.midi_sha256
        if self.parts:
            values["parts"] = list(self.parts)
        if self.bars is not None:
            values["bars"] = list(self.bars)
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
        recipe = values.get("recipe")
        return cls(**{**values, "recipe": None if recipe is None else parse(recipe)})


def _check_nesting(values: Mapping[str, Any]) -> None:
    inner: Any = values
    for _ in range(MAX_DEPTH):
        recipe = inner.get("recipe")
        inner = recipe.get("source") if isinstance(recipe, Mapping) else None
        if not isinstance(inner, Mapping):
            return
    raise _too_deep()


def _too_deep() -> RequestError:
    return RequestError("source", f"is nested too deep; at most {MAX_DEPTH} clips can be made one from another")


def _checked_recipe(recipe: Any) -> MadeFrom | None:
    if recipe is None:
        return None
    if not is_dataclass(recipe) or not {"source", "checkpoints"} <= {f.name for f in fields(recipe)}:
        raise RequestError("source", "recipe must be the recipe of a clip")
    # The outer recipe says which models are asked; hashes at every level would fill a link.
    return replace(recipe, checkpoints={}) if recipe.checkpoints else recipe


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
