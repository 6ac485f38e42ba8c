"""What the compiled engine draws, beside the probabilities that it should draw by."""

import itertools

import numpy as np
import pytest
from compiled_draws import all_negatives, all_windows, all_words
from scipy.stats import chi2_contingency, chisquare

from handgrad.word2vec import HuffmanTree, UnigramNoise, keep_probabilities
from handgrad.word2vec.engines.compiled.draws import (
    chances,
    copied_paths,
    draw_negatives,
    draw_text,
    next_random,
    paths_to,
)

UNLIKELY = 1e-3  # a test of chance fails below this; the seeds are fixed, so it does not fail by chance


@pytest.mark.parametrize("seed", [1, 2**63 + 12345])
def test_words_are_kept_as_often_as_their_probabilities_say(seed):
    counts = np.array([400_000, 150_000, 60_000, 20_000, 5000, 600, 40])
    keep = keep_probabilities(counts, counts.sum(), 1e-2)
    ids = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(0).shuffle(ids)
    words, *_ = all_words(ids, keep, state=seed)
    kept, rare = np.bincount(words, minlength=len(counts)), keep == 1
    assert rare.any() and (kept[rare] == counts[rare]).all()
    p, f = keep[~rare], counts[~rare]
    z = (kept[~rare] - f * p) / np.sqrt(f * p * (1 - p))
    assert len(z) >= 4 and np.abs(z).max() < 3.5


def test_words_that_are_kept_stay_in_order_and_a_chance_of_one_keeps_all():
    ids = np.arange(5000)
    words, *_ = all_words(ids, np.full(5000, 0.5))
    assert (np.diff(words) > 0).all() and 2300 < len(words) < 2700
    np.testing.assert_array_equal(all_words(np.tile(ids, 20), np.ones(5000))[0], np.tile(ids, 20))


def test_the_generator_goes_on_from_sentence_to_sentence():
    ids, keep = np.arange(300), np.full(300, 0.6)
    words, reach, state = all_words(ids, keep, state=7)
    first = all_words(ids[:120], keep, state=7)
    second = all_words(ids[120:], keep, state=first[2])
    np.testing.assert_array_equal(np.concatenate([first[0], second[0]]), words)
    np.testing.assert_array_equal(np.concatenate([first[1], second[1]]), reach)
    assert second[2] == state
    steps = 7
    for _ in ids:
        steps = (steps * 6364136223846793005 + 1442695040888963407) % 2**64
    assert state == steps


@pytest.mark.parametrize("window", [1, 2, 3, 5, 10])
def test_a_window_reaches_each_distance_equally_often(window):
    words, reach, _ = all_words(np.random.default_rng(1).integers(0, 3, 600_000), [1.0, 0.5, 0.1], (window, True))
    assert set(reach) == set(range(1, window + 1))
    if window > 1:
        assert chisquare(np.bincount(reach)[1:]).pvalue > UNLIKELY
        for before in (words, np.append(0, reach[:-1])):  # neither the word nor the window before it tells
            table = np.zeros((max(before) + 1, window + 1))
            np.add.at(table, (before, reach), 1)
            table = table[table.sum(axis=1) > 100][:, 1:]
            assert chi2_contingency(table).pvalue > UNLIKELY


def test_windows_that_are_not_drawn_reach_as_far_as_they_can():
    assert set(all_words(np.zeros(1000), [0.5], (4, False))[1]) == {4}


def windows_by_hand(ids, starts, keep, windows, state):
    """The words that are kept, and where their windows begin and end, in Python's whole numbers."""
    words, begin, end = [], [], []
    for first, last in itertools.pairwise(starts):
        kept, reach = [], []
        for word in ids[first:last]:
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            if state >> 32 <= keep[word]:
                kept.append(word)
                reach.append(1 + (state % 2**32 * windows[0] >> 32) if windows[1] else windows[0])
        n = len(kept)
        begin += [len(words) + max(i - r, 0) for i, r in enumerate(reach)]
        end += [len(words) + min(i + r + 1, n) for i, r in enumerate(reach)]
        words += kept
    return words, begin, end, state


