"""Sample arrays: the Clip value, the WAV writer, the reader for untrusted files, and resampling.

Samples are float32 in [-1, 1], shape (channels, n), at 44 100 Hz unless a name says otherwise.
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from musicgen_ui.errors import RequestError

SAMPLE_RATE = 44_100
"""Sample rate of every stem and clip, in Hz."""


@dataclass(frozen=True)
class Clip:
    """Finished stereo audio.

    Attributes:
        samples: (2, n) float32, finite, within [-1, 1].
        sample_rate: in Hz.
    """

    samples: np.ndarray
    sample_rate: int = SAMPLE_RATE

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[0] != 2 or self.samples.dtype != np.float32:
            raise ValueError(f"samples must be (2, n) float32, not {self.samples.shape} {self.samples.dtype}")

    @property
    def seconds(self) -> float:
        return self.samples.shape[1] / self.sample_rate


def wav_bytes(samples: np.ndarray, sample_rate: int, bits: int = 16, comment: str | None = None) -> bytes:
    """A whole WAV file: PCM, little endian, the same bytes for the same input on every machine.

    One step is 2**(1 - bits); values are rounded to the nearest step (ties to even, no dither) and clipped to
    what the integers hold. The comment follows the data, so that readers which expect the samples at byte 44
    still find them there.

    Args:
        samples: (channels, n) or (n,) float.
        sample_rate: in Hz.
        bits: 16 or 24.
        comment: text for the file's ICMT tag (here: the recipe as JSON).

    Raises:
        ValueError: samples are not finite, of another shape, or too many for a WAV file (4 GiB).
    """
    samples = np.atleast_2d(np.asarray(samples))
    if samples.ndim != 2 or not 1 <= samples.shape[0] <= 64:
        raise ValueError(f"samples must be (channels, n), not {samples.shape}")
    if bits not in (16, 24):
        raise ValueError(f"bits must be 16 or 24, not {bits}")
    if not np.isfinite(samples).all():
        raise ValueError("samples must be finite")
    scale = 2.0 ** (bits - 1)
    steps = np.clip(np.rint(samples.T.astype(np.float64) * scale), -scale, scale - 1)
    if bits == 16:
        data = steps.astype("<i2").tobytes()
    else:
        # The low three bytes of each little-endian 32-bit value.
        data = steps.astype("<i4", order="C").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    channels, frame = samples.shape[0], samples.shape[0] * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, sample_rate, sample_rate * frame, frame, bits)
    body = b"WAVE" + _chunk(b"fmt ", fmt) + _chunk(b"data", data)
    if comment is not None:
        body += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment.encode() + b"\0"))
    if len(body) >= 2**32:
        raise ValueError("too many samples for a WAV file")
    return _chunk(b"RIFF", body)


def write_wav(
    target: str | os.PathLike | BinaryIO,
    samples: np.ndarray,
    sample_rate: int = SAMPLE_RATE,
    bits: int = 16,
    comment: str | None = None,
) -> None:
    """Write :func:`wav_bytes` to a path or to a binary file object."""
    data = wav_bytes(samples, sample_rate, bits, comment)
    if isinstance(target, (str, os.PathLike)):
        Path(target).write_bytes(data)
    else:
        target.write(data)


def wav_comment(data: bytes) -> str | None:
    """The ICMT tag of a WAV file, or None when there is none or the file is no WAV."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    for name, chunk in _chunks(data, 12):
        if name == b"LIST" and chunk[:4] == b"INFO":
            for tag, text in _chunks(chunk, 4):
                if tag == b"ICMT":
                    return text.split(b"\0", 1)[0].decode("utf-8", errors="replace")
    return None


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _chunks(data: bytes, start: int):
    """(name, content) of RIFF chunks from ``start``; a chunk that claims more than there is ends the walk."""
    while start + 8 <= len(data):
        name, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        if start + 8 + size > len(data):
            return
        yield name, data[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


@dataclass(frozen=True)
class ReadLimits:
    """What an untrusted audio file may be. Sizes in bytes; ``pcm_bytes`` is the decoded float32 array."""

    file_bytes: int = 15_000_000
    seconds: float = 60.0
    channels: int = 8
    sample_rates: tuple[int, int] = (8_000, 192_000)
    pcm_bytes: int = 256 * 2**20


FORMATS = ("WAV", "FLAC", "MP3", "OGG", "AIFF")
"""What :func:`read_audio` accepts, told by the file's first bytes, never by its name."""

# libsndfile's ADPCM, GSM and other rare decoders have a history of memory errors; nobody uploads them.
_WAV_CODINGS = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)
_PCM = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_SUBTYPES = frozenset((*_PCM, "VORBIS", "OPUS", "MPEG_LAYER_III"))


