"""Writing a table step by step with any composer: legal choices only, all noise drawn beforehand from the seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from musicgen_ui.models.composer_base import Context
from musicgen_ui.models.condition import Condition
from musicgen_ui.models.given import Given
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.step_writer import DECISIONS, Guide, StepWriter
from musicgen_ui.models.steps import StepHeads
from musicgen_ui.models.takes import chosen
from musicgen_ui.music.table import DrumVocabulary
from musicgen_ui.music.tokens import STEPS_PER_BEAT

ENDING_BARS = 2
FAR_FROM_THE_END = 32

Hook = Callable[[str, int, int], None]


class Composer(Protocol):
    """What the sampler needs of a composer; see ``ComposerBase`` for the meaning of each method."""

    config: Any
    heads: StepHeads
    prior: Callable[[Condition, Tensor], Tensor]

    def start(self, condition: Condition, z: Tensor) -> Any: ...

    def step(self, state: Any, bar: Tensor, total_bars: Tensor, place: Tensor, per_bar: int) -> Context: ...

    def wrote(self, state: Any, row: Tensor, observed: Tensor, per_bar: int) -> None: ...

    def select(self, state: Any, index: Tensor) -> Any: ...


def draw_noise(seeds: Sequence[int], steps: int, latent: int) -> tuple[Tensor, Tensor]:
    """Latent noise and uniform numbers of every take, from a generator each, so that takes do not depend on each other.

    Returns:
        (takes, latent) standard normal, which the composer's prior turns into z, and (takes, steps, DECISIONS) uniform.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    latents = torch.stack([torch.randn(latent, generator=g) for g in generators])
    noise = torch.stack([torch.rand(steps, DECISIONS, generator=g) for g in generators])
    return latents, noise


class Jury(Protocol):
    """Decides now and then which takes are worth going on with."""

    def choose(self, step: int, written: Sequence[Tensor]) -> Tensor | None:
        """Called before every step.

        Args:
            step: from the start of the table.
            written: the rows (takes, fields) before it.

        Returns:
            (takes,) int64, for each take the one that it goes on from, within those that are asked for the same; None
            where every take goes on as it is.
        """
        ...


@dataclass(frozen=True)
class Plan:
    """What a table is to become.

    Attributes:
        first_bar: where in the piece it begins.
        last_bar: where the piece ends, counted as ``first_bar`` is; None for where the table does.
        guide: leans on the choices.
        given: what is taken over instead of chosen.
        jury: lets takes go on from others; None where each goes its own way.
    """

    first_bar: int = 0
    last_bar: int | None = None
    guide: Guide | None = None
    given: Given | None = None
    jury: Jury | None = None


@torch.inference_mode()
def write_tables(
    composer: Composer,
    condition: Condition,
    z: Tensor,
    noise: Tensor,
    *,
    steps_per_bar: int,
    config: SamplingConfig,
    hook: Hook,
    plan: Plan | None = None,
) -> Tensor:
    """Composes a batch of takes.

    Args:
        composer: in evaluation mode.
        condition: of the same batch as z; every take has the same active parts.
        z: (takes, latent).
        noise: (takes, steps, DECISIONS) uniform; steps must hold whole bars.
        steps_per_bar: 16 or 12.
        config: how bold.
        hook: told ``("compose", steps done, steps)``; may raise ``Cancelled``.
        plan: where in a piece it stands, and what shapes it; None for a piece of its own that nothing shapes.

    Returns:
        (takes, steps, fields) int64 on the CPU.
    """
    plan = plan or Plan()
    first_bar, guide, given = plan.first_bar, plan.guide, plan.given
    device = z.device
    takes, steps = noise.shape[:2]
    state = composer.start(condition, z)
    writer = StepWriter(composer.heads, condition.active, DrumVocabulary(composer.config.drum_masks), config, guide)
    end = first_bar + steps // steps_per_bar if plan.last_bar is None else plan.last_bar
    noise = noise.to(device)
    rows: list[Tensor] = []
    for step in range(steps):
        index = None if plan.jury is None else plan.jury.choose(step, rows)
        if index is not None:
            index = index.to(device)
            rows, state = chosen(rows, index), composer.select(state, index)
            writer.select(index)
            if guide is not None:
                guide.select(index)
        now = first_bar + step // steps_per_bar
        # Pieces thin out long before they stop; a clip of a few bars must not, so it learns of its end near the end.
        total = end if end - now <= ENDING_BARS else now + FAR_FROM_THE_END
        bar = torch.full((takes,), now, device=device)
        total_bars = torch.full((takes,), total, device=device)
        place = torch.full((takes,), step % steps_per_bar, device=device)
        context = composer.step(state, bar, total_bars, place, steps_per_bar)
        known = None if given is None else given.at(step, rows)
        row = writer.write(context, noise[:, step], step, known)
        if guide is not None:
            guide.wrote(row, step)
        composer.wrote(state, row, condition.active, steps_per_bar)
        rows.append(row)
        if step % STEPS_PER_BEAT == STEPS_PER_BEAT - 1:
            hook("compose", step + 1, steps)
    return torch.stack(rows, dim=1).cpu()
