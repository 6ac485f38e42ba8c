"""The torch engine: what the NumPy engine learns, with autograd's gradients, and with examples that torch draws itself.

Where a GPU is found, the tests of devices run on it too; none is left out where there is none.
"""

import itertools
import json
import math
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from stop_at import StopAt, bits
from torch.utils._python_dispatch import TorchDispatchMode
from two_topics import sentences_of_two_topics

from handgrad.errors import InputError
from handgrad.installing import how_to_install
from handgrad.word2vec import Callback, Trainer, TrainingConfig, encode_text, keep_probabilities, window_batches
from handgrad.word2vec.engines.torch import network as torch_network
from handgrad.word2vec.engines.torch.engine import _part
from handgrad.word2vec.engines.torch.examples import TorchExamples
from handgrad.word2vec.engines.torch.network import SAFE_REPEATS, TorchNetwork

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
OBJECTIVES = ["negative-sampling", "hierarchical-softmax", "nce", "sampled-softmax", "full-softmax"]
TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (60, 10)).clip(max=30)]
SMALL = {
    "dimension": 7, "min_count": 1, "window": 3, "batch_size": 16, "epochs": 2, "subsample": 1e-2,
    "report_every_words": 1, "initialization": "tensorflow", "engine": "torch",
}  # fmt: skip


def settings(**changes):
    """On the processor, if nothing else is said: what is equal there may not be on a GPU."""
    chosen = SMALL | changes
    return chosen | ({"device": chosen.get("device", "cpu")} if chosen["engine"] == "torch" else {})


def trained(folder=None, *callbacks, resume=False, text=TEXT, **changes):
    trainer = Trainer(TrainingConfig(**settings(**changes)), callbacks)
    trainer.fit(text, folder, resume)
    return trainer


# beside the NumPy engine


CASES = [{"objective": objective, "model": model} for objective in OBJECTIVES for model in ("skipgram", "cbow")]
CASES += [
    {"objective": objective, "optimizer": optimizer, "reduction": "mean"}
    for objective in OBJECTIVES
    for optimizer in ("adagrad", "adam")
]
CASES += [
    {"model": "cbow", "cbow_gradient": "word2vec.c"},
    {"objective": "nce", "remove_accidental_hits": "yes", "unique_noise": False},
    {"objective": "nce", "num_skips": 2, "subsample": 0, "dynamic_window": False, "max_steps": 40},
    {"noise": "log-uniform", "held_out": 60, "checkpoint_every_words": 90},
]


