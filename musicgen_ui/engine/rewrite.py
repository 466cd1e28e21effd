"""Writing beside what is there: other parts to kept ones, more bars after the last, some anew, all a little other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from musicgen_ui.engine.clamped import Clamped
from musicgen_ui.engine.compose import FIRST_BAR, in_key, no_hook
from musicgen_ui.engine.device import one_thread
from musicgen_ui.engine.judge import slider_errors
from musicgen_ui.engine.leaning import Leaning
from musicgen_ui.engine.made_from import Base
from musicgen_ui.engine.origin import heard, neutral, programs_of, told
from musicgen_ui.engine.perform import performed
from musicgen_ui.engine.splice import Region, spliced
from musicgen_ui.engine.steer import Steering, slider_guide
from musicgen_ui.errors import RequestError
from musicgen_ui.models.composer_base import ComposerBase
from musicgen_ui.models.condition import condition_of
from musicgen_ui.models.guides import ChordForesight, Ear, Guides, Within
from musicgen_ui.models.pick import SamplingConfig
from musicgen_ui.models.sampling import Hook, Plan, draw_noise, write_tables
from musicgen_ui.music.frame import closed
from musicgen_ui.music.harmonization import agreement, foresight, likelihood
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.table import DrumVocabulary, from_table
from musicgen_ui.music.theory import key_is_minor
from musicgen_ui.music.tokens import decode
from musicgen_ui.recipe import Recipe
from musicgen_ui.scale import UnitScale
from musicgen_ui.source import MAX_BARS, MAX_SECONDS
from musicgen_ui.style import Style

DRAWN_PER_TAKE = 4
"""Written for each take that a recipe asks for: what fits to what is kept is rarer than what pleases by itself."""

MOST_BARS = 1024
"""Bars of all takes together, so that a long piece does not take minutes; DRAWN_PER_TAKE takes there are always."""

AGREEMENT_WEIGHT = 1.0
"""What a melody entirely beside its accompaniment weighs against the mean miss of the sliders, among takes."""

SURPRISE_WEIGHT = 0.2
"""What a nat more for each note that is kept weighs against the mean miss of the sliders, among takes."""

GOES_ON = 10_000
"""A last bar so far away that the composer is not told of an end."""


def rewrite(
    composer: ComposerBase,
    recipe: Recipe,
    score: Base,
    *,
    scales: Mapping[str, UnitScale],
    sampling: SamplingConfig | None = None,
    steering: Steering | None = None,
    hook: Hook = no_hook,
) -> Score:
    """What the recipe's source asks for, written beside what is there.

    Args:
        composer: a loaded composer in evaluation mode.
        recipe: its source says what to do, its style how the new notes should be, its seed which; four takes are
            written for each of ``takes`` and the best one is kept; ``bars`` and ``ending`` are those of a continuation.
        score: what is there. Its tempo, metre, key and the instruments of its parts stay; everything that is kept comes
            back as the very same notes. To morph, what is there at either end.
        scales: score side of the slider scales, by slider.
        sampling: how bold; None for the defaults.
        steering: how the sliders lean on what is written; None for as far as it takes.
        hook: told ``("compose", steps done, steps)``; may raise ``Cancelled``.

    Raises:
        RequestError: the score lacks the parts or the bars, or what comes out would be too long.
    """
    leaning = Leaning(composer, scales, sampling or SamplingConfig(), steering or Steering(), hook)
    if recipe.source.action == "morph":
        return leaning.morphed(*(heard(end) for end in score), recipe)
    score = heard(score)
    if recipe.source.action == "vary":
        return leaning.varied(score, recipe)
    if recipe.source.action == "perform":
        return performed(score, recipe)
    programs = programs_of(score, recipe.style, recipe.seed)
    score, region = _ACTIONS[recipe.source.action](score, recipe)
    end = GOES_ON if recipe.source.action == "continue" and recipe.ending != "close" else FIRST_BAR + score.bars
    writer = _Writer(composer, scales, sampling or SamplingConfig(), steering or Steering(), hook)
    written = writer.write(score, region, recipe, end)
    best, _ = min(written, key=lambda pair: _cost(*pair, region, recipe.style, scales))  # the first of equals
    if recipe.ending == "close" and region.last == score.bars and set(score.parts) <= set(region.parts):
        best = spliced(best, closed(best), region, harmony=True)
    return replace(best, programs={part: programs[part] for part in best.parts if part in programs})


def _accompanied(score: Score, recipe: Recipe) -> tuple[Score, Region]:
    kept = recipe.source.parts
    missing = [part for part in kept if not score.notes(part)]
    if missing:
        raise RequestError("parts", f"there are no notes to keep in {' and '.join(missing)}")
    others = tuple(part for part in recipe.style.active_parts if part not in kept)
    if not others:
        raise RequestError("parts", "switch on at least one part that is not kept")
    return score.with_parts(kept), Region(others, 0, score.bars)


def _continued(score: Score, recipe: Recipe) -> tuple[Score, Region]:
    longer = replace(score, bars=score.bars + recipe.bars)
    if longer.bars > MAX_BARS or longer.seconds > MAX_SECONDS:
        most = f"at most {MAX_BARS} bars and {MAX_SECONDS / 60:.0f} minutes can be made"
        raise RequestError("bars", f"{score.bars} bars and {recipe.bars} more are too long; {most}")
    parts = tuple(part for part in PARTS if score.notes(part))
    playing = tuple(part for part in parts if recipe.style.parts[part].on)
    return longer, Region(playing or parts, score.bars, longer.bars)


def _regenerated(score: Score, recipe: Recipe) -> tuple[Score, Region]:
    first, last = recipe.source.bars or (0, score.bars)
    if last > score.bars:
        raise RequestError("bars", f"the music has {score.bars} bars, so there is no bar {last}")
    return score, Region(recipe.source.parts or tuple(score.parts), first, last)


_ACTIONS = {"accompany": _accompanied, "continue": _continued, "regenerate": _regenerated}


@dataclass(frozen=True)
class _Writer:
    """How takes are written."""

    composer: ComposerBase
    scales: Mapping[str, UnitScale]
    sampling: SamplingConfig
    steering: Steering
    hook: Hook

    def write(self, score: Score, region: Region, recipe: Recipe, end: int) -> list[tuple[Score, float]]:
        """Takes of the score with its region written anew, each with the nats that a kept choice cost in it."""
        composer, minor = self.composer, key_is_minor(score.key)
        home = neutral(score)
        vocabulary = DrumVocabulary(composer.config.drum_masks)
        clamped = Clamped.of(home, region, vocabulary)
        active = tuple(part for part, on in zip(PARTS, clamped.active.tolist(), strict=True) if on)
        device = next(composer.parameters()).device
        takes = max(DRAWN_PER_TAKE, min(recipe.takes * DRAWN_PER_TAKE, MOST_BARS // clamped.bars))
        seeds = [_seed(recipe.seed, take) for take in range(takes)]
        latents, noise = draw_noise(seeds, len(clamped.table), composer.config.latent)
        asked = condition_of(told(score, recipe.style, active), minor=minor).expand(takes).to(device)
        ear = Ear(clamped.to(device), takes, clamped.listened, device)
        guides = [ear]
        if clamped.harmony:
            guides.append(ChordForesight(_evidence(home, clamped).to(device)))
        steps = clamped.written
        slider = slider_guide(asked, self.scales, vocabulary, steps=len(steps), steering=self.steering)
        if slider is not None:
            guides.append(Within(slider, steps))
        with one_thread(), torch.inference_mode():
            tables = write_tables(
                composer,
                asked,
                clamped.latents(composer, asked, latents.to(device)),
                noise,
                steps_per_bar=clamped.steps_per_bar,
                config=self.sampling,
                hook=self.hook,
                plan=Plan(FIRST_BAR + clamped.first_bar, end, Guides(guides), clamped.to(device)),
            )
        surprise = (-ear.heard / max(ear.choices, 1)).tolist()
        before = clamped.first_bar * score.beats_per_bar
        made = []
        for table, nats in zip(tables.numpy(), surprise, strict=True):
            grid = from_table(table, vocabulary, score.metre, clamped.active.numpy())
            window = in_key(decode(grid, tempo=score.tempo, key=home.key), score.key)
            made.append((spliced(score, _later(window, before, score.bars), region, harmony=clamped.harmony), nats))
        return made


def _evidence(home: Score, clamped: Clamped) -> torch.Tensor:
    """(beats, chord classes) what the kept melody of the window says about the chord of each beat."""
    before = clamped.first_bar * home.beats_per_bar
    beats = clamped.bars * home.beats_per_bar
    kept = clamped.region.kept(home)
    melody = tuple(replace(n, onset=n.onset - before) for n in kept.pitched if before <= n.onset < before + beats)
    return torch.from_numpy(foresight(likelihood(melody, beats), home.metre)).float()


def _later(score: Score, beats: int, bars: int) -> Score:
    """The score moved by ``beats``, within ``bars`` bars."""
    parts = {name: tuple(replace(n, onset=n.onset + beats) for n in notes) for name, notes in score.parts.items()}
    chords = tuple(replace(c, onset=c.onset + beats) for c in score.chords)
    return replace(score, parts=parts, chords=chords, bars=bars)


def _cost(score: Score, surprise: float, region: Region, style: Style, scales: Mapping[str, UnitScale]) -> float:
    """How far a take is from the style, and from fitting to what is kept."""
    new = score.section(region.first, region.last - region.first)
    if not any(new.notes(part) for part in region.parts):
        return 100.0  # a take that says nothing at all is the last
    errors = slider_errors(new, style, scales)
    miss = sum(abs(e) for e in errors.values()) / max(len(errors), 1)
    agrees = agreement(new)
    return miss + SURPRISE_WEIGHT * surprise + (0.0 if agrees is None else AGREEMENT_WEIGHT * (1.0 - agrees))


def _seed(seed: int, take: int) -> int:
    return int(np.random.SeedSequence([seed, 0x5EED, take]).generate_state(1, np.uint64)[0] >> 1)
