"""Where the parameters of a compiled engine lie: in aligned rows, with room for copies of rows behind them."""

from functools import cached_property

import numpy as np

from handgrad.nodes import Parameter
from handgrad.word2vec.engines.compiled.aligned import aligned_rows
from handgrad.word2vec.objectives.network import Network


class TableNetwork(Network):
    """A Network whose parameters are made where the compiled functions work on them, and stay there.

    Parameters
    ----------
    config, counts, shared : as for Network
    room : function of the objective, how many rows more are needed behind V, and behind U

    Attributes
    ----------
    tables : list of aligned arrays; the value of a parameter is a view of its table
    """

    def __init__(self, config, counts, shared, room):
        self.room, self.tables = room, []
        super().__init__(config, counts, shared)
        self.hold()

    @cached_property
    def more_rows(self):
        """What ``room`` says of the objective, which has to be made before it can be asked."""
        return self.room(self.objective)

    def new_parameter(self, name, shape):
        more = self.more_rows[len(self.tables)]
        self.tables.append(aligned_rows(shape[0] + more, shape[1], self.dtype))
        return Parameter(name, self.tables[-1][: shape[0], : shape[1]])

    def hold(self):
        """Have the parameters here. One that is shared comes from another trainer, which may have taken it back."""
        for parameter, table in zip(self.parameters, self.tables, strict=True):
            rows, D = parameter.value.shape
            if not np.may_share_memory(parameter.value, table):
                table[:rows, :D] = parameter.value
                parameter.value = table[:rows, :D]