@pytest.mark.parametrize("window", [1, 2, 5, 40, 5000, 2**31 - 1])  # the last is the largest that can be asked for
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("lengths", [[3000], [1, 0, 2, 0, 0, 40, 3, 1], [0], [0, 1, 0], [7] * 30], ids=str)
def test_each_window_ends_where_its_draw_says_or_its_sentence_does(window, dynamic, lengths):
    starts = np.cumsum([0, *lengths])
    ids, keep = np.random.default_rng(len(lengths)).integers(0, 4, starts[-1]), [1.0, 0.5, 0.9, 0.0]
    found = [part.tolist() for part in all_windows(ids, starts, keep, (window, dynamic), 2**40 + 7)]
    expected = windows_by_hand(ids, starts, chances(keep).tolist(), (window, dynamic), 2**40 + 7)
    assert found == list(expected)


@pytest.mark.parametrize("window", [1, 30, 2**31 - 1])
def test_no_window_reaches_farther_than_the_room_that_is_made_for_it(window):
    """As much workspace as the longest sentence needs, not for a window that no sentence has."""
    starts = np.cumsum([0, 3, 0, 60, 7])
    text = np.arange(70, dtype=np.int32), starts, chances(np.ones(70)), (window, True), np.uint64(3)
    words, begin, end, farthest = draw_text(*text)
    i = np.arange(len(words))
    assert max((i - begin).max(), (end - i - 1).max()) <= farthest == min(window, 60)


@pytest.mark.parametrize("power", [0.75, 0, 1])
def test_noise_is_drawn_as_its_distribution_says(power):
    counts = 1e6 / np.arange(1, 41) ** 1.1
    counts[[7, 30]] = 0
    noise = UnigramNoise(counts, power)
    drawn, _ = all_negatives(noise, 1_000_000)
    seen, expected = np.bincount(drawn, minlength=40), 1e6 * noise.probabilities
    assert (seen[counts == 0] == 0).all()
    assert chisquare(seen[counts > 0], expected[counts > 0]).pvalue > UNLIKELY
    pairs = np.zeros((5, 5))  # a draw tells nothing of the next one
    np.add.at(pairs, (drawn[:-1] // 8, drawn[1:] // 8), 1)
    assert chi2_contingency(pairs).pvalue > UNLIKELY


def state_before(state):
    """The state after which the generator comes to this one."""
    return (state - 1442695040888963407) * pow(6364136223846793005, -1, 2**64) % 2**64


def test_what_is_certain_does_not_depend_on_the_smallest_or_the_largest_random_number():
    """One draw in four billion: a word that never occurs would slip into the noise, or one be lost that is to stay."""
    smallest, largest = state_before(0), state_before(2**64 - 1)
    assert [next_random(np.uint64(state)) for state in (smallest, largest)] == [0, 2**64 - 1]

    assert all_words([0], [1.0], state=largest)[0].tolist() == [0]
    toss = np.uint64(state_before(smallest))  # the column comes first, then the toss
    negatives = np.empty(1, np.int32)
    no_chance = np.array([1, 0], np.uint64)  # in the upper half 0, in the lower the other word
    draw_negatives(no_chance, toss, negatives)
    column = int(next_random(toss)) >> 63
    assert negatives[0] == 1 - column


def test_a_draw_goes_on_where_the_last_one_ended():
    noise = UnigramNoise(np.arange(1, 30))
    whole, end = all_negatives(noise, 50)
    first, state = all_negatives(noise, 20)
    second, state = all_negatives(noise, 30, state)
    assert np.concatenate([first, second]).tolist() == whole.tolist() and state == end


def test_paths_are_found_in_the_tree_and_copied_one_after_another():
    tree = HuffmanTree(np.arange(1, 10) ** 2)
    tree, words = (tree.starts, tree.nodes, tree.codes), np.array([8, 0, 3, 3], np.int32)
    (begin, end), longest = paths_to(words, tree)
    paths = [slice(*ends) for ends in zip(begin, end, strict=True)]
    assert paths == [slice(tree[0][word], tree[0][word + 1]) for word in words]
    nodes, codes, (first, last), longest_of_copies = copied_paths(words, tree)
    np.testing.assert_array_equal(nodes, np.concatenate([tree[1][path] for path in paths]))
    np.testing.assert_array_equal(codes, np.concatenate([tree[2][path] for path in paths]))
    np.testing.assert_array_equal(last - first, end - begin)
    np.testing.assert_array_equal(first[1:], last[:-1])
    assert first[0] == 0 and longest == longest_of_copies == max(end - begin)
    assert paths_to(words[:0], tree)[1] == 0
