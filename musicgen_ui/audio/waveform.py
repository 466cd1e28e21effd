"""Sample arrays: the Clip value, the WAV writer, the reader of audio files, and resampling.

Samples are float32 in [-1, 1], shape (channels, n), at 44 100 Hz unless a name says otherwise.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soxr

from musicgen_ui.audio.decode_worker import Bounds, Reply, Status, decode
from musicgen_ui.audio.formats import FORMATS, audio_format, chunks, is_common_coding
from musicgen_ui.errors import RequestError

SAMPLE_RATE = 44_100
"""Sample rate of every stem and clip, in Hz."""

_RARE_CODING = "an unsupported coding; save it as plain PCM"


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
    # Scaling by a power of two is exact in float32, and so is rounding: float64 would give the same steps more slowly.
    exact = np.float32 if samples.dtype == np.float32 else np.float64
    steps = np.ascontiguousarray(samples.T, dtype=exact) * scale
    np.clip(np.rint(steps, out=steps), -scale, scale - 1, out=steps)
    if bits == 16:
        data = steps.astype("<i2").tobytes()
    else:
        # The low three bytes of each little-endian 32-bit value.
        data = steps.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
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
    for name, chunk in chunks(data, 12):
        if name == b"LIST" and chunk[:4] == b"INFO":
            for tag, text in chunks(chunk, 4):
                if tag == b"ICMT":
                    return text.split(b"\0", 1)[0].decode("utf-8", errors="replace")
    return None


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


@dataclass(frozen=True)
class ReadLimits:
    """What an audio file may be. Sizes in bytes; ``pcm_bytes`` is the decoded float32 array."""

    file_bytes: int = 15_000_000
    seconds: float = 60.0
    channels: int = 8
    sample_rates: tuple[int, int] = (8_000, 192_000)
    pcm_bytes: int = 256 * 2**20

    def bounds(self, cut: bool) -> Bounds:
        """What the decoder has to know of them."""
        return Bounds(self.seconds, self.channels, *self.sample_rates, self.pcm_bytes, cut)


def read_audio(
    source: str | os.PathLike | bytes,
    limits: ReadLimits = ReadLimits(),
    *,
    cut: bool = False,
    argument: str | None = None,
) -> tuple[np.ndarray, int]:
    """Decode an audio file in this process; for files that strangers send see :mod:`musicgen_ui.audio.decode`.

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
    data, kind = screen(source, limits, name)
    return samples_of(decode(data, limits.bounds(cut)), kind, limits, name)


def screen(source: str | os.PathLike | bytes, limits: ReadLimits, name: str) -> tuple[bytes, str]:
    """A file's bytes and which of FORMATS they are, judged before any decoder sees them.

    Raises:
        RequestError: missing, empty, too large, another format, or of a rare coding.
    """
    data = source if isinstance(source, bytes) else _file_bytes(Path(source), limits, name)
    if not data:
        raise RequestError(name, "is empty")
    if len(data) > limits.file_bytes:
        raise RequestError(name, f"is larger than {limits.file_bytes / 1e6:g} MB")
    kind = audio_format(data)
    if kind is None:
        raise RequestError(name, f"is not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file")
    if not is_common_coding(data, kind):
        raise RequestError(name, f"is {kind} audio of {_RARE_CODING}")
    return data, kind


def samples_of(reply: Reply, kind: str, limits: ReadLimits, name: str) -> tuple[np.ndarray, int]:
    """What a decoder replied, as ((channels, n) float32, sample rate in Hz).

    Raises:
        RequestError: it has refused the file, or the samples are none or not finite.
    """
    channels, rate = reply.channels, reply.sample_rate
    low, high = limits.sample_rates
    refusals = {
        Status.DAMAGED: f"cannot be read as {kind} audio; the file is damaged",
        Status.RARE_CODING: f"is {kind} audio of {_RARE_CODING}",
        Status.CHANNELS: f"has {channels} channels; at most {limits.channels} are read",
        Status.SAMPLE_RATE: f"has a sample rate of {rate} Hz; it must be {low} to {high} Hz",
        Status.TOO_LONG: f"is longer than {limits.seconds:g} seconds",
        Status.TOO_LARGE: f"is too large: {channels} channels at {rate} Hz",
        Status.NO_MEMORY: "needs too much memory to decode; the file may be damaged",
    }
    if reply.status != Status.DONE:
        raise RequestError(name, refusals[reply.status])
    samples = np.frombuffer(reply.pcm, dtype="<f4").reshape(-1, channels).T
    if samples.shape[1] == 0:
        raise RequestError(name, "holds no sound: the file has no samples")
    if not np.isfinite(samples).all():
        raise RequestError(name, "holds samples that are not numbers; the file is damaged")
    return np.array(samples, dtype=np.float32, order="C"), rate


def _file_bytes(path: Path, limits: ReadLimits, name: str) -> bytes:
    if not path.is_file():
        raise RequestError(name, "there is no such file")
    try:
        with path.open("rb") as file:
            return file.read(limits.file_bytes + 1)
    except OSError as error:
        raise RequestError(name, f"cannot be read: {error.strerror}") from None


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
    if from_rate == to_rate:
        return samples.copy()
    result = np.zeros((*samples.shape[:-1], length), dtype=np.float32)
    if samples.size == 0 or length == 0:
        return result
    # Channel by channel: twice as fast as interleaved.
    for source, target in zip(samples.reshape(-1, samples.shape[-1]), result.reshape(-1, length), strict=True):
        moved = soxr.resample(np.ascontiguousarray(source), from_rate, to_rate, quality="HQ")
        # soxr rounds the length its own way: one sample more or less is made exact here.
        target[: len(moved)] = moved[:length]
    return result
