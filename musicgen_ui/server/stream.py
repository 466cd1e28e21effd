"""Sound of clips in the making: what an engine thread puts in, an HTTP answer hands on at once.

A stream's body is a sequence of frames, all little-endian: uint32 ``begin`` (sample at 44.1 kHz), uint32 ``n``, then n
stereo pairs of int16. A later frame replaces earlier ones from its begin on. The body ends with the clip.
"""

from __future__ import annotations

import queue
import secrets
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from musicgen_ui.library.clip import Missing
from musicgen_ui.server.answers import StudioRoute

if TYPE_CHECKING:
    from musicgen_ui.server.services import Services

KEPT = 32
"""Streams that are remembered; the oldest goes first."""

SILENCE_SECONDS = 120.0
"""A stream in which nothing happens for so long is over: whoever wrote it is gone."""


class LiveStream:
    """One clip's sound while it is made. One thread writes, one answer reads."""

    def __init__(self) -> None:
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._closed = False

    def put(self, begin: int, samples: np.ndarray) -> None:
        """Add a piece.

        Args:
            begin: first sample.
            samples: (2, n) float32 in [-1, 1].
        """
        if not self._closed:
            self._frames.put(frame(begin, samples))

    def close(self) -> None:
        """Ends the stream; more than once does no harm."""
        if not self._closed:
            self._closed = True
            self._frames.put(None)

    def read(self) -> Iterator[bytes]:
        """Frames as they come, until the end."""
        while True:
            try:
                data = self._frames.get(timeout=SILENCE_SECONDS)
            except queue.Empty:
                return
            if data is None:
                return
            yield data


class Streams:
    """Open streams by a name that nobody can guess. A stream can be read once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, LiveStream] = OrderedDict()

    def open(self) -> tuple[str, LiveStream]:
        """A new stream and its name."""
        name, stream = secrets.token_urlsafe(16), LiveStream()
        with self._lock:
            self._open[name] = stream
            while len(self._open) > KEPT:
                self._open.popitem(last=False)[1].close()
        return name, stream

    def take(self, name: str) -> LiveStream | None:
        """The stream of this name, which is then no longer to be had; None where there is none."""
        with self._lock:
            return self._open.pop(name, None)


def frame(begin: int, samples: np.ndarray) -> bytes:
    """A piece as it goes over the line; (2, n) float32 in [-1, 1], in the steps of ``clip.wav``."""
    pairs = np.clip(np.rint(samples.T * 32768.0), -32768, 32767).astype("<i2")
    return struct.pack("<II", begin, len(pairs)) + pairs.tobytes()


def stream_router(services: Services) -> APIRouter:
    """The route that a player reads while a clip is being made."""
    router = APIRouter(route_class=StudioRoute)

    @router.get("/stream/{name}", response_class=StreamingResponse, tags=["clips"])
    def stream(name: str) -> StreamingResponse:
        """The sound of a clip while it is made, as frames (see this module); it can be read once."""
        live = services.streams.take(name)
        if live is None:
            raise Missing("stream", "there is no such sound, or somebody is hearing it already")
        return StreamingResponse(
            live.read(), media_type="application/octet-stream", headers={"Cache-Control": "no-store"}
        )

    return router
