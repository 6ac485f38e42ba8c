"""The compiled engine in the trainer: it learns what NumPy learns, and is stopped, resumed and measured like it."""

import copy
import functools
import importlib
import itertools
import json
import math
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt, bits
from two_topics import sentences_of_two_topics

from handgrad.errors import InputError
from handgrad.installing import how_to_install
from handgrad.word2vec import (
    Callback,
    EncodedText,
    HierarchicalSoftmax,
    Network,
    Trainer,
    TrainingConfig,
    Vocabulary,
    encode_text,
)
from handgrad.word2vec.engines import compiled
from handgrad.word2vec.engines.compiled import deterministic, draws, hogwild, negative_sampling
from handgrad.word2vec.engines.compiled.compiling import LANES
from handgrad.word2vec.engines.compiled.pieces import PieceEngine, _generator, pieces_of
from handgrad.word2vec.engines.compiled.steps import workspace_for
from handgrad.word2vec.runs.checkpoint import checkpoints, load_checkpoint
from handgrad.word2vec.runs.state import describe

TOPICS = list(sentences_of_two_topics())
SMALL = {"dimension": 16, "epochs": 4, "subsample": 0, "learning_rate": 0.05, "engine": "compiled", "min_count": 1}


STEP, STEP_APART = 24, 16  # words of a step in TOPICS: three sentences, or two times one
TREE, CBOW, APART = {"objective": "hierarchical-softmax"}, {"model": "cbow"}, {"deterministic": True}
KINDS = [{}, TREE, CBOW, TREE | CBOW, CBOW | {"cbow_gradient": "word2vec.c"}]


def engine_with(mode, **constants):
    """The engine of a mode, with other constants."""
    kind = deterministic.DeterministicEngine if "deterministic" in mode else hogwild.HogwildEngine
    return type(f"Other{kind.__name__}", (kind,), constants)


@pytest.fixture
def spied(monkeypatch):
    """What the kernel got and gave, call by call: (ids, starts, rate, state, noise_state, loss, predictions)."""
    calls = []

    class Noted(hogwild.HogwildEngine):
        def learn_piece(self, *arguments):
            measured = super().learn_piece(*arguments)
            if len(arguments[0]):  # else it is only compiled
                calls.append((*arguments, *measured))
            return measured

    class NotedPieces(deterministic.DeterministicEngine):
        def draw(self, used, *arguments):
            piece = super().draw(used, *arguments)
            piece.arguments = arguments
            return piece

        def learn(self, i, pieces, last):
            measured = super().learn(i, pieces, last)
            if len(pieces[i].arguments[0]):
                calls.append((*pieces[i].arguments, *measured))
            return measured

    monkeypatch.setattr(hogwild, "HogwildEngine", Noted)
    monkeypatch.setattr(deterministic, "DeterministicEngine", NotedPieces)
    return calls


def trained(corpus=TOPICS, engine_class=None, **changes):
    trainer = Trainer(TrainingConfig(**SMALL | changes), engine_class=engine_class)
    trainer.fit(corpus)
    return trainer


def tables(trainer):
    return [parameter.value.tobytes() for parameter in trainer.network.parameters]


def share_of_company(vectors):
    near = [other[0] == word[0] for word in vectors.index_to_key for other, _ in vectors.most_similar(word, topn=9)]
    return np.mean(near)


def end_of(trainer):
    """The mean loss in the last quarter of a run."""
    return np.mean(
        [entry.loss for entry in trainer.losses if entry.raw_words > 0.75 * trainer.schedule.total_raw_words]
    )


# seeds and threads


def test_one_seed_gives_the_same_bits_and_another_does_not():
    first, second = (tables(trained(subsample=0.05)) for _ in range(2))
    assert first == second
    for other in [{"seed": 2}, {"seeds": {"noise": 2}}, {"seeds": {"examples": 2}}, {"seeds": {"init": 2}}]:
        assert tables(trained(subsample=0.05, **other))[0] != first[0], other


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("kind", [{}, APART], ids=str)
def test_words_find_the_company_they_keep(threads, kind):
    trainer = trained(threads=threads, **kind)
    assert share_of_company(trainer.vectors) == 1
    assert end_of(trainer) < 0.55 * 6 * np.log(2)  # at first each σ is one half
    if threads > 1 or kind:
        assert end_of(trainer) == pytest.approx(end_of(trained()), rel=0.03)
    assert trainer.engine.name == "compiled" and describe(trainer)["engine"] == "compiled"


@functools.cache
def ends_in_numpy(options):
    """The loss in the last quarter of a run, and the last one in text unseen."""
    trainer = trained(**json.loads(options) | {"engine": "numpy", "batch_size": 8})
    assert trainer.engine.name == "numpy"
    return end_of(trainer), trainer.losses[-1].held_out


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"window": 2, "negatives": 12},
        {"dynamic_window": False, "subsample": 0.02},
        CBOW,
        CBOW | {"cbow_gradient": "word2vec.c", "window": 3},
        TREE,
        TREE | CBOW,
        TREE | CBOW | {"cbow_gradient": "word2vec.c", "subsample": 0.02},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", [{}, APART, {"threads": 2}], ids=str)
def test_the_loss_ends_where_that_of_the_numpy_engine_ends(changes, mode):
    """The same model learns the same thing, in text unseen too. NumPy's batches are small, so that sums do not jump."""
    options = {"held_out": 800} | changes
    ours, (theirs, theirs_held_out) = trained(**options | mode), ends_in_numpy(json.dumps(options))
    assert ours.engine.name == "compiled"
    assert ours.losses[-1].held_out < 0.95 * ours.losses[0].held_out
    assert ours.losses[-1].held_out == pytest.approx(theirs_held_out, rel=0.02)
    assert end_of(ours) == pytest.approx(theirs, rel=0.03)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_finds_the_company_that_words_keep(kind):
    for mode in ({}, APART):
        trainer = trained(epochs=12, **kind | mode)
        assert share_of_company(trainer.vectors) > 0.95, mode


@pytest.mark.parametrize("changes", [{"noise": "log-uniform"}, {"noise": "uniform"}, {"initialization": "tensorflow"}])
def test_every_noise_and_every_start_is_done(changes):
    assert share_of_company(trained(**changes).vectors) > 0.95


