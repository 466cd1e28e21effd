"""Scores to sound as training and evaluation hear them: sampled instruments and the studio's own mixer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from musicgen_ui.music.score import Score
    from musicgen_ui.style import Style


def soundfont_player(soundfont: Path | None) -> Callable[[Score, Style, int], tuple[np.ndarray, int]]:
    """A function of score, style and seed that returns the samples (2, n) of the clip and their rate.

    A part without a program of its own is played by the band that the style and seed choose.

    Args:
        soundfont: file; None for MUSICGEN_SOUNDFONT or the embedded one.

    Raises:
        RequestError: the SoundFont is missing or damaged.
    """
    from musicgen_ui.audio.soundfont import SoundFont
    from musicgen_ui.engine.mix import mix
    from musicgen_ui.engine.orchestrate import choose_programs
    from musicgen_ui.engine.synthesize import SoundFontSynthesizer

    synthesizer = SoundFontSynthesizer(SoundFont.load(soundfont))

    def play(score: Score, style: Style, seed: int) -> tuple[np.ndarray, int]:
        stems = synthesizer.render(score, {**choose_programs(style, seed), **score.programs})
        clip = mix(stems, style, seed=seed, tempo=score.tempo)
        return clip.samples, clip.sample_rate

    return play
