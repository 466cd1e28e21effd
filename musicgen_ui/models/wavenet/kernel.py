"""The compiled sampler of the raw-audio WaveNet: one numba kernel for all layers, several streams at a time.

What limits one stream is reading the weights from the second-level cache, so the kernel reads few of them: the half of
a layer's convolution that sees the past is done for a block of samples at once (the past is known one dilation ahead),
and streams share every weight that is loaded. Each output is summed in one order, whatever runs beside it: a stream's
samples do not depend on the other streams, nor on how it is cut into pieces.
"""

from __future__ import annotations

import numba
import numpy as np

from musicgen_ui.models.wavenet.vectors import (
    PANEL,
    TOGETHER,
    WIDTH,
    add,
    address,
    copy,
    gate,
    peak_of,
    product_11,
    product_12,
    product_14,
    product_21,
    product_22,
    product_24,
    product_41,
    product_42,
    product_44,
    rectify,
    weigh,
)

VECTORS = "cbb964275c611153"
"""Start of the SHA-256 of the vectors' module: when it changes, so must this file, or numba's cache stays."""

BLOCK = 16
"""Samples for which a layer's past half is computed at once, where its dilation allows."""


@numba.njit(cache=True, nogil=True)
def _product(weights, size, width, source, s_step, begin, b_step, target, o_step, lanes, count):
    """``count`` columns of ``width`` outputs from ``size`` inputs; see :func:`vectors.panel`."""
    done = 0
    while done < width:
        step = PANEL if width - done >= PANEL else 2 * WIDTH if width - done >= 2 * WIDTH else WIDTH
        c, w, i, j = 0, weights + 4 * done * size, begin + 4 * done, target + 4 * done
        while c < count:
            left = count - c
            if left >= 4 and TOGETHER >= 4:
                if step == PANEL:
                    product_44(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                elif step == 2 * WIDTH:
                    product_42(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                else:
                    product_41(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                c += 4
            elif left >= 2 and TOGETHER >= 2:
                if step == PANEL:
                    product_24(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                elif step == 2 * WIDTH:
                    product_22(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                else:
                    product_21(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                c += 2
            else:
                if step == PANEL:
                    product_14(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                elif step == 2 * WIDTH:
                    product_12(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                else:
                    product_11(w, size, source, s_step, i, b_step, j, o_step, lanes, c)
                c += 1
        done += step


@numba.njit(cache=True, nogil=True)
def _draw(values, at, size, sharpness, uniform, sums):
    """A class by the inverse of the cumulative distribution; ``values`` are logits, and weights afterwards."""
    peak = peak_of(values, at)
    for i in range(WIDTH, size, WIDTH):
        peak = max(peak, peak_of(values, at + i))
    total = np.float32(0.0)
    for i in range(size // WIDTH):
        sums[i] = weigh(values, at + i * WIDTH, peak, sharpness)
        total += sums[i]
    target, reached, part = uniform * total, np.float32(0.0), 0
    while part < size // WIDTH - 1 and reached + sums[part] <= target:
        reached += sums[part]
        part += 1
    best = part * WIDTH
    for i in range(part * WIDTH, (part + 1) * WIDTH):
        reached += values[at + i]
        if reached > target:
            return i
        if values[at + i] > values[at + best]:
            best = i
    # Rounding left the target a little above the last sum: what is likely there, not what comes last.
    return best


@numba.njit(cache=True, nogil=True)
def sample(
    shape, dilations, blocks, places, matrices, rows, weights, tables, excitation, conditioning, uniforms, sharpness,
    active, begin, last, live, ring, past, flow, scratch, out,
):  # fmt: skip
    """Writes the classes of some frames for all streams and moves the streams' state on.

    Args:
        shape: (residual, skip, classes, excitation, hop, silence), the channel counts padded.
        dilations, blocks, places: of each layer: samples, samples at once, where its past begins in a stream's ring.
        matrices: (layers, 3) where the past half, the present half and the way out of each layer begin in ``weights``;
            two more rows hold those of excite and of the layers after the skips.
        rows: where in ``tables`` begin: the classes' vectors, zeros, the residual biases, the skips' bias, the two
            last biases.
        weights, tables: flat float32.
        excitation: (streams, samples, E) flat; conditioning: (streams, frames, layers * 2R) flat, with the biases.
        uniforms: (streams, samples) in [0, 1); sharpness: (streams, frames), one over the temperature.
        active: (streams, frames) bool; a frame that is not is silence, and the past is forgotten.
        begin: index of the first sample since the start of the streams, a multiple of the hop.
        last: (streams,) class before; live: (streams,) bool, whether the state is other than at the start.
        ring, past, flow: (streams, …) flat: the layers' past inputs, what they add to the gates, the residual and skip
            channels.
        scratch: (streams, …) flat: pre-activations, gates, hidden, logits and the entering vectors of a block.
        out: (streams, samples) int16 classes.
    """
    residual, skip, classes, features, hop, silence = shape
    streams, frames = active.shape
    layers, gates, samples = dilations.shape[0], 2 * residual, frames * hop
    ring_step, past_step = ring.shape[0] // streams, past.shape[0] // streams
    flow_step, work_step = residual + skip, scratch.shape[0] // streams
    z_at, hidden_at = gates, gates + residual
    logits_at = hidden_at + skip
    entry_at = logits_at + classes
    # The compiler would make one version of a product for every constant that it is called with.
    zero, size = np.int64(0), np.int64(BLOCK)
    order, lanes = np.arange(BLOCK), np.empty(streams, np.int64)
    sums = np.empty(classes // WIDTH, np.float32)
    at_weights, at_tables = address(weights, zero), address(tables, zero)
    at_order, at_lanes = address(order, zero), address(lanes, zero)
    at_ring, at_past = address(ring, zero), address(past, zero)
    at_flow, at_skips = address(flow, zero), address(flow, residual)
    at_work, at_z = address(scratch, zero), address(scratch, z_at)
    at_hidden, at_logits = address(scratch, hidden_at), address(scratch, logits_at)
    for frame in range(frames):
        count = np.int64(0)
        for s in range(streams):
            if active[s, frame]:
                lanes[count] = s
                count += 1
                live[s] = True
            else:
                out[s, frame * hop : (frame + 1) * hop] = silence
                if live[s]:
                    ring[s * ring_step : (s + 1) * ring_step] = 0.0
                    last[s] = silence
                    live[s] = False
        if count == 0:
            continue
        for n in range(hop):
            now, t = frame * hop + n, begin + frame * hop + n
            if n % BLOCK == 0:
                for c in range(count):
                    s = lanes[c]
                    _product(
                        at_weights + 4 * matrices[layers, 0], features, residual,
                        address(excitation, (s * samples + now) * features), features, at_tables + 4 * rows[1], zero,
                        address(scratch, s * work_step + entry_at), residual, at_order, size,
                    )  # fmt: skip
            for c in range(count):
                s = lanes[c]
                entry, row = s * work_step + entry_at + n % BLOCK * residual, rows[0] + last[s] * residual
                for r in range(0, residual, WIDTH):
                    add(scratch, entry + r, tables, row + r, flow, s * flow_step + r)
                for r in range(0, skip, WIDTH):
                    copy(tables, rows[3] + r, flow, s * flow_step + residual + r)
            for i in range(layers):
                dilation, block = dilations[i], blocks[i]
                slot = t % dilation
                conditioned = frame * layers * gates + i * gates
                condition_step = frames * layers * gates
                place = i * gates
                part = n & (block - 1)
                if part == 0:
                    if block >= 4:
                        for c in range(count):
                            s = lanes[c]
                            _product(
                                at_weights + 4 * matrices[i, 0], residual, gates,
                                at_ring + 4 * (s * ring_step + places[i] + slot * residual), residual,
                                address(conditioning, s * condition_step + conditioned), zero,
                                at_past + 4 * (s * past_step + place), layers * gates, at_order, block,
                            )  # fmt: skip
                    else:
                        for k in range(block):
                            _product(
                                at_weights + 4 * matrices[i, 0], residual, gates,
                                at_ring + 4 * (places[i] + (slot + k) * residual), ring_step,
                                address(conditioning, conditioned), condition_step,
                                at_past + 4 * (place + k * layers * gates), past_step, at_lanes, count,
                            )  # fmt: skip
                _product(
                    at_weights + 4 * matrices[i, 1], residual, gates, at_flow, flow_step,
                    at_past + 4 * (place + part * layers * gates), past_step, at_work, work_step, at_lanes, count,
                )  # fmt: skip
                bias = rows[2] + i * residual
                for c in range(count):
                    s = lanes[c]
                    put, x, work = s * ring_step + places[i] + slot * residual, s * flow_step, s * work_step
                    for r in range(0, residual, WIDTH):
                        copy(flow, x + r, ring, put + r)
                        add(flow, x + r, tables, bias + r, flow, x + r)
                        gate(scratch, work + r, work + residual + r, scratch, work + z_at + r)
                left = residual if i == layers - 1 else 0
                _product(
                    at_weights + 4 * matrices[i, 2], residual, residual + skip - left, at_z, work_step,
                    at_flow + 4 * left, flow_step, at_flow + 4 * left, flow_step, at_lanes, count,
                )  # fmt: skip
            for c in range(count):
                x = lanes[c] * flow_step + residual
                for r in range(0, skip, WIDTH):
                    rectify(flow, x + r)
            _product(
                at_weights + 4 * matrices[layers, 1], skip, skip, at_skips, flow_step, at_tables + 4 * rows[4], zero,
                at_hidden, work_step, at_lanes, count,
            )  # fmt: skip
            for c in range(count):
                h = lanes[c] * work_step + hidden_at
                for r in range(0, skip, WIDTH):
                    rectify(scratch, h + r)
            _product(
                at_weights + 4 * matrices[layers, 2], skip, classes, at_hidden, work_step, at_tables + 4 * rows[5],
                zero, at_logits, work_step, at_lanes, count,
            )  # fmt: skip
            for c in range(count):
                s = lanes[c]
                drawn = _draw(scratch, s * work_step + logits_at, classes, sharpness[s, frame], uniforms[s, now], sums)
                last[s] = drawn
                out[s, now] = drawn
