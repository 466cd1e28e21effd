"""What clips sound like, for taste: read off their files while these are there, and remembered with the clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from musicgen_ui.library.taste_features import SOUND_SIZE, sound_of

KIND = "taste-sound-1"
"""Name of the fingerprint: another way to read sounds has another one."""

AT_A_TIME = 2
"""Clips that are read at most while somebody waits."""

_NUMBERS = np.dtype("<f4")


class Kept(Protocol):
    """What is used of ``Library.fingerprints``."""

    def get(self, clips: Sequence[str], kind: str) -> dict[str, bytes]: ...
    def put(self, clip: str, kind: str, data: bytes) -> None: ...


class Folders(Protocol):
    """What is used of the shelf."""

    def folder(self, clip_id: str) -> Path: ...


class ClipSounds:
    """The sounds of clips.

    Args:
        kept: where they are remembered.
        shelf: where the clips' files are.
    """

    def __init__(self, kept: Kept, shelf: Folders) -> None:
        self._kept, self._shelf = kept, shelf

    def __call__(self, clips: Sequence[str]) -> dict[str, list[float]]:
        """Id to :func:`musicgen_ui.library.taste_features.sound_of`, of the clips that are known.

        A few of those that are not known yet, the last ones first, are read where their files are there.
        """
        wanted = list(dict.fromkeys(clips))
        kept = self._kept.get(wanted, KIND)
        found = {clip: np.frombuffer(data, _NUMBERS).tolist() for clip, data in kept.items()}
        found = {clip: sound for clip, sound in found.items() if len(sound) == SOUND_SIZE}
        unknown = (clip for clip in reversed(wanted) if clip not in found)
        there = (clip for clip in unknown if (self._shelf.folder(clip) / "clip.wav").is_file())
        for clip, _ in zip(there, range(AT_A_TIME), strict=False):
            sound = self._read(clip)
            if sound:
                found[clip] = sound
                self._kept.put(clip, KIND, np.array(sound, _NUMBERS).tobytes())
        return found

    def _read(self, clip: str) -> list[float]:
        """The sound of a clip's file; nothing where it went away in between."""
        try:
            samples, rate = soundfile.read(self._shelf.folder(clip) / "clip.wav", dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError):
            return []
        return sound_of(samples.T, rate) if len(samples) else []
