"""The rooms that a clip passes through, and what each must be able to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from musicgen_ui.audio.waveform import SAMPLE_RATE, Clip
from musicgen_ui.engine.closed_loop import SYMBOLIC_TAKES, round_seed
from musicgen_ui.engine.compose import mood_of_mode
from musicgen_ui.engine.loop import clip_seam, play_loop
from musicgen_ui.engine.made_from import sound_seed
from musicgen_ui.engine.preview import Preview
from musicgen_ui.engine.watch import Hook, Watch
from musicgen_ui.music.form import Shape
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.theory import key_is_minor, transpose_key
from musicgen_ui.recipe import Recipe, RenderRecipe
from musicgen_ui.style import AUTO, SLIDERS, Style
from musicgen_ui.timbre import Timbre

AFTER_SECONDS = 0.5
"""First bars are mixed with so much silence behind them: what fades at the end is not theirs."""

EARLIEST_BEATS = 0.125
"""How far before its beat a note may be played."""

BLURRED_SECONDS = 0.06
"""Before the end of first bars in which synthesizers fade and filters look ahead into silence."""


class Compose(Protocol):
    """Writes a score in the style's tempo, metre and key, with its chords and programs chosen."""

    def __call__(
        self,
        style: Style,
        *,
        seed: int,
        bars: int,
        takes: int,
        shape: Shape,
        hook: Hook,
        early: Callable[[Score], None] | None = None,
    ) -> Score: ...


class Rewrite(Protocol):
    """Writes beside a score what a recipe with a source asks for."""

    def __call__(self, recipe: Recipe, score: Score, *, hook: Hook) -> Score: ...


class Synthesizer(Protocol):
    """Plays every observed part into a dry mono stem (samples,) of exactly the score's length."""

    def render(
        self, score: Score, programs: Mapping[str, int], *, style: Style, timbre: Timbre, seed: int, hook: Hook
    ) -> dict[str, np.ndarray]: ...


class Mix(Protocol):
    """Mixes stems into a stereo clip with the style's levels, effects and loudness, and gives it its end.

    ``energy`` is that of the notes, 0 to 1, or None where it is not known.
    """

    def __call__(
        self,
        stems: Mapping[str, np.ndarray],
        style: Style,
        *,
        seed: int,
        tempo: float,
        ending: str,
        energy: float | None,
        hook: Hook,
    ) -> Clip: ...


class Listen(Protocol):
    """Measures samples (channels, n): slider, ``key`` and ``genre`` to value, None where it cannot tell.

    ``genres``, if it is there, holds the probability of every genre.
    """

    def __call__(self, samples: np.ndarray, sample_rate: int, *, hook: Hook) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Band:
    """Who composes, plays, mixes, listens, and measures the notes themselves; composers and synthesizers by name."""

    composers: Mapping[str, Compose]
    rewriters: Mapping[str, Rewrite]
    synthesizers: Mapping[str, Synthesizer]
    mix: Mix
    listen: Listen
    measure: Callable[[Score], Mapping[str, float]]


