"""Samplers of the raw-audio WaveNet in PyTorch: the reference for the compiled kernel, and the one for CUDA.

All draw alike: one uniform number a sample, the inverse of the cumulative distribution in the order of the classes;
a frame that is not active is silence, and the past is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from musicgen_ui.models.wavenet.mu_law import SILENCE
from musicgen_ui.models.wavenet.raw import RawWaveNet
from musicgen_ui.models.wavenet.request import Hook, RawRequest, check
from musicgen_ui.models.wavenet.stack import WaveNetStack
from musicgen_ui.models.wavenet.vectors import RAREST


def draw(logits: Tensor, temperature: Tensor, uniforms: Tensor) -> Tensor:
    """Classes (B,) int64 of logits (B, classes), temperatures (B,) and uniforms (B,) in [0, 1).

    Classes that are rarer than the numbers are fine are left out, see :data:`vectors.RAREST`.
    """
    scaled = (logits - logits.amax(-1, keepdim=True)) / temperature[:, None]
    reached = torch.where(scaled > -RAREST, scaled.exp(), 0.0).cumsum(-1)
    target = (uniforms * reached[:, -1])[:, None]
    return torch.searchsorted(reached, target, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)


@torch.inference_mode()
def sample_naive(model: RawWaveNet, request: RawRequest, history: Sequence[int] | np.ndarray = ()) -> np.ndarray:
    """(T,) int16 classes; every sample runs the whole stack over its receptive field.

    Args:
        model: the weights.
        request: what to play.
        history: the first classes, where they are known already: only what follows is drawn.
    """
    check([request], model.config)
    hop, field = model.config.hop, model.config.stack.receptive_field
    stack, (excitation, table, uniforms, temperature) = _unconditioned(model), _tensors([request], model)
    length = request.frames * hop
    before = torch.full((1, length + 1), SILENCE, device=excitation.device)
    before[0, 1 : len(history) + 1] = torch.from_numpy(np.asarray(history, dtype=np.int64)).to(before.device)
    silent = np.flatnonzero(~request.active[: len(history) // hop])
    born = (int(silent[-1]) + 1) * hop if len(silent) else 0
    for t in range(len(history), length):
        frame = t // hop
        if not request.active[frame]:
            born = (frame + 1) * hop
            continue
        # The window begins with a frame and ends with one; what comes after t cannot reach it.
        start = max(born, (t - field + 1) // hop * hop)
        window = slice(start, (frame + 1) * hop)
        x = model.previous(before[:, window]) + model.excite(excitation[:, window])
        skips = stack(x, table[:, start // hop : frame + 1])
        logits = model.head(skips[:, t - start])
        before[:, t + 1] = draw(logits, temperature[:, frame], uniforms[:, t])
    return before[0, 1:].cpu().numpy().astype(np.int16)


@torch.inference_mode()
def sample_cached(model: RawWaveNet, requests: Sequence[RawRequest]) -> np.ndarray:
    """(streams, T) int16 classes of requests of one length; every layer keeps a queue of its inputs.

    This is the fast WaveNet generation of Le Paine et al. (2016).
    """
    check(requests, model.config)
    hop, stack = model.config.hop, _unconditioned(model)
    excitation, table, uniforms, temperature = _tensors(requests, model)
    active = torch.from_numpy(np.stack([request.active for request in requests])).to(excitation.device)
    cache = stack.start(len(requests))
    last = torch.full((len(requests),), SILENCE, device=excitation.device)
    out = []
    for t in range(uniforms.shape[1]):
        frame = t // hop
        sounding = active[:, frame]
        if t % hop == 0:
            kept = sounding & active[:, frame - 1] if frame else sounding
            for queue in cache.queues:
                queue *= kept[:, None, None]
        skips = stack.step(cache, model.previous(last) + model.excite(excitation[:, t]), table[:, frame])
        drawn = draw(model.head(skips), temperature[:, frame], uniforms[:, t])
        last = torch.where(sounding, drawn, SILENCE)
        out.append(last)
    return torch.stack(out, dim=1).cpu().numpy().astype(np.int16)


class GraphSampler:
    """The cached sampler as one step without shapes or numbers that change, which a CUDA graph records and repeats.

    A step of so small a network is some hundreds of launches on a GPU; the graph makes them one. It pays for many
    streams at a time; a single one runs faster in the compiled kernel on the CPU. On the CPU the same step runs as it
    is: that is how the tests check its arithmetic. The recording itself was written from the documentation of
    ``torch.cuda.CUDAGraph`` and has not been run on a GPU.

    Args:
        model: where it lies is where the sampler runs.
    """

    def __init__(self, model: RawWaveNet) -> None:
        self.model = model
        self.config = model.config

    @torch.inference_mode()
    def stream(self, requests: Sequence[RawRequest], *, chunk: int, hook: Hook | None = None) -> Iterator[np.ndarray]:
        """As :meth:`fast.RawSampler.stream`."""
        check(requests, self.config)
        if chunk < 1:
            raise ValueError("chunk must be positive")
        hop, samples = self.config.hop, max(request.frames for request in requests) * self.config.hop
        active = np.stack([_lengthened(request.active, samples // hop) for request in requests]).sum(axis=0)
        step = _Step(self.model, requests)
        run = step.record() if step.position.is_cuda else step
        for first in range(0, samples, chunk):
            if hook is not None:
                before = active[: first // hop].sum() * hop + active[first // hop] * (first % hop)
                hook("raw", int(before), int(active.sum()) * hop)
            after = min(first + chunk, samples)
            for _ in range(first, after):
                run()
            yield step.out[:, first:after].cpu().numpy().astype(np.int16)
        if hook is not None:
            hook("raw", int(active.sum()) * hop, int(active.sum()) * hop)


class _Step:
    """All streams, one sample on. Every tensor stays where it is; the position is a tensor too."""

    def __init__(self, model: RawWaveNet, requests: Sequence[RawRequest]) -> None:
        self.model, config = model, model.config
        frames = max(request.frames for request in requests)
        self.excitation, self.table, self.uniforms, self.temperature = _tensors(requests, model)
        device = self.excitation.device
        active = np.stack([_lengthened(request.active, frames) for request in requests])
        self.active = torch.from_numpy(active).to(device)
        streams = len(requests)
        self.position = torch.zeros(1, dtype=torch.int64, device=device)
        self.born = torch.zeros(streams, dtype=torch.int64, device=device)
        self.last = torch.full((streams,), SILENCE, device=device)
        self.out = torch.full((streams, frames * config.hop), SILENCE, device=device)
        self.rings = [torch.zeros(streams, dilation, config.residual, device=device) for dilation in config.dilations]

    def __call__(self) -> None:
        model, config = self.model, self.model.config
        frame = self.position // config.hop
        sounding = self.active.index_select(1, frame)[:, 0]
        table = self.table.index_select(1, frame)[:, 0]
        x = model.previous(self.last) + model.excite(self.excitation.index_select(1, self.position)[:, 0])
        width, total = 2 * config.residual, 0.0
        for i, (dilation, ring) in enumerate(zip(config.dilations, self.rings, strict=True)):
            place = self.position % dilation
            # What lies before the stream's last beginning counts as zero, so that nothing need be cleared.
            known = (self.position - self.born >= dilation)[:, None]
            past = ring.index_select(1, place)[:, 0] * known
            ring.index_copy_(1, place, x[:, None])
            h = model.stack.dilated[i](torch.cat([past, x], dim=-1)) + table[:, i * width : (i + 1) * width]
            tanh, gate = h.chunk(2, dim=-1)
            out = model.stack.out[i](torch.tanh(tanh) * torch.sigmoid(gate))
            total = total + out[:, -config.skip :]
            if i < config.layers - 1:
                x = x + out[:, : config.residual]
        logits = model.head(total / config.layers**0.5)
        temperature = self.temperature.index_select(1, frame)[:, 0]
        drawn = draw(logits, temperature, self.uniforms.index_select(1, self.position)[:, 0])
        self.last.copy_(torch.where(sounding, drawn, SILENCE))
        self.out.index_copy_(1, self.position, self.last[:, None])
        self.position += 1
        self.born.copy_(torch.where(sounding, self.born, self.position))

    def record(self) -> Callable[[], None]:
        """A graph of the step; calling the result repeats it."""
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(3):  # libraries allocate on their first calls, which a recording must not see
                self()
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self()
        self.position.zero_()
        self.born.zero_()
        self.last.fill_(SILENCE)
        return graph.replay


def _unconditioned(model: RawWaveNet) -> WaveNetStack:
    """The model's own layers in a stack whose local conditioning is what is added to the gates already."""
    stack = WaveNetStack(replace(model.config.stack, local=0))
    stack.dilated, stack.out, stack.local = model.stack.dilated, model.stack.out, nn.Identity()
    return stack.eval()


def _lengthened(values: np.ndarray, length: int) -> np.ndarray:
    """Zeros (or False) after the end."""
    return np.concatenate([values, np.zeros((length - len(values), *values.shape[1:]), dtype=values.dtype)])


def _tensors(requests: Sequence[RawRequest], model: RawWaveNet) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Excitation (B, T, E), conditioning (B, frames, layers * 2R), uniforms (B, T), temperature (B, frames)."""
    frames = max(request.frames for request in requests)
    samples = frames * model.config.hop

    def stacked(arrays: list[np.ndarray], length: int) -> Tensor:
        together = np.stack([_lengthened(np.asarray(array, dtype=np.float32), length) for array in arrays])
        return torch.from_numpy(together).to(model.previous.weight.device)

    # Where a request has ended nothing is drawn, but nothing may be divided by zero either.
    temperature = [np.broadcast_to(np.float32(request.temperature), request.frames) for request in requests]
    return (
        stacked([request.excitation for request in requests], samples),
        stacked([request.conditioning.reshape(request.frames, -1) for request in requests], frames),
        stacked([request.uniforms for request in requests], samples),
        stacked(temperature, frames).clamp(min=1e-6),
    )
