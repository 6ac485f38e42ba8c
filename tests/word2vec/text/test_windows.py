import random
from collections import Counter, deque
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from handgrad.word2vec import keep_probabilities
from handgrad.word2vec.text.encoding import EncodedText, encode_text
from handgrad.word2vec.text.windows import NO_WORD, NumSkipsBatches, pairs, window_batches, window_inputs


def windows_by_loop(ids, sentence_of, reach):
    """The specification, one position at a time: (target's position, input)."""
    for i in range(len(ids)):
        for j in range(max(0, i - reach[i]), min(len(ids), i + reach[i] + 1)):
            if j != i and sentence_of[i] == sentence_of[j]:
                yield i, ids[j]


def test_rows_hold_exactly_the_neighbors_within_reach_and_sentence():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 50, size=200)
    sentence_of = np.sort(rng.integers(0, 30, size=200))
    reach = rng.integers(1, 5, size=200)
    rows = window_inputs(ids, sentence_of, 0, 200, reach, 4)
    assert rows.shape == (200, 8)
    found = [(i, c) for i, row in enumerate(rows) for c in row if c >= 0]
    assert found == list(windows_by_loop(ids, sentence_of, reach))
    flat = pairs(rows, ids)
    assert list(zip(*flat, strict=True)) == [(word, ids[i]) for i, word in found]


def test_a_batch_is_a_slice_of_the_whole():
    ids, sentence_of, reach = np.arange(20), np.zeros(20, int), np.full(20, 2)
    whole = window_inputs(ids, sentence_of, 0, 20, reach, 2)
    np.testing.assert_array_equal(window_inputs(ids, sentence_of, 7, 12, reach, 2), whole[7:12])


def test_a_sentence_of_one_word_has_no_neighbors():
    rows = window_inputs(np.array([3]), np.array([0]), 0, 1, np.array([2]), 2)
    assert (rows == NO_WORD).all()
    assert [len(flat) for flat in pairs(rows, np.array([3]))] == [0, 0]


def made_up(sentences=300, seed=0):
    rng = np.random.default_rng(seed)
    return encode_text([[f"w{i}" for i in rng.geometric(0.05, rng.integers(0, 40))] for _ in range(sentences)])


def test_fixed_windows_of_a_whole_text_are_those_of_the_loop():
    text = made_up()
    sentence_of = np.repeat(np.arange(len(text.starts) - 1), np.diff(text.starts))
    expected = [(word, text.ids[i]) for i, word in windows_by_loop(text.ids, sentence_of, np.full(len(text), 3))]
    found = []
    for inputs, targets, _ in window_batches(text, 64, window=3, seed=1, dynamic=False):
        assert inputs.dtype == targets.dtype == np.int32 and len(inputs) == len(targets) <= 64
        assert (inputs != NO_WORD).any(axis=1).all()
        found += zip(*pairs(inputs, targets), strict=True)
    assert found == expected


def test_dynamic_windows_reach_as_far_as_each_other_with_equal_chance():
    """At distance j there are pairs when r >= j: with probability (window - j + 1) / window."""
    n, window = 50_000, 5
    text = EncodedText(None, np.arange(n, dtype=np.int32), np.array([0, n]))
    distances = Counter()
    for inputs, targets, _ in window_batches(text, 1000, window, seed=1):
        flat_inputs, flat_targets = pairs(inputs, targets)
        distances.update((flat_inputs - flat_targets).tolist())
    assert set(distances) == {-5, -4, -3, -2, -1, 1, 2, 3, 4, 5}
    for distance, count in distances.items():
        share = (window - abs(distance) + 1) / window
        assert abs(count - n * share) < 5 * np.sqrt(n * share * (1 - share)) + window


def test_words_are_thinned_out_before_windows_are_cut():
    text = made_up(sentences=2000)
    text = EncodedText(text.vocabulary, text.ids, np.array([0, len(text)]))  # one sentence: no word is alone in it
    counts = text.vocabulary.counts
    keep = keep_probabilities(counts, text.vocabulary.raw_words, 0.01)
    assert keep[0] < 0.7 and keep[-1] == 1
    targets = np.concatenate([t for _, t, _ in window_batches(text, 100, window=1, seed=1, keep=keep)])
    kept = np.bincount(targets, minlength=len(counts))
    assert (abs(kept - counts * keep) <= 5 * np.sqrt(counts * keep * (1 - keep))).all()


def test_neighbors_of_a_word_that_is_left_out_are_neighbors():
    text = EncodedText(None, np.array([1, 0, 0, 2, 0, 3], np.int32), np.array([0, 5, 6]))
    ((inputs, targets, position),) = window_batches(text, 10, window=1, seed=1, keep=[0, 1, 1, 1])
    assert inputs.tolist() == [[NO_WORD, 2], [1, NO_WORD]] and targets.tolist() == [1, 2]  # 3 is alone
    assert position == 6


def same(some, others):
    return len(some) == len(others) and all(
        np.array_equal(a, b) for x, y in zip(some, others, strict=True) for a, b in zip(x, y, strict=True)
    )


