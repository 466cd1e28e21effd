"""The Studio: a recipe in, a finished clip out, through compose, synthesize, mix and listen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.audio.decode import mono_44k
from musicgen_ui.audio.waveform import Clip
from musicgen_ui.engine.closed_loop import run
from musicgen_ui.engine.device import usual_threads
from musicgen_ui.engine.made_from import source_score
from musicgen_ui.engine.match import Matched
from musicgen_ui.engine.misses import CORRECTED, NOTES
from musicgen_ui.engine.preview import Piece, Preview
from musicgen_ui.engine.response import Responses
from musicgen_ui.engine.rooms import Band, Compose, Listen, Mix, Rewrite, StudioRooms, Synthesizer, asked_values
from musicgen_ui.engine.watch import Hook, Watch
from musicgen_ui.errors import RequestError
from musicgen_ui.music.score import Score
from musicgen_ui.recipe import Recipe, RenderRecipe, require_available
from musicgen_ui.style import Style
from musicgen_ui.timbre import TimbrePoint

MixParts = Callable[..., dict[str, np.ndarray]]
"""Takes what the mixer takes."""

STAGES = ("compose", "synthesize", "mix", "listen")

MAX_RENDER_SECONDS = 600.0


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
        genres: the probability with which each genre is heard; empty where that cannot be told.
        seconds: stage to wall time in seconds, summed over the rounds.
        rounds: what was tried, one entry a round; see :class:`musicgen_ui.engine.closed_loop.Outcome`.
        gain: what the rounds were worth, see there.
        seam: how well the end of a loop meets its beginning, see :class:`musicgen_ui.audio.looping.Seam`; None for
            what is no loop.
        told: what the mixer was told in the end, which rounds may have moved away from what was asked.
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
    seam: Mapping[str, float | bool] | None = None
    genres: Mapping[str, float] = field(default_factory=dict)
    checkpoints: Mapping[str, str] = field(default_factory=dict)
    told: Style | None = None


class Studio:
    """Loaded models that turn recipes into clips. It keeps no state between calls, so threads may share it.

    Args:
        composers: name, as in a recipe, to what writes a Score; the first one is the default.
        synthesizers: name, as in a recipe, to what plays a Score into dry stems; the first one is the default. One
            that has ``encode(samples (n,)) -> TimbrePoint`` can borrow the timbre of a recording.
        mix: stems and style to Clip.
        mix_parts: the same to each part's share of the clip; None where nobody can tell.
        listen: samples to heard values.
        checkpoints: name to SHA-256 of the models behind the composers and the synthesizers.
        responses: how the sliders answer with each composer and synthesizer; None for straight lines.
        match: samples of a recording and their rate to its style; None where nobody can tell.
        rewriters: name of a composer to what writes beside given music with it.
        measure: a score to the notes' own values of the learned sliders, in their units; None where nobody can tell.
        device: where the models run, for display.
    """

    def __init__(  # noqa: PLR0913 - everything a studio is made of
        self,
        *,
        composers: Mapping[str, Compose],
        synthesizers: Mapping[str, Synthesizer],
        mix: Mix,
        listen: Listen,
        checkpoints: Mapping[str, str],
        responses: Responses | None = None,
        measure: Callable[[Score], Mapping[str, float]] | None = None,
        match: Callable[[np.ndarray, int], Matched] | None = None,
        rewriters: Mapping[str, Rewrite] | None = None,
        mix_parts: MixParts | None = None,
        device: str = "cpu",
    ) -> None:
        self._band = Band(
            dict(composers), dict(rewriters or {}), dict(synthesizers), mix, listen, measure or (lambda score: {})
        )
        self.checkpoints = dict(checkpoints)
        self.responses = responses or Responses()
        self._match = match
        self._mix_parts = mix_parts
        self.device = device

    @property
    def composers(self) -> tuple[str, ...]:
        """Names of the composers that are loaded, the default first."""
        return tuple(self._band.composers)

    @property
    def synths(self) -> tuple[str, ...]:
        """Names of the synthesizers that are loaded, the default first."""
        return tuple(self._band.synthesizers)

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

    def generate(
        self,
        recipe: Recipe,
        hook: Hook | None = None,
        given: Score | None = None,
        base: Score | None = None,
        preview: Callable[[Piece], None] | None = None,
    ) -> Result:
        """Makes a clip. With rounds, corrects what it hears and keeps the take that came closest.

        Args:
            recipe: what to make.
            hook: see Hook.
            given: the music of the MIDI file that the recipe, or one that it is made from, names.
            base: the score of the clip that the recipe is made from, where it is at hand; else it is composed again.
            preview: hears the clip while it is made, from whatever thread, one piece after the other; only where the
                recipe has no rounds, because they may change every note. What is made does not depend on it.

        Raises:
            RequestError: the recipe names an engine that this release does not ship, or its source cannot be used.
            Cancelled: raised by the hook.
        """
        require_available(recipe.composer, recipe.synth, self.composers, self.synths)
        watch = Watch(hook, rounds=recipe.rounds + 1)
        response = self.responses.of(recipe.composer, recipe.synth)
        with usual_threads(), self._preview(recipe, preview) as early:
            base = self._base(recipe, given, hook) if base is None else base
            rooms = StudioRooms(self._band, recipe, watch, base, early)
            outcome = run(recipe.style, rooms, rounds=recipe.rounds, response=response, keeps_notes=recipe.keeps_notes)
        best = outcome.take
        watch.finish()
        return Result(
            recipe=recipe.with_provenance(self.checkpoints),
            score=best.score,
            stems=best.stems,
            clip=best.clip,
            asked=best.asked,
            heard=_values(best.heard),
            genres=best.heard.get("genres") or {},
            seconds=watch.seconds,
            rounds=outcome.rounds,
            gain=outcome.gain,
            seam=rooms.seam(best.clip, best.score),
            checkpoints=self.checkpoints,
            told=best.told,
        )

    def _preview(self, recipe: Recipe, out: Callable[[Piece], None] | None) -> AbstractContextManager[Preview | None]:
        if out is None or recipe.rounds:
            return nullcontext()

        def sound(score: Score, told: Style, may_stop: Callable[[], None]) -> np.ndarray:
            watch = Watch(lambda *_: may_stop(), rounds=1)
            return StudioRooms(self._band, replace(recipe, ending="open"), watch).opening(score, told)

        return Preview(out, sound, recipe.bars)

    def score(self, recipe: Recipe, given: Score | None = None, hook: Hook | None = None) -> Score:
        """The score that :meth:`generate` makes of a recipe, without a sound where nothing is corrected by ear."""
        if recipe.rounds:
            return self.generate(recipe, hook, given).score
        require_available(recipe.composer, recipe.synth, self.composers, self.synths)
        told = self.responses.of(recipe.composer, recipe.synth).first_told(recipe.style, CORRECTED)
        rooms = StudioRooms(self._band, recipe, Watch(hook, rounds=1), self._base(recipe, given, hook))
        return rooms.compose(told, 0)

    def measure(self, score: Score) -> Mapping[str, float]:
        """The notes' own values of the sliders that they decide, as far as they can be told."""
        return self._band.measure(score)

    def _base(self, recipe: Recipe, given: Score | None, hook: Hook | None) -> Score | None:
        if recipe.source is None:
            return None

        def may_stop(stage: str, done: int, total: int) -> None:
            if hook is not None:
                hook("compose", 0, 1)  # what comes before the clip itself is no progress of it

        return source_score(lambda inner, music: self.score(inner, music, may_stop), recipe, given)

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
        rooms = StudioRooms(self._band, recipe, watch)
        with usual_threads():
            stems = rooms.play(score, recipe.style)
            clip = rooms.mix(stems, recipe.style, score)
            heard = rooms.listen(clip)
        # Nobody asked the composer for anything: only what the score and the mixer decide can be compared.
        asked = asked_values(recipe.style, score) | dict.fromkeys((*NOTES, "genre"))
        watch.finish()
        known = {"genres": heard.get("genres") or {}, "told": recipe.style}
        return Result(recipe, score, stems, clip, asked, _values(heard), watch.seconds, **known)

    def mixed_stems(
        self, stems: Mapping[str, np.ndarray], told: Style, score: Score, recipe: Recipe | RenderRecipe
    ) -> dict[str, np.ndarray]:
        """What each part has in the finished mix; see :func:`musicgen_ui.engine.mix.mix_parts`.

        Args:
            stems: of a Result, as everything else here.
            told: what the mixer was told.
            score: the notes.
            recipe: what made it.

        Returns:
            Part, and ``noise`` for that of the tape, to (2, n) float32 that add up to the clip within 1e-4.

        Raises:
            RequestError: this studio's mixer cannot tell.
        """
        if self._mix_parts is None:
            raise RequestError("stems", "nobody is here who could take the mix apart")
        ending = recipe.ending if isinstance(recipe, Recipe) else "open"
        energy = self.measure(score).get("energy")
        return self._mix_parts(stems, told, seed=recipe.seed, tempo=score.tempo, ending=ending, energy=energy)

    def match(self, samples: np.ndarray, sample_rate: int) -> Matched:
        """The style of a recording, for sliders that move there.

        Args:
            samples: (channels, n) float in [-1, 1], finite.
            sample_rate: in Hz.

        Raises:
            RequestError: the recording is silent or too short to be judged.
        """
        if self._match is None:
            raise RequestError("recording", "nobody is here who could listen to it")
        return self._match(samples, sample_rate)

    def borrow(self, samples: np.ndarray, sample_rate: int) -> TimbrePoint:
        """The timbre of a recording.

        Args:
            samples: (channels, n) float in [-1, 1], finite.
            sample_rate: in Hz.

        Raises:
            RequestError: no synthesizer that is loaded can, or the recording holds no timbre.
        """
        encode = next((s.encode for s in self._band.synthesizers.values() if hasattr(s, "encode")), None)
        if encode is None:
            raise RequestError("timbre", f"{' and '.join(self.synths)} cannot take the timbre of a recording")
        return encode(mono_44k(samples, sample_rate))


def _values(heard: Mapping[str, Any]) -> dict[str, float | str | None]:
    return {key: value for key, value in heard.items() if key != "genres"}
