"""The condition c as tensors, and the network that every model reads it through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from musicgen_ui.music.score import METRES, PARTS
from musicgen_ui.music.theory import key_is_minor
from musicgen_ui.style import AUTO, GENRES, SLIDERS, Style

CONDITION_SLIDERS = ("tempo", "mood", "energy", "density", "syncopation", "complexity")
"""Sliders that composers are told, in the order of every array."""

_ANCHORS = 9

GENRE_EMPHASIS = 2.0
"""How far beyond a genre's usual share it is told, when one is asked for: genres that the corpora hardly tell apart
are then heard apart. Linear, so that a blend stays between its genres. 0 tells what was asked."""


@dataclass(frozen=True)
class Condition:
    """A batch of conditions.

    Attributes:
        sliders: (batch, 6) in [0, 1] in the order of CONDITION_SLIDERS.
        known: (batch, 6) bool; False stands for "any".
        genre: (batch, genres) weights; all zero stands for "any".
        mode: (batch,) 0 unknown, 1 major, 2 minor.
        metre: (batch,) index into METRES.
        active: (batch, 4) bool, parts that are to be written.
    """

    sliders: Tensor
    known: Tensor
    genre: Tensor
    mode: Tensor
    metre: Tensor
    active: Tensor

    def to(self, device: torch.device | str) -> Condition:
        return Condition(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def expand(self, batch: int) -> Condition:
        """The single condition of a batch of one, repeated."""
        return Condition(
            **{
                f.name: getattr(self, f.name).expand(batch, *[-1] * (getattr(self, f.name).dim() - 1))
                for f in fields(self)
            }
        )


def unit_tempo(tempo: float) -> float:
    """Tempo as 0-1 over the slider's range, clipped."""
    slider = SLIDERS["tempo"]
    return min(max((tempo - slider.low) / (slider.high - slider.low), 0.0), 1.0)


def condition_of(style: Style, *, minor: bool) -> Condition:
    """The condition (batch of one) of a style whose mode has been decided."""
    if style.key != AUTO and key_is_minor(style.key) != minor:
        raise ValueError("the mode contradicts the style's key")
    values = [unit_tempo(style.tempo), *(getattr(style, key) for key in CONDITION_SLIDERS[1:])]
    return Condition(
        sliders=torch.tensor([values], dtype=torch.float32),
        known=torch.ones(1, len(CONDITION_SLIDERS), dtype=torch.bool),
        genre=_emphasised(torch.tensor([[style.genre.get(name, 0.0) for name in GENRES]], dtype=torch.float32)),
        mode=torch.tensor([2 if minor else 1]),
        metre=torch.tensor([list(METRES).index(style.metre)]),
        active=torch.tensor([[style.parts[part].on for part in PARTS]]),
    )


def _emphasised(genre: Tensor) -> Tensor:
    """Weights (batch, genres) moved away from the mean of all genres; all zero ("any") stays so."""
    asked = genre.sum(dim=-1, keepdim=True) > 0
    return torch.where(asked, genre + GENRE_EMPHASIS * (genre - 1.0 / len(GENRES)), genre)


class StyleEncoder(nn.Module):
    """Condition → one token a control, and their summary c.

    A slider's token is a piecewise linear curve through learned anchors, so that the network may answer a slider
    in any way but always smoothly.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.anchors = nn.Parameter(0.3 * torch.randn(len(CONDITION_SLIDERS), _ANCHORS, width))
        self.unknown = nn.Parameter(0.3 * torch.randn(len(CONDITION_SLIDERS), width))
        self.genre = nn.Parameter(0.3 * torch.randn(len(GENRES) + 1, width))
        self.mode = nn.Embedding(3, width)
        self.metre = nn.Embedding(len(METRES), width)
        self.active = nn.Linear(len(PARTS), width)
        self.summary = nn.Sequential(
            nn.Linear(width * self.tokens, width // 2), nn.GELU(), nn.Linear(width // 2, width)
        )

    @property
    def tokens(self) -> int:
        return len(CONDITION_SLIDERS) + 4

    def forward(self, condition: Condition) -> tuple[Tensor, Tensor]:
        """Returns tokens (batch, tokens, width) and their summary c (batch, width)."""
        place = condition.sliders.clamp(0, 1).unsqueeze(-1) * (_ANCHORS - 1)  # (batch, sliders, 1)
        grid = torch.arange(_ANCHORS, device=place.device, dtype=place.dtype)
        hats = (1 - (place - grid).abs()).clamp(min=0)  # (batch, sliders, anchors)
        sliders = torch.einsum("bsa,sad->bsd", hats, self.anchors)
        sliders = torch.where(condition.known.unsqueeze(-1), sliders, self.unknown)
        unknown_genre = (condition.genre.sum(dim=-1, keepdim=True) <= 0).to(condition.genre.dtype)
        genre = torch.cat([condition.genre, unknown_genre], dim=-1) @ self.genre
        others = [
            genre,
            self.mode(condition.mode),
            self.metre(condition.metre),
            self.active(condition.active.to(genre.dtype)),
        ]
        tokens = torch.cat([sliders, torch.stack(others, dim=1)], dim=1)
        return tokens, self.summary(tokens.flatten(1))


def stack(conditions: Sequence[Condition]) -> Condition:
    """One batch of several."""
    return Condition(**{f.name: torch.cat([getattr(c, f.name) for c in conditions]) for f in fields(Condition)})
