"""Scores to sound as training and evaluation hear them: sampled instruments and the studio's own mixer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from musicgen_ui.engine.rooms import Synthesizer
    from musicgen_ui.music.score import Score
    from musicgen_ui.scale import Scales
    from musicgen_ui.style import Style

    Play = Callable[[Score, Style, int], tuple[np.ndarray, int]]
    Write = Callable[[Style, int, int], Score]


def soundfont_player(soundfont: Path | None, scales: Scales | None = None) -> Play:
    """A function of score, style and seed that returns the samples (2, n) of the clip and their rate.

    A part without a program of its own is played by the band that the style and seed choose.

    Args:
        soundfont: file; None for MUSICGEN_SOUNDFONT or the embedded one.
        scales: with them the mixer brings colour and punch to what is asked, as the studio's does; without them the
            clip is what other people's recordings are: as its instruments make it.

    Raises:
        RequestError: the SoundFont is missing or damaged.
    """
    from musicgen_ui.audio.soundfont import SoundFont
    from musicgen_ui.engine.synthesize import SoundFontSynthesizer

    return _player(SoundFontSynthesizer(SoundFont.load(soundfont)), scales)


def neural_player(checkpoints: Path | None, scales: Scales | None = None) -> Play:
    """The same with the VAE-GAN.

    Args:
        checkpoints: folder of the models; None for the shipped one.
        scales: as above.

    Raises:
        RequestError: a checkpoint is missing or damaged.
    """
    from musicgen_ui.engine.loading import CHECKPOINTS, load_neural

    return _player(load_neural(checkpoints or CHECKPOINTS, "cpu"), scales)


def raw_player(checkpoints: Path | None, scales: Scales | None = None) -> Play:
    """The same with the raw-audio WaveNet, whose chords and drums the VAE-GAN plays.

    Args:
        checkpoints: folder of the models; None for the shipped one.
        scales: as above.

    Raises:
        RequestError: a checkpoint is missing or damaged.
    """
    from musicgen_ui.engine.loading import CHECKPOINTS, load_neural, load_raw

    folder = checkpoints or CHECKPOINTS
    return _player(load_raw(folder, load_neural(folder, "cpu")), scales)


def studio_writer(checkpoints: Path | None) -> Write:
    """A function of style, bars and seed that returns what the studio would play: its composers by turns.

    Args:
        checkpoints: folder of the models; None for the shipped one.

    Raises:
        RequestError: a checkpoint is missing or damaged.
    """
    from musicgen_ui.engine.compose import compose
    from musicgen_ui.engine.loading import CHECKPOINTS, COMPOSER
    from musicgen_ui.models.composers import load_composer
    from musicgen_ui.recipe import COMPOSERS, Recipe
    from musicgen_ui.scale import load_score_scales

    folder = checkpoints or CHECKPOINTS
    models = [load_composer(folder / COMPOSER.format(name), "cpu") for name in COMPOSERS]
    scales = load_score_scales(folder / "measures.json")

    def write(style: Style, bars: int, seed: int) -> Score:
        return compose(models[seed % len(models)], style, seed=seed, bars=bars, takes=Recipe().takes, scales=scales)

    return write


def _player(synthesizer: Synthesizer, scales: Scales | None) -> Play:
    from musicgen_ui.engine.closed_loop import score_values
    from musicgen_ui.engine.mix import mix
    from musicgen_ui.engine.orchestrate import choose_programs
    from musicgen_ui.timbre import Timbre

    def play(score: Score, style: Style, seed: int) -> tuple[np.ndarray, int]:
        programs = {**choose_programs(style, seed), **score.programs}
        stems = synthesizer.render(score, programs, style=style, timbre=Timbre(), seed=seed)
        asked = {}
        if scales is not None:
            energy = score_values(score, scales["score"]).get("energy")
            asked = {"energy": energy, "colours": scales["audio"]["brightness"]}
        clip = mix(stems, style, seed=seed, tempo=score.tempo, **asked)
        return clip.samples, clip.sample_rate

    return play
