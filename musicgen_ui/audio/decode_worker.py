"""The decoder itself, and the process that runs it on files which nobody vouches for.

The process is started by :mod:`musicgen_ui.audio.decode`. It reads one request and the file from stdin and writes one
reply to stdout, both of fixed layout. Whatever it imports, it imports before it has read a byte of the file: from then
on it can open nothing, neither a file nor a socket.
"""

from __future__ import annotations

import io
import struct
import sys
from enum import IntEnum
from typing import NamedTuple

import soundfile

from musicgen_ui.audio.formats import CODINGS

try:
    import resource
except ImportError:  # Windows has no such limits; the clock and the checks of sizes remain.
    resource = None

BLOCK = 1 << 18
"""Frames decoded at a time."""

MAGIC = b"PCM1"
REQUEST = struct.Struct("<4sdIIIQ?QIQ")
"""Magic, the six fields of Bounds, address space in bytes, CPU seconds, size of the file that follows."""
REPLY = struct.Struct("<4sIIIQ")
"""Magic, status, channels, sample rate, size of the interleaved little-endian float32 samples that follow."""

_MALLOC_FAILED = 17  # libsndfile's SFE_MALLOC_FAILED


class Bounds(NamedTuple):
    """What may come out of the decoder; ``pcm_bytes`` as float32, ``cut``: a longer file is read from its start."""

    seconds: float
    channels: int
    low_rate: int
    high_rate: int
    pcm_bytes: int
    cut: bool

    def frames(self, channels: int, sample_rate: int) -> int:
        """The most frames that may be read."""
        return min(int(self.seconds * sample_rate), self.pcm_bytes // (4 * channels))


class Status(IntEnum):
    """How decoding went."""

    DONE = 0
    DAMAGED = 1
    RARE_CODING = 2
    CHANNELS = 3
    SAMPLE_RATE = 4
    TOO_LONG = 5
    TOO_LARGE = 6
    NO_MEMORY = 7


class Reply(NamedTuple):
    """What came out: interleaved float32 in ``pcm``, which is empty unless the status is DONE."""

    status: Status
    channels: int = 0
    sample_rate: int = 0
    pcm: bytes | bytearray = b""


class _Forward(soundfile.SoundFile):
    """A file read once from its start: seeking to where it is, as soundfile does after each block, can fail."""

    def seekable(self) -> bool:
        return False


def decode(data: bytes, bounds: Bounds) -> Reply:
    """Decode a file in this process."""
    try:
        # The bytes, not a path: libsndfile must not guess from a name, and the file cannot change meanwhile.
        with _Forward(io.BytesIO(data)) as file:
            header = Reply(_judge(file, bounds), file.channels, file.samplerate)
            if header.status != Status.DONE:
                return header
            allowed = bounds.frames(file.channels, file.samplerate)
            # One frame more than allowed tells a longer file; headers lie about the length, or do not know it.
            pcm = _read(file, allowed + 1)
    except MemoryError:
        return Reply(Status.NO_MEMORY)
    except (soundfile.SoundFileError, ValueError, OSError, EOFError) as error:
        out = isinstance(error, soundfile.LibsndfileError) and error.code == _MALLOC_FAILED
        return Reply(Status.NO_MEMORY if out else Status.DAMAGED)
    size = allowed * 4 * header.channels
    if len(pcm) > size:
        if not bounds.cut:
            whole = allowed == int(bounds.seconds * header.sample_rate)
            return header._replace(status=Status.TOO_LONG if whole else Status.TOO_LARGE)
        del pcm[size:]
    return header._replace(pcm=pcm)


def _judge(file: soundfile.SoundFile, bounds: Bounds) -> Status:
    if file.subtype not in CODINGS.get(file.format, ()):
        return Status.RARE_CODING
    if not 1 <= file.channels <= bounds.channels:
        return Status.CHANNELS
    if not bounds.low_rate <= file.samplerate <= bounds.high_rate:
        return Status.SAMPLE_RATE
    return Status.DONE


def _read(file: soundfile.SoundFile, frames: int) -> bytearray:
    """At most this many frames, in blocks: memory grows with what is there, not with what a header claims."""
    pcm = bytearray()
    frame = 4 * file.channels
    block = memoryview(bytearray(min(frames, BLOCK) * frame))
    while frames > 0:
        wanted = min(frames, BLOCK)
        got = file.buffer_read_into(block[: wanted * frame], dtype="float32")
        pcm += block[: got * frame]
        if got < wanted:
            break
        frames -= got
    return pcm


def confine(address_space: int, cpu_seconds: int) -> None:
    """Give up what a decoder does not need: memory, time, files, sockets, other processes, core dumps."""
    if resource is None:
        return
    limits = {
        "RLIMIT_AS": address_space,
        "RLIMIT_CPU": cpu_seconds,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
        # No new descriptor at all: the three that are open stay open.
        "RLIMIT_NOFILE": 0,
    }
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        _, hard = resource.getrlimit(kind)
        # At the soft limit of CPU time the process gets a signal of its own, at the hard one it is just killed.
        top = value + 1 if name == "RLIMIT_CPU" else value
        top = top if hard == resource.RLIM_INFINITY else min(top, hard)
        try:
            resource.setrlimit(kind, (min(value, top), top))
        except (ValueError, OSError):
            # macOS refuses some of them; the others still hold.
            continue


def main() -> None:
    """Answer one request; an incomplete one is dropped, since whoever asked has gone."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    head = source.read(REQUEST.size)
    if len(head) < REQUEST.size or not head.startswith(MAGIC):
        return
    _, *bounds, address_space, cpu_seconds, size = REQUEST.unpack(head)
    confine(address_space, cpu_seconds)
    try:
        data = source.read(size)
        if len(data) < size:
            return
        reply = decode(data, Bounds(*bounds))
    except MemoryError:
        reply = Reply(Status.NO_MEMORY)
    target.write(REPLY.pack(MAGIC, reply.status, reply.channels, reply.sample_rate, len(reply.pcm)))
    target.write(reply.pcm)
    target.flush()
