"""A score as its composer is given it: in the neutral key, on the grid, with the cells marked that must stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.engine.splice import Region
from musicgen_ui.models.composer_base import ComposerBase
from musicgen_ui.models.condition import Condition
from musicgen_ui.models.given import Kept
from musicgen_ui.music.score import METRES, PARTS, Score
from musicgen_ui.music.table import COLUMN, FIELDS, DrumVocabulary, to_table
from musicgen_ui.music.tokens import STEPS_PER_BEAT, encode

CONTEXT_BARS = 16
"""Bars before a region that the composer is told: as many as it remembers."""

FOLLOWING_BARS = 2
"""Bars after a region that are listened to, to choose among takes."""


@dataclass(frozen=True)
class Clamped:
    """A window of a score with what is to be kept.

    Attributes:
        region: what is written anew, in bars of the score.
        first_bar: of the window in the score.
        steps_per_bar: 16 or 12.
        table: (steps, fields) int64 of the window; nothing where it is to be written.
        mask: (steps, fields) bool, True where the table must stay.
        active: (4,) bool, parts of the result.
        harmony: whether the region's chords are written too.
    """

    region: Region
    first_bar: int
    steps_per_bar: int
    table: Tensor
    mask: Tensor
    active: Tensor
    harmony: bool

    @classmethod
    def of(cls, score: Score, region: Region, vocabulary: DrumVocabulary) -> Clamped:
        """The window of a score in a neutral key; its parts are the kept ones, and the region's are written beside."""
        per_bar = METRES[score.metre] * STEPS_PER_BEAT
        active = torch.tensor([part in score.parts or part in region.parts for part in PARTS])
        whole = region.first == 0 and region.last == score.bars
        first = 0 if whole else max(0, region.first - CONTEXT_BARS)
        last = min(score.bars, region.last + FOLLOWING_BARS)
        table = torch.from_numpy(to_table(encode(region.kept(score)), vocabulary).astype(np.int64))
        mask = torch.ones(len(table), len(FIELDS), dtype=torch.bool)
        rows = slice(region.first * per_bar, region.last * per_bar)
        for column, field in enumerate(FIELDS):
            if field.part is not None and PARTS[field.part] in region.parts:
                mask[rows, column] = False
        # The harmony stays where a part that plays it stays.
        harmony = not any(score.notes(part) for part in ("chords", "bass") if part not in region.parts)
        if harmony:
            mask[rows, COLUMN["chord"]] = False
            table[rows, COLUMN["chord"]] = 0
        window = slice(first * per_bar, last * per_bar)
        return cls(region, first, per_bar, table[window], mask[window], active, harmony)

    @property
    def bars(self) -> int:
        """Of the window."""
        return len(self.table) // self.steps_per_bar

    @property
    def written(self) -> range:
        """Steps of the window that are written anew."""
        first, last = (bar - self.first_bar for bar in (self.region.first, self.region.last))
        return range(first * self.steps_per_bar, last * self.steps_per_bar)

    @property
    def listened(self) -> range:
        """Steps of the window in which what is kept depends on what is written."""
        return range(self.written.start, len(self.table))

    def to(self, device: torch.device | str) -> Kept:
        """What is kept, on a device, for the sampler."""
        return Kept(self.table.to(device), self.mask.to(device))

    def latents(self, composer: ComposerBase, asked: Condition, noise: Tensor) -> Tensor:
        """Z (takes, latent) of noise (takes, latent): from q(z | what is kept), or the prior where nothing is kept."""
        rows = slice(self.written.start, self.written.stop)
        observed = self.active.clone()
        valid = torch.ones(1, len(self.table), dtype=torch.bool)
        if rows == slice(0, len(self.table)):
            observed &= torch.tensor([part not in self.region.parts for part in PARTS])
        else:
            valid[:, rows] = False
        if not observed.any() or not valid.any():
            return composer.prior(asked, noise)
        device = noise.device
        mean, log_variance = composer.encoder(
            self.table.unsqueeze(0).to(device), observed.unsqueeze(0).to(device), valid.to(device), self.steps_per_bar
        )
        return mean + torch.exp(0.5 * log_variance) * noise
