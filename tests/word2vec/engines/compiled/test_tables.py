"""Parameters are made where the compiled functions work on them, and are not moved from there."""

import tracemalloc

import numpy as np
import pytest

from handgrad.word2vec import Trainer, TrainingConfig, encode_text
from handgrad.word2vec.engines.compiled.aligned import CACHE_LINE
from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.objectives.network import Network

WAYS = [{}, {"threads": 2}, {"deterministic": True, "threads": 2}]
KINDS = [{}, {"objective": "hierarchical-softmax"}, {"initialization": "tensorflow"}]
SENTENCES = [[f"w{i}" for i in row] for row in np.random.default_rng(3).zipf(1.2, (300, 12)).clip(max=4000).tolist()]


def prepared(**changes):
    text = encode_text(SENTENCES)
    trainer = Trainer(TrainingConfig(engine="compiled", min_count=1, dimension=21, epochs=1, **changes))
    trainer.prepare(text)
    return trainer


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_parameters_begin_with_the_numbers_of_any_network_in_aligned_rows_with_room_behind_them(kind, way):
    trainer = prepared(**kind | way)
    new = Network(trainer.config, trainer.vocabulary.counts)
    room = type(trainer.engine).rows_of_copies(
        trainer.config, trainer.vocabulary.counts * trainer.engine.task.keep, trainer.network.objective
    )
    assert any(room) == (way != {})
    for parameter, of_new, table, more in zip(
        trainer.network.parameters, new.parameters, trainer.engine.tables, room, strict=True
    ):
        np.testing.assert_array_equal(parameter.value, of_new.value)
        assert table.shape == (len(of_new.value) + more, -(-21 // LANES) * LANES)
        assert table.ctypes.data % CACHE_LINE == 0 and np.may_share_memory(parameter.value, table)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_an_array_of_a_parameter_stays_the_same_one_through_a_run(way):
    trainer = prepared(**way)
    before = [parameter.value for parameter in trainer.network.parameters]
    trainer.train()
    assert all(p.value is array for p, array in zip(trainer.network.parameters, before, strict=True))
    assert all(array.any() for array in before)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_no_table_is_made_twice(way):
    config = TrainingConfig(engine="compiled", dimension=100, **way)
    engine_class, counts = type(prepared(**way).engine), np.full(20_000, 5)
    tracemalloc.start()
    network = engine_class.make_network(config, counts, np.ones(len(counts)), ())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tables = sum(table.nbytes for table in network.tables)
    assert tables < peak < 1.2 * tables  # the rest is noise and what is drawn at a time; a second V would make it 1.5