def test_batches_go_on_from_any_position_as_if_nothing_had_happened():
    text = replace(made_up(), ids_at_once=500)
    keep = keep_probabilities(text.vocabulary.counts, text.vocabulary.raw_words, 0.01)
    settings = {"batch_size": 64, "window": 4, "seed": (1, 0), "keep": keep}
    batches = list(window_batches(text, **settings))
    assert len(batches) > 40 and same(batches, list(window_batches(text, **settings)))
    for number in range(len(batches)):
        position = batches[number][2]
        assert same(list(window_batches(text, position=position, **settings)), batches[number + 1 :])
    assert not same(batches, list(window_batches(text, **settings | {"seed": (1, 1)})))


def test_each_chunk_has_chances_of_its_own():
    text = EncodedText(None, np.arange(1000, dtype=np.int32), np.arange(0, 1001, 100), ids_at_once=100)
    batches = window_batches(text, 100, window=1, seed=1, keep=np.full(1000, 0.5))
    kept = [tuple(targets % 100) for _, targets, _ in batches]
    assert len(kept) == len(set(kept)) == 10


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"batch_size": 0}, "batch_size is a whole number of at least 1, but got 0"),
        ({"window": 0}, "window is a whole number of at least 1, but got 0"),
        ({"window": 2.0}, r"window is a whole number of at least 1, but got 2\.0"),
    ],
)
def test_bad_sizes_are_a_sentence(settings, message):
    with pytest.raises(ValueError, match=message):
        next(window_batches(made_up(), **{"batch_size": 8, "window": 2, "seed": 1} | settings))


def num_skips_by_loop(data, num_skips, skip_window, choose):
    """word2vec_basic's procedure: a buffer of one window that is pushed along, and filled anew at the end."""
    span = 2 * skip_window + 1
    buffer, index = deque(data[:span], maxlen=span), span
    while True:
        around = [i for i in range(span) if i != skip_window]
        for i in choose(around, num_skips):
            yield buffer[skip_window], buffer[i]
        if index == len(data):
            buffer.extend(data[:span])
            index = span
        else:
            buffer.append(data[index])
            index += 1


@pytest.mark.parametrize("skip_window", [1, 2, 3])
@pytest.mark.parametrize("length", [7, 8, 50])
def test_where_all_skips_are_taken_the_stream_is_tensorflows(length, skip_window):
    data, skips = np.arange(length) * 10, 2 * skip_window
    batches = NumSkipsBatches(data, 4 * skips, skips, skip_window, np.random.default_rng(0))
    found = [pair for batch in islice(batches, 30) for pair in zip(*batch, strict=True)]
    expected = num_skips_by_loop(data.tolist(), skips, skip_window, lambda around, n: around)
    assert found == list(islice(expected, len(found)))
    assert len(found) == 30 * 4 * skips


def test_where_some_skips_are_drawn_they_differ_and_all_are_equally_likely():
    data, n = np.arange(1000), 30_000
    batches = NumSkipsBatches(data, 300, num_skips=3, skip_window=2, rng=np.random.default_rng(0))
    centers, counts = [], Counter()
    for inputs, targets in islice(batches, n // 100):
        drawn = (targets - inputs).reshape(-1, 3)
        assert inputs.dtype == targets.dtype == np.int32
        assert all(len(set(row)) == 3 for row in drawn.tolist())
        counts.update(map(tuple, drawn.tolist()))
        centers += inputs[::3].tolist()
    stream = num_skips_by_loop(data.tolist(), 1, 2, random.Random(0).sample)
    assert centers == [center for center, _ in islice(stream, n)]
    assert len(counts) == 4 * 3 * 2  # orders of three of four
    for count in counts.values():
        assert abs(count - n / 24) < 5 * np.sqrt(n / 24)


def test_a_stream_goes_on_from_a_position():
    data = np.arange(100)
    batches = NumSkipsBatches(data, 64, 2, 2, np.random.default_rng(0))
    for _ in range(7):
        next(batches)
    other = NumSkipsBatches(data, 64, 2, 2, np.random.default_rng(1))
    other.position, other.rng.bit_generator.state = batches.position, batches.rng.bit_generator.state
    assert 0 < other.position < 96
    assert same(list(islice(batches, 9)), list(islice(other, 9)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((5, 2, 1), "batch_size is a multiple of num_skips, 2, but got 5"),
        ((6, 3, 1), "num_skips is at most 2 skip_window, 2, but got 3"),
        ((0, 2, 1), "batch_size is a whole number of at least 1, but got 0"),
        ((4, 0, 1), "num_skips is a whole number of at least 1, but got 0"),
        ((4, 2, -1), "skip_window is a whole number of at least 1, but got -1"),
        ((4, 2, 5), "A window of 11 words does not fit in a text of 10"),
    ],
)
def test_bad_skips_are_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        NumSkipsBatches(np.arange(10), *arguments, np.random.default_rng(0))
