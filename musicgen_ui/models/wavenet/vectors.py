"""Vectors of 16 floats for numba, written in LLVM's own terms: sums stay in registers, shorter machines split them.

numba's vectoriser is not asked: it would keep the sums of a matrix product in memory, and it has no fast exp here.
"""

from __future__ import annotations

from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

WIDTH = 16
"""Numbers in a vector; every channel count is padded to a multiple."""

PANEL = 4 * WIDTH
"""Outputs that are summed side by side; a matrix is stored as (outputs / PANEL, inputs, PANEL)."""


def _columns() -> int:
    """4 where there are 32 registers of 16 numbers, else 1: more sums than registers are slower than reading twice."""
    try:
        return 4 if binding.get_host_cpu_features().get("avx512f") else 1
    except RuntimeError:  # LLVM does not know this machine
        return 1


TOGETHER = _columns()
"""Columns of a product that share every weight that is loaded. What is drawn does not depend on it."""

RAREST = 16.0
"""A class so much less likely than the likeliest (in nats: one in nine million) is never drawn: uniform numbers of 24
bits are too coarse for it, and a zero among them would be a click.
"""

_FLOAT = ir.FloatType()
INTEGER = ir.IntType(64)
VECTOR = ir.VectorType(_FLOAT, WIDTH)
FLOATS = types.Array(types.float32, 1, "C")
_EXPONENTIAL = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5, 1.0, 1.0)
"""Polynomial of exp on [-ln 2 / 2, ln 2 / 2], highest order first (Cephes): relative error below 2e-7."""


def _splat(builder, value):
    """A scalar in every place of a vector."""
    single = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    places = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(single, ir.Constant(VECTOR, ir.Undefined), places)


def constant(value):
    return ir.Constant(VECTOR, [value] * WIDTH)


def _call(builder, name, result, arguments, **options):
    """Calls an LLVM intrinsic."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(builder.module.declare_intrinsic(name, fnty=kind), arguments, **options)


def multiply_add(builder, a, b, c):
    """A * b + c, fused where the processor can."""
    return _call(builder, f"llvm.fmuladd.v{WIDTH}f32", VECTOR, [a, b, c])


def _exponential(builder, x):
    """Exp of a vector within about ±87."""
    # Adding 1.5 * 2^23 rounds to a whole number, which then stands in the low bits; with 127 they are the exponent.
    magic = 12582912.0 + 127.0
    shifted = multiply_add(builder, x, constant(1.4426950408889634), constant(magic))
    whole = builder.fsub(shifted, constant(magic))
    rest = multiply_add(builder, whole, constant(-0.693359375), x)
    rest = multiply_add(builder, whole, constant(2.12194440e-4), rest)
    total = constant(_EXPONENTIAL[0])
    for coefficient in _EXPONENTIAL[1:]:
        total = multiply_add(builder, total, rest, constant(coefficient))
    bits = ir.VectorType(ir.IntType(32), WIDTH)
    power = builder.shl(builder.bitcast(shifted, bits), ir.Constant(bits, [23] * WIDTH))
    return builder.fmul(total, builder.bitcast(power, VECTOR))


def _clamp(builder, x, low, high):
    x = builder.select(builder.fcmp_ordered("<", x, constant(high)), x, constant(high))
    return builder.select(builder.fcmp_ordered(">", x, constant(low)), x, constant(low))


def data(context, builder, array, kind=FLOATS):
    """Address of a numba array's first number."""
    return context.make_array(kind)(context, builder, array).data


def load(builder, base, offset):
    address = builder.bitcast(builder.gep(base, [offset]), VECTOR.as_pointer())
    return builder.load(address, align=4)


def store(builder, value, base, offset):
    builder.store(value, builder.bitcast(builder.gep(base, [offset]), VECTOR.as_pointer()), align=4)


def _ahead(builder, offset, count):
    return builder.add(offset, ir.Constant(INTEGER, count))


@intrinsic
def address(typing, values, at):
    """Where a number of an array lies, in memory: an array itself is seven arguments of a compiled function."""

    def generate(context, builder, signature, args):
        return builder.ptrtoint(builder.gep(data(context, builder, args[0], values), [args[1]]), INTEGER)

    return types.int64(values, types.int64), generate


