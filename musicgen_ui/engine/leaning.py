"""Variations and morphs: a composer writes on, leaning towards what one or two clips have in the same place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from musicgen_ui.engine.blend import closing, echoes, fits, held, laid_out, shared
from musicgen_ui.engine.compose import FIRST_BAR, in_key
from musicgen_ui.engine.device import one_thread
from musicgen_ui.engine.judge import slider_errors
from musicgen_ui.engine.origin import neutral, programs_of, told
from musicgen_ui.engine.restored import Ingredient, restored
from musicgen_ui.engine.steer import Steering, slider_guide
from musicgen_ui.models.composer_base import ComposerBase
from musicgen_ui.models.condition import Condition, condition_of
from musicgen_ui.models.guides import Guides
from musicgen_ui.models.lean import Echo, Lean, Pull
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import FAR_FROM_THE_END, Hook, Plan, draw_noise, write_tables
from musicgen_ui.music.frame import closing_beat
from musicgen_ui.music.harmonization import agreement
from musicgen_ui.music.score import METRES, PARTS, Score
from musicgen_ui.music.statistics import empty_bars
from musicgen_ui.music.table import COLUMN, DrumVocabulary, from_table, to_table
from musicgen_ui.music.theory import key_is_minor
from musicgen_ui.music.tokens import STEPS_PER_BEAT, decode, encode
from musicgen_ui.recipe import Recipe
from musicgen_ui.scale import UnitScale

AGREEMENT_WEIGHT = 1.0
"""What a melody entirely beside its accompaniment weighs against the mean miss of the sliders, among takes."""


@dataclass(frozen=True)
class Leaning:
    """How takes are written.

    Attributes:
        composer: a loaded composer in evaluation mode.
        scales: score side of the slider scales.
        sampling: how bold.
        steering: how the sliders lean on what is written, where it is the composer's own.
        hook: told ``("compose", steps done, steps)``; may raise ``Cancelled``.
    """

    composer: ComposerBase
    scales: Mapping[str, UnitScale]
    sampling: SamplingConfig
    steering: Steering
    hook: Hook

    def varied(self, score: Score, recipe: Recipe) -> Score:
        """Something like a clip, of its tempo, metre, key, bars and form; with an amount of 0 its very notes.

        Args:
            score: the clip, with a key.
            recipe: its source says how much, its style how what is new should be, its seed what.
        """
        amount = recipe.source.amount
        programs = programs_of(score, recipe.style, recipe.seed)
        if amount == 0:
            return _played(score, programs)
        clip = self._laid(score, score, score.bars)
        per_bar = METRES[score.metre] * STEPS_PER_BEAT
        origin, mask = echoes(score, clip.table, per_bar)
        weight = held(clip.table, mask, per_bar, amount, recipe.seed)
        if recipe.ending == "close":
            closing([weight], closing_beat(score) * STEPS_PER_BEAT, 0)
            mask[closing_beat(score) * STEPS_PER_BEAT :] = False
        pulls = [
            Pull(torch.from_numpy(clip.table), torch.from_numpy(weight), torch.zeros(len(weight), dtype=torch.bool))
        ]
        echo = Echo(torch.from_numpy(origin), torch.from_numpy(mask))

        def latent(asked: Condition, noise: Tensor) -> Tensor:
            # A step from where the clip lies towards what the prior would have drawn, as wide as the prior all the way.
            mean = self.composer.prior(asked, torch.zeros_like(noise))
            drawn = self.composer.prior(asked, noise)
            return mean + (1 - amount**2) ** 0.5 * (self._encoded(score) - mean) + amount * (drawn - mean)

        best = self._best(score, tuple(score.parts), [clip], pulls, echo, recipe, latent, amount)
        return _played(best, programs)

    def morphed(self, score: Score, other: Score, recipe: Recipe) -> Score:
        """Something between two clips: of the tempo between theirs, and the metre, key and length of the nearer one.

        Args:
            score: the clip at the near end, with a key: a mix of 0 gives its very notes.
            other: the clip at the far end, likewise.
            recipe: its source says how far, its ``bars`` how many at most.
        """
        mix = recipe.source.mix
        near, far = (score, other) if mix < 0.5 else (other, score)
        band = replace(near, programs={**far.programs, **near.programs})
        programs = programs_of(band, recipe.style, recipe.seed)
        bars = min(recipe.bars, near.bars)
        if mix in (0, 1):
            return _played(near if bars == near.bars else near.section(0, bars), programs)
        tempo = score.tempo if score.tempo == other.tempo else (1 - mix) * score.tempo + mix * other.tempo
        frame = replace(near, tempo=tempo, bars=bars)
        active = tuple(p for p in PARTS if (p in score.parts or p in other.parts) and recipe.style.parts[p].on)
        clips = [self._laid(clip, frame, bars) for clip in (score, other)]
        weights = shared(len(clips[0].table), METRES[near.metre] * STEPS_PER_BEAT, mix)
        if recipe.ending == "close" and bars == near.bars:
            closing(weights, closing_beat(near) * STEPS_PER_BEAT, int(mix >= 0.5))
        pulls = []
        for clip, weight, fit in zip(clips, weights, fits(*weights, [clip.table for clip in clips]), strict=True):
            weight[clip.origin < 0] = 0.0
            pulls.append(Pull(torch.from_numpy(clip.table), torch.from_numpy(weight), torch.from_numpy(fit)))

        def latent(asked: Condition, noise: Tensor) -> Tensor:
            ends = (self._encoded(clip) for clip in (score, other))
            return slerp(*ends, mix).expand(len(noise), -1)

        best = self._best(frame, active, clips, pulls, None, recipe, latent, 2 * min(mix, 1 - mix))
        return _played(best, programs)

    def _laid(self, score: Score, frame: Score, bars: int) -> Ingredient:
        """A clip as it is laid out for a result of ``bars`` bars in the metre and the key of a frame."""
        own, per_bar = (METRES[s.metre] * STEPS_PER_BEAT for s in (score, frame))
        home = neutral(score)
        origin = laid_out(bars * per_bar, per_bar, score.bars, own)
        table = to_table(encode(home), DrumVocabulary(self.composer.config.drum_masks)).astype(np.int64)
        laid = np.where((origin >= 0)[:, None], table[origin], 0)
        laid[:, [COLUMN["bass_left"], COLUMN["lead_left"]]] = 0
        return Ingredient(score if score.key == frame.key else in_key(home, frame.key), laid, origin)

    def _encoded(self, score: Score) -> Tensor:
        """The mean of z given a clip, (1, latent)."""
        per_bar = METRES[score.metre] * STEPS_PER_BEAT
        table = to_table(encode(neutral(score)), DrumVocabulary(self.composer.config.drum_masks)).astype(np.int64)
        device = next(self.composer.parameters()).device
        observed = torch.tensor([[part in score.parts for part in PARTS]], device=device)
        valid = torch.ones(1, len(table), dtype=torch.bool, device=device)
        return self.composer.encoder(torch.from_numpy(table).unsqueeze(0).to(device), observed, valid, per_bar)[0]

    def _best(
        self,
        frame: Score,
        active: tuple[str, ...],
        clips: Sequence[Ingredient],
        pulls: Sequence[Pull],
        echo: Echo | None,
        recipe: Recipe,
        latent: Callable[[Condition, Tensor], Tensor],
        own: float,
    ) -> Score:
        """The take that agrees best with itself and is nearest to the sliders, by the share that is its own."""
        composer = self.composer
        minor, device = key_is_minor(frame.key), next(composer.parameters()).device
        takes, steps = recipe.takes, len(pulls[0].table)
        latents, noise = draw_noise([_seed(recipe.seed, take) for take in range(takes)], steps, composer.config.latent)
        vocabulary = DrumVocabulary(composer.config.drum_masks)
        asked = condition_of(told(frame, recipe.style, active), minor=minor).expand(takes).to(device)
        lean = Lean(pulls, echo, takes, device)
        steering = replace(self.steering, strength=self.steering.strength * own)
        slider = slider_guide(asked, self.scales, vocabulary, steps=steps, steering=steering)
        with one_thread(), torch.inference_mode():
            tables = write_tables(
                composer,
                asked,
                latent(asked, latents.to(device)),
                noise,
                steps_per_bar=METRES[frame.metre] * STEPS_PER_BEAT,
                config=self.sampling,
                hook=self.hook,
                plan=Plan(
                    FIRST_BAR,
                    FIRST_BAR + frame.bars + (FAR_FROM_THE_END if recipe.ending == "loop" else 0),
                    lean if slider is None else Guides([slider, lean]),
                ),
            ).numpy()
        observed = np.array([part in active for part in PARTS])
        made = []
        for table in tables:
            grid = from_table(table, vocabulary, frame.metre, observed)
            score = in_key(decode(grid, tempo=frame.tempo, key=neutral(frame).key), frame.key)
            made.append(restored(table, score, clips, vocabulary))
        return min(made, key=lambda score: self._cost(score, recipe, own))  # the first of equals

    def _cost(self, score: Score, recipe: Recipe, own: float) -> float:
        """How far a take is from what is asked, as far as it is the composer's own, and from agreeing with itself."""
        if not any(score.parts.values()):
            return 100.0  # a take that says nothing at all is the last
        errors = slider_errors(score, recipe.style, self.scales)
        miss = sum(abs(error) for error in errors.values()) / max(len(errors), 1)
        agrees = agreement(score)
        miss += empty_bars(score)  # a bar in which nothing sounds misses everything
        return own * miss + (0.0 if agrees is None else AGREEMENT_WEIGHT * (1.0 - agrees))


def slerp(a: Tensor, b: Tensor, mix: float) -> Tensor:
    """From one z to another (batch, latent) along the arc between them, its length going over evenly."""
    lengths = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    ends = [z / length.clamp(min=1e-9) for z, length in zip((a, b), lengths, strict=True)]
    angle = (ends[0] * ends[1]).sum(dim=-1, keepdim=True).clamp(-1.0, 1.0).acos()
    shares = [torch.sin(share * angle) / torch.sin(angle).clamp(min=1e-6) for share in (1 - mix, mix)]
    straight = angle.sin() < 1e-4
    shares = [torch.where(straight, share, curved) for share, curved in zip((1 - mix, mix), shares, strict=True)]
    return (shares[0] * ends[0] + shares[1] * ends[1]) * ((1 - mix) * lengths[0] + mix * lengths[1])


def _played(score: Score, programs: Mapping[str, int]) -> Score:
    return replace(score, programs={part: programs[part] for part in score.parts if part in programs})


def _seed(seed: int, take: int) -> int:
    return int(np.random.SeedSequence([seed, 0x1EA2, take]).generate_state(1, np.uint64)[0] >> 1)