@pytest.mark.parametrize(
    "kind, negatives, drawn, weight",
    [({}, 0, 0, 0), ({}, 3, 12, 0.25), ({}, 12, 12, 1), ({}, 15, 15, 1), (CBOW, 6, 8, 0.75), (CBOW, 10, 10, 1)],
    ids=str,
)
def test_where_few_negatives_are_asked_for_more_are_drawn_and_count_less(kind, negatives, drawn, weight):
    engine = trained(TOPICS[:20], epochs=1, negatives=negatives, **kind).engine
    assert (engine.noise_or_tree.K, float(engine.noise_or_tree.weight)) == (drawn, pytest.approx(weight))


# the pieces of an epoch


def text_of(lengths):
    ids = np.arange(sum(lengths), dtype=np.int32)
    vocabulary = Vocabulary({f"w{i}": 1 for i in ids.tolist()}, 1)
    return EncodedText(vocabulary, ids, np.cumsum([0, *lengths]))


@pytest.mark.parametrize(
    "lengths",
    [
        [8] * 50,
        [99, 1, 1, 100, 2],
        [0, 0, 30, 0, 80, 0, 0],
        [3],
        [250, 4],
        [4, 250, 4],
        [100, 100],
        [1000],
        [0, 201, 0],
    ],
    ids=str,
)
@pytest.mark.parametrize("words", [0, 1, 9, 50, 100])
def test_the_pieces_hold_every_word_once_and_go_on_from_where_any_of_them_ended(lengths, words):
    text, most = text_of(lengths), 100
    pieces = list(pieces_of(text, 0, words, most))
    assert all(0 < piece[-1] - piece[0] <= most for piece in pieces)
    assert all(piece[-1] - piece[0] <= words or len(set(piece)) == 2 for piece in pieces)  # or it is one sentence
    assert [piece[0] for piece in pieces] + [len(text)] == [0] + [piece[-1] for piece in pieces]
    cuts = set(np.concatenate(pieces))
    assert set(text.starts) <= cuts  # no two sentences are joined
    inside = cuts - set(text.starts)  # and only those that are longer than a piece may be are cut
    sentences = np.searchsorted(text.starts, sorted(inside), side="right") - 1
    assert all(lengths[s] > most for s in sentences)
    assert words < most or len(pieces) <= 2 * len(text) / most + 1
    for n, piece in enumerate(pieces):
        left = list(pieces_of(text, int(piece[-1]), words, most))
        assert [p.tolist() for p in left] == [p.tolist() for p in pieces[n + 1 :]]


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("kind", [{}, TREE, APART, APART | TREE | CBOW], ids=str)
@pytest.mark.parametrize("sentences, length", [(600, 8), (40, 30)])
def test_the_rate_of_a_short_text_falls_in_many_steps(sentences, length, threads, kind):
    """At least STEPS an epoch; fewer only where each sentence is a piece of its own."""
    text = encode_text([[f"w{(i * j) % 17}" for i in range(length)] for j in range(sentences)])
    trainer = trained(text, epochs=1, threads=threads, report_every_words=1, **kind)
    together = 2 if "deterministic" in kind else 1
    pieces = min(PieceEngine.STEPS * together, sentences)
    assert trainer.step >= math.ceil(pieces / together)
    rates = [entry.learning_rate for entry in trainer.losses]
    assert len(rates) == trainer.step and max(-np.diff(rates)) < 0.05 / trainer.step * 1.6
    if sentences < PieceEngine.STEPS:
        assert trainer.step == math.ceil(sentences / together)


@pytest.mark.parametrize("kind", [{}, APART], ids=str)
def test_of_a_long_text_each_piece_has_as_many_words_as_it_should(spied, kind):
    piece = 50 if kind else 100
    trained(epochs=1, engine_class=engine_with(kind, STEPS=2, PIECE=piece), **kind)
    most = piece // 8 * 8  # whole sentences, of eight words
    assert {len(call[0]) for call in spied} == {most}


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", [{}, APART], ids=str)
def test_each_epoch_trains_each_sentence_once_whatever_the_threads(spied, threads, kind):
    text = encode_text(TOPICS[:123])
    trained(text, threads=threads, epochs=2, **kind)
    seen = sorted(tuple(ids[a:b]) for ids, starts, *_ in spied for a, b in itertools.pairwise(starts))
    expected = [tuple(text.ids[a:b]) for a, b in itertools.pairwise(text.starts)]
    assert seen == sorted(2 * expected)
    states = [int(state) for call in spied for state in call[3:5]]
    assert len(set(states)) == len(states) == 2 * len(spied)  # no two pieces, epochs or draws share a generator


def test_threads_have_the_same_generators_as_one(spied):
    runs = []
    for threads in (1, 3):
        spied.clear()
        trained(threads=threads, epochs=2)
        runs.append(sorted((int(call[3]), int(call[4]), call[6]) for call in spied))
    assert runs[0] == runs[1]  # with the same windows, so as many pairs


def test_the_kernel_is_given_what_the_configuration_says(spied):
    def pairs(**changes):
        spied.clear()
        trained(epochs=1, **changes)
        return [call[-1] for call in spied]

    for window in (1, 3, 5):  # eight words in a sentence
        in_a_sentence = sum(1 for i in range(8) for j in range(8) if 0 < abs(i - j) <= window)
        assert sum(pairs(window=window, dynamic_window=False)) == in_a_sentence * len(TOPICS)
    drawn = pairs()
    assert sum(drawn) < 0.8 * in_a_sentence * len(TOPICS)
    assert pairs(**TREE) == drawn  # nor has the tree
    assert sum(pairs(**CBOW)) == sum(pairs(**CBOW | TREE)) == 8 * len(TOPICS)  # one mean for each word
    assert pairs(seeds={"noise": 2}) == drawn == pairs(negatives=2)  # noise has no part in the windows
    assert pairs(seeds={"examples": 2}) != drawn


# what is measured


@pytest.mark.parametrize("kind", [{}, APART], ids=str)
def test_the_learning_rate_falls_with_the_words_read(spied, kind):
    trainer = trained(learning_rate=0.04, report_every_words=1, **kind)
    together = 2 if kind else 1
    words = np.cumsum([0] + [len(call[0]) for call in spied])
    before = np.repeat(words[:-1:together], together)[: len(spied)]  # pieces of a step have the same rate
    expected = np.maximum(0.04 * (1 - before / (4 * len(trainer.text))), trainer.config.min_learning_rate)
    assert words[-1] == 4 * len(trainer.text) and len(spied) > 100
    np.testing.assert_allclose([call[2] for call in spied], expected, rtol=1e-6)
    rates = [entry.learning_rate for entry in trainer.losses]
    assert rates == sorted(rates, reverse=True) and len(set(rates)) > 100


