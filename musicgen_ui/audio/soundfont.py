"""Sampled instruments: a SoundFont, played note by note at exact sample positions.

Played with TinySoundFont (tinysoundfont 0.3.7), which needs no system library. Its tuning agrees with FluidSynth's;
there is no reverb or chorus in it, and its output is mono here: a stem is placed in the stereo field by the mixer.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tinysoundfont import _tinysoundfont

from musicgen_ui.audio import timgm6mb
from musicgen_ui.audio.soundfont_file import MAX_BYTES, check_soundfont
from musicgen_ui.audio.waveform import SAMPLE_RATE
from musicgen_ui.errors import RequestError

VARIABLE = "MUSICGEN_SOUNDFONT"
"""Environment variable that names a SoundFont file in place of the embedded one."""

GAIN_DB = -6.0
"""Headroom: a loud four-part chord or drum hit stays below full scale in most patches."""

ONE_SHOT_SECONDS = 4.0
"""When a struck drum is let go: its own decay has ended by then, and a looped sample does not ring for ever."""

_DRUM_BANK = 128
_VOICES = 512


@dataclass(frozen=True, order=True)
class PlayedNote:
    """One note on the sample axis: it sounds from ``start`` and is let go at ``end`` (its release rings on).

    ``pitch`` and ``velocity`` are MIDI numbers, 0-127 and 1-127.
    """

    start: int
    end: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class SoundFont:
    """An opened SoundFont. Rendering leaves it unchanged, so threads may share one.

    Attributes:
        path: the file that it came from.
        programs: General MIDI programs 0-127 that it has on the melodic bank.
        kits: programs of its drum kits.
        embedded: it is TimGM6mb, whose faults are known and corrected.
    """

    path: Path
    programs: frozenset[int]
    kits: frozenset[int]
    embedded: bool
    _player: _tinysoundfont.SoundFont = field(repr=False, compare=False)

    @classmethod
    def load(cls, path: str | os.PathLike | None = None) -> SoundFont:
        """Open a SoundFont: ``path``, else the file that MUSICGEN_SOUNDFONT names, else the embedded TimGM6mb.

        An ``.sf3`` file is decoded here, which takes seconds for a large one.

        Raises:
            RequestError: the file is missing or damaged; names the file.
        """
        chosen = path or os.environ.get(VARIABLE) or None
        file = Path(chosen) if chosen else embedded_path()
        data = _file_bytes(file)
        try:
            check_soundfont(data)
            player = _tinysoundfont.SoundFont(data)
        except (ValueError, RuntimeError) as error:
            reason = str(error) if isinstance(error, ValueError) else "is damaged: it cannot be opened"
            raise RequestError("soundfont", f"{file} {reason}") from None
        programs = frozenset(p for p in range(128) if player.get_preset_index(0, p) >= 0)
        kits = frozenset(p for p in range(128) if player.get_preset_index(_DRUM_BANK, p) >= 0)
        embedded = hashlib.sha256(data).hexdigest() == timgm6mb.SHA256
        return cls(file, programs, kits, embedded, player)

    def render(
        self,
        notes: Iterable[PlayedNote],
        program: int,
        length: int,
        *,
        drums: bool = False,
        sample_rate: int = SAMPLE_RATE,
    ) -> np.ndarray:
        """Play notes with one instrument.

        A note that is struck again while it sounds is let go first, as on a keyboard. The amplitude of a note goes
        with the square of its velocity, as the SoundFont specification and FluidSynth have it (40 dB a decade).

        Args:
            notes: in any order; a note from ``length`` on is not heard.
            program: General MIDI program, or the kit's number.
            length: samples to render; what rings longer is cut.
            drums: play a drum kit; its notes ring out, whatever their ``end``.
            sample_rate: in Hz.

        Returns:
            (length,) float32, dry mono, with GAIN_DB of headroom; it may still exceed 1 where much sounds at once.

        Raises:
            RequestError: the SoundFont lacks the program, or makes no numbers of it.
        """
        if program not in (self.kits if drums else self.programs):
            kind = "drum kit" if drums else "instrument"
            raise RequestError("soundfont", f"{self.path.name} has no {kind} of number {program}")
        player = _tinysoundfont.SoundFont(self._player)
        player.set_output(_tinysoundfont.OutputMode.Mono, sample_rate, GAIN_DB)
        player.set_max_voices(_VOICES)
        one_shot = round(ONE_SHOT_SECONDS * sample_rate) if drums else None
        correct = timgm6mb.correct if self.embedded and not drums else _as_written
        events = _events(((note, *correct(program, note.pitch)) for note in notes), length, one_shot)
        channels = {voice: number for number, voice in enumerate(sorted({voice for _, _, _, voice in events}))}
        # One channel for each velocity and tuning. The player's own velocity curve is linear; the channel's volume
        # makes it square, while the sample layer is still chosen by the true velocity.
        for (velocity, tuning), channel in channels.items():
            player.channel_set_bank(channel, 0)
            player.channel_set_preset_number(channel, program, drums)
            player.channel_set_volume(channel, velocity / 127)
            player.channel_set_tuning(channel, tuning)
        samples = np.zeros(length, dtype=np.float32)
        buffer = memoryview(samples).cast("B")
        done = 0
        for position, struck, key, voice in events:
            if position > done:
                player.render(buffer[4 * done : 4 * position], False)
                done = position
            if struck:
                player.channel_note_on(channels[voice], key, voice[0] / 127)
            else:
                player.channel_note_off(channels[voice], key)
        if length > done:
            player.render(buffer[4 * done :], False)
        if not np.isfinite(samples).all():
            raise RequestError("soundfont", f"{self.path.name} is damaged: program {program} gives no sound")
        return samples


def embedded_path() -> Path:
    """TimGM6mb.sf2 (Tim Brechbill, 6 MB) in the folder of the pretty_midi package, which is not imported for it.

    Raises:
        RequestError: it is not there.
    """
    spec = importlib.util.find_spec("pretty_midi")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "TimGM6mb.sf2"
        if path.is_file():
            return path
    raise RequestError(
        "soundfont", f"the embedded TimGM6mb.sf2 is missing: install pretty_midi again or set {VARIABLE}"
    )


def _file_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise RequestError("soundfont", f"there is no file {path}")
    if path.stat().st_size > MAX_BYTES:
        raise RequestError("soundfont", f"{path} is larger than {MAX_BYTES // 2**20} MB")
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError("soundfont", f"{path} cannot be read: {error.strerror}") from None


def _as_written(program: int, pitch: int) -> tuple[int, float]:
    return pitch, 0.0


def _events(
    notes: Iterable[tuple[PlayedNote, int, float]], length: int, one_shot: int | None
) -> list[tuple[int, bool, int, tuple[int, float]]]:
    """(position, struck, key, (velocity, tuning)), sorted; at one position keys are let go before others are struck.

    ``notes`` come with the key that plays them and its tuning.
    """
    events = []
    struck_next: dict[int, int] = {}
    # From the last note to the first, so that each knows when its key is struck again.
    for note, key, tuning in sorted(notes, reverse=True):
        if not 0 <= note.start < length:
            continue
        end = max(note.start + one_shot if one_shot is not None else note.end, note.start + 1)
        end = min(end, struck_next.get(key, length))
        if end == note.start:
            continue  # One key cannot be struck twice at once: the longer note, which came first here, stays.
        struck_next[key] = note.start
        events.append((note.start, True, key, (note.velocity, tuning)))
        if end < length:
            events.append((end, False, key, (note.velocity, tuning)))
    return sorted(events)
