"""Several numbers in one register: what numba's compiler does by itself only where a loop is simple enough.

A processor with vector instructions multiplies and adds 8 or 16 numbers at once. numba finds them for one loop over
arrays; it does not keep ten sums in registers while it goes along ten rows. So here is a type for numba, a vector
of numbers, with the few operations that the kernels need. Each is an instruction or two of LLVM, the compiler behind
numba, which turns it into those of the processor, whichever it is.

    load(A, i, d, n)      A[i, d : d + n]; in place of n also a vector that is as wide
    store(A, i, d, x)     A[i, d : d + n] = x
    spread(s, n)          the number s, n times
    x + y, x * s, …       number by number
    total(x)              the sum of x
    totals((x, y, …))     the sums of several vectors, as one

Nothing checks whether a row ends before d + LANES: ``whole_vectors`` makes arrays whose rows never do.
"""

import contextlib
import hashlib
import operator
import warnings
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable


def _processor_has(feature):
    """What numba compiles for: this processor, unless NUMBA_CPU_FEATURES says otherwise."""
    if config.CPU_FEATURES is None:
        return llvm.get_host_cpu_features().get(feature, False)
    return f"+{feature}" in config.CPU_FEATURES.split(",")


def _keeps_code():
    """Whether there is a place for compiled code: beside this file, in the user's cache, or in NUMBA_CACHE_DIR.

    In a container often neither can be written to, and then numba refuses to make any function that it should keep.
    """
    try:
        njit(cache=True)(_keeps_code)  # looks for the place, and compiles nothing
    except RuntimeError:
        warnings.warn(
            "There is no place to keep compiled code, so each run compiles it anew: set NUMBA_CACHE_DIR to a folder "
            "that can be written to.",
            stacklevel=2,
        )
        return False
    return True


# A register of 512 bits holds 16 numbers of 32, one of 256 holds 8. Fewer would do, but not more: sums would not fit.
LANES = 16 if _processor_has("avx512f") else 8
CACHE_LINE = 64  # bytes; a vector that lies across two of them is loaded in two pieces
INT = ir.IntType(32)
# Sums may be taken in any order, so that the compiler can use vector instructions; what is no number stays no number.
ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}
FAST = {"fastmath": ANY_ORDER, "nogil": True, "cache": _keeps_code(), "error_model": "numpy"}
# Does not count who holds an array, which took a quarter of the time of a tree. So it can neither make nor return one.
LOOP = FAST | {"_nrt": False}
# Put into whoever calls it, since handing over ten arrays takes longer than some functions do with them.
INLINE = LOOP | {"forceinline": True}


@njit(**INLINE)
def up_to(multiple, n):
    """n, or the next multiple above it"""
    return (n + multiple - 1) // multiple * multiple


def whole_vectors(array, more_rows=0):
    """The same numbers in rows that are whole vectors and begin where a whole one would, filled up with zeros.

    Parameters
    ----------
    array : float array (rows, D)
    more_rows : int, rows of zeros behind them

    Returns
    -------
    float array (rows + more_rows, D rounded up to LANES)
    """
    rows, D = len(array) + more_rows, array.shape[1]
    columns = -(-D // LANES) * LANES
    room = np.zeros(rows * columns * array.itemsize + CACHE_LINE, np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    wide = room[start : start + rows * columns * array.itemsize].view(array.dtype).reshape(rows, columns)
    wide[: len(array), :D] = array
    return wide


def forget_old_code():
    """Have numba compile anew what it has kept of earlier versions of the files with compiled functions.

    It looks whether the file of a function has changed, and not those of the functions that are put into it: a new
    version of one file would go on with the machine code of the old one.
    """
    if not FAST["cache"]:
        return
    kept = Path(up_to.stats.cache_path)
    sources = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(b"".join(source for source in sources if b"@njit" in source)).hexdigest()
    stamp = kept / "handgrad.sources"
    with contextlib.suppress(OSError):  # a place that cannot be written to keeps no code either
        if not stamp.exists() or stamp.read_text() != digest:
            for old in kept.glob("*.nb[ic]"):
                old.unlink(missing_ok=True)
            stamp.write_text(digest)


forget_old_code()


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


# memory


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


def _spread(builder, number, kind):
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, INT(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(INT, kind.count), [0] * kind.count))


def _as(context, builder, value, kind, vector):
    """A value as it is if it is such a vector; a number as one that has it everywhere."""
    if kind == vector:
        return value
    number = context.cast(builder, value, kind, getattr(vector, "dtype", vector))
    return _spread(builder, number, context.get_value_type(vector)) if isinstance(vector, Vector) else number


@intrinsic(prefer_literal=True)
def spread(typing, s, like):
    """The number s, as many times as the vector ``like`` is wide, or ``like`` times"""
    s = types.unliteral(s)
    if (vector := _vector(s, like)) is None:
        return None

    def generate(context, builder, signature, arguments):
        return _spread(builder, arguments[0], context.get_value_type(vector))

    return vector(s, like), generate


@intrinsic
def width(typing, x):
    """How many numbers are in x"""

    def generate(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(types.intp), x.lanes)

    return types.intp(x), generate


@intrinsic
def counting(typing, like):
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
def where_positive(typing, condition, x, y):
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
def totals(typing, vectors):
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
def total(typing, x):
    """The sum of the numbers in x, taken in any order"""

    def generate(context, builder, signature, arguments):
        number = arguments[0].type.element
        name = f"llvm.vector.reduce.fadd.{_kind(x)}"
        return _instruction(builder, name, number, [number(0.0), *arguments], fastmath=("reassoc",))

    return x.dtype(x), generate