@pytest.mark.parametrize("kind", [{}, TREE, CBOW, APART, APART | TREE | CBOW], ids=str)
@pytest.mark.parametrize("threads, every", [(1, 1), (1, 7), (1, 0), (2, 3)])  # steps from one report to the next
def test_the_loss_is_the_exact_mean_over_all_predictions(spied, threads, every, kind):
    together, words = (2, STEP_APART) if "deterministic" in kind else (1, STEP)
    trainer = trained(threads=threads, report_every_words=every * words, epochs=2, **kind)
    steps = [0] + [entry.step for entry in trainer.losses]
    assert steps == sorted(set(steps)) and (steps[1] == every or not every)
    assert steps[-1] == trainer.step == 2 * math.ceil(len(spied) / 2 / together)
    assert trainer.losses[-1].raw_words == trainer.schedule.total_raw_words == 2 * 8 * len(TOPICS)
    order = sorted(spied, key=lambda call: -call[2])  # threads may have noted the pieces of a step in another order
    for entry, first, last in zip(trainer.losses, steps, steps[1:], strict=False):
        losses, predictions = zip(*(call[-2:] for call in order[first * together : last * together]), strict=True)
        assert entry.loss == pytest.approx(math.fsum(losses) / sum(predictions), rel=1e-12)


@pytest.mark.parametrize("kind", [TREE, CBOW, APART | TREE | CBOW], ids=str)
def test_what_any_kernel_measures_is_what_the_gates_measure(kind):
    """With a learning rate that moves nothing and windows that are not drawn. The noise is, so without a tree it is
    the mean over many draws."""
    config = {"initialization": "tensorflow", "learning_rate": 1e-30, "min_learning_rate": 1e-30}
    trainer = trained(epochs=5, dynamic_window=False, negatives=25, **config | kind)
    inputs, rng = trainer.text.ids.reshape(-1, 8), np.random.default_rng(0)
    total, predictions = 0.0, 0
    for i in range(8):
        others = [j for j in range(8) if j != i and abs(j - i) <= 5]
        loss, n = trainer.network.loss(inputs[:, others], trainer.network.samples(rng, inputs[:, i]))
        total, predictions = total + loss, predictions + n
    measured = np.mean([entry.loss for entry in trainer.losses])
    assert measured == pytest.approx(total / predictions, rel=1e-3 if "objective" in kind else 0.01)


def test_what_the_kernel_measures_is_what_the_gates_measure():
    """With a learning rate that moves nothing, each mean is that of the network at its start."""
    trainer = trained(learning_rate=1e-30, min_learning_rate=1e-30, initialization="tensorflow", epochs=6)
    rng, total, pairs = np.random.default_rng(0), 0.0, 0
    for _ in range(6):
        inputs = trainer.text.ids.reshape(-1, 8)
        for i in range(8):
            others = [j for j in range(8) if j != i and abs(j - i) <= 5]
            for reach in range(1, 6):
                kept = np.where(np.abs(np.array(others) - i) <= reach, inputs[:, others], -1)
                loss, n = trainer.network.loss(kept, trainer.network.samples(rng, inputs[:, i]))
                total, pairs = total + loss, pairs + n
    measured = np.mean([entry.loss for entry in trainer.losses])
    assert measured == pytest.approx(total / pairs, rel=0.01)


@pytest.mark.parametrize("kind", [*KINDS, APART, APART | TREE | CBOW], ids=str)
def test_a_loss_that_is_no_number_is_a_sentence(kind):
    for rate in (1e5, 1e30):
        with pytest.raises(InputError, match=r"The (loss is|vectors are) .* after \d+ steps: choose a learning_rate"):
            trained(learning_rate=rate, **kind)


# the deterministic mode


def observed(trainer):
    """All that must be the same to the bit."""
    return tables(trainer), trainer.losses, trainer.step, trainer.position


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_in_the_deterministic_mode_all_numbers_of_threads_give_the_same_bits(kind):
    options = {"subsample": 0.05, "report_every_words": 3 * STEP_APART, "epochs": 2, **APART, **kind}
    expected = observed(trained(**options))
    for threads in (2, 3, 4, 7):
        assert observed(trained(threads=threads, **options)) == expected, threads
    assert observed(trained(**options | {"seed": 2}))[0] != expected[0]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_each_piece_of_a_step_is_learned_as_if_alone_and_then_all_that_changed_is_joined(kind):
    """A row that one piece uses becomes what this makes of it; what several make of one is weighed by its uses."""
    text = encode_text([[f"w{i}" for i in row] for row in np.random.default_rng(1).zipf(1.3, (9, 12)).clip(max=150)])
    config = TrainingConfig(**SMALL | APART | kind | {"initialization": "tensorflow", "learning_rate": 0.2})
    trainer = Trainer(config)
    trainer.prepare(text)
    old = [table.copy() for table in map(np.asarray, trainer.engine.tables)]
    rate, D = np.float32(0.2), config.dimension
    uses, ways = ([np.zeros(len(table)) for table in old] for _ in range(2))
    changes = [np.zeros(table.shape) for table in old]
    alone = Trainer(TrainingConfig(**SMALL | kind | {"initialization": "tensorflow"}))
    alone.prepare(text)
    loss = predictions = 0
    for first in range(0, 12 * 2, 12):  # a sentence is a piece
        states = [_generator(config, draw, 0, first) for draw in ("examples", "noise")]
        starts = np.array([0, 12])
        for table, begin in zip(alone.engine.tables, old, strict=True):
            table[:] = begin[: len(table)]
        more, n = alone.engine.learn_piece(np.asarray(text.ids[first : first + 12]), starts, rate, *states)
        loss, predictions = loss + more, predictions + n
        words, *_ = draws.draw_text(
            np.asarray(text.ids[first : first + 12]), starts, alone.engine.keep, alone.engine.windows, states[0]
        )
        if isinstance(trainer.network.objective.gate, HierarchicalSoftmax):
            outputs = np.concatenate(
                [trainer.network.objective.tree.paths(words[i : i + 1])[0][0] for i in range(len(words))]
            )
            outputs = outputs[outputs >= 0]
        else:
            outputs, _ = negative_sampling.drawn_outputs(words, alone.engine.noise_or_tree, states[1])
        for k, ids in enumerate((words, outputs)):
            times = np.bincount(ids, minlength=len(old[k]))
            uses[k] += times
            ways[k] += 1 - (1 - deterministic.SHARE_OF_WAY) ** times
            changes[k][: len(alone.engine.tables[k])] += alone.engine.tables[k] - old[k][: len(alone.engine.tables[k])]
    trainer.add(next(trainer.engine.steps(trainer.place)))
    assert trainer.step == 1 and trainer.position == 12 * 2
    assert trainer.meter.loss_sum == pytest.approx(loss, rel=1e-12) and trainer.meter.predictions == predictions
    for k, parameter in enumerate(trainer.network.parameters):
        n = len(parameter.value)
        way = 1 - (1 - deterministic.SHARE_OF_WAY) ** uses[k][:n]
        part = np.divide(way, ways[k][:n], out=np.ones(n), where=ways[k][:n] > 0)
        expected = old[k][:n, :D] + part[:, None] * changes[k][:n, :D]
        np.testing.assert_allclose(parameter.value, expected, rtol=1e-4, atol=1e-6)
        joined = (part < 0.99) & (np.abs(changes[k][:n]).max(axis=1) > 1e-3)
        assert joined.any() and (uses[k][:n] == 0).any()


