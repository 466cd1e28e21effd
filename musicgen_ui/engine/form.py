"""Writing a form: one table a take in which sections come back, differ and end, and the frame around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from musicgen_ui.models.composer_base import steps_per_bar
from musicgen_ui.models.condition import CONDITION_SLIDERS, Condition
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import FAR_FROM_THE_END, Composer, Hook, Plan, write_tables
from musicgen_ui.models.sections import Recurrence, SectionedComposer, Turn
from musicgen_ui.music.form import Section, Shape, plan_form
from musicgen_ui.music.frame import closed, introduced
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.tokens import STEPS_PER_BEAT, chord_class

CONTEXT_BARS = 2
"""Bars before a new section that it knows of, at most half its own: enough for key, groove and band."""

THEME_BARS = 8
"""Bars of the theme that a variation knows of."""

_DOMINANT = (chord_class(7, "7"), chord_class(4, "7"))
"""What leads to the tonic of C major and of A minor."""

_MAJOR = 1


@dataclass(frozen=True)
class Layout:
    """How a clip is laid out.

    Attributes:
        sections: from the first bar to the last, the introduction included.
        ending: one of ``music.form.ENDINGS``.
    """

    sections: tuple[Section, ...]
    ending: str = "open"

    @classmethod
    def of(cls, bars: int, shape: Shape) -> Layout:
        """See :func:`musicgen_ui.music.form.plan_form`.

        Raises:
            RequestError: an unknown form or ending, or no room for an introduction.
        """
        return cls(plan_form(shape.form, bars, shape.intro, shape.ending), shape.ending)

    @property
    def intro_bars(self) -> int:
        """Length of the introduction, 0 for none."""
        first = self.sections[0]
        return first.bars if first.label == "intro" else 0

    @property
    def body(self) -> tuple[Section, ...]:
        """The other sections, counted from the first bar after the introduction."""
        shift = self.intro_bars
        return tuple(
            replace(s, first=s.first - shift, repeats=None if s.repeats is None else s.repeats - shift)
            for s in self.sections
            if s.label != "intro"
        )

    @property
    def body_bars(self) -> int:
        """Length of what the composer writes."""
        return self.sections[-1].end - self.intro_bars


def write_layout(
    composer: Composer,
    condition: Condition,
    latents: Tensor,
    noise: Tensor,
    layout: Layout,
    *,
    config: SamplingConfig,
    hook: Hook,
    plan: Plan | None = None,
) -> Tensor:
    """Writes everything but the frame (see :func:`framed`), all takes side by side.

    Args:
        composer: in evaluation mode.
        condition: of the takes; major or minor must be known.
        latents: (takes, latent) standard normal, as ``models.sampling.draw_noise`` gives it.
        noise: (takes, steps, DECISIONS) uniform, at least as many steps as the body has.
        layout: the sections.
        config: how bold.
        hook: told ``("compose", steps done, steps)``.
        plan: where in a piece the body begins, and what shapes it beside the form, counted from the body's first step;
            what is given there has the last word. Its ``last_bar`` is decided here.

    Returns:
        (takes, body steps, fields) int64 on the CPU.
    """
    plan, body = plan or Plan(), layout.body
    per_bar = steps_per_bar(condition)
    latents = latents.to(condition.sliders.device)
    steps = layout.body_bars * per_bar
    given = plan.given
    harmony = _cadence(condition, steps, per_bar) if layout.ending == "close" else {}
    if len(body) > 1 or harmony:
        active = tuple(part for i, part in enumerate(PARTS) if condition.active[0, i])
        given = Recurrence(body, per_bar, active, harmony, given)
    opening = lifted(condition, body[0])
    if len(body) > 1:
        composer = SectionedComposer(composer, _turns(composer, condition, latents, body, per_bar), body[0].label)
    last_bar = plan.first_bar + layout.body_bars + (FAR_FROM_THE_END if layout.ending == "loop" else 0)
    return write_tables(
        composer,
        opening,
        composer.prior(opening, latents),
        noise[:, :steps],
        steps_per_bar=per_bar,
        config=config,
        hook=hook,
        plan=replace(plan, last_bar=last_bar, given=given),
    )


def framed(score: Score, layout: Layout) -> Score:
    """A body with its introduction in front and, where the ending is to close, its last chord."""
    score = closed(score) if layout.ending == "close" else score
    return introduced(score, layout.intro_bars)


def lifted(condition: Condition, section: Section) -> Condition:
    """A condition with a section's slider offsets."""
    if not section.lift:
        return condition
    offsets = [section.lift.get(name, 0.0) for name in CONDITION_SLIDERS]
    sliders = (condition.sliders + condition.sliders.new_tensor(offsets)).clamp(0.0, 1.0)
    return replace(condition, sliders=sliders)


def subject(latents: Tensor, number: int) -> Tensor:
    """Latents of the n-th subject of every take, (takes, latent): the first's own, its opposite, and others.

    All are standard normal where the first is, and none needs noise of its own.
    """
    moved = torch.roll(latents, 7 * (number // 2), dims=-1)
    return -moved if number % 2 else moved


def _turns(
    composer: Composer, condition: Condition, latents: Tensor, body: tuple[Section, ...], per_bar: int
) -> list[Turn]:
    """Where the sections after the first begin, and with what."""
    subjects: dict[int, int] = {}
    turns = []
    for section in body:
        origin = section.first if section.repeats is None else section.repeats
        number = subjects.setdefault(origin, len(subjects))
        asked = lifted(condition, section)
        bars = THEME_BARS if section.variation else max(1, min(CONTEXT_BARS, section.bars // 2))
        z = composer.prior(asked, subject(latents, number))
        turns.append(Turn(section.first * per_bar, section.label, asked, z, bars * per_bar))
    return turns[1:]


def _cadence(condition: Condition, steps: int, per_bar: int) -> dict[int, Tensor]:
    """The dominant in the last half bar before the last bar: (takes,) chord classes by step."""
    last = steps - per_bar
    major, minor = _DOMINANT
    chord = torch.where(condition.mode == _MAJOR, major, minor)
    half = per_bar // (2 * STEPS_PER_BEAT) * STEPS_PER_BEAT
    return dict.fromkeys(range(max(1, last - half), last), chord)
