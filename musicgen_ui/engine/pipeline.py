"""The Studio: a recipe in, a finished clip out, through compose, synthesize, mix and listen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from musicgen_ui.audio.decode import mono_44k
from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.closed_loop import ADJUSTABLE, CLOSE_ENOUGH, adjusted, mean_miss, misses, rank, round_seed
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.theory import transpose_key
from musicgen_ui.recipe import Recipe, RenderRecipe, require_available
from musicgen_ui.style import SLIDERS, Style
from musicgen_ui.timbre import Timbre, TimbrePoint

Hook = Callable[[str, int, int], None]
"""``hook(stage, done, total)``; ``done / total`` never falls within a stage. Raising ``Cancelled`` stops the work."""

STAGES = ("compose", "synthesize", "mix", "listen")

MAX_RENDER_SECONDS = 600.0


class Compose(Protocol):
    """Writes a score in the style's tempo, metre and key, with its chords and programs chosen."""

    def __call__(self, style: Style, *, seed: int, bars: int, takes: int, hook: Hook) -> Score: ...


class Synthesizer(Protocol):
    """Plays every observed part into a dry mono stem (samples,) of exactly the score's length."""

    def render(
        self, score: Score, programs: Mapping[str, int], *, style: Style, timbre: Timbre, seed: int, hook: Hook
    ) -> dict[str, np.ndarray]: ...


class Mix(Protocol):
    """Mixes stems into a stereo clip with the style's levels, effects and loudness."""

    def __call__(
        self, stems: Mapping[str, np.ndarray], style: Style, *, seed: int, tempo: float, hook: Hook
    ) -> Clip: ...


class Listen(Protocol):
    """Measures samples (channels, n): slider, ``key`` and ``genre`` to value, None where it cannot tell."""

    def __call__(self, samples: np.ndarray, sample_rate: int, *, hook: Hook) -> Mapping[str, float | str | None]: ...


@dataclass(frozen=True)
class Result:
    """A finished clip and everything known about it.

    Attributes:
        recipe: what made it, with the models' hashes.
        score: the notes.
        stems: part to dry mono float32 samples (samples,), 44.1 kHz, for the parts that play.
        clip: the mix.
        asked: slider (and ``key``, ``genre``) to what the person wanted; None where anything would do.
        heard: the same keys, measured from the clip's audio; None where it cannot be told.
        seconds: stage to wall time in seconds, summed over the rounds.
        rounds: one entry a round: ``error`` (mean miss or None) and ``adjusted`` (condition that the round was given).
    """

    recipe: Recipe | RenderRecipe
    score: Score
    stems: Mapping[str, np.ndarray]
    clip: Clip
    asked: Mapping[str, float | str | None]
    heard: Mapping[str, float | str | None]
    seconds: Mapping[str, float]
    rounds: tuple[Mapping[str, Any], ...] = ()
    checkpoints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Take:
    """The best round so far."""

    rank: float
    score: Score
    stems: Mapping[str, np.ndarray]
    clip: Clip
    asked: Mapping[str, float | str | None]
    heard: Mapping[str, float | str | None]


