"""Audio files that strangers send: decoded by another process, within bounds.

Decoders are native code with a history of memory errors, and a small file can unpack to gigabytes. So a process of its
own (:mod:`musicgen_ui.audio.decode_worker`) decodes one file and dies; whatever happens to it is one sentence here.
What it says is believed only as far as it can be checked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from typing import BinaryIO

import numpy as np

from musicgen_ui.audio.decode_worker import MAGIC, REPLY, REQUEST, Bounds, Reply, Status
from musicgen_ui.audio.waveform import SAMPLE_RATE, ReadLimits, resample, samples_of, screen
from musicgen_ui.errors import RequestError

MAX_PEAK = 65_536.0
"""Floats scaled like 16-bit integers are still music; what is louder is not."""

_OPPOSITE = 0.3  # anticorrelation at which two channels lose 1.5 dB against unrelated ones

# The worker imports from where this process imports, and from nowhere else: -I and -S leave the path to the arguments.
_START = "import sys; sys.path[:] = sys.argv[1:]; from musicgen_ui.audio.decode_worker import main; main()"
_ROOT = str(Path(__file__).resolve().parents[2])
# No keys or tokens of the server; what a dynamic linker may need, and one thread for a numeric library.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

_TOO_SLOW = "takes too long to decode; the file may be damaged"
_CRASHED = "cannot be decoded: the decoder crashed on it; the file is damaged"
_STOPPED = "cannot be decoded: it takes too much memory or time"
_FAILED = "cannot be decoded: the decoder gave no answer"


@dataclass(frozen=True)
class UploadLimits(ReadLimits):
    """What a stranger's file may be, and what decoding it may cost.

    Attributes:
        pcm_bytes: size of the decoded float32 array.
        min_seconds: shorter files are refused.
        min_peak: files whose samples stay below it are refused as silent; 0.001 is -60 dBFS.
        wall_seconds: time until the decoder is killed, its start included.
        cpu_seconds: CPU time of the decoder.
        address_space: memory of the decoder, in bytes.
    """

    pcm_bytes: int = 64 * 2**20
    min_seconds: float = 0.5
    min_peak: float = 0.001
    wall_seconds: float = 8.0
    cpu_seconds: int = 5
    address_space: int = 2**30


def decode_upload(
    source: str | os.PathLike | bytes,
    limits: UploadLimits = UploadLimits(),
    *,
    argument: str,
    cut: bool = False,
) -> tuple[np.ndarray, int]:
    """Decode a file that nobody vouches for, in a process of its own.

    Args:
        source: a path, or the file's bytes.
        limits: what is refused.
        argument: what the error calls the file.
        cut: read as much from the start of a longer file as the limits allow, instead of refusing it.

    Returns:
        ((channels, n) float32, sample rate in Hz); finite, neither silent nor shorter than the limits say.

    Raises:
        RequestError: the file is refused, or the decoder did not survive it.
    """
    return _decode(source, limits, argument, cut, _command())


def mono_44k(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """One channel at 44.1 kHz, as the timbre encoder hears it.

    The mean of the channels, without their DC. A channel that clearly runs against the loudest one is turned over,
    because channels of opposite sign would cancel; one that is silent does not count. The level changes
    only where samples go beyond full scale.

    Args:
        samples: (channels, n) float, finite.
        sample_rate: in Hz.

    Returns:
        (round(n * 44100 / sample_rate),) float32, within [-1, 1].

    Raises:
        ValueError: samples of another shape, or not finite.
    """
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 2 or samples.size == 0 or not np.isfinite(samples).all():
        raise ValueError(f"samples must be (channels, n), finite and not empty, not {samples.shape}")
    samples = samples / max(1.0, float(np.abs(samples).max()))
    samples -= samples.mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32)
    power = np.array([np.dot(channel, channel) for channel in samples])
    counts = power >= 1e-6 * power.max()
    loudest = power.argmax()
    against = samples @ samples[loudest] < -_OPPOSITE * np.sqrt(power * power[loudest])
    weights = np.where(against, -1.0, 1.0) * counts / counts.sum()
    mono = resample(weights.astype(np.float32) @ samples, sample_rate, SAMPLE_RATE)
    return mono / max(1.0, float(np.abs(mono).max(initial=0.0)))


def _decode(
    source: str | os.PathLike | bytes, limits: UploadLimits, argument: str, cut: bool, command: Sequence[str]
) -> tuple[np.ndarray, int]:
    data, kind = screen(source, limits, argument)
    reply = _ask(command, data, limits, argument, limits.bounds(cut))
    samples, rate = samples_of(reply, kind, limits, argument)
    if samples.shape[1] < limits.min_seconds * rate:
        raise RequestError(argument, f"is too short: it must hold at least {limits.min_seconds:g} seconds of sound")
    # About its mean: a constant is no sound either.
    mean = samples.mean(axis=1, dtype=np.float64)
    peak = max((samples.max(axis=1) - mean).max(), (mean - samples.min(axis=1)).max())
    if peak < limits.min_peak:
        raise RequestError(argument, f"is silent: nothing in it reaches {20 * np.log10(limits.min_peak):.0f} dBFS")
    if peak > MAX_PEAK:
        raise RequestError(argument, "holds samples far beyond full scale; the file is damaged")
    return samples, rate


def _command() -> list[str]:
    paths = [_ROOT, *(str(Path(path).absolute()) for path in sys.path if path)]
    return [sys.executable, "-I", "-S", "-B", "-c", _START, *dict.fromkeys(paths)]


def _ask(command: Sequence[str], data: bytes, limits: UploadLimits, argument: str, bounds: Bounds) -> Reply:
    """What the worker replies to one file; a crash, a hang or nonsense is a RequestError."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | _ONE_THREAD,
            start_new_session=True,
        )
    except OSError:
        raise RequestError(argument, "cannot be decoded right now: the machine is too busy; try again") from None
    expired = Event()

    def expire() -> None:
        expired.set()
        _kill(process)

    # A timer works on every platform; it unblocks the pipes below by killing whoever holds their other ends.
    clock = Timer(limits.wall_seconds, expire)
    clock.daemon = True
    clock.start()
    reply = None
    try:
        request = REQUEST.pack(MAGIC, *bounds, limits.address_space, limits.cpu_seconds, len(data))
        # A worker that has died leaves a broken pipe; its exit status tells more.
        with contextlib.suppress(OSError):
            process.stdin.write(request)
            process.stdin.write(data)
            process.stdin.flush()
        reply = _receive(process.stdout, bounds)
    finally:
        clock.cancel()
        clock.join()
        if reply is None and not expired.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
        status = process.poll()
        _kill(process)
        process.wait()
        process.stdout.close()
        with contextlib.suppress(OSError):
            process.stdin.close()
    if reply is None:
        raise RequestError(argument, _TOO_SLOW if expired.is_set() else _cause(status))
    return reply


def _receive(stream: BinaryIO, bounds: Bounds) -> Reply | None:
    """A whole and possible reply, or None. No more memory is taken than the bounds allow."""
    head = stream.read(REPLY.size)
    if len(head) < REPLY.size:
        return None
    magic, status, channels, rate, size = REPLY.unpack(head)
    if magic != MAGIC or status not in tuple(Status):
        return None
    if status != Status.DONE:
        return Reply(Status(status), channels, rate)
    if not (1 <= channels <= bounds.channels and bounds.low_rate <= rate <= bounds.high_rate):
        return None
    if size % (4 * channels) or size > bounds.frames(channels, rate) * 4 * channels:
        return None
    pcm = stream.read(size)
    return Reply(Status.DONE, channels, rate, pcm) if len(pcm) == size else None


def _cause(status: int | None) -> str:
    """Why a worker gave no reply, by its exit status: negative for a signal, None when it still runs."""
    if status is None or status >= 0:
        return _FAILED
    names = {"SIGXCPU": _TOO_SLOW, "SIGKILL": _STOPPED}
    return names.get(signal.Signals(-status).name, _CRASHED)


def _kill(process: subprocess.Popen) -> None:
    """End the worker and whatever it has started; its session is a group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
