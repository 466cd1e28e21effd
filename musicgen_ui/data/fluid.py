"""FluidSynth as the source of training audio: one instrument, dry, the same samples every time.

The studio plays SoundFonts without it (``audio.soundfont``); here it is wanted for what it can vary: tuning, vibrato,
attack and release of every preset, through the generators of the SoundFont 2.04 specification (section 8.1).
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from musicgen_ui.audio.soundfont import ONE_SHOT_SECONDS, PlayedNote
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.data.rumble import without_rumble
from musicgen_ui.errors import RequestError
from musicgen_ui.models.vae_gan.condition import DETUNE_CENTS, VIBRATO_CENTS, TimbreLabels, tilt_gain

VARIABLE = "MUSICGEN_TRAINING_SOUNDFONT"
"""Environment variable that names the SoundFont to learn from."""

USUAL_PLACES = (
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/sounds/sf3/MuseScore_General_Full.sf3",
    "/usr/share/sounds/sf2/MuseScore_General.sf2",
)

BLOCK = 64
"""Samples in FluidSynth's inner block: notes start and end between blocks."""

GAIN = 1.8
"""FluidSynth's gain, one for everything: a note of velocity 100 lies around -20 dBFS (root mean square)."""

ATTACK_TIMECENTS = 4000.0
RELEASE_TIMECENTS = 2400.0
"""What the labels 1 add to the volume envelope's times; 1200 timecents double them."""

SHORTEST_ATTACK = -7973.0
"""10 ms in timecents: a positive attack label starts from there, since ten times the usual 1 ms is still a click."""

NEUTRAL = TimbreLabels()

INSTALL = (
    "training audio is played by FluidSynth: install it (Debian and Ubuntu: apt install libfluidsynth3 "
    "musescore-general-soundfont; macOS: brew install fluid-synth) and its Python package with "
    "'pip install -r requirements-train.txt'"
)

_VIBRATO_DEPTH, _VIBRATO_RATE, _ATTACK, _RELEASE, _FINE_TUNE = 6, 24, 34, 38, 52
_GENERATORS = 60
_VOICES = 512
_SEVENTH_ORDER = 7
_LOWEST_LFO_HZ = 8.176
"""Frequencies of an LFO are given in cents above this one."""

_DRUM_BANK = 128
_PAD_SECONDS = 0.5


