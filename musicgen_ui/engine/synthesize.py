"""From score to stems with sampled instruments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.soundfont import PlayedNote, SoundFont
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.music.score import PARTS, Note, Score
from musicgen_ui.recipe import check_timbre
from musicgen_ui.style import Style
from musicgen_ui.timbre import Timbre

Hook = Callable[[str, int, int], None]
"""Called as hook(stage, done, total); raising ``Cancelled`` in it stops the work."""

DEFAULT_PROGRAMS = {"lead": 0, "chords": 0, "bass": 33, "drums": 0}
"""Piano, piano, finger bass and the standard kit: for a part that names no instrument."""

END_FADE_SECONDS = 0.005
"""Fade at the end of a stem, so that a note that the end cuts off does not click."""

_KNEE = 0.9
"""Above this a stem is bent towards full scale, so that none clips, whatever came before or comes after."""


@dataclass(frozen=True)
class SoundFontSynthesizer:
    """Plays the parts of a score with the instruments of a SoundFont, each on its own."""

    soundfont: SoundFont

    def render(
        self,
        score: Score,
        programs: Mapping[str, int],
        *,
        style: Style | None = None,
        timbre: Timbre | None = None,
        seed: int = 0,
        hook: Hook | None = None,
    ) -> dict[str, np.ndarray]:
        """Dry stems of a score. The same score, programs and SoundFont give the same samples.

        Args:
            score: what to play; its tempo sets the time.
            programs: part to General MIDI program (for drums: the kit); DEFAULT_PROGRAMS for a part that is missing.
            style: plays no role: samples sound as they were recorded.
            timbre: None, or one that changes nothing.
            seed: plays no role: nothing is random here.
            hook: told ``synthesize`` and the parts done after each part.

        Returns:
            Part to (score.samples(),) float32 mono at 44.1 kHz within [-1, 1], for every observed part. Relative
            levels are those of the SoundFont, except that a stem which would clip is scaled to full scale.

        Raises:
            RequestError: the SoundFont lacks an instrument, or ``timbre`` would change one.
        """
        check_timbre("soundfont", Timbre() if timbre is None else timbre)
        parts = [part for part in PARTS if part in score.parts]
        stems = {}
        for done, part in enumerate(parts):
            if hook is not None:
                hook("synthesize", done, len(parts))
            program = programs.get(part, DEFAULT_PROGRAMS[part])
            stems[part] = self._stem(score, part, program)
        if hook is not None:
            hook("synthesize", len(parts), len(parts))
        return stems

    def _stem(self, score: Score, part: str, program: int) -> np.ndarray:
        length = score.samples(SAMPLE_RATE)
        notes = [played(note, score.tempo) for note in score.notes(part)]
        if not notes:
            return np.zeros(length, dtype=np.float32)
        samples = self.soundfont.render(notes, program, length, drums=part == "drums")
        fade_end(samples, 0, length)
        peak = float(np.abs(samples).max())
        return samples if peak <= 1.0 else samples / np.float32(peak)


def played(note: Note, tempo: float) -> PlayedNote:
    """A note on the sample axis."""
    samples_per_beat = 60.0 / tempo * SAMPLE_RATE
    start = round(note.onset * samples_per_beat)
    end = round((note.onset + note.duration) * samples_per_beat)
    return PlayedNote(start, end, note.pitch, note.velocity)


def fade_end(samples: np.ndarray, begin: int, total: int) -> None:
    """Fades, in place, what of a stem's last END_FADE_SECONDS lies in a piece of it.

    Args:
        samples: (n,) the piece.
        begin: where it begins in the stem.
        total: samples of the stem.
    """
    fade = min(total, round(END_FADE_SECONDS * SAMPLE_RATE))
    tail = begin + len(samples) - (total - fade)
    if tail > 0:
        faded = min(tail, len(samples))
        samples[len(samples) - faded :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)[tail - faded : tail]


def bent(samples: np.ndarray) -> np.ndarray:
    """Samples of any shape, in place, with what is louder than 0.9 bent smoothly towards 1."""
    over = np.abs(samples) > _KNEE
    if over.any():
        loud = samples[over]
        room = 1.0 - _KNEE
        samples[over] = np.sign(loud) * (_KNEE + room * np.tanh((np.abs(loud) - _KNEE) / room))
    return samples