@dataclass
class StudioRooms:
    """A studio's rooms, bound to one recipe; every stage is timed and reported.

    Attributes:
        band: who composes, plays, mixes and listens.
        recipe: what is made; a RenderRecipe's score is given, so nothing is composed.
        watch: keeps the time.
        base: the score that the recipe's clip is made from; None where it has no source.
        preview: makes the clip heard before it is finished; None for nobody.
    """

    band: Band
    recipe: Recipe | RenderRecipe
    watch: Watch
    base: Score | None = None
    preview: Preview | None = None

    @property
    def ending(self) -> str:
        """How the clip ends; somebody's own score just stops."""
        return self.recipe.ending if isinstance(self.recipe, Recipe) else "open"

    def seam(self, clip: Clip, score: Score) -> dict[str, float | bool] | None:
        """How well a loop's end meets its beginning; None for what is no loop."""
        return clip_seam(clip, score).to_dict() if self.ending == "loop" else None

    def compose(self, told: Style, number: int) -> Score:
        """The score of round ``number``."""
        with self.watch.stage("compose") as inner:
            score = self._composed(told, number, inner)
            if self.preview is not None:
                self.preview.written(score, told)
        return score

    def _composed(self, told: Style, number: int, hook: Hook) -> Score:
        recipe = self.recipe
        takes = max(recipe.takes, SYMBOLIC_TAKES) if number else recipe.takes
        write = self.band.composers[recipe.composer]
        seed = round_seed(recipe.seed, number)
        if self.base is not None:
            asked = replace(recipe, style=told, seed=seed, takes=takes)
            return self.band.rewriters[recipe.composer](asked, self.base, hook=hook)
        early = {} if self.preview is None else {"early": partial(self.preview.notes, told=told)}
        return write(told, seed=seed, bars=recipe.bars, takes=takes, shape=recipe.shape, hook=hook, **early)

    def play(self, score: Score, told: Style) -> dict[str, np.ndarray]:
        """Dry stems of the parts that play."""
        recipe = self.recipe
        seed = sound_seed(recipe) if isinstance(recipe, Recipe) else recipe.seed
        with self.watch.stage("synthesize") as inner:

            def render(whole: Score) -> dict[str, np.ndarray]:
                return self.band.synthesizers[recipe.synth].render(
                    whole, score.programs, style=told, timbre=recipe.timbre, seed=seed, hook=inner
                )

            stems = play_loop(score, render) if self.ending == "loop" else render(score)
        return {part: stems[part] for part in PARTS if part in stems}

    def mix(self, stems: Mapping[str, np.ndarray], told: Style, score: Score) -> Clip:
        """The finished clip."""
        with self.watch.stage("mix") as inner:
            clip = self.band.mix(
                stems,
                told,
                seed=self.recipe.seed,
                tempo=score.tempo,
                ending=self.ending,
                energy=self.measure(score).get("energy"),
                hook=inner,
            )
        if self.preview is not None:
            self.preview.finish(clip.samples)
        return clip

    def opening(self, score: Score, told: Style) -> np.ndarray:
        """First bars of a clip as they will sound, (2, n) float32, without the end where more is to follow."""
        after = round(AFTER_SECONDS * SAMPLE_RATE)
        stems = {part: np.pad(stem, (0, after)) for part, stem in self.play(score, told).items()}
        samples = self.mix(stems, told, score).samples
        # What is played early belongs to a bar that is not known yet.
        seconds = score.seconds - EARLIEST_BEATS * 60.0 / score.tempo - BLURRED_SECONDS
        return samples[:, : max(0, round(seconds / told.speed * SAMPLE_RATE))]

    def listen(self, clip: Clip) -> dict[str, Any]:
        """What is heard of it, ``genres`` included."""
        with self.watch.stage("listen") as inner:
            heard = self.band.listen(clip.samples, clip.sample_rate, hook=inner)
        return {key: heard.get(key) for key in (*SLIDERS, "key", "genre", "genres")}

    def asked(self, score: Score) -> dict[str, float | str | None]:
        """What should be heard."""
        return asked_values(self.recipe.style, score)

    def measure(self, score: Score) -> Mapping[str, float]:
        """The notes' own values."""
        return self.band.measure(score)


def asked_values(style: Style, score: Score) -> dict[str, float | str | None]:
    """What a listener should hear: every slider, ``key`` and ``genre`` (the heaviest of the blend).

    Tape speed multiplies the tempo and moves the pitch; between two keys there is no key to hear, so it is None. A key
    that was chosen decides the mode, and the mood moves within it.
    """
    asked: dict[str, float | str | None] = {key: getattr(style, key) for key in SLIDERS}
    if style.key != AUTO:
        asked["mood"] = round(mood_of_mode(style.mood, key_is_minor(style.key), chosen=True), 6)
    asked["tempo"] = round(score.tempo * style.speed, 6)
    semitones = 12.0 * math.log2(style.speed)
    near = round(semitones)
    asked["key"] = transpose_key(score.key, near) if abs(semitones - near) < 0.25 else None
    asked["genre"] = max(style.genre, key=style.genre.__getitem__) if style.genre else None
    return asked