@dataclass(frozen=True)
class FluidRenderer:
    """A SoundFont opened in FluidSynth. Not for threads: each process opens its own (3 s, half a gigabyte).

    Attributes:
        path: the SoundFont file.
        programs: programs 0-127 on the melodic bank.
        kits: programs of the drum kits.
    """

    path: Path
    programs: frozenset[int]
    kits: frozenset[int]
    _library: Any = field(repr=False, compare=False)
    _synth: Any = field(repr=False, compare=False)
    _font: int = field(repr=False, compare=False)

    @classmethod
    def open(cls, path: str | os.PathLike | None = None) -> FluidRenderer:
        """Load FluidSynth and a SoundFont: ``path``, else what the environment names, else MuseScore_General.

        Raises:
            RequestError: FluidSynth, its Python package or the SoundFont is missing; says how to install them.
        """
        file = soundfont_path(path)
        try:
            import fluidsynth
        except (ImportError, OSError):
            raise RequestError("soundfont", INSTALL) from None
        library = ctypes.CDLL(fluidsynth.lib)
        settings = {"synth.reverb.active": 0, "synth.chorus.active": 0, "synth.polyphony": _VOICES}
        # Notes shorter than 10 ms would be prolonged, and end elsewhere than the score says.
        settings |= {"synth.min-note-length": 0, "synth.cpu-cores": 1}
        player = fluidsynth.Synth(gain=GAIN, samplerate=float(SAMPLE_RATE), channels=16, **settings)
        font = player.sfload(str(file))
        if font < 0:
            player.delete()
            raise RequestError("soundfont", f"{file} is damaged: FluidSynth cannot open it")
        synth = ctypes.c_void_p(player.synth)
        library.fluid_synth_set_interp_method(synth, -1, _SEVENTH_ORDER)
        library.fluid_voice_gen_get.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.fluid_voice_gen_get.restype = ctypes.c_float
        library.fluid_voice_gen_set.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_float]
        presets = [
            frozenset(p for p in range(128) if _has_preset(library, synth, font, bank, p)) for bank in (0, _DRUM_BANK)
        ]
        return cls(file, presets[0], presets[1], library, synth, font)

    def render(
        self,
        notes: Sequence[PlayedNote],
        program: int,
        length: int,
        *,
        drums: bool = False,
        labels: TimbreLabels = NEUTRAL,
    ) -> np.ndarray:
        """Play notes with one instrument, from silence.

        Args:
            notes: in any order; starts and ends are rounded to whole blocks of 64 samples. A key that is struck while
                it sounds is let go first. Velocities are those written; the labels' curve is applied here.
            program: program, or the kit's number.
            length: samples; what rings longer is cut.
            drums: play a drum kit; its notes ring out whatever their end.
            labels: how to play.

        Returns:
            (length,) float32 at 44.1 kHz, the mean of left and right. The same arguments give the same samples.

        Raises:
            RequestError: the SoundFont lacks the program.
        """
        if program not in (self.kits if drums else self.programs):
            kind = "drum kit" if drums else "instrument"
            raise RequestError("soundfont", f"{self.path.name} has no {kind} of number {program}")
        events = _events(notes, -(-length // BLOCK), drums)
        # A voice slot fades in one block from the panning of the note that it played last. The first pass leaves in
        # every slot what this passage itself plays there, so that the second depends on nothing before it.
        for _ in range(2):
            self._reset(program, drums, labels)
            sound = self._play(events, -(-length // BLOCK), labels)
        mono = without_rumble(sound.mean(axis=1)[:length])
        # The filter has no phase, and so a trace of a note would come before it.
        mono[: min((event.start for event in notes), default=0) // BLOCK * BLOCK] = 0.0
        return tilted(mono, labels.brightness)

    def _play(self, events: Sequence[tuple[int, bool, int, int]], blocks: int, labels: TimbreLabels) -> np.ndarray:
        """(blocks * 64, 2) float32."""
        sound = np.zeros((blocks * BLOCK, 2), dtype=np.float32)
        done = 0
        for block, struck, key, velocity in events:
            self._write(sound, done, block)
            done = block
            if struck:
                self._library.fluid_synth_noteon(self._synth, 0, key, labels.played_velocity(velocity))
                if labels.vibrato > 0.0 or labels.attack > 0.0:
                    self._set_voices(labels)
            else:
                self._library.fluid_synth_noteoff(self._synth, 0, key)
        self._write(sound, done, blocks)
        return sound

    def _reset(self, program: int, drums: bool, labels: TimbreLabels) -> None:
        """No voice sounds, and channel 0 is as the labels say."""
        # A system reset only lets voices go; they have to be killed before it, and leave the mixer while it runs.
        self._library.fluid_synth_all_sounds_off(self._synth, -1)
        self._write(np.zeros((2 * BLOCK, 2), dtype=np.float32), 0, 2)
        self._library.fluid_synth_system_reset(self._synth)
        bank = _DRUM_BANK if drums else 0
        self._library.fluid_synth_program_select(self._synth, 0, self._font, bank, program)
        offsets = {
            _VIBRATO_DEPTH: VIBRATO_CENTS * labels.vibrato,
            _ATTACK: ATTACK_TIMECENTS * labels.attack,
            _RELEASE: RELEASE_TIMECENTS * labels.release,
            _FINE_TUNE: DETUNE_CENTS * labels.detune,
        }
        for generator in range(_GENERATORS):
            self._offset(generator, offsets.get(generator, 0.0))

    def _set_voices(self, labels: TimbreLabels) -> None:
        """Gives every voice what an offset on its channel cannot: presets have vibrato rates and attacks of their own.

        To do it to a voice a second time changes nothing.
        """
        voices = (ctypes.c_void_p * _VOICES)()
        self._library.fluid_synth_get_voicelist(self._synth, voices, _VOICES, -1)
        for voice in voices:
            if voice is None:
                break
            if labels.vibrato > 0.0:
                rate = 1200.0 * math.log2(labels.vibrato_rate / _LOWEST_LFO_HZ)
                self._library.fluid_voice_gen_set(voice, _VIBRATO_RATE, rate)
            if labels.attack > 0.0:
                own = self._library.fluid_voice_gen_get(voice, _ATTACK)
                self._library.fluid_voice_gen_set(voice, _ATTACK, max(own, SHORTEST_ATTACK))
        # Setting a channel's offset brings its voices up to date.
        self._offset(_VIBRATO_RATE, 0.0)
        self._offset(_ATTACK, ATTACK_TIMECENTS * labels.attack)

    def _offset(self, generator: int, value: float) -> None:
        self._library.fluid_synth_set_gen(self._synth, 0, generator, ctypes.c_float(value))

    def _write(self, sound: np.ndarray, first: int, last: int) -> None:
        """Renders blocks [first, last) of ``sound``, (n, 2) float32."""
        if last > first:
            at = ctypes.c_void_p(sound.ctypes.data)
            start = 2 * BLOCK * first
            frames = (last - first) * BLOCK
            self._library.fluid_synth_write_float(self._synth, frames, at, start, 2, at, start + 1, 2)


def soundfont_path(path: str | os.PathLike | None = None) -> Path:
    """The SoundFont file to learn from: ``path``, else what MUSICGEN_TRAINING_SOUNDFONT names, else a usual place.

    Raises:
        RequestError: there is none.
    """
    chosen = path or os.environ.get(VARIABLE) or None
    if chosen is not None:
        if not Path(chosen).is_file():
            raise RequestError("soundfont", f"there is no file {chosen}")
        return Path(chosen)
    for place in USUAL_PLACES:
        if Path(place).is_file():
            return Path(place)
    raise RequestError("soundfont", f"MuseScore_General was not found; name a SoundFont, or {INSTALL}")


def file_digest(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def soundfont_licence(path: Path) -> str:
    """What a SoundFont says of its rights: its copyright message, else its comment; empty when it says nothing."""
    with path.open("rb") as file:
        head = file.read(2**16)
    for tag in (b"ICOP", b"ICMT"):
        at = head.find(tag)
        if at >= 0:
            size = int.from_bytes(head[at + 4 : at + 8], "little")
            return head[at + 8 : at + 8 + size].rstrip(b"\0").decode("utf-8", errors="replace").strip()
    return ""


def tilted(samples: np.ndarray, brightness: float) -> np.ndarray:
    """(n,) float32 with the brightness label's spectral tilt, of zero phase: partials keep their phases.

    The sound is followed by silence before it is transformed, so that its end does not spill into its beginning.
    """
    if brightness == 0.0 or not len(samples):
        return samples.astype(np.float32)
    padded = len(samples) + round(_PAD_SECONDS * SAMPLE_RATE)
    size = 1 << (padded - 1).bit_length()
    spectrum = np.fft.rfft(samples, size) * tilt_gain(np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE), brightness)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


def whole_blocks(samples: float) -> int:
    """Nearest multiple of 64 samples."""
    return math.floor(samples / BLOCK + 0.5) * BLOCK


def _has_preset(library: Any, synth: Any, font: int, bank: int, program: int) -> bool:
    library.fluid_synth_get_sfont_by_id.restype = ctypes.c_void_p
    library.fluid_sfont_get_preset.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.fluid_synth_get_sfont_by_id(synth, font))
    return bool(library.fluid_sfont_get_preset(handle, bank, program))


def _events(notes: Sequence[PlayedNote], blocks: int, drums: bool) -> list[tuple[int, bool, int, int]]:
    """(block, struck, key, velocity) in order of time; at one block keys are let go before others are struck."""
    events = []
    struck_next: dict[int, int] = {}
    for note in sorted(notes, reverse=True):
        start = whole_blocks(note.start) // BLOCK
        if not 0 <= start < blocks:
            continue
        end = start + round(ONE_SHOT_SECONDS * SAMPLE_RATE / BLOCK) if drums else whole_blocks(note.end) // BLOCK
        end = min(max(end, start + 1), struck_next.get(note.pitch, blocks))
        if end == start:
            continue  # One key cannot be struck twice at once: the longer note, which came first here, stays.
        struck_next[note.pitch] = start
        events.append((start, True, note.pitch, note.velocity))
        if end < blocks:
            events.append((end, False, note.pitch, note.velocity))
    return sorted(events)
