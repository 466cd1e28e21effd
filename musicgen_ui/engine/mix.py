"""From dry stems to a finished clip: levels, places, effects, room and loudness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.dynamics import compress
from musicgen_ui.audio.effects import drive, fade, high_pass, noise, pan, tilt, varispeed, vibrato, widen
from musicgen_ui.audio.loudness import SILENCE_LUFS, integrated_loudness, normalise
from musicgen_ui.audio.reverb import room
from musicgen_ui.audio.waveform import SAMPLE_RATE, Clip
from musicgen_ui.music.score import PARTS
from musicgen_ui.style import Style

Hook = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Place:
    """Where a part sits before a person moves it.

    Attributes:
        loudness: LUFS of the stem while it sounds, whatever its instrument.
        position: -1 (left) to 1 (right).
        width: of the pseudo-stereo, 0 to 1.
        send: share of it that goes to the room.
    """

    loudness: float
    position: float
    width: float
    send: float


PLACES = {
    "lead": Place(-21.0, 0.15, 0.0, 1.0),
    "chords": Place(-25.0, 0.0, 0.6, 1.0),
    "bass": Place(-23.0, 0.0, 0.0, 0.15),
    "drums": Place(-22.0, 0.0, 0.0, 0.6),
}
"""Bass and kick in the middle, where two loudspeakers share their power; chords wide, lead a little to the right."""

INAUDIBLE = 1e-6
"""Peak below which a stem counts as silent; one played softly is brought to its place like any other."""

VIBRATO_CENTS = 60.0
NOISE_DB = (-66.0, -38.0)
"""Noise level in dBFS at the faint and at the full end of the slider, under music of about -18 LUFS."""

FADE_IN_SECONDS = 0.005
FADE_OUT_SECONDS = (0.12, 0.35)
"""The end fades over half a beat, but within these bounds."""

_DRIVEN = ("lead", "chords", "bass")


def mix(
    stems: Mapping[str, np.ndarray], style: Style, *, seed: int, tempo: float | None = None, hook: Hook | None = None
) -> Clip:
    """Mix stems into a clip at -16 LUFS with its true peak at or below -1 dBTP.

    Args:
        stems: part to (n,) float32 dry mono at 44.1 kHz, all of one length; parts that the style switches off are
            left out.
        style: levels and effects.
        seed: of the tape noise; equal input gives equal samples.
        tempo: beats per minute of the music, which sets the last fade; the style's by default.
        hook: told ``("mix", done, total)`` before each piece of work; may raise ``Cancelled``.

    Returns:
        A clip of n samples, or round(n / speed) when the tape runs at another speed. Silent stems give silence.
    """
    parts = [part for part in PARTS if part in stems and style.parts[part].on]
    lengths = {len(stem) for stem in stems.values()}
    if len(lengths) != 1:
        raise ValueError("stems must be at least one and of one length")
    n = lengths.pop()
    dry, driven, send = (np.zeros((2, n), dtype=np.float32) for _ in range(3))
    pieces = len(parts) + 5
    report = (lambda done: None) if hook is None else (lambda done: hook("mix", done, pieces))
    for number, part in enumerate(parts):
        report(number)
        placed = _placed(part, stems[part], style)
        if placed is None:
            continue
        bus = driven if part in _DRIVEN else dry
        bus += placed
        send += np.float32(PLACES[part].send) * placed
    report(pieces - 5)
    dry += drive(driven, style.drive)
    report(pieces - 4)
    dry += room(send, SAMPLE_RATE, style.space)
    del driven, send  # a long clip needs their memory
    report(pieces - 3)
    music = tilt(dry, SAMPLE_RATE, style.brightness)
    silent = not music.any()
    if style.noise > 0:
        low, high = NOISE_DB
        level = low + (high - low) * style.noise
        music += noise(music.shape, SAMPLE_RATE, level, np.random.default_rng(seed))
    music = varispeed(music, style.speed)
    report(pieces - 2)
    music = compress(high_pass(music, SAMPLE_RATE), SAMPLE_RATE)
    half_beat = 30.0 / (tempo or style.tempo) / style.speed
    music = fade(music, SAMPLE_RATE, FADE_IN_SECONDS, float(np.clip(half_beat, *FADE_OUT_SECONDS)))
    report(pieces - 1)
    # Tape noise alone is not music to be brought to full loudness.
    return Clip(music if silent else normalise(music, SAMPLE_RATE))


def _placed(part: str, stem: np.ndarray, style: Style) -> np.ndarray | None:
    """A stem as (2, n) at its level and place; None when it is silent."""
    peak = float(np.abs(stem).max(initial=0.0))
    if peak < INAUDIBLE:
        return None
    place = PLACES[part]
    # Measured at full scale, so that the loudness meter's gate does not swallow a stem that is played softly.
    stem = stem / np.float32(peak)
    loudness = integrated_loudness(stem, SAMPLE_RATE)
    gain = place.loudness - max(loudness, SILENCE_LUFS) + style.parts[part].level
    stem = stem * np.float32(10 ** (gain / 20))
    if part == "lead":
        stem = vibrato(stem, SAMPLE_RATE, style.vibrato * VIBRATO_CENTS)
    return widen(stem, SAMPLE_RATE, place.width) if place.width > 0 else pan(stem, place.position)