@pytest.mark.parametrize("kind", [{}, TREE | CBOW], ids=str)
def test_how_far_ahead_is_drawn_makes_no_difference(kind):
    """Pieces that are learned, and those that are drawn meanwhile, do not write down what they use in one place."""
    ends = []
    for ahead in (1, 2, 5):
        engine = engine_with(APART, AHEAD=ahead)
        ends.append(observed(trained(engine_class=engine, **APART, **kind, threads=3, epochs=3)))
    assert ends[0] == ends[1] == ends[2]


def test_who_gives_up_a_step_and_begins_anew_learns_the_same():
    """The pieces of the next steps are drawn already when a step has ended."""
    bits = []
    for given_up in (0, 1, 2):
        trainer = Trainer(TrainingConfig(**SMALL | APART))
        trainer.prepare(encode_text(TOPICS))
        for _ in range(given_up):
            trainer.add(next(trainer.engine.steps(trainer.place)))
        for step in itertools.islice(trainer.engine.steps(trainer.place), 3 - given_up):
            trainer.add(step)
        assert trainer.step == 3
        bits.append(tables(trainer))
    assert bits[0] == bits[1] == bits[2]


def test_generators_of_all_places_are_different():
    states = [
        _generator(TrainingConfig(seed=seed), draw, epoch, start)
        for seed in (1, 2)
        for draw in ("examples", "noise")
        for epoch in range(3)
        for start in range(0, 200_000, 99)
    ]
    assert len(set(states)) == len(states) and all(isinstance(state, np.uint64) for state in states)
    ones = np.unpackbits(np.array(states).view(np.uint8)).reshape(len(states), 64).mean(axis=0)
    assert np.abs(ones - 0.5).max() < 0.02  # each bit is 1 in half of them


@pytest.mark.parametrize("mode", [{"threads": 2}, {"threads": 8}, APART], ids=str)
@pytest.mark.parametrize("kind", [{}, TREE, CBOW], ids=str)
def test_many_uses_of_few_words_do_not_throw_them_far_off(kind, mode):
    """Added up, what each thread or piece wants of the same row could go several times too far, and on and on."""
    text = [["a", "b", "a", "c", "a", "b"] * 40] * (2000 if "threads" in mode else 30)
    # With threads, pieces so long that they are at work at the same time.
    constants = {"STEPS": 1} if "threads" in mode else {}
    options = {"learning_rate": 0.1, "min_learning_rate": 0.1, "epochs": 3, "negatives": 2} | kind
    alone, several = (trained(text, engine_with(each, **constants), **options | each) for each in ({}, mode))
    assert end_of(several) == pytest.approx(end_of(alone), rel=0.25 if mode == {"threads": 8} else 0.1)
    longest = [
        max(np.linalg.norm(parameter.value, axis=1).max() for parameter in trainer.network.parameters)
        for trainer in (alone, several)
    ]
    assert longest[1] < 2 * longest[0]


# threads that do not wait for each other


def learn_some(kind, threads, without=None, **constants):
    """An engine that has learned some sentences, on no copies of one of the tables, and its loss and predictions."""
    rng = np.random.default_rng(1)
    config = TrainingConfig(**SMALL | kind | {"threads": threads, "seed": 5})
    trainer = Trainer(config, engine_class=engine_with(kind, **constants))
    trainer.prepare(encode_text([[f"w{i}" for i in row] for row in rng.zipf(1.3, (60, 12)).clip(max=150)]))
    if without is not None:
        trainer.engine.often[without] = (0, 0)
    ids, starts = np.asarray(trainer.text.ids), np.asarray(trainer.text.starts)
    return trainer.engine, trainer.engine.learn_piece(ids, starts, np.float32(0.1), np.uint64(3), np.uint64(4))


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("without", [0, 1])
def test_copies_of_either_table_are_used(without, kind):
    """Sums of what a copy has learned are rounded otherwise than those of a row."""
    engines = [learn_some(kind, threads, no, BEHIND=40)[0] for threads, no in [(1, None), (2, None), (2, without)]]
    bits = {b"".join(table[:n].tobytes() for table, n in zip(e.tables, e.rows, strict=True)) for e in engines}
    assert len(bits) == 3


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_thread_that_is_alone_learns_the_same_on_copies_as_without(kind):
    """Words that are used often, and nodes, have copies; all but the bits is as if they had none."""
    behind = 40  # words for both: the copies are joined after each twenty
    (alone, measured), (beside, measured_beside) = (learn_some(kind, threads, BEHIND=behind) for threads in (1, 2))
    assert measured_beside == (pytest.approx(measured[0], rel=1e-5), measured[1])
    assert alone.often == [(0, 0), (0, 0)] and len(alone.tables[0]) == alone.rows[0]
    for table, other, (begin, end), rows in zip(alone.tables, beside.tables, beside.often, alone.rows, strict=True):
        assert 0 < end - begin < rows and len(other) == rows + 2 * 2 * (end - begin)
        np.testing.assert_allclose(other[:rows], table, rtol=1e-4, atol=1e-5)
        kept = [other[rows + n * (end - begin) :][: end - begin] for n in range(4)]
        i = 0 if kept[0].any() else 1  # which of the two it took
        np.testing.assert_array_equal(kept[2 * i], other[begin:end])  # they begin anew as the rows are now
        np.testing.assert_array_equal(kept[2 * i + 1], other[begin:end])
        assert not kept[2 - 2 * i].any() and not kept[3 - 2 * i].any()  # the others are for another thread