def panel(columns: int, vectors: int):
    """A product of 16 * ``vectors`` outputs for each of ``columns`` inputs, all sums in registers.

    The intrinsic takes: the address of the weights and the number of inputs (a multiple of 4); then three times an
    address and a step: of what is multiplied, what the sums begin with, where they go. Column c lies ``lanes[first +
    c]`` steps after the address.
    """

    @intrinsic
    def product(typing, weights, size, source, s_step, begin, b_step, target, o_step, lanes, first):
        def generate(context, builder, signature, args):
            pointer = _FLOAT.as_pointer()
            table, *bases = (builder.inttoptr(args[i], pointer) for i in (0, 2, 4, 6))
            indices = builder.gep(builder.inttoptr(args[8], INTEGER.as_pointer()), [args[9]])
            lane = [builder.load(builder.gep(indices, [ir.Constant(INTEGER, c)])) for c in range(columns)]
            pairs = [(c, v) for c in range(columns) for v in range(vectors)]
            inputs, starts, outputs = (
                [builder.gep(base, [builder.mul(lane[c], args[3 + 2 * i])]) for c in range(columns)]
                for i, base in enumerate(bases)
            )
            opening = [load(builder, starts[c], ir.Constant(INTEGER, WIDTH * v)) for c, v in pairs]
            before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
            builder.branch(loop)
            builder.position_at_end(loop)
            index = builder.phi(INTEGER)
            index.add_incoming(ir.Constant(INTEGER, 0), before)
            sums = [builder.phi(VECTOR) for _ in pairs]
            totals = list(sums)
            for ahead in range(4):
                i = _ahead(builder, index, ahead)
                row = builder.mul(i, ir.Constant(INTEGER, WIDTH * vectors))
                weight = [load(builder, table, _ahead(builder, row, WIDTH * v)) for v in range(vectors)]
                value = [_splat(builder, builder.load(builder.gep(inputs[c], [i]))) for c in range(columns)]
                products = zip(pairs, totals, strict=True)
                totals = [multiply_add(builder, weight[v], value[c], total) for (c, v), total in products]
            following = _ahead(builder, index, 4)
            index.add_incoming(following, loop)
            for phi, value, total in zip(sums, opening, totals, strict=True):
                phi.add_incoming(value, before)
                phi.add_incoming(total, loop)
            builder.cbranch(builder.icmp_signed("<", following, args[1]), loop, after)
            builder.position_at_end(after)
            for (c, v), total in zip(pairs, totals, strict=True):
                store(builder, total, outputs[c], ir.Constant(INTEGER, WIDTH * v))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 10), generate

    return product


product_44, product_42, product_41 = panel(4, 4), panel(4, 2), panel(4, 1)
product_24, product_22, product_21 = panel(2, 4), panel(2, 2), panel(2, 1)
product_14, product_12, product_11 = panel(1, 4), panel(1, 2), panel(1, 1)


@intrinsic
def copy(typing, source, at, target, to):
    """Copies a vector."""

    def generate(context, builder, signature, args):
        value = load(builder, data(context, builder, args[0]), args[1])
        store(builder, value, data(context, builder, args[2]), args[3])
        return context.get_dummy_value()

    return types.void(FLOATS, types.int64, FLOATS, types.int64), generate


@intrinsic
def add(typing, one, i, other, j, target, to):
    """Writes the sum of two vectors."""

    def generate(context, builder, signature, args):
        bases = [data(context, builder, args[place]) for place in (0, 2, 4)]
        total = builder.fadd(load(builder, bases[0], args[1]), load(builder, bases[1], args[3]))
        store(builder, total, bases[2], args[5])
        return context.get_dummy_value()

    return types.void(*(FLOATS, types.int64) * 3), generate


@intrinsic
def rectify(typing, values, at):
    """Replaces what is negative by zero."""

    def generate(context, builder, signature, args):
        base = data(context, builder, args[0])
        value, zero = load(builder, base, args[1]), constant(0.0)
        value = builder.select(builder.fcmp_ordered(">", value, zero), value, zero)
        store(builder, value, base, args[1])
        return context.get_dummy_value()

    return types.void(FLOATS, types.int64), generate


@intrinsic
def gate(typing, values, tanh_at, sigmoid_at, target, at):
    """Tanh of one vector times sigmoid of another, with one division; absolute error below 3e-7."""

    def generate(context, builder, signature, args):
        source = data(context, builder, args[0])
        a = _clamp(builder, load(builder, source, args[1]), -9.0, 9.0)
        b = _clamp(builder, load(builder, source, args[2]), -40.0, 40.0)
        one = constant(1.0)
        rise = _exponential(builder, builder.fadd(a, a))
        fall = _exponential(builder, builder.fsub(constant(0.0), b))
        below = builder.fmul(builder.fadd(rise, one), builder.fadd(fall, one))
        value = builder.fdiv(builder.fsub(rise, one), below)
        store(builder, value, data(context, builder, args[3]), args[4])
        return context.get_dummy_value()

    return types.void(FLOATS, types.int64, types.int64, FLOATS, types.int64), generate


@intrinsic
def peak_of(typing, values, at):
    """Largest number of a vector."""

    def generate(context, builder, signature, args):
        vector = load(builder, data(context, builder, args[0]), args[1])
        return _call(builder, f"llvm.vector.reduce.fmax.v{WIDTH}f32", _FLOAT, [vector], fastmath=("nnan",))

    return types.float32(FLOATS, types.int64), generate


@intrinsic
def weigh(typing, values, at, peak, sharpness):
    """Replaces a vector by exp((v - peak) * sharpness), zero below exp(-RAREST), and returns its sum."""

    def generate(context, builder, signature, args):
        base = data(context, builder, args[0])
        vector = builder.fsub(load(builder, base, args[1]), _splat(builder, args[2]))
        scaled = _clamp(builder, builder.fmul(vector, _splat(builder, args[3])), -87.0, 0.0)
        heard = builder.fcmp_ordered(">", scaled, constant(-RAREST))
        vector = builder.select(heard, _exponential(builder, scaled), constant(0.0))
        store(builder, vector, base, args[1])
        zero = ir.Constant(_FLOAT, 0.0)
        name = f"llvm.vector.reduce.fadd.v{WIDTH}f32"
        return _call(builder, name, _FLOAT, [zero, vector], fastmath=("reassoc",))

    return types.float32(FLOATS, types.int64, types.float32, types.float32), generate
