"""Vectors of 16 floats for numba, written in LLVM's own terms: sums stay in registers, shorter machines split them.

numba's vectoriser is not asked: it would keep the sums of a matrix product in memory, and it has no fast exp here.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDTH = 16
"""Numbers in a vector; every channel count is padded to a multiple."""

PANEL = 4 * WIDTH
"""Outputs that are summed side by side; a matrix is stored as (outputs / PANEL, inputs, PANEL)."""

RAREST = 16.0
"""A class so much less likely than the likeliest (in nats: one in nine million) is never drawn: uniform numbers of 24
bits are too coarse for it, and a zero among them would be a click.
"""

_FLOAT = ir.FloatType()
_INTEGER = ir.IntType(64)
_VECTOR = ir.VectorType(_FLOAT, WIDTH)
_FLOATS = types.Array(types.float32, 1, "C")
_INDICES = types.Array(types.int64, 1, "C")
_EXPONENTIAL = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5, 1.0, 1.0)
"""Polynomial of exp on [-ln 2 / 2, ln 2 / 2], highest order first (Cephes): relative error below 2e-7."""


def _splat(builder, value):
    """A scalar in every place of a vector."""
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), places)


def _constant(value):
    return ir.Constant(_VECTOR, [value] * WIDTH)


def _call(builder, name, result, arguments, **options):
    """Calls an LLVM intrinsic."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(builder.module.declare_intrinsic(name, fnty=kind), arguments, **options)


def _multiply_add(builder, a, b, c):
    """A * b + c, fused where the processor can."""
    return _call(builder, f"llvm.fmuladd.v{WIDTH}f32", _VECTOR, [a, b, c])


def _exponential(builder, x):
    """Exp of a vector within about ±87."""
    # Adding 1.5 * 2^23 rounds to a whole number, which then stands in the low bits; with 127 they are the exponent.
    magic = 12582912.0 + 127.0
    shifted = _multiply_add(builder, x, _constant(1.4426950408889634), _constant(magic))
    whole = builder.fsub(shifted, _constant(magic))
    rest = _multiply_add(builder, whole, _constant(-0.693359375), x)
    rest = _multiply_add(builder, whole, _constant(2.12194440e-4), rest)
    total = _constant(_EXPONENTIAL[0])
    for coefficient in _EXPONENTIAL[1:]:
        total = _multiply_add(builder, total, rest, _constant(coefficient))
    bits = ir.VectorType(ir.IntType(32), WIDTH)
    power = builder.shl(builder.bitcast(shifted, bits), ir.Constant(bits, [23] * WIDTH))
    return builder.fmul(total, builder.bitcast(power, _VECTOR))


def _clamp(builder, x, low, high):
    x = builder.select(builder.fcmp_ordered("<", x, _constant(high)), x, _constant(high))
    return builder.select(builder.fcmp_ordered(">", x, _constant(low)), x, _constant(low))


def _data(context, builder, kind, array):
    """Address of a numba array's first number."""
    return context.make_array(kind)(context, builder, array).data


def _load(builder, base, offset):
    address = builder.bitcast(builder.gep(base, [offset]), _VECTOR.as_pointer())
    return builder.load(address, align=4)


def _store(builder, value, base, offset):
    builder.store(value, builder.bitcast(builder.gep(base, [offset]), _VECTOR.as_pointer()), align=4)


def _ahead(builder, offset, count):
    return builder.add(offset, ir.Constant(_INTEGER, count))


