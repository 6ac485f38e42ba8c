"""Who takes the steps of a run: NumPy, compiled functions, or torch. The trainer sees to everything else.

In this order: ``engine``, what each of them is given and asked for; ``examples`` and ``numpy_engine``; then
``compiled/`` and ``torch/``, which say in which order to read them.
"""

import importlib.util
import warnings

from handgrad.errors import InputError
from handgrad.installing import how_to_install
from handgrad.word2vec.config import TrainingConfig
from handgrad.word2vec.engines.compiled import IGNORED_BY_PIECES
from handgrad.word2vec.engines.numpy_engine import NumPyEngine
from handgrad.word2vec.objectives import OBJECTIVES

SLOWER = "5 to 20"  # times, the NumPy engine, with one thread


def engine_for(config, processes, say, given=None):
    """The kind of engine that a configuration asks for; with "auto" the compiled one where it can do that.

    What a setting asks for is done, or refused in a sentence. Where a subclass is ``given``, it takes the steps.
    """
    kind = _kind_for(config, processes, say)
    if given and not issubclass(given, kind):
        raise InputError(
            f"The configuration asks for {kind.__name__}, but engine_class is {given.__name__}: give a subclass of it."
        )
    for name, reason in kind.ignores(processes).items():
        value, default = getattr(config, name), getattr(TrainingConfig, name)
        if value != default:
            raise InputError(f"The {kind.name} engine ignores {name} = {value!r}: {reason}. Leave it at {default!r}.")
    return given or kind


def _kind_for(config, processes, say):
    if config.engine == "torch":
        from handgrad.word2vec.engines.torch.engine import TorchEngine, require_torch

        require_torch(config, processes)
        return TorchEngine
    if not _is_compiled(config, say):
        return NumPyEngine
    if OBJECTIVES[config.objective].shares_noise:
        from handgrad.word2vec.engines.compiled.batches import BatchEngine

        return BatchEngine
    from handgrad.word2vec.engines.compiled.deterministic import DeterministicEngine
    from handgrad.word2vec.engines.compiled.hogwild import HogwildEngine

    return DeterministicEngine if config.deterministic else HogwildEngine


def _is_compiled(config, say):
    """Whether it is the compiled engine, whose modules need numba, and which does not do everything."""
    missing, installed = _not_compiled(config), importlib.util.find_spec("numba") is not None
    if config.engine == "compiled" and missing:
        raise InputError(f"The compiled engine does not do {missing}: leave engine at auto, or choose numpy.")
    if config.engine == "compiled" and not installed:
        raise InputError(f"The compiled engine needs numba: {how_to_install('word2vec')}, or choose engine numpy.")
    if config.engine == "auto" and not missing and not installed:
        warnings.warn(f"Training is many times as fast with numba: {how_to_install('word2vec')}.", stacklevel=6)
    if config.engine == "auto" and missing and installed:
        say(f"by NumPy, {SLOWER} times as slow as the compiled engine, which does not do {missing}.")
    return config.engine != "numpy" and installed and not missing


def _not_compiled(config):
    """What a configuration wants that the compiled engine does not do, in words; or None."""
    objective = OBJECTIVES[config.objective]
    wanted = {"optimizer": ("sgd",), "update": ("batch",), "precision": ("float32",)}
    if objective.asks_questions:
        wanted |= {"reduction": ("sum",), "num_skips": (0,), "max_steps": (0,)}
        if config.engine == "auto":  # another engine does what these ignore
            wanted |= {name: (getattr(TrainingConfig, name),) for name in IGNORED_BY_PIECES}
    elif objective.shares_noise:
        wanted |= {"model": ("skipgram",), "deterministic": (False,)}
    else:
        return f"objective = {config.objective!r}"
    for name, values in wanted.items():
        if getattr(config, name) not in values:
            return f"{name} = {getattr(config, name)!r}"
    return None
