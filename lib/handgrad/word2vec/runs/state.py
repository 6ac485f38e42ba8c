"""What a run has become, for a checkpoint, and what it was, for run.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from handgrad.errors import InputError
from handgrad.word2vec.schedule import Place

if TYPE_CHECKING:
    from handgrad.word2vec.trainer import Trainer


def state_of(trainer: Trainer) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All that the run has become: arrays by name, and what JSON can hold."""
    arrays = {parameter.name: parameter.value for parameter in trainer.network.parameters}
    for name, memory in trainer.optimizer.memory.items():
        arrays |= {f"optimizer/{name}/{key}": np.asarray(value) for key, value in memory.items()}
    return arrays, {
        **trainer.place._asdict(),
        "loss_sum": trainer.meter.loss_sum,
        "predictions": trainer.meter.predictions,
        "seconds": trainer.seconds,
        "stop_reason": trainer.stop_reason,
        "losses": [[None if value != value else value for value in entry] for entry in trainer.losses],
        "callbacks": [[type(callback).__name__, callback.state()] for callback in _remembering(trainer)],
        **trainer.engine.state(),
    }


def restore(trainer: Trainer, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
    """Have a trainer become what ``state_of`` returned."""
    before, now = [name for name, _ in state["callbacks"]], [type(c).__name__ for c in _remembering(trainer)]
    if before != now:
        raise InputError(
            f"The run was begun with {', '.join(before) or 'no callback'} that remembers something, and should go "
            f"on with {', '.join(now) or 'none'}: give the same ones."
        )
    for parameter in trainer.network.parameters:
        parameter.value[...] = arrays[parameter.name]
    for name, array in arrays.items():
        if name.startswith("optimizer/"):
            of, key = name.removeprefix("optimizer/").rsplit("/", 1)
            trainer.optimizer.memory.setdefault(of, {})[key] = array if array.ndim else array.item()
    trainer.place = Place(*(state[name] for name in Place._fields))
    trainer.words_at_checkpoint = trainer.raw_words
    trainer.stopwatch.seconds, trainer.stop_reason = state["seconds"], state["stop_reason"]
    trainer.meter.restore(state["loss_sum"], state["predictions"], state["losses"], trainer.share)
    for callback, (_, remembered) in zip(_remembering(trainer), state["callbacks"], strict=True):
        callback.restore(remembered)
    trainer.engine.restore(dict(state))


def _remembering(trainer):
    """The callbacks with a state of their own: a resumed run needs the same ones."""
    return [callback for callback in trainer.callbacks if callback.state() is not None]


def describe(trainer: Trainer) -> dict[str, Any]:
    """What was run and what was measured, for run.json."""
    data, vocabulary = trainer.data, trainer.vocabulary
    return {
        "corpus": data.name,
        "corpus_path": data.path,
        **data.words,
        "config": trainer.config.to_dict(),
        "engine": trainer.engine.name,
        **trainer.engine.describe(),
        "shared": [parameter.name for parameter in trainer.shared],
        "text": {"words": vocabulary.raw_words, "vocabulary": len(vocabulary), "digest": data.whole.digest},
        "steps": trainer.step,
        "raw_words": trainer.raw_words,
        "raw_words_per_second": round(trainer.words_per_second),
        "seconds": round(trainer.seconds, 3),
        "final_loss_per_pair": trainer.losses[-1].loss if trainer.losses else None,
        "stopped_early": trainer.stop_reason,
    }
