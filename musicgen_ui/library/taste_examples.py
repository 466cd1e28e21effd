"""From what a person did to what a taste is learned from: one verdict a clip, with how much it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from musicgen_ui.errors import RequestError
from musicgen_ui.library.taste_features import SIZE, clip_features
from musicgen_ui.style import Style

FULL_PLAY, KEPT, EARLY_SKIP = 0.25, 0.5, 0.35
"""What a clip heard to its end, one that was kept and one that was skipped early count; a like counts 1."""

MOST_PLAYS = 3
"""Plays to the end that count: a clip that runs all night is no better for it."""

WHOLE, EARLY = 0.8, 0.35
"""Share of a clip from which on it was heard to its end, and up to which a skip is early."""

HALF_LIFE_DAYS, HALF_LIFE_VERDICTS = 90.0, 100.0
"""After so long, and after so many later clips, a verdict counts half."""

FAINTEST = 0.06
"""What a verdict counts at least, however old."""

_DAY = 86_400_000.0


class Happening(Protocol):
    """What is read of ``library.events.Event``: times are in milliseconds, ``at`` in seconds."""

    @property
    def clip(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def at(self) -> float | None: ...
    @property
    def traits(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Example:
    """What a person thinks of a clip.

    Attributes:
        clip: its id.
        features: (SIZE,) of it.
        style: what was asked for.
        liked: whether it speaks for the clip.
        weight: how much it counts; 1 is a like of today.
        told: whether the person said so; else it is read off plays and skips.
        time: of the last that was done with it, in milliseconds.
    """

    clip: str
    features: np.ndarray
    style: Style
    liked: bool
    weight: float
    told: bool
    time: int


def examples_of(
    events: Iterable[Happening], now: int, sounds: Mapping[str, Sequence[float]] | None = None
) -> list[Example]:
    """One example for each clip that something can be read off, the latest last.

    Args:
        events: in order of time.
        now: in milliseconds.
        sounds: id of a clip to its :func:`musicgen_ui.library.taste_features.sound_of`, as far as it is known.
    """
    clips: dict[str, list[Happening]] = {}
    for event in events:
        clips.setdefault(event.clip, []).append(event)
    order = sorted(clips, key=lambda clip: clips[clip][-1].time)
    found = []
    for later, clip in enumerate(reversed(order)):
        happened = clips[clip]
        told, verdict = _verdict(happened)
        traits = happened[-1].traits
        if not verdict:
            continue
        try:
            features = clip_features(traits, (sounds or {}).get(clip))
            style = Style.from_dict((traits.get("recipe") or traits).get("style") or {})
        except (RequestError, TypeError, ValueError, AttributeError):
            continue  # another release's clip, or an import that holds none: nothing can be learned of it
        age = max(now - happened[-1].time, 0) / _DAY
        fresh = max(2.0 ** -(age / HALF_LIFE_DAYS + later / HALF_LIFE_VERDICTS), FAINTEST)
        found.append(Example(clip, features, style, verdict > 0, abs(verdict) * fresh, told, happened[-1].time))
    return found[::-1]


def stacked(examples: Sequence[Example]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (n, SIZE), liked (n,) and weight (n,) of examples."""
    features = np.array([e.features for e in examples]).reshape(len(examples), SIZE)
    return features, np.array([float(e.liked) for e in examples]), np.array([e.weight for e in examples])


def _verdict(happened: Sequence[Happening]) -> tuple[bool, float]:
    """Whether the person said it, and -1 to 1: what is thought of a clip; 0 where nothing can be told."""
    said = next((e.kind for e in reversed(happened) if e.kind in ("like", "neutral", "dislike")), "neutral")
    if said != "neutral":
        return True, 1.0 if said == "like" else -1.0
    kept = next((e.kind for e in reversed(happened) if e.kind in ("keep", "unkeep")), "unkeep") == "keep"
    whole = sum(e.kind == "play" and _reached(e) >= WHOLE for e in happened)
    early = sum(e.kind == "skip" and _reached(e) <= EARLY for e in happened)
    weak = KEPT * kept + FULL_PLAY * min(whole, MOST_PLAYS) - EARLY_SKIP * early
    return False, float(np.clip(weak, -0.75, 0.75))


def _reached(event: Happening) -> float:
    """Share of the clip that was heard; 0.5 where that is not known, which says nothing."""
    seconds = event.traits.get("seconds")
    if event.at is None or not isinstance(seconds, (int, float)) or seconds <= 0:
        return 0.5
    return float(event.at / seconds)
