"""The Studio: a recipe in, a finished clip out, through compose, synthesize, mix and listen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from musicgen_ui.audio.decode import mono_44k
from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.closed_loop import SYMBOLIC_TAKES, round_seed, run
from musicgen_ui.engine.misses import NOTES
from musicgen_ui.engine.response import Responses
from musicgen_ui.engine.watch import Hook, Watch
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import PARTS, Score
from musicgen_ui.music.theory import transpose_key
from musicgen_ui.recipe import Recipe, RenderRecipe, require_available
from musicgen_ui.style import SLIDERS, Style
from musicgen_ui.timbre import Timbre, TimbrePoint

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
        rounds: what was tried, one entry a round; see :class:`musicgen_ui.engine.closed_loop.Outcome`.
        gain: what the rounds were worth, see there.
    """

    recipe: Recipe | RenderRecipe
    score: Score
    stems: Mapping[str, np.ndarray]
    clip: Clip
    asked: Mapping[str, float | str | None]
    heard: Mapping[str, float | str | None]
    seconds: Mapping[str, float]
    rounds: tuple[Mapping[str, Any], ...] = ()
    gain: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: Mapping[str, str] = field(default_factory=dict)


class Studio:
    """Loaded models that turn recipes into clips. It keeps no state between calls, so threads may share it.

    Args:
        composers: name, as in a recipe, to what writes a Score; the first one is the default.
        synthesizers: name, as in a recipe, to what plays a Score into dry stems; the first one is the default. One
            that has ``encode(samples (n,)) -> TimbrePoint`` can borrow the timbre of a recording.
        mix: stems and style to Clip.
        listen: samples to heard values.
        checkpoints: name to SHA-256 of the models behind the composers and the synthesizers.
        responses: how the sliders answer with each composer and synthesizer; None for straight lines.
        measure: a score to the notes' own values of the learned sliders, in their units; None where nobody can tell.
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
        responses: Responses | None = None,
        measure: Callable[[Score], Mapping[str, float]] | None = None,
        device: str = "cpu",
    ) -> None:
        self._composers = dict(composers)
        self._synthesizers = dict(synthesizers)
        self._mix = mix
        self._listen = listen
        self.checkpoints = dict(checkpoints)
        self.responses = responses or Responses()
        self._measure = measure or (lambda score: {})
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
        watch = Watch(hook, rounds=recipe.rounds + 1)
        outcome = run(
            recipe.style,
            _Rooms(self, recipe, watch),
            rounds=recipe.rounds,
            response=self.responses.of(recipe.composer, recipe.synth),
        )
        best = outcome.take
        watch.finish()
        return Result(
            recipe=recipe.with_provenance(self.checkpoints),
            score=best.score,
            stems=best.stems,
            clip=best.clip,
            asked=best.asked,
            heard=best.heard,
            seconds=watch.seconds,
            rounds=outcome.rounds,
            gain=outcome.gain,
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
        watch = Watch(hook, rounds=1)
        rooms = _Rooms(self, recipe, watch)
        stems = rooms.play(score, recipe.style)
        clip = rooms.mix(stems, recipe.style, score)
        heard = rooms.listen(clip)
        # Nobody asked the composer for anything: only what the score and the mixer decide can be compared.
        asked = asked_values(recipe.style, score) | dict.fromkeys((*NOTES, "genre"))
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


@dataclass
class _Rooms:
    """A studio's rooms, bound to one recipe; every stage is timed and reported."""

    studio: Studio
    recipe: Recipe | RenderRecipe
    watch: Watch

    def compose(self, told: Style, number: int) -> Score:
        """The score of round ``number``."""
        recipe = self.recipe
        takes = max(recipe.takes, SYMBOLIC_TAKES) if number else recipe.takes
        write = self.studio._composers[recipe.composer]
        with self.watch.stage("compose") as inner:
            return write(told, seed=round_seed(recipe.seed, number), bars=recipe.bars, takes=takes, hook=inner)

    def play(self, score: Score, told: Style) -> dict[str, np.ndarray]:
        """Dry stems of the parts that play."""
        recipe = self.recipe
        with self.watch.stage("synthesize") as inner:
            stems = self.studio._synthesizers[recipe.synth].render(
                score, score.programs, style=told, timbre=recipe.timbre, seed=recipe.seed, hook=inner
            )
        return {part: stems[part] for part in PARTS if part in stems}

    def mix(self, stems: Mapping[str, np.ndarray], told: Style, score: Score) -> Clip:
        """The finished clip."""
        with self.watch.stage("mix") as inner:
            return self.studio._mix(stems, told, seed=self.recipe.seed, tempo=score.tempo, hook=inner)

    def listen(self, clip: Clip) -> dict[str, float | str | None]:
        """What is heard of it."""
        with self.watch.stage("listen") as inner:
            heard = self.studio._listen(clip.samples, clip.sample_rate, hook=inner)
        return {key: heard.get(key) for key in (*SLIDERS, "key", "genre")}

    def asked(self, score: Score) -> dict[str, float | str | None]:
        """What should be heard."""
        return asked_values(self.recipe.style, score)

    def measure(self, score: Score) -> Mapping[str, float]:
        """The notes' own values."""
        return self.studio._measure(score)


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