@pytest.mark.parametrize("kind", [{}, TREE], ids=str)
def test_the_rows_with_copies_are_those_that_are_used_often(kind):
    config = TrainingConfig(**SMALL | kind | {"threads": 4, "subsample": 0.05})
    trainer = Trainer(config, engine_class=engine_with(kind, BEHIND=400))
    trainer.prepare(encode_text([[f"w{i}" for i in row] for row in np.random.default_rng(1).zipf(1.5, (500, 8))]))
    counts, engine = trainer.vocabulary.counts * trainer.engine.task.keep, trainer.engine
    assert trainer.engine.task.keep[0] < 0.5
    words = 2 * counts / counts.sum() * 100  # a hundred words for each of four threads
    np.testing.assert_array_equal(np.arange(*engine.often[0]), np.flatnonzero(words >= engine.OFTEN))
    if kind:
        starts, nodes, _ = engine.noise_or_tree
        paths = [nodes[a:b] for a, b in itertools.pairwise(starts)]
        uses = sum(np.bincount(p, minlength=engine.rows[1]) * n for p, n in zip(paths, counts, strict=True))
        often = np.flatnonzero(uses / counts.sum() * 100 >= engine.OFTEN)
        assert engine.rows[1] - 1 in often  # the root
        np.testing.assert_array_equal(np.arange(*engine.often[1]), often)
    else:
        assert engine.often[1] == engine.often[0] and engine.often[0][1] > 3


@pytest.mark.parametrize(
    "ids, starts, sentence",
    [
        ([0, 1, 2], [0, 3], "integer ids from 0 to 1, but got 0 to 2"),
        ([0, -1, 1], [0, 3], "integer ids from 0 to 1, but got -1 to 1"),
        ([0, 1, 1], [0, 2], "rise from 0 to 3"),
        ([0, 1, 1], [1, 3], "rise from 0 to 3"),
        ([0, 1, 1], [0, 3, 2, 3], "rise from 0 to 3"),
        ([0, 1, 1], [], "rise from 0 to 3"),
    ],
)
def test_a_text_that_does_not_fit_its_vocabulary_is_refused(ids, starts, sentence):
    """A kernel would write beyond its tables."""
    text = EncodedText(Vocabulary({"a": 3, "b": 2}), np.array(ids, np.int32), np.array(starts, np.int64))
    with pytest.raises(InputError, match=sentence):
        Trainer(TrainingConfig(**SMALL)).fit(text)


def test_a_piece_that_fails_leaves_room_for_another(monkeypatch):
    engine, _ = learn_some({}, 2)

    def fail(*arguments):
        raise MemoryError

    monkeypatch.setattr(negative_sampling, "train", fail)
    for _ in range(3):
        with pytest.raises(MemoryError):
            engine.learn_piece(np.zeros(3, np.int32), np.array([0, 3]), np.float32(0.1), np.uint64(3), np.uint64(4))


def test_the_workspace_grows_with_the_window_and_not_with_its_square():
    V = np.zeros((1, LANES), np.float32)
    some, many = (sum(part.size for part in workspace_for(4, R, 16, V)) for R in (1000, 4000))
    assert many < 4.2 * some


def test_no_thread_is_at_work_while_a_callback_looks_or_a_checkpoint_is_written(spied, tmp_path):
    class Look(Callback):
        def look(self, trainer, *_):
            assert not trainer.engine.at_work and len(spied) == trainer.step
            learned = sum(len(ids) for ids, *_ in spied)
            assert learned == trainer.epoch * len(trainer.text) + trainer.position
            looked.append(trainer.step)

        on_report = on_checkpoint = look

    looked = []
    config = TrainingConfig(
        **SMALL | {"threads": 3, "report_every_words": 7 * STEP, "checkpoint_every_words": 5 * STEP}
    )
    Trainer(config, [Look()]).fit(TOPICS, tmp_path)
    assert len(looked) > 50


def test_no_thread_is_at_work_while_the_held_out_loss_is_measured(monkeypatch):
    """Otherwise its vectors would move, and what is learned meanwhile would not be timed."""
    measure, measured = Trainer.held_out_loss, []

    def look(trainer):
        assert not trainer.engine.at_work
        measured.append(measure(trainer))
        return measured[-1]

    monkeypatch.setattr(Trainer, "held_out_loss", look)
    trained(TOPICS, threads=3, held_out=50)
    assert len(measured) > 50


