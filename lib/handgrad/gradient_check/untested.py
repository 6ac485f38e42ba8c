"""Was anything tested? Where the output does not move with an input, a gradient of zeros would pass."""

import contextlib
import copy

import numpy as np

from handgrad.functional import is_float
from handgrad.gradient_check.comparing import agrees, draw_upstream
from handgrad.gradient_check.evidence import forward_of, with_entries_twice
from handgrad.numerical import measure_slopes


def untested_inputs(untouched, inputs, measured):
    """The inputs for which zeros would pass here, and would not elsewhere; all of them if nothing else was compared.

    One input that happens not to matter here, as the smaller one of a max, takes nothing away from what the other
    one shows; a function that is flat everywhere is rightly given zeros. What is left: every slope is 0 here alone,
    or those of one input are 0 at these sizes, whatever its values.
    """
    flat = [i for i, slopes in measured.items() if agrees(np.zeros(np.shape(inputs[i])), slopes)]
    if not flat:
        return []
    if len(flat) == len(measured):
        empty = any(np.size(x) == 0 for x in inputs)
        elsewhere = (_moves(untouched, inputs, i) or _moves_at_other_sizes(untouched, inputs, i) for i in flat)
        return flat if empty or any(elsewhere) else []
    return [i for i in flat if not _moves(untouched, inputs, i) and _moves_at_other_sizes(untouched, inputs, i)]


def _moves(untouched, inputs, i):
    """Whether the output moves with input i where all the floats have other values."""
    rng = np.random.default_rng([3, 7919])
    for low, high in ((-1, 1), (0.1, 0.9), (-30, 30)):
        moved = [rng.uniform(low, high, np.shape(x)) if is_float(x) else x for x in inputs]
        with np.errstate(all="ignore"), contextlib.suppress(Exception):  # it may lie outside of the domain
            gate = copy.deepcopy(untouched)
            dz = draw_upstream(np.shape(gate.forward(*moved)), moved, 4)
            slopes = measure_slopes(forward_of(gate, moved, i), moved[i], dz)
            if not agrees(np.zeros(np.shape(moved[i])), slopes):
                return True
    return False


def _moves_at_other_sizes(untouched, inputs, i):
    rng = np.random.default_rng([8, 7919])
    for size in sorted({n for x in inputs for n in np.shape(x)} - {0}):
        if np.size(inputs[i]) and _moves(untouched, [with_entries_twice(x, rng, size) for x in inputs], i):
            return True
    return False