@pytest.mark.parametrize("changes", CASES, ids=str)
def test_losses_parameters_and_memory_are_those_of_the_numpy_engine(changes):
    changes = {"precision": "float64", "device": "cpu"} | changes
    ours = trained(**changes)
    theirs = trained(**{name: value for name, value in changes.items() if name != "device"} | {"engine": "numpy"})
    assert (ours.engine.name, theirs.engine.name, ours.step) == ("torch", "numpy", theirs.step)
    np.testing.assert_allclose(np.array(ours.losses), np.array(theirs.losses), rtol=1e-10)  # nan is equal to nan here
    assert len(set(entry.loss for entry in ours.losses)) == ours.step > 30
    arrays, numbers = ours.state()
    expected, theirs_numbers = theirs.state()
    assert arrays.keys() == expected.keys()
    for name in arrays:
        np.testing.assert_allclose(arrays[name], expected[name], rtol=1e-9, atol=1e-12, err_msg=name)
        assert arrays[name].shape == expected[name].shape and arrays[name].dtype == expected[name].dtype
    assert numbers["noise_rng"] == theirs_numbers["noise_rng"]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_autograd_finds_the_gradients_that_the_gates_find(objective):
    config = TrainingConfig(**SMALL | {"objective": objective, "precision": "float64"})
    text = encode_text(TEXT)
    network = TorchNetwork(config, text.vocabulary.counts)
    inputs, targets, _ = next(window_batches(text, 16, 3, seed=0))
    samples = network.samples(np.random.default_rng(0), targets)
    network.loss(inputs, samples)
    found = {name: gradient.to_dense().numpy() for name, gradient in network.gradients().items()}
    super(TorchNetwork, network).loss(inputs, samples)
    for name, gradient in super(TorchNetwork, network).gradients().items():
        expected = gradient.to_dense() if hasattr(gradient, "to_dense") else gradient
        np.testing.assert_allclose(found[name].reshape(expected.shape), expected, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_gradients_are_row_sparse_where_only_some_rows_are_used(objective):
    network = TorchNetwork(TrainingConfig(**SMALL | {"objective": objective}), np.arange(50, 0, -1))
    inputs, targets = np.array([[3, -1], [4, 3]], np.int32), np.array([1, 2], np.int32)
    network.loss(inputs, network.samples(np.random.default_rng(0), targets))
    gradients = network.gradients()
    assert gradients["embed/V"].coalesce().indices().tolist() == [[3, 4]]
    dense = {name for name, gradient in gradients.items() if not gradient.is_sparse}
    assert dense == ({"out/U"} if objective == "full-softmax" else set())


def test_on_the_processor_the_vectors_are_the_tensors():
    network = TorchNetwork(TrainingConfig(**SMALL), np.arange(9, 0, -1))
    network.tensors["embed/V"].detach()[2, 3] = 5
    assert network.parameters[0].value[2, 3] == 5


class FarAwayNetwork(TorchNetwork):
    """As on a GPU: what is learned lies elsewhere, and reaches ``parameters`` only by ``collect``."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.is_near = False

    def on_device(self, array):
        return super().on_device(array).clone()


@pytest.mark.parametrize("examples_on", ["host", "device"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_what_is_learned_elsewhere_is_brought_back_for_all_who_look(tmp_path, monkeypatch, optimizer, examples_on):
    changes = {"optimizer": optimizer, "examples_on": examples_on, "objective": "nce", "checkpoint_every_words": 250}
    trained(tmp_path / "here", held_out=60, **changes)
    monkeypatch.setattr(torch_network, "TorchNetwork", FarAwayNetwork)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "there", StopAt(11), held_out=60, **changes)
    trainer = trained(tmp_path / "there", resume=True, held_out=60, **changes)
    learned = trainer.engine.network.tensors["embed/V"].detach().numpy()
    assert not np.may_share_memory(learned, trainer.vectors.vectors)
    assert bits(tmp_path / "here") == bits(tmp_path / "there")


class AnotherOne(Callback):
    """Trains another network that shares the embedding, in the middle of a run and once more at its end."""

    def __init__(self, engine):
        batches = {"batch_size": 64} if engine == "compiled" else {}  # it has none
        self.config, self.learned = TrainingConfig(**settings(engine=engine, epochs=1, **batches)), []

    def on_report(self, trainer):
        if len(trainer.losses) == 5:
            self.train(trainer)

    def on_train_end(self, trainer):
        self.train(trainer)

    def train(self, trainer):
        before = trainer.vectors.vectors.copy()
        Trainer(self.config, shared=trainer.network.parameters[:1]).fit(TEXT)
        self.learned.append(np.abs(trainer.vectors.vectors - before).max())


@pytest.mark.parametrize(
    "changes", [{}, {"optimizer": "adam"}, {"held_out": 60}, {"checkpoint_every_words": 60}], ids=str
)
@pytest.mark.parametrize("network", [TorchNetwork, FarAwayNetwork])
@pytest.mark.parametrize("engine", ["numpy", "compiled", "torch"])
def test_what_another_trainer_learns_meanwhile_is_not_lost(monkeypatch, network, engine, changes):
    """It is as with the NumPy engine. (The compiled one takes the embedding to memory of its own, in longer rows.)"""
    expected = trained(None, AnotherOne(engine), **changes | {"engine": "numpy"})
    monkeypatch.setattr(torch_network, "TorchNetwork", network)
    another = AnotherOne(engine)
    found = trained(None, another, **changes)
    assert len(another.learned) == 2 and min(another.learned) > 0.01
    np.testing.assert_allclose(np.array(found.losses), np.array(expected.losses), rtol=1e-4)
    np.testing.assert_allclose(found.vectors.vectors, expected.vectors.vectors, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(*(t.network.parameters[1].value for t in (found, expected)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("ends", ["by itself", "by a signal"])
def test_vectors_that_became_infinite_elsewhere_are_seen_at_the_end(monkeypatch, ends):
    """Though the last report asked for the loss alone."""

    class Bursting(torch_network.TorchOptimizer):
        steps = 0

        def step(self, parameters, gradients):
            super().step(parameters, gradients)
            self.steps += 1
            if self.steps == 20:
                self.network.tensors["embed/V"].data[0, 0] = math.inf
                if ends == "by a signal":
                    signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(torch_network, "TorchNetwork", FarAwayNetwork)
    monkeypatch.setattr(torch_network, "TorchOptimizer", Bursting)
    stop = {"max_steps": 20, "objective": "nce", "num_skips": 2, "dynamic_window": False, "subsample": 0}
    with pytest.raises(InputError, match="vectors are infinite after 20 steps"):
        trained(**stop)


# examples that torch draws


def examples_of(text=None, start=0, device="cpu", **changes):
    text = text or encode_text(TEXT)
    config = TrainingConfig(**SMALL | {"dynamic_window": False, "subsample": 0, "device": device} | changes)
    network = TorchNetwork(config, text.vocabulary.counts, device=device)
    keep = keep_probabilities(text.vocabulary.counts, text.vocabulary.raw_words, config.subsample)
    return TorchExamples(text, network, keep, start)


def arrays_of(batches):
    return [(b.inputs.cpu().numpy(), b.targets.cpu().numpy(), b.predictions, b.behind) for b in batches]


RAGGED = [["a"], ["b", "a", "c"], ["c"], ["d", "b"], ["a"] * 5, ["e"], ["b", "c", "d", "a", "e", "e", "a"], ["d"]]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "text", [TEXT, RAGGED, [[word for sentence in TEXT for word in sentence]]], ids=["even", "ragged", "one sentence"]
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_where_nothing_is_drawn_the_windows_are_those_of_window_batches(text, size, device):
    text = encode_text(text)
    ours = arrays_of(examples_of(text, batch_size=size, device=device).batches(0))
    theirs = list(window_batches(text, 10**6, 3, seed=0, dynamic=False))
    rows = [(row[row >= 0].tolist(), t) for inputs, targets, *_ in ours for row, t in zip(inputs, targets, strict=True)]
    expected = [
        (row[row >= 0].tolist(), t) for inputs, targets, _ in theirs for row, t in zip(inputs, targets, strict=True)
    ]
    assert rows == expected
    assert [len(targets) for _, targets, *_ in ours[:-1]] == [size] * (len(ours) - 1)
    assert [n for *_, n, _ in ours] == [np.count_nonzero(inputs >= 0) for inputs, *_ in ours]
    behind = [b for *_, b in ours]
    assert behind == sorted(set(behind)) and behind[-1] <= len(text)


def test_a_chunk_without_a_window_is_passed_over():
    text = encode_text([["a"], ["b"], ["a", "b", "a"], ["b"], ["a"]], ids_at_once=3)
    found = arrays_of(examples_of(text).batches(0))
    assert [targets.tolist() for _, targets, *_ in found] == [[0, 1, 0]] and found[0][-1] == 5
    with pytest.raises(InputError, match="There is nothing to learn from"):
        trained(text=[["a"], ["b"]] * 9, examples_on="device")


def test_windows_draw_their_reach_and_frequent_words_are_thinned_out():
    text = encode_text([[f"w{i}" for i in np.random.default_rng(1).zipf(1.5, 40_000).clip(max=50)]])
    reach = Counter()
    for inputs, *_ in arrays_of(examples_of(text, dynamic_window=True, window=4).batches(0)):
        reach.update((inputs >= 0).sum(axis=1).tolist())
    shares = [reach[2 * r] / 40_000 for r in (1, 2, 3, 4)]
    assert shares == pytest.approx([0.25] * 4, abs=0.01) and len(reach) <= 4 + 4  # and those at the ends
    examples = examples_of(text, subsample=1e-2)
    kept = Counter(np.concatenate([targets for _, targets, *_ in arrays_of(examples.batches(0))]).tolist())
    keep = keep_probabilities(text.vocabulary.counts, text.vocabulary.raw_words, 1e-2)
    assert keep[0] < 0.5 < keep[10]
    for word in range(5):
        assert kept[word] == pytest.approx(keep[word] * text.vocabulary.counts[word], rel=0.1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("noise", ["unigram", "log-uniform", "uniform"])
def test_noise_follows_its_distribution(noise, device):
    examples = examples_of(noise=noise, device=device)
    examples._seed("noise", 0, 0)
    drawn = examples._draw((200_000,)).cpu().numpy()
    shares = np.bincount(drawn, minlength=len(examples.alias)) / len(drawn)
    np.testing.assert_allclose(shares, examples.network.objective.noise.probabilities, atol=0.004)


def test_windows_are_no_wider_than_the_longest_sentence():
    batches = list(examples_of(encode_text(RAGGED), window=2**20).batches(0))
    longest = max(map(len, RAGGED))
    assert batches and all(batch.inputs.shape[1] == 2 * (longest - 1) for batch in batches)


def test_paths_are_those_of_the_tree():
    examples = examples_of(objective="hierarchical-softmax")
    words = torch.arange(len(examples.network.counts), dtype=torch.int32)
    for ours, theirs in zip(examples._paths(words), examples.network.objective.tree.paths(words.numpy()), strict=True):
        assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_gets_what_its_network_draws(objective):
    batch = next(examples_of(objective=objective).batches(0))
    network = examples_of(objective=objective).network
    expected = network.samples(np.random.default_rng(0), batch.targets.numpy())
    for ours, theirs in zip(batch.samples, expected, strict=True):
        assert (ours.dim(), len(ours), str(ours.dtype)) == (theirs.ndim, len(theirs), f"torch.{theirs.dtype}")


@pytest.mark.parametrize("changes", [{}, {"objective": "nce"}], ids=str)
def test_the_draws_of_a_place_do_not_depend_on_where_one_began(changes):
    examples = examples_of(dynamic_window=True, subsample=0.05, **changes)
    whole = list(examples.batches(1))
    for n, batch in enumerate(whole[:-1]):
        after = next(examples.batches(1, batch.behind))
        assert all(torch.equal(a, b) for a, b in zip(after.samples, whole[n + 1].samples, strict=True))
        assert torch.equal(after.inputs, whole[n + 1].inputs) and after.behind == whole[n + 1].behind
    elsewhere = examples_of(start=7, dynamic_window=True, subsample=0.05, **changes)
    other_epoch, other_place = next(examples.batches(2)), next(elsewhere.batches(1))
    assert not torch.equal(other_epoch.samples[1], whole[0].samples[1])
    assert not torch.equal(other_place.samples[1][:4], whole[0].samples[1][:4])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_shares_of_the_processes_are_the_text(count):
    text = encode_text(RAGGED)
    cuts = [len(text) * n // count for n in range(count + 1)]
    shares = [_part(text, a, b) for a, b in itertools.pairwise(cuts)]
    assert np.concatenate([share.ids for share in shares]).tolist() == text.ids.tolist()
    for share, first in zip(shares, cuts, strict=False):
        inside = {start for start in text.starts.tolist() if first <= start <= first + len(share)}
        assert set((share.starts + first).tolist()) == inside | {first, first + len(share)}


# learning


TOPICS = list(sentences_of_two_topics())
TOPICAL = {
    "dimension": 8, "subsample": 0, "epochs": 4, "initialization": "word2vec", "window": 5, "report_every_words": 0,
    "learning_rate": 0.05, "text": TOPICS,
}  # fmt: skip


def share_of_company(vectors):
    """How many of the nine nearest words are of the same topic, on average over all words."""
    near = {word: vectors.most_similar(word, topn=9) for word in vectors.index_to_key}
    return np.mean([other[0] == word[0] for word, found in near.items() for other, _ in found])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_optimizer_does_on_each_device_what_numpys_does(objective, optimizer, device):
    changes = {"objective": objective, "optimizer": optimizer, "examples_on": "host", "precision": "float64"}
    found, expected = trained(device=device, **changes), trained(engine="numpy", **changes | {"examples_on": "auto"})
    np.testing.assert_allclose(found.vectors.vectors, expected.vectors.vectors, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_from_examples_that_torch_draws_every_objective_is_learned(objective, model, device):
    rate = {"learning_rate": 0.1} if model == "cbow" else {}
    trainer = trained(objective=objective, model=model, device=device, examples_on="device", **TOPICAL | rate)
    assert share_of_company(trainer.vectors) > 0.95
    assert trainer.losses[-1].loss < trainer.losses[0].loss


def test_drawn_by_torch_the_loss_ends_where_it_ends_drawn_by_numpy():
    changes = TOPICAL | {"held_out": 400, "batch_size": 16}
    ours, theirs = trained(examples_on="device", **changes), trained(engine="numpy", **changes)
    assert ours.losses[-1].held_out == pytest.approx(theirs.losses[-1].held_out, rel=0.01)
    assert ours.losses[-1].loss == pytest.approx(theirs.losses[-1].loss, rel=0.05)
    assert ours.raw_words == ours.schedule.total_raw_words == theirs.raw_words


@pytest.mark.parametrize("every", [1, 90, 0])
def test_the_loss_is_the_exact_mean_over_all_predictions(monkeypatch, every):
    seen, forward = [], TorchNetwork.forward

    def noting(self, inputs, samples):
        total = forward(self, inputs, samples)
        seen.append((total.item(), int(self.counted.sum())))
        return total

    monkeypatch.setattr(TorchNetwork, "forward", noting)
    trainer = trained(examples_on="device", report_every_words=every)
    steps = [0] + [entry.step for entry in trainer.losses]
    assert steps[-1] == len(seen) > 30
    for entry, first, last in zip(trainer.losses, steps, steps[1:], strict=False):
        losses, predictions = zip(*seen[first:last], strict=True)
        assert entry.loss == pytest.approx(math.fsum(losses) / sum(predictions), rel=1e-12)


class Waits(TorchDispatchMode):
    """Counts what makes a processor wait for a GPU: a number that Python wants, a shape that depends on numbers."""

    def __init__(self):
        super().__init__()
        self.seen = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name()
        boolean_index = name == "aten::index.Tensor" and any(i is not None and i.dtype == torch.bool for i in args[1])
        if boolean_index or any(
            part in name for part in ("_local_scalar_dense", "nonzero", "bincount", "unique", "_coalesce")
        ):
            self.seen[name] += 1
        return function(*args, **kwargs or {})


@pytest.mark.parametrize(
    "changes", [{}, {"model": "cbow"}, {"objective": "hierarchical-softmax"}, {"max_repeats": 3}], ids=str
)
def test_between_reports_nobody_waits_for_the_device(changes):
    waits = {}
    for size in (4, 1):
        with Waits() as mode:
            trainer = trained(
                examples_on="device", batch_size=size, report_every_words=10**6, epochs=1, subsample=0, **changes
            )
        waits[trainer.step] = mode.seen
    few, many = sorted(waits)
    assert many > 3 * few > 400 and waits[few] == waits[many] and waits[few]  # a few for a chunk, none for a step


# large batches


@pytest.mark.parametrize("weight", [1, 4])  # how many times a prediction counts at most
@pytest.mark.parametrize("most", [1, 3, 10_000])
@pytest.mark.parametrize("objective", ["negative-sampling", "hierarchical-softmax"])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_word_that_is_repeated_moves_as_by_so_many_of_its_mean(objective, model, most, weight):
    given = SMALL | {"objective": objective, "model": model, "precision": "float64"}
    text = encode_text(TEXT)
    inputs, targets, _ = next(window_batches(text, 30, 3, seed=0))
    network = TorchNetwork(TrainingConfig(**given | {"max_repeats": most}), text.vocabulary.counts)
    network.weight = weight
    samples = network.samples(np.random.default_rng(0), targets)
    network.loss(inputs, samples)
    found = {name: gradient.to_dense().numpy() for name, gradient in network.gradients().items()}
    super(TorchNetwork, network).loss(inputs, samples)  # the gates, which know no limit
    uses = np.zeros((2, len(text.vocabulary)))
    np.add.at(uses[0], inputs[inputs >= 0], 1)
    of_row = network.counted.sum(axis=1)
    if objective == "negative-sampling":
        rows = np.concatenate([targets[:, None], samples[1]], axis=1)
    else:
        rows = np.where(samples[0] < 0, samples[0][:, :1], samples[0])
    np.add.at(uses[1], rows, of_row[:, None])
    for n, gradient in zip(uses, super(TorchNetwork, network).gradients().items(), strict=True):
        name, expected = gradient[0], gradient[1].to_dense()
        factor = np.minimum(weight, most / np.maximum(n, 1))[: len(expected), None]
        np.testing.assert_allclose(found[name], expected * factor, rtol=1e-10, atol=1e-13)
        assert (factor < weight).any() == (most < 10_000)


@pytest.mark.parametrize("weight, times", [(1, [1, 1, 1, 1]), (4, [4, 4, 2, 1])])
def test_a_weight_takes_no_row_farther_than_the_uses_that_are_safe(weight, times):
    """A row moves by times · n of its predictions: never by more than SAFE_REPEATS, unless n itself is more."""
    network = TorchNetwork(TrainingConfig(**SMALL), encode_text(TEXT).vocabulary.counts)
    network.weight = weight
    n = torch.tensor([1, SAFE_REPEATS / 4, SAFE_REPEATS / 2, 3 * SAFE_REPEATS])
    assert network._times(n).tolist() == times


def test_a_prediction_that_counts_twice_moves_a_row_twice_as_far():
    text = encode_text(TEXT)
    network = TorchNetwork(TrainingConfig(**SMALL | {"precision": "float64"}), text.vocabulary.counts)
    inputs, targets, _ = next(window_batches(text, 4, 3, seed=0))
    samples, gradients = network.samples(np.random.default_rng(0), targets), []
    for network.weight in (1, 2):
        network.loss(inputs, samples)
        gradients.append({name: gradient.to_dense().numpy() for name, gradient in network.gradients().items()})
    once, twice = gradients
    assert np.abs(once["out/U"]).max() > 0
    for name in once:
        np.testing.assert_allclose(twice[name], 2 * once[name], rtol=1e-12)


def test_a_large_batch_learns_with_a_limit_and_goes_wrong_without():
    large = TOPICAL | {"batch_size": 1024, "epochs": 20, "examples_on": "device"}
    small = trained(**TOPICAL | {"examples_on": "device"})
    limited = trained(max_repeats=8, **large)
    assert share_of_company(limited.vectors) > 0.95
    assert limited.losses[-1].loss < 1.1 * small.losses[-1].loss
    with pytest.raises(InputError, match=r"choose a learning_rate below 0\.05, or a smaller batch_size"):
        trained(**large)


# stopped and resumed


@pytest.mark.parametrize("number, ends", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
@pytest.mark.parametrize("examples_on", ["host", "device"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "objective": "nce"},
        {"optimizer": "adagrad", "objective": "full-softmax", "held_out": 60},
    ],
    ids=str,
)
def test_stopped_and_resumed_ends_with_the_same_bits(tmp_path, changes, examples_on, number, ends):
    changes = {"examples_on": examples_on, "device": "cpu", "checkpoint_every_words": 180} | changes
    trained(tmp_path / "whole", **changes)
    for step in (13, 27):
        with pytest.raises(ends):
            trained(tmp_path / "parts", StopAt(step, number), resume=step > 13, **changes)
        told = json.loads((tmp_path / "parts" / "run.json").read_text(encoding="utf-8"))
        assert told["status"] == "stopped" and told["steps"] == step
        assert (told["engine"], told["device"], told["processes"]) == ("torch", "cpu", 1)
    trained(tmp_path / "parts", resume=True, **changes)
    assert bits(tmp_path / "whole") == bits(tmp_path / "parts")


@pytest.mark.parametrize("examples_on", ["host", "device"])
def test_five_kills_at_random_moments(tmp_path, examples_on):
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2] / "runs")!r})
import torch
torch.set_num_threads(1)  # before the first fork
import kill_and_resume
import handgrad.word2vec.engines.torch.network
from handgrad.word2vec import TrainingConfig
kill_and_resume.CONFIG = TrainingConfig(
    dimension=40, window=3, epochs=2, subsample=1e-2, batch_size=16, optimizer="adam", learning_rate=0.01,
    min_count=1, checkpoint_every_words=90, keep=2, held_out=40,
    engine="torch", device="cpu", examples_on={examples_on!r},
)
kill_and_resume.main(Path(sys.argv[1]), 5, int(sys.argv[2]))
"""
    seed = str(time.time_ns() % 10**6)
    result = subprocess.run([sys.executable, "-c", script, tmp_path, seed], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"seed {seed}: {result.stdout}{result.stderr}"
    assert "all ended with the same bits" in result.stdout


def test_torch_has_as_many_threads_as_the_run_and_then_as_many_as_before():
    class Threads(StopAt):
        def on_report(self, trainer):
            seen.append(torch.get_num_threads())

    seen, before = [], torch.get_num_threads()
    trained(None, Threads(0), threads=2, max_steps=3)
    assert set(seen) == {2} and torch.get_num_threads() == before


# what cannot be


def test_without_a_gpu_cuda_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    expected = r"^device is cuda, but torch finds no GPU that it can use: choose device auto or cpu\.$"
    with pytest.raises(InputError, match=expected):
        trained(device="cuda")
    assert trained(device="auto", max_steps=1).engine.device == "cpu"


def test_with_a_gpu_auto_is_the_gpu(monkeypatch):
    from handgrad.word2vec.runs.processes import chosen_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert chosen_device(TrainingConfig(engine="torch")) == "cuda:0"
    assert chosen_device(TrainingConfig(engine="torch", device="cpu")) == "cpu"
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert chosen_device(TrainingConfig(engine="torch", device="cuda")) == "cuda:1"
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="This machine has 2 GPUs, and torchrun started more processes"):
        chosen_device(TrainingConfig(engine="torch"))


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"optimizer": "momentum"}, "The torch engine does not do optimizer = 'momentum': choose engine numpy."),
        ({"update": "pair"}, "The torch engine does not do update = 'pair': choose engine numpy."),
        (
            {"num_skips": 2, "subsample": 0, "dynamic_window": False, "examples_on": "device"},
            "The examples of num_skips are not made on the device: leave examples_on at auto.",
        ),
        ({"objective": "nce", "max_repeats": 9}, "TrainingConfig expects max_repeats of 0 for nce, but got 9."),
        (
            {"engine": "numpy", "max_repeats": 9},
            "TrainingConfig expects max_repeats of 0 without engine torch, but got 9.",
        ),
        (
            {"engine": "auto", "device": "cuda"},
            "TrainingConfig expects device of 'auto' without engine torch, but got 'cuda'.",
        ),
        ({"device": "tpu"}, "TrainingConfig expects device to be one of auto, cpu, cuda, but got 'tpu'."),
    ],
    ids=str,
)
def test_what_it_does_not_do_is_one_sentence(changes, sentence):
    with pytest.raises(InputError) as error:
        trained(**changes)
    assert str(error.value) == sentence


def test_a_loss_that_is_no_number_is_a_sentence():
    for examples_on in ("host", "device"):
        with pytest.raises(InputError, match=r"The (loss is|vectors are) .* after \d+ steps: choose a learning_rate"):
            trained(learning_rate=1e30, examples_on=examples_on)


def test_without_torch_it_is_one_sentence():
    code = """
import sys
sys.modules["torch"] = None  # importing it fails, and it is not found
from handgrad.errors import InputError
from handgrad.word2vec import Trainer, TrainingConfig
try:
    Trainer(TrainingConfig(min_count=1, engine="torch")).fit([["a", "b", "c"]] * 20)
except InputError as error:
    print(error)
print(len(Trainer(TrainingConfig(min_count=1, engine="numpy", epochs=1, subsample=0)).fit([["a", "b", "c"]] * 20)))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"The torch engine needs torch: {how_to_install('torch')}, or choose another engine.", "3",
    ]  # fmt: skip
