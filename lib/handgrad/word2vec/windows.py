"""Windows: for each position of the text, the neighbors within reach."""

import numpy as np

NO_WORD = -1  # fills a row where a window has fewer words than there is room for


def window_centers(ids, sentence_of, start, stop, reach, window):
    """The centers that go with each position in ``start:stop`` as their outside word.

    A skip-gram pair is (center, outside). As in word2vec.c the window is drawn around the outside word, and
    its neighbors are the centers: the pairs have the same distribution as the other way round, and all
    pairs of one row share the outside word, and so can share its negatives.

    Parameters
    ----------
    ids, sentence_of : int arrays (N,), words and the sentence of each
    start, stop : int, the positions whose rows are wanted
    reach : int array (N,), from 1 to window: how far the window of each position extends
    window : int, the largest reach

    Returns
    -------
    int32 array (stop - start, 2 window) of ids, NO_WORD where the reach or the sentence ends
    """
    offsets = np.array([j for j in range(-window, window + 1) if j], dtype=np.int64)
    here = np.arange(start, stop)[:, None]  # (B, 1)
    there = here + offsets  # (B, 2 window)
    inside = (there >= 0) & (there < len(ids))
    there = np.where(inside, there, 0)
    seen = inside & (sentence_of[there] == sentence_of[here]) & (np.abs(offsets) <= reach[here])
    return np.where(seen, ids[there], NO_WORD).astype(np.int32)
