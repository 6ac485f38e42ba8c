"""Several numbers in one register: what numba's compiler does by itself only where a loop is simple enough.

A processor with vector instructions multiplies and adds 8 or 16 numbers at once. numba finds them for one loop over
arrays; it does not keep ten sums in registers while it goes along ten rows. So here is a type for numba, a vector
of LANES numbers, with the few operations that the kernels need. Each is one instruction of LLVM, the compiler behind
numba, which turns it into those of the processor, whichever it is.

    load(A, i, d)       A[i, d : d + LANES]
    store(A, i, d, x)   A[i, d : d + LANES] = x
    spread(s)           the number s, LANES times
    fma(x, y, z)        x * y + z, rounded once
    total(x)            the sum of x

Nothing checks whether a row ends before d + LANES: ``whole_vectors`` makes arrays whose rows never do.
"""

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

# A register of 512 bits holds 16 numbers of 32, one of 256 holds 8. Fewer would do, but not more: sums would not fit.
LANES = 16 if llvm.get_host_cpu_features().get("avx512f") else 8
CACHE_LINE = 64  # bytes; a vector that lies across two of them is loaded in two pieces
LANE = ir.IntType(32)


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
    width = -(-D // LANES) * LANES
    room = np.zeros(rows * width * array.itemsize + CACHE_LINE, np.uint8)
    start = -room.ctypes.data % CACHE_LINE
    wide = room[start : start + rows * width * array.itemsize].view(array.dtype).reshape(rows, width)
    wide[: len(array), :D] = array
    return wide


class Vector(types.Type):
    """The type of LANES numbers, for numba."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(f"Vector({dtype})")


@register_model(Vector)
class VectorModel(models.PrimitiveModel):
    """How it is kept: as a vector of LLVM."""

    def __init__(self, manager, vector):
        number = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, LANES))


def _pointer(context, builder, kinds, array, row, place):
    """Where array[row, place] lies, as the address of a vector."""
    indices = [context.cast(builder, i, kind, types.intp) for i, kind in zip((row, place), kinds[1:3], strict=True)]
    view = context.make_array(kinds[0])(context, builder, array)
    address = cgutils.get_item_pointer(context, builder, kinds[0], view, indices, wraparound=False)
    return builder.bitcast(address, context.get_value_type(Vector(kinds[0].dtype)).as_pointer())


def _instruction(builder, name, result, operands, **flags):
    """A call of an intrinsic function of LLVM."""
    function = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), operands, **flags)


def _kind(dtype):
    return f"v{LANES}f{dtype.bitwidth}"


@intrinsic
def load(typing, array, row, place):
    """array[row, place : place + LANES]"""

    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, signature.args, *arguments), align=array.dtype.bitwidth // 8)

    return Vector(array.dtype)(array, row, place), generate


@intrinsic
def store(typing, array, row, place, x):
    """array[row, place : place + LANES] = x"""

    def generate(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args, *arguments[:3])
        builder.store(arguments[3], pointer, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, place, x), generate


@intrinsic
def spread(typing, s):
    """LANES times the number s"""

    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(signature.return_type)
        first = builder.insert_element(ir.Constant(kind, ir.Undefined), arguments[0], LANE(0))
        return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(LANE, LANES), [0] * LANES))

    return Vector(s)(s), generate


@intrinsic
def fma(typing, x, y, z):
    """x * y + z"""

    def generate(context, builder, signature, arguments):
        return _instruction(builder, f"llvm.fma.{_kind(x.dtype)}", arguments[0].type, arguments)

    return x(x, y, z), generate


@intrinsic
def total(typing, x):
    """The sum of the numbers in x, taken in any order"""

    def generate(context, builder, signature, arguments):
        number = arguments[0].type.element
        name = f"llvm.vector.reduce.fadd.{_kind(x.dtype)}"
        return _instruction(builder, name, number, [number(0.0), *arguments], fastmath=("reassoc",))

    return x.dtype(x), generate