@pytest.mark.parametrize("threads, reports, checkpoints", [(1, 1, 5), (2, 1, 5), (2, 5, 1), (3, 0, 10), (3, 7, 100)])
def test_no_report_and_no_checkpoint_is_left_out(threads, reports, checkpoints, tmp_path):
    """Though many steps may be made at once, where threads are waited for."""

    class Count(Callback):
        def on_report(self, trainer):
            reported.append(trainer.step)

        def on_checkpoint(self, trainer, path):
            kept.append(trainer.step)

    reported, kept = [], []
    every = {"report_every_words": reports * STEP, "checkpoint_every_words": checkpoints * STEP}
    trainer = Trainer(TrainingConfig(**SMALL | {"threads": threads, **every}), [Count()])
    trainer.fit(TOPICS, tmp_path)
    at_once = 1 + (trainer.engine.AHEAD * threads if threads > 1 else 0)
    for seen, every in [(reported, reports), (kept, checkpoints)]:
        apart = np.diff([0, *seen])
        assert every == 0 or apart.max() < every + at_once
        assert threads > 1 or every == 0 or set(apart[:-1]) == {every}
        if every:  # each passes a multiple, but for the report at the end
            assert all(b // every > a // every for a, b in itertools.pairwise([0, *seen[:-1]]))
            assert trainer.step - seen[-1] < every + at_once
    assert reports or len(reported) > 50


def test_a_run_that_is_stopped_counts_all_that_its_threads_had_begun(spied):
    class Stop(Callback):
        def on_report(self, trainer):
            trainer.stop("enough")

    config = TrainingConfig(**SMALL | {"threads": 3, "report_every_words": 20 * STEP})
    trainer = Trainer(config, [Stop()])
    trainer.fit(TOPICS)
    assert 20 <= trainer.step == len(spied) < 40 and trainer.stop_reason == "enough"
    assert trainer.position == sum(len(ids) for ids, *_ in spied)
    assert trainer.losses[-1].step <= trainer.step


def test_steps_that_are_not_asked_for_any_more_are_counted_too(spied):
    trainer = Trainer(TrainingConfig(**SMALL | {"threads": 2}))
    trainer.prepare(encode_text(TOPICS))
    steps = trainer.engine.steps(trainer.place)
    trainer.add(next(steps))
    assert trainer.step == 1 and trainer.engine.at_work
    steps.close()
    trainer.collect()
    assert not trainer.engine.at_work and trainer.step == len(spied) > 1
    assert trainer.position == sum(len(ids) for ids, *_ in spied)


def test_an_error_in_a_thread_is_raised_and_no_thread_is_left(monkeypatch):
    def fails(self, ids, *arguments):
        if len(ids):
            raise MemoryError("no room")

    monkeypatch.setattr(hogwild.HogwildEngine, "learn_piece", fails)
    threads = threading.active_count()
    with pytest.raises(MemoryError, match="no room"):
        trained(threads=3)
    assert threading.active_count() == threads


@pytest.mark.parametrize("at", ["draw", "learn", "join"])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_the_deterministic_mode_is_raised_and_no_thread_is_left(at, threads, monkeypatch):
    calls = []

    def fails(self, *arguments):
        calls.append(at)
        if len(calls) == 12:  # in the middle of the run, in the piece that is ready first, or in the other
            raise MemoryError("no room")
        return works(self, *arguments)

    works = getattr(deterministic.DeterministicEngine, at)
    monkeypatch.setattr(deterministic.DeterministicEngine, at, fails)
    before = threading.active_count()
    with pytest.raises(MemoryError, match="no room"):
        trained(threads=threads, **APART)
    assert threading.active_count() == before


# the deterministic mode: to go on


class TakeState(Callback):
    """Stops a run at a step, and has what a checkpoint there would hold."""

    def __init__(self, step):
        self.at = step

    def on_report(self, trainer):
        if trainer.step == self.at:
            arrays, numbers = trainer.state()
            self.taken = {name: array.copy() for name, array in arrays.items()}, copy.deepcopy(numbers)
            trainer.stop("its state was taken")


class GoOnFrom(Callback):
    def __init__(self, taken):
        self.taken = taken

    def on_train_begin(self, trainer):
        trainer.restore(*self.taken)


@pytest.mark.parametrize("kind", [{}, TREE | CBOW], ids=str)
def test_in_the_deterministic_mode_any_threads_can_go_on_from_any_others(kind):
    options = {"epochs": 2, "report_every_words": 1, "subsample": 0.05, **APART, **kind}

    def fit(threads, *callbacks):
        config = TrainingConfig(**SMALL | options | {"threads": threads})
        trainer = Trainer(config, callbacks, engine_class=engine_with(APART, STEPS=3))
        trainer.fit(TOPICS[:150])
        return trainer

    expected = observed(fit(1))
    steps = expected[2]
    assert steps >= 6
    for step, threads in zip(range(1, steps), itertools.cycle([(1, 2), (3, 1), (2, 4), (7, 3), (4, 4)]), strict=False):
        stopped = TakeState(step)
        fit(threads[0], stopped)
        assert observed(fit(threads[1], GoOnFrom(stopped.taken))) == expected, (step, threads)


# where the vectors are


@pytest.mark.parametrize("mode", [{}, APART], ids=str)
@pytest.mark.parametrize("kind", [{}, TREE], ids=str)
@pytest.mark.parametrize("D", [1, 5, 16, 100])
def test_parameters_are_the_numbers_that_the_kernel_works_on(tmp_path, D, kind, mode):
    trainer = Trainer(TrainingConfig(**SMALL | kind | mode | {"dimension": D, "epochs": 1}))
    trainer.fit(TOPICS[:60], tmp_path / "run")
    new = Network(trainer.config, trainer.vocabulary.counts)
    for parameter, table, of_new in zip(trainer.network.parameters, trainer.engine.tables, new.parameters, strict=True):
        assert parameter.value.base is not None and np.may_share_memory(parameter.value, table)
        assert parameter.value.shape == of_new.value.shape and not np.array_equal(parameter.value, of_new.value)
        assert not table[: len(parameter.value), D:].any()  # what fills them up stays 0
        table[0, 0] = 17
        assert parameter.value[0, 0] == 17
        table[0, 0] = 0
    arrays, _ = load_checkpoint(checkpoints(tmp_path / "run" / "checkpoints")[-1])
    for name, of_new in zip(("embed/V", "out/U"), new.parameters, strict=True):
        assert arrays[name].shape == of_new.value.shape and arrays[name].flags.c_contiguous
    np.testing.assert_array_equal(arrays["embed/V"][1:], trainer.vectors.vectors[1:])
    np.testing.assert_array_equal(arrays["out/U"][1:], trainer.network.parameters[1].value[1:])


@pytest.mark.parametrize("mode", [{}, APART], ids=str)
def test_what_is_shared_stays_shared_when_it_has_moved(mode):
    first = trained(epochs=1, **mode)
    V, before = first.network.parameters[0], first.vectors.vectors.copy()
    second = Trainer(TrainingConfig(**SMALL | TREE | mode | {"epochs": 1}), shared=[V])
    second.fit(TOPICS)
    assert second.network.parameters[0] is V and describe(second)["shared"] == ["embed/V"]
    assert np.may_share_memory(V.value, second.engine.tables[0])
    np.testing.assert_array_equal(first.vectors.vectors, second.vectors.vectors)
    assert not np.array_equal(first.vectors.vectors, before)


TAKING_TURNS = [{"engine": "numpy"}, {}, {"threads": 2}]


@pytest.mark.parametrize(
    "mode",
    [
        *({"objective": objective, **more} for objective in ("negative-sampling", "nce") for more in TAKING_TURNS),
        {"objective": "negative-sampling", **APART},
    ],
    ids=str,
)
def test_two_that_share_can_take_turns(mode):
    """While one of them trains, the other one learns too: what it learns is not lost."""

    class AnotherOne(Callback):
        def on_report(self, trainer):
            if len(trainer.losses) == 20:
                self.before = trainer.vectors.vectors.copy()
                inner = options | {"objective": "negative-sampling"}  # whose kernel takes the vectors to its own place
                other = Trainer(TrainingConfig(**inner), shared=trainer.network.parameters[:1])
                other.fit(TOPICS[:100])
                self.between = trainer.vectors.vectors.copy()

    options = SMALL | {"epochs": 1} | mode
    for rate, moves in [(0.05, True), (1e-7, False)]:  # it goes on with the vectors as they are by then
        another = AnotherOne()
        slow = {"learning_rate": rate, "min_learning_rate": min(rate, 1e-4)}
        trainer = Trainer(TrainingConfig(**options | slow), [another])
        trainer.fit(TOPICS)
        assert (np.abs(trainer.vectors.vectors - another.between).max() > 0.05) == moves
        assert np.abs(trainer.vectors.vectors - another.before).max() > 0.05  # where the other one has taken them


@pytest.mark.parametrize("kind", [{}, CBOW, APART, {"threads": 2}], ids=str)
def test_of_a_single_word_the_noise_is_always_the_word(kind):
    """And so the noise is passed over, and there is nothing that could hold the vectors back."""
    trainer = trained([["a", "a"]] * 30, **kind)
    assert 0 < trainer.losses[-1].loss < 0.9999 * trainer.losses[0].loss < np.log(2)  # before it learns, log 2


@pytest.mark.parametrize("mode", [{}, APART, {"threads": 3}], ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize(
    "text, changes",
    [
        ([["a", "b"]], {}),
        ([["a", "b"]] * 300, {"dimension": 1}),
        ([["a"], [], ["b", "a"], ["c"]], {"window": 2**31 - 1}),
        ([["a", "b", "c"] * 170], {"window": 1}),  # longer than a piece
        ([["a", "b", "c", "d"]] * 30, {"negatives": 0, "dimension": 17}),
    ],
    ids=lambda each: str(each)[:30],
)
def test_texts_that_are_as_small_as_can_be(text, changes, kind, mode):
    trainer = trained(text, engine_with(mode, PIECE=100), epochs=2, **changes | kind | mode)
    assert trainer.engine.name == "compiled"
    assert trainer.raw_words == 2 * sum(map(len, text)) and np.isfinite(trainer.losses[-1].loss)
    assert 0 < trainer.losses[-1].loss < 6 * np.log(2)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("sentence", [list("ab"), list("abcd")], ids=len)
def test_where_a_sentence_is_a_block_each_step_is_that_of_the_numpy_engine(sentence, kind):
    """Without noise and with a rate that does not fall. With a tree, a block is a word."""
    options = {"negatives": 0, "dynamic_window": False, "initialization": "tensorflow", "min_learning_rate": 0.05}
    ours = trained([sentence] * 7, **options | kind)
    batches = {"engine": "numpy", "batch_size": 1 if "objective" in kind else len(sentence)}
    theirs = trained([sentence] * 7, **options | kind | batches)
    for a, b in zip(ours.network.parameters, theirs.network.parameters, strict=True):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-4, atol=1e-6)


MODULES = [importlib.import_module(f"{compiled.__name__}.{m.name}") for m in pkgutil.iter_modules(compiled.__path__)]
COMPILED_FUNCTIONS = {f for module in MODULES for f in vars(module).values() if hasattr(f, "signatures")}


def test_everything_that_is_compiled_runs_without_the_lock():
    """Otherwise two threads would wait for each other."""
    assert len(COMPILED_FUNCTIONS) >= 50 and all(f.targetoptions.get("nogil") for f in COMPILED_FUNCTIONS)


@pytest.mark.parametrize("mode", [{}, APART], ids=str)
def test_nothing_is_compiled_in_the_middle_of_a_run(tmp_path, mode):
    """What is compiled is compiled before the clock runs, be the ids in memory, in a file, or not to be written to."""

    class Compiled(Callback):
        def on_train_begin(self, trainer):
            self.before = [len(f.signatures) for f in COMPILED_FUNCTIONS]

    in_a_file = encode_text(TOPICS[:20], path=tmp_path / "ids")
    in_memory = EncodedText(in_a_file.vocabulary, np.array(in_a_file.ids), in_a_file.starts)
    for text in (TOPICS[:20], in_a_file, in_memory):
        seen = Compiled()
        Trainer(TrainingConfig(**SMALL | mode | {"epochs": 1}), [seen]).fit(text)
        assert [len(f.signatures) for f in COMPILED_FUNCTIONS] == seen.before and any(seen.before)


# stopped and resumed


TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (120, 12)).clip(max=60)]
RUN = {
    "dimension": 8, "min_count": 1, "epochs": 3, "subsample": 1e-2, "checkpoint_every_words": 120,
    "report_every_words": 1, "engine": "compiled",
}  # fmt: skip


