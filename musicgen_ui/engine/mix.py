"""From dry stems to a finished clip: levels, places, effects, room, loudness, and an end or a loop's join."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.dynamics import compress
from musicgen_ui.audio.effects import drive, fade, high_pass, noise, pan, tilt, varispeed, vibrato, widen
from musicgen_ui.audio.looping import closed
from musicgen_ui.audio.loudness import SILENCE_LUFS, integrated_loudness, normalise
from musicgen_ui.audio.punch import with_punch
from musicgen_ui.audio.reverb import room
from musicgen_ui.audio.timbre import tilt_towards
from musicgen_ui.audio.waveform import SAMPLE_RATE, Clip, resample
from musicgen_ui.music.form import ENDINGS
from musicgen_ui.music.score import PARTS
from musicgen_ui.scale import UnitScale
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
    "lead": Place(-20.5, 0.15, 0.0, 1.0),
    "chords": Place(-23.0, 0.0, 0.6, 1.0),
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

CLOSING_BEATS = 2.0
"""An ending that closes fades while its last chord rings out, over so many beats, within these bounds in seconds."""

CLOSING_SECONDS = (0.5, 2.0)

REST_SECONDS = 0.06
"""Silence at its very end."""

PUNCH = (0.8, 2.6)
"""Punch in dB (``audio.punch``) of the calmest and of the most driving music; most music has 0.9 to 2.4."""

CEILING = -1.15
"""True peak in dBTP to stay under: hard attacks have peaks between the samples that fourfold oversampling misses."""

HEARD_RATE = 22_050
"""Sample rate in Hz at which the Listener judges brightness."""

_SETTLING_SECONDS = 4.0
"""A loop is mixed from so long before its beginning: rooms, compressor and limiter have settled when it begins."""

_AHEAD_SECONDS = 0.05
"""And so far past its end, for filters that look ahead."""

_JOIN_SECONDS = 0.01

VIBRATO_HZ = 5.5

_DRIVEN = ("lead", "chords", "bass")


@dataclass(frozen=True)
class _Turn:
    """One turn of a loop, or a whole clip that is none.

    Attributes:
        length: samples.
        before: samples of its end that are put in front.
        after: samples of its beginning that are put behind.
    """

    length: int
    before: int = 0
    after: int = 0

    @classmethod
    def of(cls, length: int, *, loop: bool) -> _Turn:
        if not loop or not length:
            return cls(length)
        settling = round(_SETTLING_SECONDS * SAMPLE_RATE)
        # Whole turns of a short loop: their loudness is the loop's own.
        before = -(-settling // length) * length if length < 3 * settling else settling
        return cls(length, before, round(_AHEAD_SECONDS * SAMPLE_RATE))

    @property
    def loops(self) -> bool:
        return self.before > 0

    def unrolled(self, samples: np.ndarray) -> np.ndarray:
        """Samples (..., length) with what comes before and after."""
        if not self.loops:
            return samples
        return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(self.before, self.after)], mode="wrap")

    def at_speed(self, samples: np.ndarray, speed: float) -> tuple[np.ndarray, _Turn]:
        """Unrolled samples as a tape at another speed gives them; a turn keeps a whole number of samples."""
        if not self.loops or speed == 1:
            return varispeed(samples, speed), self
        length = round(self.length / speed)
        faster = resample(samples, self.length, length)
        return faster, _Turn(length, round(self.before * length / self.length), self.after)

    def rate(self, hertz: float) -> float:
        """The rate nearest to ``hertz`` that comes round with the loop."""
        seconds = self.length / SAMPLE_RATE
        return max(1, round(hertz * seconds)) / seconds if self.loops else hertz


def mix(
    stems: Mapping[str, np.ndarray],
    style: Style,
    *,
    seed: int,
    tempo: float | None = None,
    ending: str = "open",
    energy: float | None = None,
    colours: UnitScale | None = None,
    hook: Hook | None = None,
) -> Clip:
    """Mix stems into a clip at -16 LUFS with its true peak at or below -1 dBTP.

    Levelled stems say little of how hard the band plays, and instruments differ more in colour than an equaliser's knob
    can move them. So both are brought to what is asked, within decent limits: the attacks' punch to the notes' own
    energy, and the mix's spectral centroid to the style's brightness.

    Args:
        stems: part to (n,) float32 dry mono at 44.1 kHz, all of one length; parts that the style switches off are
            left out.
        style: levels and effects.
        seed: of the tape noise; equal input gives equal samples.
        tempo: beats per minute of the music, which sets the last fade; the style's by default.
        ending: one of ``music.form.ENDINGS``. A loop's stems must lead back to their beginning; it is not faded, and
            what its room and its effects still hold at its end is there at its beginning.
        energy: of the notes, 0 to 1; None leaves the attacks as they are.
        colours: what a brightness of 0 to 1 means to the ear (``audio.timbre.brightness``); without it the equaliser
            is turned by as much as the style's brightness says, whatever it meets.
        hook: told ``("mix", done, total)`` before each piece of work; may raise ``Cancelled``.

    Returns:
        A clip of n samples, or round(n / speed) when the tape runs at another speed. Silent stems give silence.
    """
    parts = [part for part in PARTS if part in stems and style.parts[part].on]
    lengths = {len(stem) for stem in stems.values()}
    if len(lengths) != 1:
        raise ValueError("stems must be at least one and of one length")
    if ending not in ENDINGS:
        raise ValueError(f"{ending!r} is no ending")
    turn = _Turn.of(lengths.pop(), loop=ending == "loop")
    n = turn.before + turn.length + turn.after
    dry, driven, send = (np.zeros((2, n), dtype=np.float32) for _ in range(3))
    pieces = len(parts) + 5
    report = (lambda done: None) if hook is None else (lambda done: hook("mix", done, pieces))
    for number, part in enumerate(parts):
        report(number)
        placed = _placed(part, stems[part], style, turn)
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
    music = tilt(dry, SAMPLE_RATE, _tilt(dry, style.brightness, colours))
    silent = not music.any()
    if style.noise > 0:
        low, high = NOISE_DB
        level = low + (high - low) * style.noise
        hiss = noise((2, turn.length), SAMPLE_RATE, level, np.random.default_rng(seed))
        music += turn.unrolled(hiss)
    music, turn = turn.at_speed(music, style.speed)
    report(pieces - 2)
    music = compress(high_pass(music, SAMPLE_RATE), SAMPLE_RATE)
    if energy is not None:
        music = with_punch(music, SAMPLE_RATE, PUNCH[0] * (PUNCH[1] / PUNCH[0]) ** energy)
        music = high_pass(music, SAMPLE_RATE)  # a gain that follows single waves of the bass leaves an offset
    beat = 60.0 / (tempo or style.tempo) / style.speed
    if not turn.loops:
        music = _ended(music, beat, closes=ending == "close")
    report(pieces - 1)
    # Tape noise alone is not music to be brought to full loudness.
    music = music if silent else normalise(music, SAMPLE_RATE, ceiling=CEILING)
    return Clip(closed(music, turn.before, turn.length, round(_JOIN_SECONDS * SAMPLE_RATE)) if turn.loops else music)


def _tilt(music: np.ndarray, brightness: float, colours: UnitScale | None) -> float:
    """How to turn the equaliser so that music (2, n) becomes so bright."""
    if colours is None:
        return brightness
    heard = resample(music.mean(axis=0), SAMPLE_RATE, HEARD_RATE)
    return tilt_towards(heard, HEARD_RATE, colours.from_unit(brightness))


def _ended(music: np.ndarray, beat: float, *, closes: bool) -> np.ndarray:
    """Music (2, n) faded in, and out at its end; a beat lasts ``beat`` seconds."""
    if not closes:
        return fade(music, SAMPLE_RATE, FADE_IN_SECONDS, float(np.clip(beat / 2, *FADE_OUT_SECONDS)))
    rest = min(round(REST_SECONDS * SAMPLE_RATE), music.shape[-1])
    sounding = music[:, : music.shape[-1] - rest]
    seconds = float(np.clip(CLOSING_BEATS * beat, *CLOSING_SECONDS))
    return np.pad(fade(sounding, SAMPLE_RATE, FADE_IN_SECONDS, seconds), [(0, 0), (0, rest)])


def _placed(part: str, stem: np.ndarray, style: Style, turn: _Turn) -> np.ndarray | None:
    """A stem as (2, n) at its level and place, unrolled; None when it is silent."""
    peak = float(np.abs(stem).max(initial=0.0))
    if peak < INAUDIBLE:
        return None
    place = PLACES[part]
    # Measured at full scale, so that the loudness meter's gate does not swallow a stem that is played softly.
    stem = stem / np.float32(peak)
    loudness = integrated_loudness(stem, SAMPLE_RATE)
    gain = place.loudness - max(loudness, SILENCE_LUFS) + style.parts[part].level
    stem = turn.unrolled(stem * np.float32(10 ** (gain / 20)))
    if part == "lead":
        stem = vibrato(stem, SAMPLE_RATE, style.vibrato * VIBRATO_CENTS, turn.rate(VIBRATO_HZ))
    return widen(stem, SAMPLE_RATE, place.width) if place.width > 0 else pan(stem, place.position)
