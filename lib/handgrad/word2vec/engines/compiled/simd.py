"""Vectors for numba: several numbers in one register, one instruction for all of them (SIMD).

A processor with vector instructions multiplies and adds 8 or 16 numbers at once. numba's compiler uses them by itself
for a simple loop over arrays; it does not keep ten sums in registers while it goes along ten rows. So here is a type
for numba, a vector of numbers, with the few operations that the kernels need. Each is an instruction or two of LLVM,
the compiler behind numba, which turns it into those of the processor, whichever it is.

    load(A, i, d, n)             A[i, d : d + n]; in place of n also a vector that is as wide
    store(A, i, d, x)            A[i, d : d + n] = x
    splat(s, n)                  the number s, n times
    iota(x)                      0, 1, 2, …
    x + y, x * s, …              number by number
    select(condition, x, y)      x where the condition is above 0, else y
    horizontal_sum(x)            the sum of the numbers in x
    horizontal_sums((x, y, …))   those of several vectors, as one

Nothing checks whether a row ends before d + n: ``aligned_table`` makes arrays whose rows never do.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

INT = ir.IntType(32)


class Vector(types.Type):
    """The type of some numbers, for numba."""

    def __init__(self, dtype, lanes):
        self.dtype, self.lanes = dtype, lanes
        super().__init__(f"Vector({dtype}, {lanes})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """How it is kept: as a vector of LLVM."""

    def __init__(self, manager, vector):
        number = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, vector.lanes))


def _vector(dtype, like):
    """The type that ``like`` tells: of a vector as wide as this one, or of so many numbers."""
    if isinstance(like, Vector):
        return Vector(dtype, like.lanes)
    return Vector(dtype, like.literal_value) if isinstance(like, types.IntegerLiteral) else None


def _instruction(builder, name, result, operands, **flags):
    """A call of an intrinsic function of LLVM."""
    function = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), operands, **flags)


def _kind(x):
    """How LLVM calls a type, in the names of its functions."""
    return f"v{x.lanes}f{x.dtype.bitwidth}" if isinstance(x, Vector) else f"f{x.bitwidth}"


# loads and stores


def _pointer(context, builder, kinds, array, row, place, vector):
    """Where array[row, place] lies, as the address of a vector."""
    indices = [context.cast(builder, i, kind, types.intp) for i, kind in zip((row, place), kinds[1:3], strict=True)]
    view = context.make_array(kinds[0])(context, builder, array)
    address = cgutils.get_item_pointer(context, builder, kinds[0], view, indices, wraparound=False)
    return builder.bitcast(address, context.get_value_type(vector).as_pointer())


@intrinsic(prefer_literal=True)
def load(typing, array, row, place, like):
    """array[row, place : place + n], as wide as the vector ``like``, or n = ``like`` numbers"""
    if (vector := _vector(array.dtype, like)) is None:
        return None

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args, *arguments[:3], vector)
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return vector(array, row, place, like), generate


@intrinsic
def store(typing, array, row, place, x):
    """array[row, place : place + n] = x"""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args, *arguments[:3], x)
        builder.store(arguments[3], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, place, x), generate


@intrinsic
def prefetch(typing, array, row, place):
    """Have the line of the cache with array[row, place] brought, while something else is done."""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args, *arguments, Vector(array.dtype, 1))
        to_write, keep, data = INT(1), INT(3), INT(1)  # for this processor alone, in its first cache
        _instruction(builder, "llvm.prefetch.p0", ir.VoidType(), [pointer, to_write, keep, data])
        return context.get_dummy_value()

    return types.void(array, row, place), generate


# arithmetic


def _splat(builder, number, kind):
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, INT(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(INT, kind.count), [0] * kind.count))


def _as(context, builder, value, kind, vector):
    """A value as it is if it is such a vector; a number as one that has it everywhere."""
    if kind == vector:
        return value
    number = context.cast(builder, value, kind, getattr(vector, "dtype", vector))
    return _splat(builder, number, context.get_value_type(vector)) if isinstance(vector, Vector) else number


@intrinsic(prefer_literal=True)
def splat(typing, s, like):
    """The number s, as many times as the vector ``like`` is wide, or ``like`` times"""
    s = types.unliteral(s)
    if (vector := _vector(s, like)) is None:
        return None

    def generate(context, builder, signature, arguments):
        return _splat(builder, arguments[0], context.get_value_type(vector))

    return vector(s, like), generate


@intrinsic
def width(typing, x):
    """How many numbers are in x"""

    def generate(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(types.intp), x.lanes)

    return types.intp(x), generate


@intrinsic
def iota(typing, like):
    """0, 1, 2, …, as many as the vector ``like`` is wide"""

    def generate(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(like), list(range(like.lanes)))

    return like(like), generate


def _operator(symbol, instruction):
    """Have +, -, * or / for two vectors, or a vector and a number. A product that is added to is rounded once."""

    @type_callable(symbol)
    def typer_of(context):
        def typer(x, y):
            vectors = {each for each in (x, y) if isinstance(each, Vector)}
            others = [each for each in (x, y) if not isinstance(each, Vector)]
            if len(vectors) == 1 and all(isinstance(other, types.Number) for other in others):
                return vectors.pop()

        return typer

    def generate(context, builder, signature, arguments):
        kind = signature.return_type
        operands = [_as(context, builder, *each, kind) for each in zip(arguments, signature.args, strict=True)]
        return getattr(builder, instruction)(*operands, flags=("contract",))

    for kinds in [(Vector, Vector), (Vector, types.Number), (types.Number, Vector)]:
        lower_builtin(symbol, *kinds)(generate)


for symbol, instruction in [
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv"),
]:  # fmt: skip
    _operator(symbol, instruction)


def _function(name, doc, operands=1):
    """A function of LLVM that does with each number of a vector what it does with a single number."""

    def one(typing, x):
        return x(x), generate

    def two(typing, x, y):
        return x(x, y), generate

    def generate(context, builder, signature, arguments):
        name_of_kind = f"llvm.{name}.{_kind(signature.return_type)}"
        return _instruction(builder, name_of_kind, arguments[0].type, arguments)

    function = one if operands == 1 else two
    function.__name__, function.__doc__ = name, doc
    return intrinsic(function)


absolute = _function("fabs", "|x|")
floor = _function("floor", "⌊x⌋")
exp = _function("exp", "eˣ, exact")
log = _function("log", "log x, exact")
copysign = _function("copysign", "|x| with the sign of y", 2)


@intrinsic
def power_of_2(typing, x):
    """2ˣ for whole x from -126 to 127, of 32 bits: put together of its bits"""

    def generate(context, builder, signature, arguments):
        number = arguments[0].type
        whole = ir.VectorType(INT, x.lanes) if isinstance(x, Vector) else INT
        bias, shift = (ir.Constant(whole, [n] * x.lanes if isinstance(x, Vector) else n) for n in (127, 23))
        return builder.bitcast(builder.shl(builder.add(builder.fptosi(arguments[0], whole), bias), shift), number)

    return x(x), generate


@intrinsic
def select(typing, condition, x, y):
    """x where the condition is above 0, else y; these may be numbers"""

    def generate(context, builder, signature, arguments):
        above = builder.fcmp_ordered(">", arguments[0], ir.Constant(arguments[0].type, None))
        both = [_as(context, builder, *each, condition) for each in zip(arguments[1:], (x, y), strict=True)]
        return builder.select(above, *both)

    return condition(condition, x, y), generate


# sums


def _add_neighbors(builder, x, y, width):
    """Of each two parts of x, ``width`` numbers wide, the sum; then the same of y."""
    lanes = x.type.count
    first = [i for i in range(2 * lanes) if i // width % 2 == 0]
    even, odd = (ir.Constant(ir.VectorType(INT, lanes), [i + more for i in first]) for more in (0, width))
    parts = [builder.shuffle_vector(x, y, mask) for mask in (even, odd)]
    return builder.fadd(*parts)


@intrinsic
def horizontal_sums(typing, vectors):
    """The sums of the numbers in each of some vectors, LANES at most, as a vector

    Halves of two vectors are added up and lie side by side in one; then quarters, and so on.
    """
    x, n = vectors.dtype, len(vectors)

    def generate(context, builder, signature, arguments):
        xs = cgutils.unpack_tuple(builder, arguments[0])
        width = x.lanes // 2
        while width:
            pairs = zip(xs[::2], xs[1::2] or xs, strict=True)
            xs = [_add_neighbors(builder, *pair, width) for pair in pairs]
            width //= 2
        mask = ir.Constant(ir.VectorType(INT, n), list(range(n)))
        return builder.shuffle_vector(xs[0], xs[0], mask)

    return Vector(x.dtype, n)(vectors), generate


@intrinsic
def halves(typing, x):
    """The first and the second half of the numbers in x, as two vectors"""
    n = x.lanes // 2
    both = types.UniTuple(Vector(x.dtype, n), 2)

    def generate(context, builder, signature, arguments):
        masks = [ir.Constant(ir.VectorType(INT, n), list(range(start, start + n))) for start in (0, n)]
        parts = [builder.shuffle_vector(arguments[0], arguments[0], mask) for mask in masks]
        return context.make_tuple(builder, both, parts)

    return both(x), generate


@intrinsic
def horizontal_sum(typing, x):
    """The sum of the numbers in x, taken in any order"""

    def generate(context, builder, signature, arguments):
        number = arguments[0].type.element
        name = f"llvm.vector.reduce.fadd.{_kind(x)}"
        return _instruction(builder, name, number, [number(0.0), *arguments], fastmath=("reassoc",))

    return x.dtype(x), generate
