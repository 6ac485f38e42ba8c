"""What all compiled engines have in common."""

from importlib.metadata import version

from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.engines.engine import Engine


class CompiledEngine(Engine):
    """Its steps are taken by functions that numba compiles, when an engine is made."""

    name = "compiled"

    def versions(self):
        # of the processor: with wider vectors sums are taken in another order
        return {"numbers_in_a_vector": LANES, "numba": version("numba")}
