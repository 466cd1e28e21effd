"""From dry stems to a finished clip: levels, places, effects, room, loudness, and an end or a loop's join."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.audio.dynamics import apply_gain, block_length, compressor_gains
from musicgen_ui.audio.effects import drive, fade, high_pass, noise, pan, tilt, vibrato, widen
from musicgen_ui.audio.looping import closed
from musicgen_ui.audio.loudness import SILENCE_LUFS, integrated_loudness, normalise_shared
from musicgen_ui.audio.punch import punch_curve
from musicgen_ui.audio.reverb import room
from musicgen_ui.audio.shares import Shared
from musicgen_ui.audio.timbre import tilt_towards
from musicgen_ui.audio.waveform import SAMPLE_RATE, Clip, resample
from musicgen_ui.engine.turn import Turn
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

NOISE = "noise"
"""Name of what the tape adds, among the parts of a mix."""

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

_JOIN_SECONDS = 0.01

VIBRATO_HZ = 5.5

_DRIVEN = ("lead", "chords", "bass")


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
    desk = _Desk(style, seed, tempo or style.tempo, ending, energy, colours, hook)
    return Clip(desk.mixed(stems, apart=False).total)


def mix_parts(
    stems: Mapping[str, np.ndarray],
    style: Style,
    *,
    seed: int,
    tempo: float | None = None,
    ending: str = "open",
    energy: float | None = None,
    colours: UnitScale | None = None,
    hook: Hook | None = None,
) -> dict[str, np.ndarray]:
    """What each part has in the clip that :func:`mix` makes of the same arguments.

    Every part goes through the room, the equaliser, the compressor and the limiter as it does in the mix, with the
    gains that the whole mix asks for; what the drive adds is shared out by loudness.

    Returns:
        Part to (2, n) float32 for every part that is on, and ``NOISE`` where the style has tape noise: it belongs to
        the tape, so that muting a part does not change it. They add up to the clip within 1e-4.
    """
    desk = _Desk(style, seed, tempo or style.tempo, ending, energy, colours, hook)
    return dict(desk.mixed(stems, apart=True).parts)


@dataclass(frozen=True)
class _Desk:
    """A mixer with its knobs set; see :func:`mix`."""

    style: Style
    seed: int
    tempo: float
    ending: str
    energy: float | None
    colours: UnitScale | None
    hook: Hook | None

    def mixed(self, stems: Mapping[str, np.ndarray], *, apart: bool) -> Shared:
        """The finished mix, with its parts where they are asked for."""
        style = self.style
        parts = [part for part in PARTS if part in stems and style.parts[part].on]
        lengths = {len(stem) for stem in stems.values()}
        if len(lengths) != 1:
            raise ValueError("stems must be at least one and of one length")
        if self.ending not in ENDINGS:
            raise ValueError(f"{self.ending!r} is no ending")
        turn = Turn.of(lengths.pop(), loop=self.ending == "loop")
        pieces = len(parts) + 5
        report = (lambda done: None) if self.hook is None else (lambda done: self.hook("mix", done, pieces))
        music = self._in_room(stems, parts, turn, report, apart)
        report(pieces - 3)
        turned = _tilt(music.total, style.brightness, self.colours)
        music = music.filtered(lambda samples: tilt(samples, SAMPLE_RATE, turned))
        silent = not music.total.any()
        if style.noise > 0:
            low, high = NOISE_DB
            level = low + (high - low) * style.noise
            hiss = turn.unrolled(noise((2, turn.length), SAMPLE_RATE, level, np.random.default_rng(self.seed)))
            music.total += hiss
            music = Shared(music.total, {**music.parts, NOISE: hiss} if apart else {})
        faster = turn.at_speed(music.total, style.speed)[1]
        music, turn = music.filtered(lambda samples: turn.at_speed(samples, style.speed)[0]), faster
        report(pieces - 2)
        music = self._levelled(music)
        beat = 60.0 / self.tempo / style.speed
        if not turn.loops:
            music = music.filtered(lambda samples: _ended(samples, beat, closes=self.ending == "close"))
        report(pieces - 1)
        # Tape noise alone is not music to be brought to full loudness.
        music = music if silent else normalise_shared(music, SAMPLE_RATE, ceiling=CEILING)
        join = round(_JOIN_SECONDS * SAMPLE_RATE)
        return music.filtered(lambda s: closed(s, turn.before, turn.length, join)) if turn.loops else music

    def _in_room(
        self,
        stems: Mapping[str, np.ndarray],
        parts: Sequence[str],
        turn: Turn,
        report: Callable[[int], None],
        apart: bool,
    ) -> Shared:
        """The band on its places, driven, and what the room adds."""
        n = turn.before + turn.length + turn.after
        dry, driven, send = (np.zeros((2, n), dtype=np.float32) for _ in range(3))
        placed: dict[str, np.ndarray] = {}
        for number, part in enumerate(parts):
            report(number)
            samples = _placed(part, stems[part], self.style, turn)
            if apart:
                placed[part] = np.zeros((2, n), dtype=np.float32) if samples is None else samples
            if samples is None:
                continue
            bus = driven if part in _DRIVEN else dry
            bus += samples
            send += np.float32(PLACES[part].send) * samples
        report(len(parts))
        bus = Shared(driven, {part: samples for part, samples in placed.items() if part in _DRIVEN})
        bus = bus.distorted(lambda samples: drive(samples, self.style.drive))
        dry += bus.total
        report(len(parts) + 1)
        dry += room(send, SAMPLE_RATE, self.style.space)
        return Shared(
            dry,
            {
                part: bus.parts.get(part, samples)
                + room(np.float32(PLACES[part].send) * samples, SAMPLE_RATE, self.style.space)
                for part, samples in placed.items()
            },
        )

    def _levelled(self, music: Shared) -> Shared:
        """Compressed, and its attacks as hard as the notes' energy asks."""
        music = music.filtered(lambda samples: high_pass(samples, SAMPLE_RATE))
        size = block_length(SAMPLE_RATE)
        gains = compressor_gains(music.total, size, SAMPLE_RATE)
        music = music.filtered(lambda samples: apply_gain(samples, gains, size))
        if self.energy is None:
            return music
        curve = punch_curve(music.total, SAMPLE_RATE, PUNCH[0] * (PUNCH[1] / PUNCH[0]) ** self.energy)
        if curve is not None:
            music = music.filtered(lambda samples: samples * curve)
        # A gain that follows single waves of the bass leaves an offset.
        return music.filtered(lambda samples: high_pass(samples, SAMPLE_RATE))


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


def _placed(part: str, stem: np.ndarray, style: Style, turn: Turn) -> np.ndarray | None:
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
