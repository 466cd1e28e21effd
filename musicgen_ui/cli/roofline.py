"""What one core of this machine can do: bytes read a second from a buffer, multiply-adds a second in registers."""

from __future__ import annotations

import time
from collections.abc import Callable

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from musicgen_ui.models.wavenet.packing import aligned
from musicgen_ui.models.wavenet.vectors import FLOATS, INTEGER, VECTOR, WIDTH, constant, data, load, multiply_add, store

CHAINS = 8
"""Sums that do not wait for each other: enough to hide the latency of an addition."""

PASS = 4_000_000
"""Bytes, about, that are read between two looks at the clock."""

SECONDS = 0.2
"""How long each probe runs; the best pass counts."""


def read_bandwidth(size: int) -> float:
    """Bytes a second at which a buffer of ``size`` bytes is read over and over."""
    step = 4 * CHAINS * WIDTH
    count = max(size // step, 1) * step // 4
    buffer, out = aligned(count), aligned(CHAINS * WIDTH)
    buffer[:] = 1.0  # pages that were never written are one and the same
    times = max(1, PASS // (4 * count))
    return _rate(lambda: _read(buffer, count, times, out), times * 4 * count)


def multiply_add_rate() -> float:
    """Multiply-adds (of single floats) a second, nothing read."""
    out, steps = aligned(2 * CHAINS * WIDTH), 20_000
    return _rate(lambda: _multiply(steps, out), steps * 2 * CHAINS * WIDTH)


def _rate(work: Callable[[], None], amount: int) -> float:
    work()
    best, end = np.inf, time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        work()
        best = min(best, time.perf_counter() - began)
    return amount / best


def _chains(count: int, turn: Callable[..., list]) -> Callable[..., None]:
    """A loop over sums in registers.

    Args:
        count: how many sums.
        turn: (builder, args, address, sums, index) → the sums after one turn.
    """

    def generate(context, builder, signature, args):
        address = data(context, builder, args[0])
        out = data(context, builder, args[3])
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(INTEGER)
        index.add_incoming(ir.Constant(INTEGER, 0), before)
        sums = [builder.phi(VECTOR) for _ in range(count)]
        for value in sums:
            value.add_incoming(constant(0.0), before)
        totals = turn(builder, address, sums, index)
        following = builder.add(index, args[2])
        index.add_incoming(following, loop)
        for value, total in zip(sums, totals, strict=True):
            value.add_incoming(total, loop)
        builder.cbranch(builder.icmp_signed("<", following, args[1]), loop, after)
        builder.position_at_end(after)
        for place, total in enumerate(totals):
            store(builder, total, out, ir.Constant(INTEGER, WIDTH * place))
        return context.get_dummy_value()

    return generate


@intrinsic
def _reading(typing, values, count, step, out):
    def turn(builder, address, sums, index):
        places = [builder.add(index, ir.Constant(INTEGER, WIDTH * chain)) for chain in range(CHAINS)]
        return [builder.fadd(one, load(builder, address, at)) for one, at in zip(sums, places, strict=True)]

    return types.void(FLOATS, types.int64, types.int64, FLOATS), _chains(CHAINS, turn)


@intrinsic
def _multiplying(typing, values, count, step, out):
    def turn(builder, address, sums, index):
        factor = load(builder, address, ir.Constant(INTEGER, 0))
        return [multiply_add(builder, one, factor, factor) for one in sums]

    return types.void(FLOATS, types.int64, types.int64, FLOATS), _chains(2 * CHAINS, turn)


@numba.njit(cache=True, nogil=True)
def _read(buffer, count, times, out):
    for _ in range(times):
        _reading(buffer, count, CHAINS * WIDTH, out)


@numba.njit(cache=True, nogil=True)
def _multiply(count, out):
    _multiplying(out, count, 1, out)
