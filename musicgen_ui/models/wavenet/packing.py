"""The raw-audio WaveNet's weights as the kernel reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from musicgen_ui.models.wavenet.kernel import BLOCK
from musicgen_ui.models.wavenet.mu_law import SILENCE
from musicgen_ui.models.wavenet.raw import RawWaveNet
from musicgen_ui.models.wavenet.vectors import PANEL, WIDTH

LINE = 16
"""Floats in a line of the cache."""


@dataclass(frozen=True)
class PackedWaveNet:
    """Weights in the order in which the kernel reads them, channels padded with zeros to whole vectors.

    Attributes:
        shape: (residual, skip, classes, features, hop, silence), padded.
        dilations, blocks, places: (layers,) int64, see :func:`kernel.sample`.
        matrices: (layers + 1, 3) int64, rows: (6,) int64, likewise.
        weights, tables: flat float32 on whole lines of the cache.
        gates: (layers, 2, residual before padding) float32 biases, which are added to the conditioning.
        ring: floats that a stream keeps of its past.
    """

    shape: tuple[int, ...]
    dilations: np.ndarray
    blocks: np.ndarray
    places: np.ndarray
    matrices: np.ndarray
    rows: np.ndarray
    weights: np.ndarray
    tables: np.ndarray
    gates: np.ndarray
    ring: int

    @classmethod
    def of(cls, model: RawWaveNet) -> PackedWaveNet:
        """The weights of a model.

        Raises:
            ValueError: its convolutions have not two taps, or its hop is not a multiple of the kernel's block.
        """
        config, stack = model.config, model.stack
        if config.kernel != 2 or config.hop % BLOCK:
            raise ValueError(f"the kernel takes convolutions of two taps and a hop that {BLOCK} divides")
        plain, layers, scale = config.residual, config.layers, 1.0 / math.sqrt(config.layers)
        residual, skip, classes = (whole(n) for n in (plain, config.skip, config.classes))
        weights, tables, matrices, past = _Pile(), _Pile(), np.zeros((layers + 1, 3), dtype=np.int64), []
        gates, residual_bias, skip_bias = [], [], np.zeros(skip)
        for i in range(layers):
            taps = _floats(stack.dilated[i].weight).reshape(2, plain, 2, plain)  # tanh or sigmoid, out, tap, in
            before, present = (
                np.concatenate([_padded(taps[half, :, tap], residual, residual) for half in range(2)])
                for tap in range(2)
            )
            gates.append(_floats(stack.dilated[i].bias).reshape(2, plain))
            past.append(before)
            matrices[i, 1] = weights.add(_panels(present))
            weight, bias = _floats(stack.out[i].weight), _floats(stack.out[i].bias)
            leaving = scale * _padded(weight[-config.skip :], skip, residual)
            skip_bias[: config.skip] += scale * bias[-config.skip :]
            if i < layers - 1:
                leaving = np.concatenate([_padded(weight[:plain], residual, residual), leaving])
                residual_bias.append(_padded(bias[None, :plain], 1, residual))
            else:
                residual_bias.append(np.zeros((1, residual)))
            matrices[i, 2] = weights.add(_panels(leaving))
        matrices[layers, 1] = weights.add(_panels(_padded(_floats(model.hidden.weight), skip, skip)))
        matrices[layers, 2] = weights.add(_panels(_padded(_floats(model.logits.weight), classes, skip)))
        for i in range(layers):
            matrices[i, 0] = weights.add(_panels(past[i]))
        features = whole(config.features, 4)
        matrices[layers, 0] = weights.add(_panels(_padded(_floats(model.excite.weight), residual, features)))
        # A class that is there to fill a vector is never drawn.
        last_bias = np.full(classes, -1e30)
        last_bias[: config.classes] = _floats(model.logits.bias)
        rows = [
            tables.add(_padded(_floats(model.previous.weight), config.classes, residual)),
            tables.add(np.zeros(max(residual, skip))),
            tables.add(np.concatenate(residual_bias)),
            tables.add(skip_bias),
            tables.add(_padded(_floats(model.hidden.bias)[None], 1, skip)),
            tables.add(last_bias),
        ]
        dilations = np.array(config.dilations, dtype=np.int64)
        return cls(
            shape=(residual, skip, classes, features, config.hop, SILENCE),
            dilations=dilations,
            blocks=np.gcd(dilations, BLOCK),
            places=np.concatenate([[0], np.cumsum(dilations)[:-1] * residual]),
            matrices=matrices,
            rows=np.array(rows, dtype=np.int64),
            weights=weights.join(),
            tables=tables.join(),
            gates=np.stack(gates).astype(np.float32),
            ring=int(dilations.sum()) * residual,
        )

    def conditioning(self, table: np.ndarray) -> np.ndarray:
        """(frames, layers, 2R) of the model to (frames, layers * 2R padded), with the gates' biases."""
        layers, _, plain = self.gates.shape
        out = np.zeros((len(table), layers, 2, self.shape[0]), dtype=np.float32)
        np.add(table.reshape(len(table), layers, 2, plain), self.gates, out=out[..., :plain])
        return out.reshape(len(table), 2 * layers * self.shape[0])


@dataclass
class _Pile:
    """Arrays one after another, each from the start of a line."""

    pieces: list[np.ndarray] = field(default_factory=list)
    size: int = 0

    def add(self, values: np.ndarray) -> int:
        """Appends numbers; returns where they begin."""
        at, values = self.size, values.ravel().astype(np.float32)
        self.pieces += [values, np.zeros(-len(values) % LINE, dtype=np.float32)]
        self.size += whole(len(values), LINE)
        return at

    def join(self) -> np.ndarray:
        out = aligned(self.size)
        np.concatenate(self.pieces, out=out)
        return out


def aligned(size: int) -> np.ndarray:
    """(size,) float32 zeros that begin on a line of the cache: a vector is then never read from two."""
    room = np.zeros(size + LINE, dtype=np.float32)
    skip = -room.ctypes.data % (4 * LINE) // 4
    return room[skip : skip + size]


def whole(count: int, of: int = WIDTH) -> int:
    """The next multiple."""
    return -(-count // of) * of


def _floats(weight: Tensor) -> np.ndarray:
    return weight.detach().cpu().double().numpy()


def _padded(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    out = np.zeros((rows, columns))
    out[: matrix.shape[0], : matrix.shape[1]] = matrix
    return out


def _panels(matrix: np.ndarray) -> np.ndarray:
    """(outputs, inputs) to panels of 64, 32 or 16 outputs, each (inputs, outputs) in a row."""
    pieces, done = [], 0
    while done < len(matrix):
        left = len(matrix) - done
        step = PANEL if left >= PANEL else 2 * WIDTH if left >= 2 * WIDTH else WIDTH
        pieces.append(matrix[done : done + step].T.ravel())
        done += step
    return np.concatenate(pieces)
