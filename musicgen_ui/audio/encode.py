"""Samples as the bytes of a sound file: WAV, FLAC, MP3 and OGG, with tags, and the same bytes for the same input."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import soundfile
from mutagen.ogg import OggPage

from musicgen_ui.audio.tags import RECIPE, tagged
from musicgen_ui.audio.waveform import wav_bytes


@dataclass(frozen=True)
class SoundFormat:
    """A kind of sound file.

    Attributes:
        ending: of its name, with the dot.
        media_type: for HTTP.
        lossless: whether its samples are the rounded ones.
    """

    ending: str
    media_type: str
    lossless: bool


SOUND_FORMATS: dict[str, SoundFormat] = {
    "wav16": SoundFormat(".wav", "audio/wav", True),
    "wav24": SoundFormat(".wav", "audio/wav", True),
    "flac": SoundFormat(".flac", "audio/flac", True),
    "mp3": SoundFormat(".mp3", "audio/mpeg", False),
    "ogg": SoundFormat(".ogg", "audio/ogg", False),
}

# libsndfile counts compression from 0 (best sound) to 1: for MP3 that is 320 kbit/s, for Vorbis one less the quality.
_CODECS = {
    "flac": {"format": "FLAC", "subtype": "PCM_24", "compression_level": 0.5},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT", "compression_level": 0.0},
    "ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.2},
}

_BLOCK = 65_536
"""Frames handed over at a time: what the encoders keep on the stack grows with it."""

_SERIAL = 1
"""Number of the stream in an OGG file, which libsndfile draws at random."""


def encode(samples: np.ndarray, rate: int, format: str, tags: Mapping[str, str]) -> bytes:
    """A whole sound file.

    Lossless files hold the samples rounded as :func:`musicgen_ui.audio.waveform.wav_bytes` rounds them, FLAC those of
    24 bits. MP3 is 320 kbit/s (constant), OGG is Vorbis of quality 8. Both decode to exactly n samples, and may
    overshoot their peaks: by at most 0.13 dB in six of our clips, which peak at -1.3 dBFS, so that nothing clips.

    Args:
        samples: (channels, n) float32 in [-1, 1], finite; one or two channels for MP3.
        rate: sample rate in Hz.
        format: a key of SOUND_FORMATS.
        tags: name, see :data:`musicgen_ui.audio.tags.TAGS`, to text. ``wav16`` holds the recipe alone, so that its
            bytes are those of ``clip.wav`` and its hash is the clip's.

    Returns:
        The bytes, a function of the arguments alone.

    Raises:
        ValueError: samples are not finite or of another shape, or an unknown format or tag.
    """
    if format not in SOUND_FORMATS:
        raise ValueError(f"{format!r} is not one of {', '.join(SOUND_FORMATS)}")
    samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    if samples.ndim != 2 or not np.isfinite(samples).all():
        raise ValueError("samples must be (channels, n) and finite")
    if format in ("wav16", "wav24"):
        data = wav_bytes(samples, rate, int(format[3:]), comment=tags.get(RECIPE))
        return data if format == "wav16" else tagged(data, format, tags)
    frames = np.ascontiguousarray(samples.T)
    if format == "flac":
        # Rounded here, as the WAV writer does, and handed over in the upper bits of 32.
        frames = np.clip(np.rint(frames * np.float32(2**23)), -(2**23), 2**23 - 1).astype(np.int32) << 8
    else:
        frames = np.clip(frames, -1.0, 1.0)
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", samplerate=rate, channels=samples.shape[0], **_CODECS[format]) as sound:
        for start in range(0, len(frames), _BLOCK):
            sound.write(frames[start : start + _BLOCK])
    data = file.getvalue()
    return tagged(_with_serial(data) if format == "ogg" else data, format, tags)


def _with_serial(data: bytes) -> bytes:
    """An OGG file with one stream, renumbered; each page's checksum is computed anew."""
    source, pages = io.BytesIO(data), []
    while source.tell() < len(data):
        page = OggPage(source)
        page.serial = _SERIAL
        pages.append(page.write())
    return b"".join(pages)
