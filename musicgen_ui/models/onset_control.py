"""How often something starts, on the beat and off it: the smallest lean that brings the rates where they should be."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from musicgen_ui.models.running_measures import RunningMeasures
from musicgen_ui.models.takes import select
from musicgen_ui.music.tokens import STEPS_PER_BEAT

PARTS_IN_ORDER = ("bass", "lead", "chords", "drums")
"""In the order in which a step is written."""

SHARE = {"bass": 0.7, "lead": 0.55, "chords": 0.85, "drums": 1.0}
"""Of the lean, by part: an accompaniment may thin out, a melody should not."""

MOST = 12.0
"""Largest lean in logits; at it even a groove that the composer is sure of changes."""

HABIT = 3.0
"""What it weighs, in logits, that a part started something at the same place in the bars before.

Only where there is a lean: without it steps would be thinned out or filled up in every bar at another place, and the
groove would be gone.
"""

TOLERANCE = 0.03
"""Onsets a beat that the whole clip may miss its target by; inside of it nothing is leant on."""

HORIZON = (4.0, 16.0)
"""Beats within which a backlog is made up for: at the end of a clip and in its middle."""

_TEMPERATURE = 0.9
_PRIOR_RATIO = 2.0
_GRID = 33
_STIFFNESS = 0.5
_RAMP_BEATS = 4.0


class OnsetControl:
    """The lean on "something starts", for steps on the beat and off it.

    The composer's own odds over the last two bars say what rate a lean would bring; the lean is the smallest with
    which the clip ends within the tolerance.

    Args:
        density: (takes,) onset steps a beat that are wanted; nan for any.
        syncopation: (takes,) share of the strength off the beat that is wanted; nan for any.
        now: what has been written; kept up to date by the owner.
        steps: of the whole clip.
        per_bar: steps a bar.
        strength: 0 never leans, 1 as far as it takes.
    """

    def __init__(
        self, density: Tensor, syncopation: Tensor, now: RunningMeasures, *, steps: int, per_bar: int, strength: float
    ) -> None:
        # A closing chord is one onset for a whole bar: what comes before it has to make up for that.
        closing = now.closing
        ratio = closing.beats / closing.after
        self.density = (density * (1.0 + ratio) - float(ratio > 0) / closing.after).clamp(min=0.0)
        self.syncopation, self.now = syncopation, now
        self.beats, self.per_bar, self.strength = steps / STEPS_PER_BEAT, per_bar, strength
        self.on_beat = torch.zeros_like(density)
        self.bias = [torch.zeros_like(density), torch.zeros_like(density)]  # off the beat, on it
        never = torch.full((len(density), len(PARTS_IN_ORDER)), -40.0, dtype=density.dtype, device=density.device)
        self._never, self._current = never, never.clone()
        bar = per_bar // STEPS_PER_BEAT
        self._odds = [deque(maxlen=2 * bar * (STEPS_PER_BEAT - 1)), deque(maxlen=2 * bar)]
        self._started: deque[Tensor] = deque(maxlen=2 * per_bar)
        self._grid = torch.linspace(-MOST, MOST, _GRID, dtype=density.dtype, device=density.device)
        self._shares = density.new_tensor([SHARE[part] for part in PARTS_IN_ORDER])

    def push(self, part: str, logits: Tensor, step: int, *, free: Tensor, joining: Tensor) -> Tensor:
        """What is added to the logits of everything but "nothing".

        Args:
            part: that is about to choose.
            logits: (takes, classes).
            step: from the start.
            free: (takes,) bool, nothing has started on this step yet.
            joining: (takes,) lean where something has.
        """
        index = PARTS_IN_ORDER.index(part)
        self._current[:, index] = (logits[:, 1:].double().logsumexp(dim=-1) - logits[:, 0].double()).clamp(-30, 30)
        lean = torch.where(free, self.bias[_on(step)] * SHARE[part], joining)
        if len(self._started) < self.per_bar:
            return lean
        before = self._started[-self.per_bar][:, index]
        if len(self._started) == 2 * self.per_bar:
            before = 0.5 * (before + self._started[0][:, index])
        return lean + HABIT * before * lean.abs().clamp(max=2.0) / 2.0

    def wrote(self, started: Tensor, fresh: Tensor, step: int) -> None:
        """What started on the step: (takes, parts) bool, and whether any did (takes,) bool."""
        self._started.append(2.0 * started.to(self.density.dtype) - 1.0)
        self._odds[_on(step)].append(self._current)
        self._current = self._never.clone()
        if _on(step):
            self.on_beat = self.on_beat + fresh

    def select(self, index: Tensor) -> None:
        """See ``step_writer.Guide``; what has been written is the owner's."""
        select(self, ("on_beat", "bias", "_current", "_odds", "_started"), index)

    def update(self) -> None:
        """Finds the leans anew, from everything written so far."""
        done = self.now.beats
        rest = max(self.beats - done, 0.0)
        horizon = max(min(rest, HORIZON[1]), HORIZON[0])
        on, all_ = self.on_beat, self.now.onsets
        on_rate = self._on_rate()
        needs = (
            (self.density - on_rate + (self.density * done - all_) / horizon, STEPS_PER_BEAT - 1),
            (on_rate + (on_rate * done - on) / horizon, 1),
        )
        slack = TOLERANCE * self.beats / horizon
        for place, (need, most) in enumerate(needs):
            if not self._odds[place]:
                continue
            odds = torch.stack(tuple(self._odds[place])) / _TEMPERATURE  # (window, takes, parts)
            leans = self._grid.view(-1, 1, 1, 1) / _TEMPERATURE * self._shares
            silent = logsigmoid(-(odds.unsqueeze(0) + leans)).sum(dim=-1).exp()
            rates = (1.0 - silent).mean(dim=1) * most  # (grid, takes)
            own = rates[_GRID // 2]
            aim = torch.minimum(torch.maximum(own, need - slack), need + slack)
            # Certainty takes an endless lean: what is nearly never or nearly always is enough.
            aim = torch.minimum(torch.maximum(aim, own.clamp(max=0.02 * most)), own.clamp(min=0.97 * most))
            wanted = torch.nan_to_num(self._solve(rates, aim)) * self.strength * min(1.0, done / _RAMP_BEATS)
            self.bias[place] = self.bias[place] + _STIFFNESS * (wanted - self.bias[place])

    def _on_rate(self) -> Tensor:
        """Onsets a beat that should fall on it, so that density and syncopation both come out."""
        on, off = self.on_beat, self.now.onsets - self.on_beat
        strong = (self.now.strength[:, 1] + 4.0 * _PRIOR_RATIO) / (on + 4.0)
        weak = (self.now.strength[:, 0] + 4.0) / (off + 4.0)
        share = torch.nan_to_num(self.syncopation, nan=0.33)
        rate = self.density * (1.0 - share) / (1.0 + share * (strong / weak - 1.0))
        return torch.maximum(rate.clamp(max=1.0), self.density - (STEPS_PER_BEAT - 1))

    def _solve(self, rates: Tensor, aim: Tensor) -> Tensor:
        """The lean at which ``rates`` (grid, takes), which rise, reach ``aim`` (takes,)."""
        above = (rates < aim).sum(dim=0).clamp(1, _GRID - 1)
        high = rates.gather(0, above.unsqueeze(0))[0]
        low = rates.gather(0, above.unsqueeze(0) - 1)[0]
        part = ((aim - low) / (high - low).clamp(min=1e-9)).clamp(0.0, 1.0)
        return self._grid[above - 1] + part * (self._grid[1] - self._grid[0])


def _on(step: int) -> int:
    return int(step % STEPS_PER_BEAT == 0)
