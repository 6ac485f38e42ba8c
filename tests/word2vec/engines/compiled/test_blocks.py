"""A block of the compiled engine beside one step of the gates."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from handgrad import SGD
from handgrad.nodes import Parameter
from handgrad.word2vec import HuffmanTree
from handgrad.word2vec.engines.compiled import hierarchical_softmax, negative_sampling, steps
from handgrad.word2vec.engines.compiled.aligned import aligned_table
from handgrad.word2vec.engines.compiled.negative_sampling import TARGETS
from handgrad.word2vec.engines.compiled.steps import find_rows, workspace_for
from handgrad.word2vec.engines.compiled.thread_copies import NO_COPIES
from handgrad.word2vec.objectives import CBOW, HierarchicalSoftmax, NegativeSampling, SkipGram

FARTHEST, DIMENSIONS, MOST_NEGATIVES = 6, (1, 3, 17, 100), 7
MODELS = {steps.SKIP_GRAM: SkipGram(), steps.CBOW: CBOW(), steps.CBOW_OF_WORD2VEC_C: CBOW("word2vec.c")}


def random_block(seed):
    """A block with all that can be odd about it, in a text of few words, so that they meet again and again."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 9, rng.integers(1, 5))
    lengths[rng.integers(len(lengths))] += 1
    n, vocabulary, D = lengths.sum(), rng.integers(2, 14), rng.choice(DIMENSIONS)
    window, K, G = rng.integers(1, FARTHEST + 1), rng.integers(0, MOST_NEGATIVES + 1), rng.integers(1, TARGETS + 1)
    reach = rng.integers(1 if rng.random() < 0.7 else window, window + 1, n)
    start = np.repeat(np.cumsum(lengths) - lengths, lengths)  # of the sentence that each word is in
    begin, end = np.maximum(np.arange(n) - reach, start), np.arange(n) + reach + 1
    end = np.minimum(end, np.repeat(np.cumsum(lengths), lengths))
    G = min(G, n)
    first = rng.integers(0, n - G + 1)
    V, U = rng.normal(scale=rng.choice([0.3, 1, 3]) / D**0.25, size=(2, vocabulary + 2, D))
    return {
        "V": V, "U": U, "words": rng.integers(0, vocabulary, n).astype(np.int32), "begin": begin.astype(np.int32),
        "end": end.astype(np.int32), "first": first, "last": first + G, "reach": window,
        "negatives": rng.integers(0, vocabulary, K).astype(np.int32), "rate": rng.uniform(0.01, 0.5),
        "weight": rng.choice([1, 0.5, 0.1]),
    }  # fmt: skip


def random_paths(block, seed):
    """A block of one target, and a tree whose inner nodes are the rows of U."""
    tree = HuffmanTree(np.random.default_rng(seed).integers(0, 99, len(block["U"]) + 1))
    return block | {"last": block["first"] + 1, "tree": tree}


def path_in(block):
    """nodes and codes on the path to the target."""
    tree, target = block["tree"], block["words"][block["first"]]
    path = slice(tree.starts[target], tree.starts[target + 1])
    return tree.nodes[path], tree.codes[path]


def windows_of(block):
    """The input words of each target, one by one."""
    words, begin, end = block["words"], block["begin"], block["end"]
    return [[words[j] for j in range(begin[i], end[i]) if j != i] for i in range(block["first"], block["last"])]


def full_of_garbage(workspace, size):
    """A workspace as other blocks have left it."""
    for each in workspace[:-1]:  # the last one is an order
        each[:] = np.random.default_rng(0).normal(scale=size, size=each.shape)
    return workspace


def train_by_kernel(block, model, garbage=1e3):
    """The step: loss, predictions, V and U. Its arguments have the types of the engine's, so it is compiled once."""
    V, U = aligned_table(block["V"]), aligned_table(block["U"])
    text = [block[name] for name in ("words", "begin", "end", "first")]
    rate, reach = V.dtype.type(block["rate"]), block["reach"]
    if "tree" in block:
        path = path_in(block)
        workspace = full_of_garbage(workspace_for(1, 2 * reach, len(path[0]), V), garbage)
        rest = NO_COPIES[0][1], *model, rate, path[0].astype(np.intp), workspace
        loss, n = hierarchical_softmax.learn_block(V, U, *text, *path, *rest)
    else:
        outputs = np.append(block["negatives"], block["words"][block["first"] : block["last"]])
        Q = len(block["negatives"]) + TARGETS
        workspace = full_of_garbage(workspace_for(TARGETS, TARGETS + 2 * reach, Q, V), garbage)
        rest = outputs, V.dtype.type(block["weight"]), *model, rate, outputs, workspace
        loss, n = negative_sampling.learn_block(V, U, *text, block["last"], *rest)
    D = block["V"].shape[1]
    assert not V[:, D:].any() and not U[:, D:].any()  # what fills up the vectors stays 0
    return loss, n, V[:, :D], U[:, :D]


def train_by_gates(block, model):
    """One step of plain SGD on the sum of the losses, in which each negative has its weight.

    All is computed before anything is updated, so the negatives' part is what a step with them does beyond one without.
    """
    with_all = step_of_gates(block, model)
    if "tree" in block:
        return with_all
    without = step_of_gates(block | {"negatives": block["negatives"][:0]}, model)
    loss, n, V, U = (a + block["weight"] * (b - a) for a, b in zip(without, with_all, strict=True))
    return loss, n, V, U