def audio_format(data: bytes) -> str | None:
    """One of FORMATS by the first bytes of a file, or None."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return "WAV"
    if data[:4] == b"fLaC":
        return "FLAC"
    if data[:4] == b"OggS":
        return "OGG"
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    # An ID3 tag, or a frame header: 11 sync bits, then version and "layer III".
    if data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return "MP3"
    return None


def read_audio(
    source: str | os.PathLike | bytes,
    limits: ReadLimits = ReadLimits(),
    *,
    cut: bool = False,
    argument: str | None = None,
) -> tuple[np.ndarray, int]:
    """Decode an audio file that nobody vouches for.

    Args:
        source: a path, or the file's bytes.
        limits: sizes above which the file is refused.
        cut: read the first ``limits.seconds`` of a longer file instead of refusing it.
        argument: what the error calls the file; its name by default.

    Returns:
        ((channels, n) float32, sample rate in Hz). Silence is returned as silence.

    Raises:
        RequestError: missing, too large, another format, damaged, empty, or not finite.
    """
    name = argument or ("audio" if isinstance(source, bytes) else Path(source).name)
    data = source if isinstance(source, bytes) else _file_bytes(Path(source), limits, name)
    if len(data) > limits.file_bytes:
        raise RequestError(name, f"is larger than {limits.file_bytes / 1e6:g} MB")
    kind = audio_format(data)
    if kind is None:
        raise RequestError(name, f"is not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file")
    if kind == "WAV" and not _plain_wav(data):
        raise RequestError(name, "is a WAV file of an unsupported coding; save it as plain PCM")
    try:
        # The bytes, not the path: libsndfile must not guess from a name, and the file cannot change meanwhile.
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_header(file, limits, name, cut)
            frames = int(limits.seconds * file.samplerate)
            # One frame more than allowed: headers lie about the length.
            samples = file.read(frames + 1, dtype="float32", always_2d=True).T
            sample_rate = file.samplerate
    except (soundfile.SoundFileError, ValueError, OSError, EOFError, MemoryError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(name, f"cannot be read as {kind} audio; the file is damaged") from None
    if samples.shape[1] > frames:
        if not cut:
            raise RequestError(name, f"is longer than {limits.seconds:g} seconds")
        samples = samples[:, :frames]
    if samples.shape[1] == 0:
        raise RequestError(name, "holds no sound: the file has no samples")
    if not np.isfinite(samples).all():
        raise RequestError(name, "holds samples that are not numbers; the file is damaged")
    return np.ascontiguousarray(samples), sample_rate


def _file_bytes(path: Path, limits: ReadLimits, name: str) -> bytes:
    if not path.is_file():
        raise RequestError(name, "there is no such file")
    try:
        with path.open("rb") as file:
            return file.read(limits.file_bytes + 1)
    except OSError as error:
        raise RequestError(name, f"cannot be read: {error.strerror}") from None


def _plain_wav(data: bytes) -> bool:
    fmt = next((chunk for chunk_name, chunk in _chunks(data, 12) if chunk_name == b"fmt "), b"")
    if len(fmt) < 16:
        return False
    coding = int.from_bytes(fmt[:2], "little")
    if coding == 0xFFFE and len(fmt) >= 26:
        coding = int.from_bytes(fmt[24:26], "little")
    return coding in _WAV_CODINGS


def _check_header(file: soundfile.SoundFile, limits: ReadLimits, name: str, cut: bool) -> None:
    low, high = limits.sample_rates
    if file.format not in (*FORMATS, "WAVEX", "RF64") or file.subtype not in _SUBTYPES:
        raise RequestError(name, f"is {file.format} audio of an unsupported coding ({file.subtype})")
    if file.channels > limits.channels:
        raise RequestError(name, f"has {file.channels} channels; at most {limits.channels} are read")
    if not low <= file.samplerate <= high:
        raise RequestError(name, f"has a sample rate of {file.samplerate} Hz; it must be {low} to {high} Hz")
    if not cut and file.frames > limits.seconds * file.samplerate:
        raise RequestError(name, f"is longer than {limits.seconds:g} seconds")
    frames = min(file.frames, int(limits.seconds * file.samplerate))
    if frames * file.channels * 4 > limits.pcm_bytes:
        raise RequestError(name, f"is too large: {file.channels} channels at {file.samplerate} Hz")


def resample(samples: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    """Band-limited resampling (SoX resampler, "high quality": 20 bits), rates need not be whole.

    Args:
        samples: (channels, n) or (n,) float.
        from_rate: rate of the samples, in Hz or in any unit.
        to_rate: rate wanted, in the same unit.

    Returns:
        The same shape with round(n * to_rate / from_rate) samples, float32.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError("sample rates must be positive")
    length = round(samples.shape[-1] * to_rate / from_rate)
    if from_rate == to_rate or samples.shape[-1] == 0:
        return samples.copy()
    result = np.zeros((*samples.shape[:-1], length), dtype=np.float32)
    # Channel by channel: twice as fast as interleaved.
    for source, target in zip(samples.reshape(-1, samples.shape[-1]), result.reshape(-1, length), strict=True):
        moved = soxr.resample(np.ascontiguousarray(source), from_rate, to_rate, quality="HQ")
        # soxr rounds the length its own way: one sample more or less is made exact here.
        target[: len(moved)] = moved[:length]
    return result