class Studio:
    """Loaded models that turn recipes into clips. It keeps no state between calls, so threads may share it.

    Args:
        composers: name, as in a recipe, to what writes a Score; the first one is the default.
        synthesizers: name, as in a recipe, to what plays a Score into dry stems; the first one is the default. One
            that has ``encode(samples (n,)) -> TimbrePoint`` can borrow the timbre of a recording.
        mix: stems and style to Clip.
        listen: samples to heard values.
        checkpoints: name to SHA-256 of the models behind the composers and the synthesizers.
        device: where the models run, for display.
    """

    def __init__(
        self,
        *,
        composers: Mapping[str, Compose],
        synthesizers: Mapping[str, Synthesizer],
        mix: Mix,
        listen: Listen,
        checkpoints: Mapping[str, str],
        device: str = "cpu",
    ) -> None:
        self._composers = dict(composers)
        self._synthesizers = dict(synthesizers)
        self._mix = mix
        self._listen = listen
        self.checkpoints = dict(checkpoints)
        self.device = device

    @property
    def composers(self) -> tuple[str, ...]:
        """Names of the composers that are loaded, the default first."""
        return tuple(self._composers)

    @property
    def synths(self) -> tuple[str, ...]:
        """Names of the synthesizers that are loaded, the default first."""
        return tuple(self._synthesizers)

    @classmethod
    def load(
        cls,
        device: str = "auto",
        checkpoints: Path | None = None,
        soundfont: Path | None = None,
        log: Callable[[str], None] | None = None,
    ) -> Studio:
        """Checks and loads the shipped models and warms them up; see :func:`musicgen_ui.engine.loading.load_studio`.

        Raises:
            RequestError: an absent device, or a missing or damaged checkpoint or SoundFont.
        """
        from musicgen_ui.engine.loading import load_studio

        return load_studio(device=device, checkpoints=checkpoints, soundfont=soundfont, log=log)

    def generate(self, recipe: Recipe, hook: Hook | None = None) -> Result:
        """Makes a clip. With rounds, corrects what it hears and keeps the take that came closest.

        Raises:
            RequestError: the recipe names an engine that this release does not ship.
            Cancelled: raised by the hook.
        """
        require_available(recipe.composer, recipe.synth, self.composers, self.synths)
        compose = self._composers[recipe.composer]
        watch = _Watch(hook, rounds=recipe.rounds + 1)
        style, reports = recipe.style, []
        best: _Take | None = None
        for number in range(recipe.rounds + 1):
            watch.round = number
            seed = round_seed(recipe.seed, number)
            with watch.stage("compose") as inner:
                score = compose(style, seed=seed, bars=recipe.bars, takes=recipe.takes, hook=inner)
            if best is not None:
                # A correction changes the notes, not the band.
                score = replace(score, programs=best.score.programs)
            stems, clip, heard = self._sound(score, recipe, watch)
            asked = asked_values(recipe.style, score)
            missed = misses(asked, heard)
            error = mean_miss(missed)
            reports.append({"error": error, "adjusted": {key: getattr(style, key) for key in missed}})
            if best is None or rank(missed) < best.rank:
                best = _Take(rank(missed), score, stems, clip, asked, heard)
            if error is None or error <= CLOSE_ENOUGH:
                break
            # A key that was left to the seed stays where the first round found it.
            style = adjusted(style, missed).with_values(key=score.key or style.key)
        watch.finish()
        return Result(
            recipe=recipe.with_provenance(self.checkpoints),
            score=best.score,
            stems=best.stems,
            clip=best.clip,
            asked=best.asked,
            heard=best.heard,
            seconds=watch.seconds,
            rounds=tuple(reports),
            checkpoints=self.checkpoints,
        )

    def render(self, score: Score, recipe: RenderRecipe, hook: Hook | None = None) -> Result:
        """Plays somebody's score with its own instruments: no composer, the same mixer and listener.

        Raises:
            RequestError: an engine that this release does not ship, or a score that is too long.
            Cancelled: raised by the hook.
        """
        require_available(None, recipe.synth, self.composers, self.synths)
        if score.seconds > MAX_RENDER_SECONDS:
            raise RequestError(
                "FILE", f"lasts {score.seconds / 60:.0f} minutes; at most {MAX_RENDER_SECONDS / 60:.0f} can be rendered"
            )
        watch = _Watch(hook, rounds=1)
        stems, clip, heard = self._sound(score, recipe, watch)
        # Nobody asked the composer for anything: only what the score and the mixer decide can be compared.
        asked = asked_values(recipe.style, score) | dict.fromkeys((*ADJUSTABLE, "genre"))
        watch.finish()
        return Result(recipe, score, stems, clip, asked, heard, watch.seconds)

    def borrow(self, samples: np.ndarray, sample_rate: int) -> TimbrePoint:
        """The timbre of a recording.

        Args:
            samples: (channels, n) float in [-1, 1], finite.
            sample_rate: in Hz.

        Raises:
            RequestError: no synthesizer that is loaded can, or the recording holds no timbre.
        """
        encode = next((s.encode for s in self._synthesizers.values() if hasattr(s, "encode")), None)
        if encode is None:
            raise RequestError("timbre", f"{' and '.join(self.synths)} cannot take the timbre of a recording")
        return encode(mono_44k(samples, sample_rate))

    def _sound(
        self, score: Score, recipe: Recipe | RenderRecipe, watch: _Watch
    ) -> tuple[dict[str, np.ndarray], Clip, dict[str, float | str | None]]:
        """Stems, mix and heard values of a score."""
        style, seed = recipe.style, recipe.seed
        with watch.stage("synthesize") as inner:
            stems = self._synthesizers[recipe.synth].render(
                score, score.programs, style=style, timbre=recipe.timbre, seed=seed, hook=inner
            )
        with watch.stage("mix") as inner:
            clip = self._mix(stems, style, seed=seed, tempo=score.tempo, hook=inner)
        with watch.stage("listen") as inner:
            heard = self._listen(clip.samples, clip.sample_rate, hook=inner)
            heard = {key: heard.get(key) for key in (*SLIDERS, "key", "genre")}
        return {part: stems[part] for part in PARTS if part in stems}, clip, heard


def asked_values(style: Style, score: Score) -> dict[str, float | str | None]:
    """What a listener should hear: every slider, ``key`` and ``genre`` (the heaviest of the blend).

    Tape speed multiplies the tempo and moves the pitch; between two keys there is no key to hear, so it is None.
    """
    asked: dict[str, float | str | None] = {key: getattr(style, key) for key in SLIDERS}
    asked["tempo"] = round(score.tempo * style.speed, 6)
    semitones = 12.0 * math.log2(style.speed)
    near = round(semitones)
    asked["key"] = transpose_key(score.key, near) if abs(semitones - near) < 0.25 else None
    asked["genre"] = max(style.genre, key=style.genre.__getitem__) if style.genre else None
    return asked


class _Watch:
    """Times the stages and passes their progress on, scaled to the share of all rounds."""

    def __init__(self, hook: Hook | None, rounds: int) -> None:
        self._hook = hook
        self._rounds = rounds
        self.round = 0
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Hook]:
        """Time a stage; gives the hook to hand to the stage itself."""
        began = time.perf_counter()
        self._report(name, 0, 1)
        yield lambda _, done, total: self._report(name, done, total)
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 4)
        self._report(name, 1, 1)

    def finish(self) -> None:
        """The rounds that were not needed count as done."""
        self.round = self._rounds - 1
        for name in self.seconds:
            self._report(name, 1, 1)

    def _report(self, name: str, done: int, total: int) -> None:
        if self._hook is not None and total > 0:
            self._hook(name, self.round * total + min(done, total), self._rounds * total)
