"""The four explorers of word2vec: what Python hands to the page is what the library computes."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.show import huffman_explorer, nce_explorer, noise_explorer, window_explorer
from handgrad.show.explorers.noise import POWERS, tries_for
from handgrad.word2vec import (
    EncodedText,
    HierarchicalSoftmax,
    HuffmanTree,
    LogUniformNoise,
    SampledValues,
    UniformNoise,
    UnigramNoise,
    Vocabulary,
    keep_probabilities,
    nce_loss,
    pairs,
    window_batches,
)

SENTENCE = "the sum of each row of the array is one".split()
RARE = {f"rare{i}": 200 - i for i in range(150)}
COUNTS = {"the": 9000, "of": 4000, "is": 3000, "array": 600, "sum": 400, "each": 350, "one": 280, "row": 250, **RARE}


def vocabulary():
    return Vocabulary(COUNTS)


def batch(T=1):
    rng = np.random.default_rng(4)
    labels = np.array([[6, 1], [0, 4], [1, 2]])[:, :T]
    sampled = LogUniformNoise(8).sample(np.random.default_rng(8), 5, labels)
    return rng.normal(size=(8, 4)), 0.3 * rng.normal(size=8), labels, rng.normal(size=(3, 4)), sampled


def tree():
    rng = np.random.default_rng(2)
    words, counts = "the of is array sum row".split(), np.array([90, 40, 30, 6, 4, 2])
    return words, counts, rng.normal(size=3), rng.normal(size=(5, 3))


EVERY = {
    "window": lambda: window_explorer(SENTENCE, vocabulary()),
    "noise": lambda: noise_explorer(vocabulary()),
    "nce": lambda: nce_explorer(*batch()),
    "huffman": lambda: huffman_explorer(*tree()),
}
every_explorer = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


@every_explorer
def test_a_page_and_a_text_are_the_same_each_time(make):
    assert make()._repr_html_() == make()._repr_html_() and repr(make()) == repr(make())
    assert "0x" not in repr(make()) and "nan" not in repr(make())
    assert json.loads(json.dumps(make().state, allow_nan=False)) == make().state


@every_explorer
def test_its_still_picture_is_whole(make):
    still = make().still()
    assert ElementTree.fromstring(f"<div>{still}</div>")[0].tag in ("table", "svg")


@every_explorer
def test_the_live_widget_has_the_state_as_traits_and_no_others_meaning(make):
    import anywidget

    assert not make().state.keys() & anywidget.AnyWidget.class_traits().keys()
    assert set(make().state) <= set(make().live().keys)


def test_show_needs_no_package_of_the_word2vec_extra():
    code = """
import sys
for name in ("numba", "tqdm", "click", "safetensors", "tensorboard", "torch", "scipy"):
    sys.modules[name] = None
from handgrad import show
from handgrad.word2vec import Vocabulary
print(show.window_explorer(["a", "b"], Vocabulary({"a": 2, "b": 1})).module)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "window\n", done.stderr


# ---- The window ----


def windows_of(explorer):
    """From the text form: each kept word's neighbors."""
    rows = [line.split() for line in repr(explorer).splitlines()[2:]]
    return [(row[0], row[4:]) for row in rows if row[4:] != ["(dropped)"]]


