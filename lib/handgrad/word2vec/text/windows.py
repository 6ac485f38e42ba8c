"""Windows: for each position of the text, the neighbors within reach, as batches for training.

A batch is inputs (B, C), ids with NO_WORD where a window has fewer than C words, and targets (B,): row i holds the
words in the window of targets[i]. Skip-gram predicts the target from each input alone, CBOW from their mean.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from handgrad.errors import InputError, is_whole
from handgrad.word2vec.text.encoding import EncodedText

NO_WORD = -1  # fills a row where a window has fewer words than there is room for


def window_inputs(ids, sentence_of, start, stop, reach, window):
    """The words in the windows around the positions ``start:stop``, which are the targets.

    The paper predicts a window's words from its center. As in word2vec.c it is the center that is predicted here: the
    pairs have the same distribution, and all pairs of one row share the target, and so can share its negatives.

    Parameters
    ----------
    ids, sentence_of : int arrays (N,)
        Words, and the sentence of each.
    start, stop : int
        The positions whose rows are wanted.
    reach : int array (N,)
        From 1 to window: how far the window of each position extends.
    window : int
        The largest reach.

    Returns
    -------
    int32 array (stop - start, 2 window)
        Ids, left to right, NO_WORD where the reach or the sentence ends.
    """
    offsets = np.array([j for j in range(-window, window + 1) if j], dtype=np.int64)
    here = np.arange(start, stop)[:, None]  # (B, 1)
    there = here + offsets  # (B, 2 window)
    inside = (there >= 0) & (there < len(ids))
    there = np.where(inside, there, 0)
    seen = inside & (sentence_of[there] == sentence_of[here]) & (np.abs(offsets) <= reach[here])
    return np.where(seen, ids[there], NO_WORD).astype(np.int32)


def pairs(inputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The skip-gram pairs of a batch, row by row.

    Parameters
    ----------
    inputs : int array (B, C)
        Ids; -1 where a window has fewer words.
    targets : int array (B,)

    Returns
    -------
    inputs, targets : int arrays (P,)
        A pair for each word in a window.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import pairs
    >>> pairs(np.array([[5, 7], [6, -1]]), np.array([6, 7]))
    (array([5, 7, 6]), array([6, 6, 7]))
    """
    seen = inputs != NO_WORD
    return inputs[seen], np.repeat(targets, seen.sum(axis=1))


