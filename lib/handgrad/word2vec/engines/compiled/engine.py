"""What both compiled engines have in common: that of pieces and that of batches."""

from importlib.metadata import version

from handgrad.word2vec.engines.compiled.simd import LANES
from handgrad.word2vec.engines.numpy_engine import NumPyEngine


class CompiledEngine(NumPyEngine):
    name = "compiled"

    def versions(self):
        # of the processor: with wider vectors sums are taken in another order
        return {"numbers_in_a_vector": LANES, "numba": version("numba")}