def panel(columns: int, vectors: int):
    """A product of 16 * ``vectors`` outputs for each of ``columns`` inputs, all sums in registers.

    The intrinsic takes: the weights and where the panel begins, its outputs' stride and number of inputs (a multiple
    of 4); then three times an array, a place in it and a step: what is multiplied, what the sums begin with, where
    they go. Column c lies ``lanes[first + c]`` steps after the place.
    """

    @intrinsic
    def product(typing, weights, at, size, source, s, s_step, begin, b, b_step, target, o, o_step, lanes, first):
        def generate(context, builder, signature, args):
            kinds = signature.args
            data = [_data(context, builder, kinds[i], args[i]) for i in (0, 3, 6, 9)]
            table, inputs, starts, outputs = data
            indices = _data(context, builder, kinds[12], args[12])
            lane = [builder.load(builder.gep(indices, [_ahead(builder, args[13], c)])) for c in range(columns)]

            def place(which, c):
                return builder.add(args[which], builder.mul(lane[c], args[which + 1]))

            rows = [builder.gep(inputs, [place(4, c)]) for c in range(columns)]
            opening = [
                _load(builder, starts, _ahead(builder, place(7, c), WIDTH * v))
                for c in range(columns)
                for v in range(vectors)
            ]
            before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
            builder.branch(loop)
            builder.position_at_end(loop)
            index = builder.phi(_INTEGER)
            index.add_incoming(ir.Constant(_INTEGER, 0), before)
            sums = []
            for value in opening:
                sums.append(builder.phi(_VECTOR))
                sums[-1].add_incoming(value, before)
            totals = list(sums)
            for ahead in range(4):
                i = _ahead(builder, index, ahead)
                row = builder.add(args[1], builder.mul(i, ir.Constant(_INTEGER, WIDTH * vectors)))
                weight = [_load(builder, table, _ahead(builder, row, WIDTH * v)) for v in range(vectors)]
                for c in range(columns):
                    value = _splat(builder, builder.load(builder.gep(rows[c], [i])))
                    for v in range(vectors):
                        place_ = c * vectors + v
                        totals[place_] = _multiply_add(builder, weight[v], value, totals[place_])
            following = _ahead(builder, index, 4)
            index.add_incoming(following, loop)
            for phi, total in zip(sums, totals, strict=True):
                phi.add_incoming(total, loop)
            builder.cbranch(builder.icmp_signed("<", following, args[2]), loop, after)
            builder.position_at_end(after)
            for c in range(columns):
                for v in range(vectors):
                    _store(builder, totals[c * vectors + v], outputs, _ahead(builder, place(10, c), WIDTH * v))
            return context.get_dummy_value()

        part = (_FLOATS, types.int64, types.int64)
        return types.void(_FLOATS, types.int64, types.int64, *part * 3, _INDICES, types.int64), generate

    return product


product_44, product_42, product_41 = panel(4, 4), panel(4, 2), panel(4, 1)
product_24, product_22, product_21 = panel(2, 4), panel(2, 2), panel(2, 1)
product_14, product_12, product_11 = panel(1, 4), panel(1, 2), panel(1, 1)


@intrinsic
def gate(typing, values, tanh_at, sigmoid_at, target, at):
    """Tanh of one vector times sigmoid of another, with one division; absolute error below 3e-7."""

    def generate(context, builder, signature, args):
        source = _data(context, builder, signature.args[0], args[0])
        a = _clamp(builder, _load(builder, source, args[1]), -9.0, 9.0)
        b = _clamp(builder, _load(builder, source, args[2]), -40.0, 40.0)
        one = _constant(1.0)
        rise = _exponential(builder, builder.fadd(a, a))
        fall = _exponential(builder, builder.fsub(_constant(0.0), b))
        below = builder.fmul(builder.fadd(rise, one), builder.fadd(fall, one))
        value = builder.fdiv(builder.fsub(rise, one), below)
        _store(builder, value, _data(context, builder, signature.args[3], args[3]), args[4])
        return context.get_dummy_value()

    return types.void(_FLOATS, types.int64, types.int64, _FLOATS, types.int64), generate


@intrinsic
def peak_of(typing, values, at):
    """Largest number of a vector."""

    def generate(context, builder, signature, args):
        vector = _load(builder, _data(context, builder, signature.args[0], args[0]), args[1])
        return _call(builder, f"llvm.vector.reduce.fmax.v{WIDTH}f32", _FLOAT, [vector], fastmath=("nnan",))

    return types.float32(_FLOATS, types.int64), generate


@intrinsic
def weigh(typing, values, at, peak, sharpness):
    """Replaces a vector by exp((v - peak) * sharpness), zero below exp(-RAREST), and returns its sum."""

    def generate(context, builder, signature, args):
        base = _data(context, builder, signature.args[0], args[0])
        vector = builder.fsub(_load(builder, base, args[1]), _splat(builder, args[2]))
        scaled = _clamp(builder, builder.fmul(vector, _splat(builder, args[3])), -87.0, 0.0)
        heard = builder.fcmp_ordered(">", scaled, _constant(-RAREST))
        vector = builder.select(heard, _exponential(builder, scaled), _constant(0.0))
        _store(builder, vector, base, args[1])
        zero = ir.Constant(_FLOAT, 0.0)
        name = f"llvm.vector.reduce.fadd.v{WIDTH}f32"
        return _call(builder, name, _FLOAT, [zero, vector], fastmath=("reassoc",))

    return types.float32(_FLOATS, types.int64, types.float32, types.float32), generate