def step_of_gates(block, model):
    """The same with a weight of 1, by the gates of the objectives."""
    seen = windows_of(block)
    inputs = np.full((len(seen), max(1, *map(len, seen))), -1)
    for row, window in zip(inputs, seen, strict=True):
        row[: len(window)] = window
    targets = block["words"][block["first"] : block["last"]]
    if "tree" in block:
        objective, samples = HierarchicalSoftmax(), block["tree"].paths(targets)
    else:
        objective, samples = NegativeSampling(), (targets, np.tile(block["negatives"], (len(targets), 1)))
    gate = MODELS[model]
    V, U = Parameter("V", block["V"].copy()), Parameter("U", block["U"].copy())
    losses = objective.forward(gate.forward(V.value, inputs), U.value, *samples)
    counted = gate.predictions(inputs)
    dh, dU, *_ = objective.backward(counted.astype(np.float64))
    SGD(block["rate"]).step([V, U], {"V": gate.backward(dh)[0], "U": dU})
    return losses[counted].sum(), np.count_nonzero(counted), V.value, U.value


def blocks(seeds):
    for seed in seeds:
        block = random_block(seed)
        yield f"seed {seed}", block
        yield f"seed {seed}, a tree", random_paths(block, seed)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("hundred", range(5))
def test_a_block_is_one_step_of_the_gates(hundred, model):
    for name, block in blocks(range(100 * hundred, 100 * hundred + 100)):
        loss, n, V, U = train_by_kernel(block, model)
        true_loss, true_n, true_V, true_U = train_by_gates(block, model)
        assert n == true_n and loss == pytest.approx(true_loss, rel=1e-12, abs=1e-12), name
        np.testing.assert_allclose(V, true_V, rtol=1e-12, atol=1e-12, err_msg=f"V, {name}")
        np.testing.assert_allclose(U, true_U, rtol=1e-12, atol=1e-12, err_msg=f"U, {name}")
        for new, old, true in [(V, block["V"], true_V), (U, block["U"], true_U)]:
            others = (true == old).all(axis=1)
            assert (new[others] == old[others]).all(), name


def test_the_random_blocks_hold_everything_that_is_odd():
    met = set()
    for seed in range(500):
        block = random_block(seed)
        words, negatives = block["words"], list(block["negatives"])
        targets, seen = words[block["first"] : block["last"]], windows_of(block)
        met |= {("G", len(targets)), ("K", len(negatives)), ("window", block["reach"]), ("D", block["V"].shape[1])}
        met |= {("path", len(path_in(random_paths(block, seed))[0]))}
        odd = {
            "at the start": block["first"] == 0,
            "at the end": block["last"] == len(words),
            "alone": [] in seen,
            "all alone": not any(seen),
            "a word twice among the targets": len(set(targets)) < len(targets),
            "a word twice in a window": any(len(set(window)) < len(window) for window in seen),
            "a target in its own window": any(t in window for t, window in zip(targets, seen, strict=True)),
            "a hit": bool(set(targets) & set(negatives)),
            "a negative twice": len(set(negatives)) < len(negatives),
            "a hit twice": any(negatives.count(target) > 1 for target in targets),
            "two sentences": any(block["end"][i] <= i + 1 for i in range(block["first"], block["last"] - 1)),
        }
        met |= {name for name, true in odd.items() if true}
    assert met >= set(odd)
    assert met >= {("G", g) for g in range(1, TARGETS + 1)} | {("window", w) for w in range(1, FARTHEST + 1)}
    assert met >= {("K", k) for k in range(MOST_NEGATIVES + 1)} | {("D", d) for d in DIMENSIONS}
    assert met >= {("path", length) for length in range(1, 8)}


@pytest.mark.parametrize("model", MODELS)
def test_a_block_in_float32_is_near_the_exact_one(model):
    for name, block in blocks(range(60)):
        _, _, V, U = train_by_kernel(block, model)
        single = {"V": block["V"].astype(np.float32), "U": block["U"].astype(np.float32)}
        loss, n, V32, U32 = train_by_kernel(block | single, model, garbage=10)
        true_loss, true_n, *_ = train_by_gates(block, model)
        assert V32.dtype == U32.dtype == np.float32 and n == true_n
        assert loss == pytest.approx(true_loss, rel=1e-5, abs=1e-5), name
        np.testing.assert_allclose(V32, V, rtol=1e-5, atol=1e-5, err_msg=name)
        np.testing.assert_allclose(U32, U, rtol=1e-5, atol=1e-5, err_msg=name)


AVX2 = "+avx2,+avx,+fma,+bmi,+bmi2,+lzcnt,+popcnt,+f16c,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+cx8,+cmov,+64bit"


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="no processor to pretend to be")
def test_with_vectors_of_256_bits_it_is_the_same(tmp_path):
    """Most processors have no larger ones: the tests of blocks and of σ, compiled for such a one."""
    narrow = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX2, "NUMBA_CACHE_DIR": str(tmp_path)}
    of_blocks = (test_a_block_is_one_step_of_the_gates, test_a_block_in_float32_is_near_the_exact_one)
    tests = [f"{__file__}::{test.__name__}" for test in of_blocks] + [str(Path(__file__).with_name("test_logistic.py"))]
    lanes = "from handgrad.word2vec.engines.compiled.compiling import LANES; assert LANES == 8"
    program = f"{lanes}; import pytest; exit(pytest.main({tests}))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | narrow
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


def test_behind_the_rows_of_a_block_the_last_is_there_again():
    ids, rows = np.array([0, 1, 32, 33, 34, 5, 6, 7, 8], np.int32), np.zeros(12, np.intp)
    find_rows(ids, rows)
    assert rows.tolist() == [*ids, 8, 8, 8]
    for i in range(9):
        hierarchical_softmax.find_rows_beside(ids, i, rows)
        assert rows[:8].tolist() == [row for j, row in enumerate(ids) if j != i]
    hierarchical_softmax.find_rows_beside(ids[:6], 5, rows)
    assert rows[:8].tolist() == [0, 1, 32, 33, 34, 34, 34, 34]