def window_batches(
    text: EncodedText,
    batch_size: int,
    window: int,
    seed: int | Sequence[int],
    keep: np.ndarray | None = None,
    dynamic: bool = True,
    position: int = 0,
) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Go through an encoded text once, in order, thin out frequent words, and cut windows.

    Memory does not grow with the text. Each chunk of it has a generator of its own, so the batches after a position
    are the same whether or not the ones before it were made.

    Parameters
    ----------
    text : EncodedText
    batch_size : int
        Targets in a batch; the last of a chunk has fewer, and words that are alone are left out.
    window : int
        Words to each side at most.
    seed : int or sequence of int
        For instance (seed of the run, epoch).
    keep : float array (V,), optional
        How likely each word is kept, from ``keep_probabilities``.
    dynamic : bool
        Whether each window draws its reach from 1 to ``window``; otherwise all reach as far as they can.
    position : int
        Where to go on: the one that came with the last batch.

    Yields
    ------
    inputs : int32 array (B, C)
        No row without a word; C is 2 window, or less where all sentences are short.
    targets : int32 array (B,)
    position : int
        How many of the len(text) words are behind, those of this batch included.

    Examples
    --------
    >>> from handgrad.word2vec import encode_text, window_batches
    >>> text = encode_text([["one", "two", "one", "three"]])
    >>> text.vocabulary.index_to_key
    ['one', 'two', 'three']
    >>> batches = window_batches(text, 4, window=1, seed=0, dynamic=False)
    >>> for inputs, targets, position in batches:
    ...     print(inputs, targets, position)
    [[-1  1]
     [ 0  0]
     [ 1  2]
     [ 0 -1]] [0 1 0 2] 4
    """
    _check_whole(batch_size, "batch_size", least=1)
    _check_whole(window, "window", least=1)
    keep = None if keep is None else np.asarray(keep, dtype=np.float32)
    for first, ids, sentence_of in text.chunks():
        if first + len(ids) <= position:
            continue
        rng = np.random.default_rng([*np.atleast_1d(seed), first])
        kept = np.arange(len(ids))
        if keep is not None:
            kept = np.flatnonzero(rng.random(len(ids), dtype=np.float32) < keep[ids])
        words, sentences = ids[kept], sentence_of[kept]
        reach = rng.integers(1 if dynamic else window, window, size=len(words), endpoint=True)
        farthest = min(window, max(np.bincount(sentences).max(initial=1) - 1, 1))  # no sentence is longer
        for start in range(0, len(words), batch_size):
            stop = min(start + batch_size, len(words))
            behind = first + int(kept[stop - 1]) + 1
            if behind <= position:
                continue
            inputs = window_inputs(words, sentences, start, stop, reach, farthest)
            seen = (inputs != NO_WORD).any(axis=1)
            if seen.any():
                yield inputs[seen], words[start:stop][seen], behind


class NumSkipsBatches:
    """Endless batches of pairs from one stream of words, as TensorFlow's word2vec_basic makes them.

    The window slides over the stream by one word, whatever sentences there were, and begins again at the end. From the
    ``skip_window`` words on each side of a center, ``num_skips`` are drawn without replacement, in the order of the
    draw; where all are taken there is nothing to draw, and they come from left to right. Here, other than in
    ``window_batches``, the center is the input and its neighbors are the targets.

    Parameters
    ----------
    ids : int array (N,)
    batch_size : int
        B, a multiple of num_skips.
    num_skips : int
        Pairs for each center.
    skip_window : int
        Words to each side.
    rng : numpy.random.Generator

    Attributes
    ----------
    position : int
        The first word of the next window, from 0 to N - 2 skip_window - 1. To go on where another left off, set it, and
        the state of ``rng``.

    Yields
    ------
    inputs, targets : int32 arrays (B,)

    Raises
    ------
    InputError
        If batch_size, num_skips and skip_window do not go together, or the stream is shorter than a window.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import NumSkipsBatches
    >>> ids, rng = np.array([5, 6, 7, 8]), np.random.default_rng(0)
    >>> next(iter(NumSkipsBatches(ids, 4, num_skips=2, skip_window=1, rng=rng)))
    (array([6, 6, 7, 7], dtype=int32), array([5, 7, 6, 8], dtype=int32))
    """

    def __init__(self, ids: np.ndarray, batch_size: int, num_skips: int, skip_window: int, rng: np.random.Generator):
        for value, name in [(batch_size, "batch_size"), (num_skips, "num_skips"), (skip_window, "skip_window")]:
            _check_whole(value, name, least=1)
        if num_skips > 2 * skip_window:
            raise InputError(f"num_skips is at most 2 skip_window, {2 * skip_window}, but got {num_skips}.")
        if batch_size % num_skips:
            raise InputError(f"batch_size is a multiple of num_skips, {num_skips}, but got {batch_size}.")
        if len(ids) < 2 * skip_window + 1:
            raise InputError(
                f"A window of {2 * skip_window + 1} words does not fit in a text of {len(ids)}: give more text."
            )
        self.ids, self.num_skips, self.skip_window, self.rng = np.asarray(ids), num_skips, skip_window, rng
        self.centers = batch_size // num_skips  # in a batch
        self.windows = len(ids) - 2 * skip_window  # in the stream
        around = np.delete(np.arange(2 * skip_window + 1), skip_window)
        self.offsets = np.tile(around, (self.centers, 1))  # (centers, 2 skip_window)
        self.position = 0

    def __iter__(self):
        return self

    def __next__(self):
        first = (self.position + np.arange(self.centers)) % self.windows  # of each window
        self.position = (self.position + self.centers) % self.windows
        offsets = self.offsets
        if self.num_skips < 2 * self.skip_window:
            offsets = self.rng.permuted(offsets, axis=1)[:, : self.num_skips]
        inputs = self.ids[first + self.skip_window].repeat(self.num_skips)
        targets = self.ids[first[:, None] + offsets].ravel()
        return inputs.astype(np.int32, copy=False), targets.astype(np.int32, copy=False)


def _check_whole(value, name, least):
    if not is_whole(value) or value < least:
        raise InputError(f"{name} is a whole number of at least {least}, but got {value!r}.")