@pytest.mark.parametrize("threshold", [0, 1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("window", [1, 3, 10])
def test_each_draw_is_that_of_window_batches(window, threshold):
    words = vocabulary()
    ids, _ = words.encode([SENTENCE])
    text = EncodedText(words, ids, np.array([0, len(ids)]))
    keep = keep_probabilities(words.counts, words.raw_words, threshold)
    for seed in (0, 5):
        explorer = window_explorer(SENTENCE, words, window, threshold, seed=seed)
        batches = window_batches(text, 100, window, seed, keep)
        expected = [pair for inputs, targets, _ in batches for pair in zip(*pairs(inputs, targets), strict=True)]
        expected = [(words.index_to_key[c], words.index_to_key[o]) for o, c in expected]
        found = [(center, word) for center, seen in windows_of(explorer) for word in seen if word != "(none)"]
        assert found == expected


def test_its_text_form_says_keep_probabilities_and_tosses():
    explorer = window_explorer(SENTENCE, vocabulary())
    first = repr(explorer).splitlines()[2].split()
    keep = keep_probabilities(vocabulary().counts[:1], vocabulary().raw_words)[0]
    toss = np.random.default_rng([0, 0]).random(1, dtype=np.float32)[0]
    assert first[:4] == ["the", "9,000", f"{keep:.4g}", f"{toss:.4f}"]
    assert explorer.state["thresholds"][explorer.state["threshold"]] == 1e-3


def test_unknown_words_are_left_out_and_a_threshold_gets_a_place_of_its_own():
    state = window_explorer(["the", "unheard", "row"], vocabulary(), threshold=0.004).state
    assert [entry["word"] for entry in state["words"]] == ["the", "row"]
    assert state["thresholds"][:4] == [0.0, 1e-2, 0.004, 3e-3] and state["threshold"] == 2


@pytest.mark.parametrize(
    ("sentence", "options", "message"),
    [
        (["the"], {}, "2 to 24 words of the vocabulary, but this one has 1"),
        ("the row", {}, "A sentence is a list of words"),
        (SENTENCE, {"window": 11}, "window is a whole number from 1 to 10, but got 11"),
        (SENTENCE, {"draws": 0}, "draws is a whole number from 1 to 20, but got 0"),
        (SENTENCE, {"seed": -1}, "seed is a whole number of at least 0, but got -1"),
        (SENTENCE, {"threshold": float("nan")}, "threshold is 0, .* but got nan"),
    ],
)
def test_what_the_window_cannot_show_is_said(sentence, options, message):
    with pytest.raises(InputError, match=message):
        window_explorer(sentence, vocabulary(), **options)


def test_counts_alone_are_no_vocabulary():
    for maker in (lambda counts: window_explorer(SENTENCE, counts), noise_explorer):
        with pytest.raises(InputError, match="expects a Vocabulary, but got dict: make one"):
            maker(COUNTS)


# ---- The noise ----


def test_probabilities_are_those_of_the_librarys_noise():
    words = vocabulary()
    state = noise_explorer(words).state
    ids = [entry["rank"] - 1 for entry in state["words"]]
    assert ids == [0, 1, 4, 9, 19, 49, 99, 157]
    for power, found in zip(POWERS, state["probabilities"], strict=False):
        np.testing.assert_allclose(found, UnigramNoise(words.counts, power).probabilities[ids], rtol=1e-5)
    np.testing.assert_allclose(state["probabilities"][-1], LogUniformNoise(len(words)).probabilities[ids], rtol=1e-5)
    assert len(state["probabilities"]) == len(POWERS) + 1
    np.testing.assert_allclose(state["head_share"], words.counts[: state["head"]].sum() / words.raw_words, rtol=1e-5)


def test_tries_are_close_to_what_samples_take():
    noise = UnigramNoise(vocabulary().counts)
    rng = np.random.default_rng(0)
    taken = np.mean([noise._draw_distinct(rng, 20)[1] for _ in range(2000)])
    assert abs(tries_for(noise, 20) - taken) < 1
    assert tries_for(noise, 1) == 1 and tries_for(UniformNoise(10**6), 5) == 6  # the fewest that reach 5


def test_the_words_can_be_chosen_and_are_shown_by_rank():
    explorer = noise_explorer(vocabulary(), ["row", "the"], power=0.5, m=2, unique=True)
    assert [entry["word"] for entry in explorer.state["words"]] == ["the", "row"]
    noise = UnigramNoise(vocabulary().counts, 0.5)
    E = noise.expected_count(np.array([0, 7]), 2, tries_for(noise, 2))
    assert [line.split()[-1] for line in repr(explorer).splitlines()[3:]] == [f"{e:.4g}" for e in E]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"words": ["unheard"]}, "has no word 'unheard'"),
        ({"words": ["the", "the"]}, "1 to 20 different words"),
        ({"power": 0.71}, "power is one of 0, 0.05, ..., 1, .* but got 0.71"),
        ({"m": 3}, "m is one of 1, 2, 5, 10, 15, 20 for these 158 words, but got 3"),
    ],
)
def test_what_the_noise_cannot_show_is_said(options, message):
    with pytest.raises(InputError, match=message):
        noise_explorer(vocabulary(), **options)


def test_a_vocabulary_of_a_few_words_has_no_rare_ones():
    with pytest.raises(InputError, match="at least 20 words that all occur, but got 2 of 2"):
        noise_explorer(Vocabulary({"a": 2, "b": 1}))


# ---- The NCE matrix ----


@pytest.mark.parametrize("T", [1, 2])
@pytest.mark.parametrize("remove", [False, True])
def test_the_text_form_says_the_librarys_losses(T, remove):
    lines = repr(nce_explorer(*batch(T), remove_accidental_hits=remove)).splitlines()
    losses = nce_loss(*batch(T), remove_accidental_hits=remove)
    assert [line.split()[-1] for line in lines[2:5]] == [f"{loss:.4g}" for loss in losses]
    assert lines[5] == f"mean loss {losses.mean():.4g}"


