"""From many dimensions to the plane: principal components, and a layout that keeps near words near."""

import numpy as np

EPOCHS = 200
NOISE = 200  # random words of an epoch, which all words share
PUSH = 30  # what their mean push weighs against the mean pull of the neighbors; more makes an even disk
NEAR = 0.01  # added to a squared distance, so that two points that coincide do not fly apart
LONGEST = 4.0  # step of a point


def principal_axes(vectors, n=2):
    """The directions in which the vectors spread most, longest first.

    Parameters
    ----------
    vectors : float array (V, D)
    n : int, how many

    Returns
    -------
    center : float array (D,), the mean
    axes : float array (n, D), of length 1; each points to where its largest entry by magnitude is positive, since the
        sign of a principal component is arbitrary
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    center = vectors.mean(axis=0)
    axes = np.linalg.svd(vectors - center, full_matrices=False)[2][:n]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    return center, axes * np.where(largest < 0, -1.0, 1.0)


def nearest(units, k):
    """For each vector of length 1 the k others with the largest cosine.

    Parameters
    ----------
    units : float array (V, D)
    k : int, below V

    Returns
    -------
    ids : int array (V, k), nearest first; of equal cosines the smaller id
    cosines : float array (V, k)
    """
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    ids = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return ids, np.take_along_axis(cosines, ids, axis=1)


def neighbor_layout(vectors, neighbors, epochs=EPOCHS, seed=0):
    """Points in the plane, near to each other where the vectors are neighbors: negative sampling in two dimensions.

    Whether two words are neighbors is a question with two answers. With d the distance of their points, the layout
    says yes with probability 1 / (1 + d²). Each pair of neighbors is a seen pair; made-up pairs join a word
    with random ones. The gradient of the loss pulls neighbors together and pushes random pairs apart (LargeVis: Tang,
    Liu, Zhang and Mei 2016, equations 4 to 6; UMAP: McInnes, Healy and Melville 2018). Each point goes against the
    mean of its pulls and the mean of its pushes, so that a word with many neighbors does not leap.

    Parameters
    ----------
    vectors : float array (V, D); their principal plane is where the points begin
    neighbors : int array (V, k), ids
    epochs : int, steps, each over all seen pairs
    seed : int, of the random words

    Returns
    -------
    float array (V, 2), the same on each run on one machine; on another, differences in the last digits grow
    """
    rng = np.random.default_rng(seed)
    center, axes = principal_axes(vectors)
    points = (np.asarray(vectors) - center) @ axes.T
    points *= 5 / (points.std() or 1.0)
    V, k = neighbors.shape
    word, neighbor = np.repeat(np.arange(V), k), neighbors.ravel()
    pairs_of = np.bincount(np.concatenate([word, neighbor]), minlength=V)[:, None]
    for epoch in range(epochs):
        pull = _pull(points, word, neighbor) / pairs_of
        push = _push(points, rng.choice(V, min(NOISE, V), replace=False))
        step = (1 - epoch / epochs) * (pull + PUSH * push)
        points -= np.clip(step, -LONGEST, LONGEST)
    return points


def _pull(points, i, j):
    """For each point (V, 2): the gradient of -log 1 / (1 + d²), added up over its pairs."""
    difference = points[i] - points[j]
    gradient = difference * (2 / (1 + (difference**2).sum(axis=1, keepdims=True)))
    V = len(points)
    return np.stack([np.bincount(i, g, V) - np.bincount(j, g, V) for g in gradient.T], axis=1)


def _push(points, noise, near=NEAR):
    """For each point (V, 2): the gradient of -log (1 - 1 / (1 + d²)), the mean over the noise words."""
    x, y = (column[:, None] - column[noise] for column in points.T)  # (V, NOISE)
    square = x**2 + y**2
    weight = -2 / ((square + near) * (1 + square))
    return np.stack([(weight * x).mean(axis=1), (weight * y).mean(axis=1)], axis=1)
