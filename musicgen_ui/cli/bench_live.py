"""How soon a clip is heard while it is made, whether it ever runs dry, and how soon Stop stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from musicgen_ui.recipe import Recipe

if TYPE_CHECKING:
    from musicgen_ui.engine.pipeline import Studio
    from musicgen_ui.engine.preview import Piece

LENGTHS = (8, 16, 32, 64)
"""Bars of which delivery is measured."""

SLOW = ("wavenet",)
"""Synthesizers that take minutes for the longest of them; the stems' own table says how fast they are."""

STOPPED = (16, 64)
"""Bars of which the longest wait for Stop is measured."""

TOGETHER_SECONDS = 0.05
"""Pieces that come so close together count as one delivery."""


@dataclass
class Delivery:
    """What of a clip was there when.

    Attributes:
        clock: seconds.
        steps: seconds since the click, and seconds of music that were there from then on.
    """

    clock: Callable[[], float] = time.perf_counter
    steps: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def hear(self, piece: Piece) -> None:
        """Count a piece."""
        from musicgen_ui.audio.waveform import SAMPLE_RATE

        now = self.clock() - self._began
        there = (piece.begin + piece.samples.shape[1]) / SAMPLE_RATE
        if self.steps and now - self.steps[-1][0] < TOGETHER_SECONDS:
            now = self.steps.pop()[0]
        self.steps.append((now, there))

    @property
    def first(self) -> float:
        """Seconds until the first sound."""
        return self.steps[0][0]

    @property
    def dry(self) -> float:
        """Seconds for which a person who listened from the first sound on heard nothing."""
        late = 0.0
        for (_, there), (now, _) in pairwise(self.steps):
            late += max(0.0, now - (self.first + late + there))
        return late


def measured(studio: Studio, repeats: int) -> dict[str, Any]:
    """The first sound of the default recipe, delivery by length and engine, and the longest wait for Stop."""
    return {
        "first sound": first_sound(studio, repeats),
        "delivered": {
            f"{composer}, {synth}": {
                bars: delivered(studio, Recipe(bars=bars, composer=composer, synth=synth)) for bars in LENGTHS
            }
            for composer in studio.composers
            for synth in studio.synths
            if synth not in SLOW
        },
        "longest wait for stop": {bars: waits(studio, Recipe(bars=bars)) for bars in STOPPED},
    }


def first_sound(studio: Studio, repeats: int) -> dict[str, float]:
    """Seconds from the call to the first piece of sound, over several seeds."""
    firsts = [deliver(studio, Recipe(seed=seed)).first for seed in range(repeats)]
    return {"median": median(firsts), "slowest": max(firsts)}


def delivered(studio: Studio, recipe: Recipe) -> dict[str, Any]:
    """When how much of a clip was there, and for how long it ran dry."""
    delivery = deliver(studio, recipe)
    return {"steps": [[round(x, 2) for x in step] for step in delivery.steps], "dry": round(delivery.dry, 2)}


def deliver(studio: Studio, recipe: Recipe) -> Delivery:
    """Makes a clip and listens to it meanwhile."""
    delivery = Delivery()
    studio.generate(recipe, preview=delivery.hear)
    return delivery


def waits(studio: Studio, recipe: Recipe) -> dict[str, float]:
    """Longest time between two moments at which the hook could have stopped the work, by stage."""
    longest: dict[str, float] = {}
    last = time.perf_counter()

    def hook(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.perf_counter()
        longest[stage] = max(longest.get(stage, 0.0), now - last)
        last = now

    studio.generate(replace(recipe, seed=1), hook)
    return {stage: round(seconds, 3) for stage, seconds in longest.items()}


def rows(report: dict[str, Any]) -> list[tuple[str, ...]]:
    """Delivery as the rows of a table: engines and bars, first sound, what follows, and how long it ran dry."""
    return [
        (
            f"{engines}, {bars} bars",
            f"{case['steps'][0][0]:.2f}",
            "  ".join(f"{now:.1f}: {there:.0f} s" for now, there in case["steps"]),
            f"{case['dry']:.2f}",
        )
        for engines, lengths in report["delivered"].items()
        for bars, case in lengths.items()
    ]