def run(folder, step=-1, number=signal.SIGINT, resume=False, text=TEXT, engine_class=None, **changes):
    trainer = Trainer(TrainingConfig(**RUN | changes), [StopAt(step, number)], engine_class=engine_class)
    return trainer.fit(text, folder, resume)


@pytest.mark.parametrize("number, ends", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dynamic_window": False},
        {"checkpoint_every_words": 0, "held_out": 100},
        {"seeds": {"noise": 7}},
        TREE,
        CBOW,
        APART | {"threads": 2},
        APART | TREE | CBOW | {"threads": 3},
    ],
    ids=str,
)
def test_stopped_and_resumed_ends_with_the_same_bits(tmp_path, changes, number, ends):
    run(tmp_path / "whole", **changes)
    for step in (13, 28):
        with pytest.raises(ends):
            run(tmp_path / "parts", step, number, resume=step > 13, **changes)
        told = json.loads((tmp_path / "parts" / "run.json").read_text(encoding="utf-8"))
        assert told["status"] == "stopped" and told["steps"] == step and told["engine"] == "compiled"
    run(tmp_path / "parts", resume=True, **changes)
    assert bits(tmp_path / "whole") == bits(tmp_path / "parts")


ENDINGS = {
    "sentences": TEXT,
    "rare words at the end": [*TEXT, ["rare"], ["rarer"]],
    "one line": [[word for sentence in TEXT for word in sentence]],
}


