"""Which clips show how the sliders are obeyed, and the file that keeps what was heard of them.

Two designs. A *sweep* moves one slider over its levels while everything else stays as the seed has it: levels times
seeds clips a slider. *Shared* clips move all sliders at once, every level of every slider equally often and in
independent orders (a Latin hypercube, McKay et al. 1979), so that the same levels times seeds clips serve them all;
what the other sliders did is then taken out by regression.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.errors import RequestError
from musicgen_ui.recipe import Recipe
from musicgen_ui.style import GENRES, SLIDERS, Style

DESIGNS = ("sweep", "shared")

SHARED = "all"
"""Stands for the moved slider where all of them move."""


@dataclass(frozen=True)
class ControlClip:
    """One clip of a design.

    Attributes:
        moved: the slider that moves, or SHARED.
        level: number of its level; 0 in the shared design.
        seed: of everything else.
        recipe: what to make.
    """

    moved: str
    level: int
    seed: int
    recipe: Recipe

    @property
    def id(self) -> str:
        """Tells it from every other clip of the same settings."""
        recipe = self.recipe
        return f"{recipe.composer}/{recipe.synth}/{recipe.takes}/{recipe.rounds}/{self.moved}/{self.level}/{self.seed}"


def level_values(slider: str, levels: int) -> np.ndarray:
    """(levels,) values from end to end of the slider, in its unit."""
    return np.linspace(SLIDERS[slider].low, SLIDERS[slider].high, levels).round(6)


def random_style(seed: int) -> Style:
    """All sliders evenly random, one genre, the key left to mood and seed."""
    rng = np.random.default_rng([seed, 0xC0])
    values = {key: round(float(rng.uniform(slider.low, slider.high)), 3) for key, slider in SLIDERS.items()}
    return Style(**values, genre={GENRES[int(rng.integers(len(GENRES)))]: 1.0})


def control_clips(design: str, recipe: Recipe, sliders: Sequence[str], levels: int, seeds: int) -> list[ControlClip]:
    """The clips of a design.

    Args:
        design: one of DESIGNS.
        recipe: length, engines, takes and rounds; its style and seed are replaced.
        sliders: to sweep; shared clips move all of them.
        levels: of each slider.
        seeds: for each level.
    """
    if design == "sweep":
        return [
            _clip(recipe, random_style(seed).with_values(**{slider: float(value)}), slider, level, seed)
            for slider in sliders
            for seed in range(seeds)
            for level, value in enumerate(level_values(slider, levels))
        ]
    rng = np.random.default_rng(0x5A)
    orders = {slider: rng.permutation(np.repeat(level_values(slider, levels), seeds)) for slider in SLIDERS}
    return [
        _clip(recipe, random_style(i).with_values(**{key: float(o[i]) for key, o in orders.items()}), SHARED, 0, i)
        for i in range(levels * seeds)
    ]


def batches(clips: Sequence[ControlClip], size: int) -> Iterator[list[ControlClip]]:
    """The clips in their order, ``size`` at a time."""
    for first in range(0, len(clips), size):
        yield list(clips[first : first + size])


class ControlRows:
    """A JSON Lines file of what was heard, to which a run that was stopped can be resumed.

    The first line holds the settings; clips of other settings are refused, so that they are never mixed.

    Args:
        path: the file; made when missing.
        settings: what all its rows have in common.

    Raises:
        RequestError: the file is of other settings, or cannot be read or written.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = Path(path)
        self.rows: dict[str, dict[str, Any]] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            text = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
            whole = text[: text.rfind("\n") + 1]  # a run that was killed may have left half a line
            lines = [json.loads(line) for line in whole.splitlines()]
            if not lines:
                lines, whole = [settings], json.dumps(settings) + "\n"
            if lines[0] != settings:
                raise RequestError("--rows", f"{path} holds clips of other settings: {json.dumps(lines[0]):.200}")
            if whole != text:
                self.path.write_text(whole, encoding="utf-8")
        except (OSError, ValueError) as error:
            if isinstance(error, RequestError):
                raise
            raise RequestError("--rows", f"{path} cannot be used ({str(error)[:120]})") from None
        self.rows = {row["id"]: row for row in lines[1:]}

    def add(self, row: dict[str, Any]) -> None:
        """Keep a row, on disk at once."""
        self.rows[row["id"]] = row
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def _clip(recipe: Recipe, style: Style, moved: str, level: int, seed: int) -> ControlClip:
    values = {
        f: getattr(recipe, f) for f in ("bars", "composer", "synth", "takes", "rounds", "form", "intro", "ending")
    }
    return ControlClip(moved, level, seed, Recipe(style=style, seed=seed, **values))