def test_the_matrix_carries_scores_expected_counts_hits_and_names():
    weights, biases, labels, inputs, sampled = batch(T=2)
    words = [f"w{i}" for i in range(8)]
    state = nce_explorer(weights, biases, labels, inputs, sampled, words=words, rows=["a", "b", "c"]).state
    i, k = 2, 3
    np.testing.assert_allclose(state["dots"][i][2 + k], inputs[i] @ weights[sampled.ids[k]], rtol=1e-5)
    np.testing.assert_allclose(state["biases"][i][1], biases[labels[i, 1]], rtol=1e-5)
    np.testing.assert_allclose(state["expected"][i], [*sampled[1][i], *sampled[2]], rtol=1e-5)
    assert state["hits"] == [[id in row for id in sampled.ids] for row in labels] and np.any(state["hits"])
    assert state["cells"][1] == ["w0", "w4"] and state["columns"][0] == f"w{sampled.ids[0]}"


def test_labels_of_one_column_may_be_a_row():
    weights, biases, labels, inputs, sampled = batch()
    flat = SampledValues(sampled.ids, sampled.true_expected_count[:, 0], sampled.sampled_expected_count)
    assert repr(nce_explorer(weights, biases, labels[:, 0], inputs, flat)) == repr(nce_explorer(*batch()))


def test_what_the_matrix_cannot_show_is_said():
    weights, biases, labels, inputs, sampled = batch()
    with pytest.raises(InputError, match="words are 8 names here, one for each, but got 1"):
        nce_explorer(*batch(), words=["a"])
    with pytest.raises(InputError, match="rows are 3 names here, one for each, but got 1"):
        nce_explorer(*batch(), rows=["a"])
    with pytest.raises(InputError, match="NCE expects integer labels from 0 to 7, but got 9 to 9"):
        nce_explorer(weights, biases, np.full((3, 1), 9), inputs, sampled)
    with pytest.raises(InputError, match=r"up to 100 cells, but got 30 × \(1 \+ 5\): give a smaller batch"):
        many = SampledValues(sampled.ids, np.ones((30, 1)), sampled.sampled_expected_count)
        nce_explorer(weights, biases, np.zeros((30, 1), int), np.ones((30, 4)), many)
    with pytest.raises(InputError, match="finite numbers, but the biases have inf"):
        nce_explorer(weights, np.full(8, np.inf), labels, inputs, sampled)


# ---- The Huffman path ----


def test_the_text_form_says_the_librarys_codes_and_probabilities():
    words, counts, h, U = tree()
    nodes, codes = HuffmanTree(counts).paths(np.arange(6))
    losses = HierarchicalSoftmax().forward(np.tile(h, (6, 1, 1)), U, nodes, codes)[:, 0]
    rows = [line.split() for line in repr(huffman_explorer(*tree())).splitlines()[2:]]
    codes = map(HuffmanTree(counts).code, range(6))
    expected = zip(words, counts, np.exp(-losses), codes, strict=True)
    assert rows == [[word, str(count), f"{P:.4g}", code] for word, count, P, code in expected]


def test_the_still_tree_has_every_node_turn_and_word():
    words, counts, h, U = tree()
    root = ElementTree.fromstring(huffman_explorer(words, counts, h, U).still())
    assert len(root.findall("path")) == 10 and len(root.findall("circle")) == 5
    leaves = [text.text for text in root.findall("text[@class='hg-leaf']")]
    assert sorted(leaf.split()[0] for leaf in leaves) == sorted(words)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": ["one"]}, "2 to 16 different words"),
        ({"counts": [1.5] * 6}, "counts are 6 integers of 0 or more"),
        ({"counts": [1, 2]}, "counts are 6 integers of 0 or more"),
        ({"U": np.ones((6, 3))}, r"U \(5, D\), a row for each inner node, but got \(3,\) and \(6, 3\)"),
        ({"h": np.full(3, np.nan)}, "finite scores, but one is not"),
        ({"word": "unheard"}, "word is one of the, of, .* but got 'unheard'"),
    ],
)
def test_what_the_tree_cannot_show_is_said(change, message):
    given = dict(zip(("words", "counts", "h", "U"), tree(), strict=True))
    with pytest.raises(InputError, match=message):
        huffman_explorer(**{**given, **change})