@pytest.mark.parametrize("text", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("kind", [{}, APART | {"threads": 2}, APART | TREE | CBOW | {"threads": 3}], ids=str)
def test_at_every_step_of_two_epochs_one_can_stop(tmp_path, text, kind):
    """The last step of an epoch too, where the words that are left have no vector, and within a long sentence."""
    few_steps = engine_with(kind, STEPS=2, PIECE=60 if kind else 400)
    options = {"text": text, "min_count": 2, "epochs": 2, "engine_class": few_steps, **kind}
    run(tmp_path / "whole", **options)
    expected = bits(tmp_path / "whole")
    steps = json.loads((tmp_path / "whole" / "run.json").read_text(encoding="utf-8"))["steps"]
    assert steps >= 6
    for step in range(1, steps):
        folder = tmp_path / f"stopped-at-{step}"
        with pytest.raises(KeyboardInterrupt):
            run(folder, step, **options)
        run(folder, resume=True, **options)
        assert bits(folder) == expected, step


def test_with_threads_a_stopped_run_goes_on_to_its_end_and_says_that_its_bits_are_others(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, 11, threads=2)
    with pytest.warns(UserWarning, match=r"its bits will be others .* deterministic"):
        run(tmp_path, resume=True, threads=2)
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "finished" and told["raw_words"] == 3 * sum(map(len, TEXT))


@pytest.mark.parametrize("changes", [{}, APART | {"threads": 2}, {"engine": "numpy", "threads": 2}], ids=str)
def test_where_the_bits_are_the_same_nothing_is_said(tmp_path, changes):
    """Warnings are errors here."""
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, 11, **changes)
    run(tmp_path, resume=True, **changes)


@pytest.mark.parametrize("kind", [{}, APART | {"threads": 2}, APART | TREE | CBOW | {"threads": 3}], ids=str)
def test_ten_kills_at_random_moments(tmp_path, kind):
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2] / "runs")!r})
import kill_and_resume
from handgrad.word2vec import TrainingConfig
kill_and_resume.CONFIG = TrainingConfig(
    dimension=40, window=3, epochs=3, subsample=1e-2, min_count=1, checkpoint_every_words=36, keep=2, engine="compiled",
    **{kind}
)
kill_and_resume.main(Path(sys.argv[1]), 10, int(sys.argv[2]))
"""
    seed = str(time.time_ns() % 10**6)
    result = subprocess.run([sys.executable, "-c", script, tmp_path, seed], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"seed {seed}: {result.stdout}{result.stderr}"
    assert "all ended with the same bits" in result.stdout


# where it cannot be used


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": "full-softmax"},
        {"optimizer": "adam"},
        {"update": "pair"},
        {"reduction": "mean"},
        {"reduction": "mean", **TREE},
        {"precision": "float64"},
        {"num_skips": 2, "dynamic_window": False},
        {"max_steps": 9},
        {"model": "cbow", "objective": "nce"},
        {"deterministic": True, "objective": "sampled-softmax"},
        {"optimizer": "adagrad", **TREE, **CBOW, **APART},
    ],
    ids=str,
)
def test_what_it_does_not_do_is_one_sentence(changes):
    (name, value), *_ = changes.items()
    expected = f"The compiled engine does not do {name} = {value!r}: leave engine at auto, or choose numpy."
    with pytest.raises(InputError) as error:
        trained(TOPICS[:20], **changes)
    assert str(error.value) == expected
    assert trained(TOPICS[:20], **changes | {"engine": "auto", "epochs": 1}).engine.name == "numpy"


@pytest.mark.parametrize("kind", [*KINDS, APART, APART | TREE | CBOW], ids=str)
def test_what_it_does_it_does_unasked(kind):
    assert trained(TOPICS[:20], engine="auto", epochs=1, **kind).engine.name == "compiled"
    assert trained(engine="numpy", epochs=1).engine.name == "numpy"
    trainer = Trainer(TrainingConfig())
    trainer.fit(TOPICS)
    assert trainer.engine.name == "compiled"


def run_without_numba(engine, **changes):
    code = f"""
import sys, warnings
sys.modules["numba"] = None  # importing it fails, and it is not found
from handgrad.errors import InputError
from handgrad.word2vec import Trainer, TrainingConfig
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        trainer = Trainer(TrainingConfig(min_count=1, dimension=4, subsample=0, engine={engine!r}, **{changes}))
        vectors = trainer.fit([["a", "b", "c"]] * 20)
        print(trainer.engine.name, len(vectors))
    except InputError as error:
        print(error)
for each in caught:
    print(each.category.__name__, each.message, each.filename)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_without_numba_it_trains_in_numpy_and_says_once_what_to_install():
    trained_in, warning = run_without_numba("auto")
    assert trained_in == "numpy 3"
    message = f"Training is many times as fast with numba: {how_to_install('word2vec')}."
    assert warning == f"UserWarning {message} <string>"  # at the line that called fit
    assert run_without_numba("numpy") == ["numpy 3"]
    assert run_without_numba("auto", **TREE, **CBOW, **APART, threads=2)[0] == "numpy 3"


def test_without_numba_the_compiled_engine_is_one_sentence():
    assert run_without_numba("compiled") == [
        f"The compiled engine needs numba: {how_to_install('word2vec')}, or choose engine numpy."
    ]


def test_only_a_deterministic_run_goes_on_with_another_number_of_threads(tmp_path):
    run(tmp_path / "whole", **APART)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", 11, threads=2, **APART)
    run(tmp_path / "parts", resume=True, threads=3, **APART)
    assert bits(tmp_path / "parts") == bits(tmp_path / "whole")

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "other", 5, threads=2)
    with pytest.raises(InputError, match="has threads = 2, but it should go on with 3"):
        run(tmp_path / "other", resume=True, threads=3)
