"""The sampler of the raw-audio WaveNet that the studio uses: drives the compiled kernel, a few frames at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from musicgen_ui.models.wavenet.kernel import BLOCK, sample
from musicgen_ui.models.wavenet.mu_law import SILENCE
from musicgen_ui.models.wavenet.packing import PackedWaveNet, aligned
from musicgen_ui.models.wavenet.raw import RawWaveNet
from musicgen_ui.models.wavenet.request import Hook, RawRequest, check
from musicgen_ui.models.wavenet.sampler import GraphSampler

FRAMES = 16
"""Frames between two looks at the hook."""


def sampler_of(model: RawWaveNet) -> RawSampler | GraphSampler:
    """The one for where the model lies: the recorded step on a GPU, else the kernel (see both for when each pays)."""
    return GraphSampler(model) if model.previous.weight.is_cuda else RawSampler(model)


class RawSampler:
    """Writes streams of a model's samples on one core of the CPU; holds no state between calls.

    Args:
        model: on any device; a copy of its weights is kept.
    """

    def __init__(self, model: RawWaveNet) -> None:
        self.config = model.config
        self.packed = PackedWaveNet.of(model)

    def stream(self, requests: Sequence[RawRequest], *, chunk: int, hook: Hook | None = None) -> Iterator[np.ndarray]:
        """Classes of all requests side by side, as they are made.

        Args:
            requests: of any lengths; a shorter one ends in silence.
            chunk: samples that each piece has (the last one what is left); the samples do not depend on it.
            hook: told ``("raw", samples done, samples to do)`` every few frames, counting those of active frames; may
                raise ``Cancelled``.

        Yields:
            (streams, n) int16 classes.

        Raises:
            ValueError: see :func:`request.check`, or the chunk is not positive.
        """
        check(requests, self.config)
        if chunk < 1:
            raise ValueError("chunk must be positive")
        state = SamplerState.silent(self.packed, len(requests))
        frames = max(request.frames for request in requests)
        total = self.config.hop * int(sum(np.count_nonzero(request.active) for request in requests))
        ready, done = np.zeros((len(requests), 0), dtype=np.int16), 0
        for first in range(0, frames, FRAMES):
            if hook is not None:
                hook("raw", done, total)
            some = pieces(self.packed, requests, first, min(FRAMES, frames - first))
            ready = np.concatenate([ready, state.advance(self.packed, some)], axis=1)
            done += self.config.hop * int(some.active.sum())
            while ready.shape[1] >= chunk:
                yield ready[:, :chunk]
                ready = ready[:, chunk:]
        if hook is not None:
            hook("raw", done, total)
        if ready.shape[1]:
            yield ready


@dataclass(frozen=True)
class Pieces:
    """The same frames of all requests, as the kernel takes them."""

    excitation: np.ndarray
    conditioning: np.ndarray
    uniforms: np.ndarray
    sharpness: np.ndarray
    active: np.ndarray


def pieces(packed: PackedWaveNet, requests: Sequence[RawRequest], first: int, frames: int) -> Pieces:
    """``frames`` frames from ``first`` on; past its end a request is not active."""
    hop, features = packed.shape[4], packed.shape[3]
    streams, samples = len(requests), frames * hop
    excitation = np.zeros((streams, samples, features), dtype=np.float32)
    conditioning = aligned(streams * frames * packed.gates.shape[0] * 2 * packed.shape[0]).reshape(streams, frames, -1)
    uniforms = np.zeros((streams, samples), dtype=np.float32)
    sharpness = np.ones((streams, frames), dtype=np.float32)
    active = np.zeros((streams, frames), dtype=np.bool_)
    for s, request in enumerate(requests):
        some, part = slice(first, first + frames), slice(first * hop, first * hop + samples)
        count = max(0, min(frames, request.frames - first))
        excitation[s, : count * hop, : request.excitation.shape[1]] = request.excitation[part]
        conditioning[s, :count] = packed.conditioning(request.conditioning[some])
        uniforms[s, : count * hop] = request.uniforms[part]
        sharpness[s, :count] = 1.0 / np.broadcast_to(request.temperature, request.frames)[some]
        active[s, :count] = request.active[some]
    return Pieces(excitation.ravel(), conditioning.ravel(), uniforms, sharpness, active)


@dataclass
class SamplerState:
    """Where the streams are; see :func:`kernel.sample`."""

    begin: int
    last: np.ndarray
    live: np.ndarray
    ring: np.ndarray
    past: np.ndarray
    flow: np.ndarray
    scratch: np.ndarray

    @classmethod
    def silent(cls, packed: PackedWaveNet, streams: int) -> SamplerState:
        """Before the first sample."""
        residual, skip, classes = packed.shape[:3]
        layers = len(packed.dilations)
        return cls(
            begin=0,
            last=np.full(streams, SILENCE, dtype=np.int64),
            live=np.zeros(streams, dtype=np.bool_),
            ring=aligned(streams * packed.ring),
            past=aligned(streams * layers * BLOCK * 2 * residual),
            flow=aligned(streams * (residual + skip)),
            scratch=aligned(streams * (3 * residual + skip + classes + BLOCK * residual)),
        )

    def advance(self, packed: PackedWaveNet, some: Pieces) -> np.ndarray:
        """The classes of some more frames, (streams, samples) int16."""
        out = np.zeros(some.uniforms.shape, dtype=np.int16)
        sample(
            packed.shape, packed.dilations, packed.blocks, packed.places, packed.matrices, packed.rows, packed.weights,
            packed.tables, some.excitation, some.conditioning, some.uniforms, some.sharpness, some.active,
            self.begin, self.last, self.live, self.ring, self.past, self.flow, self.scratch, out,
        )  # fmt: skip
        self.begin += out.shape[1]
        return out
