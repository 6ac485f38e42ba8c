"""Noise distributions: which words are drawn as noise, and how often each of them was to be expected."""

from array import array
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from handgrad.errors import InputError, require_ids

if TYPE_CHECKING:
    from handgrad.word2vec.config import TrainingConfig

MOST_TRIES = 100_000_000  # for one unique sample


class SampledValues(NamedTuple):
    """Noise that a whole batch shares, in TensorFlow's order: ids, and how often each id was to be expected.

    Attributes
    ----------
    ids : int32 array (m,)
    true_expected_count : float64 array, in the shape of the labels
        E of each label.
    sampled_expected_count : float64 array (m,)
        E of each sampled id.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import UniformNoise
    >>> rng, labels = np.random.default_rng(0), np.array([[3]])
    >>> sample = UniformNoise(4).sample(rng, m=2, labels=labels, unique=False)
    >>> sample.ids.shape, sample.true_expected_count  # 2 draws among 4 words
    ((2,), array([[0.5]]))
    """

    ids: np.ndarray
    true_expected_count: np.ndarray
    sampled_expected_count: np.ndarray


class NoiseDistribution:
    """Which words serve as noise: a probability for each id, and a rule that draws ids.

    Parameters
    ----------
    probabilities : float64 array (V,)
        Kept as the attribute of that name.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import NoiseDistribution
    >>> noise = NoiseDistribution(np.array([0.25, 0.75]))
    >>> noise.expected_count(np.array([0, 1]), m=4, tries=4)
    array([1., 3.])
    """

    def __init__(self, probabilities: np.ndarray):
        self.probabilities = probabilities
        self._drawable = np.count_nonzero(probabilities)

    @cached_property
    def alias_table(self):
        """(own, alias), float32 and int32 arrays (V,): column k holds k with the chance own[k], otherwise alias[k]."""
        return _filled_columns(self.probabilities)

    def draw(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
        """Draw ids, with replacement.

        Parameters
        ----------
        rng : numpy.random.Generator
        shape : int or tuple of int

        Returns
        -------
        int32 array, of that shape
        """
        raise NotImplementedError(f"{type(self).__name__} cannot draw: define draw(self, rng, shape).")

    def sample(
        self, rng: np.random.Generator, m: int, labels: np.ndarray, unique: bool = True, most_tries: int = MOST_TRIES
    ) -> SampledValues:
        """Draw m ids of noise for a batch, as NCE and sampled softmax want them: with expected counts.

        With ``unique`` the draws go on until m ids have come up; a repeated id is one more try. Labels are not
        excluded. The same as TensorFlow's candidate samplers.

        Parameters
        ----------
        rng : numpy.random.Generator
        m : int
            Number of ids.
        labels : int array, often (B, T)
            The ids whose expected counts are wanted too.
        unique : bool
            Whether the m ids are all different.
        most_tries : int
            After so many draws a unique sample is given up: by default after some seconds.

        Returns
        -------
        SampledValues
            (ids, true_expected_count, sampled_expected_count)

        Raises
        ------
        InputError
            If m is below 1, more different ids are wanted than there are or than come up, or a label is no id or
            has probability 0.
        """
        labels = require_ids(labels, len(self.probabilities), "The noise", "labels")
        if not isinstance(m, int | np.integer) or m < 1:
            raise InputError(f"The number of sampled ids, m, must be an integer of at least 1, but it is {m!r}.")
        ids, tries = self._draw_distinct(rng, m, most_tries) if unique else (self.draw(rng, m), m)
        expected = self.expected_count(np.concatenate([labels.ravel(), ids]), m, tries)
        return SampledValues(ids, expected[:-m].reshape(labels.shape), expected[-m:])

    def expected_count(self, ids: np.ndarray, m: int, tries: int) -> np.ndarray:
        """E(k), how often id k is to be expected among the m ids of a sample that took so many tries.

        With as many tries as ids, no draw was thrown away, and E(k) = m P(k). Otherwise the ids are all different,
        k is among them or not, and E(k) = 1 - (1 - P(k))^tries, the chance that k comes up in that many tries.

        That takes the number of tries for one that was fixed beforehand, as TensorFlow does. It is close where m
        is far below V, but not where it is near: of 20 ids, log-uniform, the first is in 78 % of the unique samples of
        5, while E(0) is 0.94 on average.

        Parameters
        ----------
        ids : int array of any shape
        m, tries : int

        Returns
        -------
        float64 array, in the shape of the ids
        """
        if tries == m:
            expected = m * self.probabilities[ids]
        else:
            expected = -np.expm1(tries * self._log_missed[ids])
        if not expected.all():
            reserved = np.asarray(ids)[expected == 0].flat[0]
            raise InputError(
                f"Id {reserved} has probability 0: it is never drawn, its expected count is 0, and the loss would take "
                "the logarithm of that; give it a count above 0, or leave it out of the labels."
            )
        return expected

    @cached_property
    def _log_missed(self):
        """log(1 - P), that one draw is another id; -inf where P is 1."""
        with np.errstate(divide="ignore"):
            return np.log1p(-self.probabilities)

    def _draw_distinct(self, rng, m, most_tries=MOST_TRIES):
        """The first m different ids of a sequence of draws, and the number of draws until the last of them.

        Many draws at once; those after the m-th new id do not count.
        """
        if m > self._drawable:
            raise InputError(
                f"A unique sample of {m} ids was asked for, but only {self._drawable} can be drawn: ask for that many "
                "at most, or for unique=False."
            )
        distinct, tries = [], 0
        while tries < most_tries:
            more = self.draw(rng, max(2 * m, min(tries, 2**20))).tolist()
            distinct = list(dict.fromkeys(distinct + more))  # in the order in which they come up
            if len(distinct) >= m:  # the m-th is new, so it is one of these draws
                return np.array(distinct[:m], np.int32), tries + more.index(distinct[m - 1]) + 1
            tries += len(more)
        raise InputError(
            f"A unique sample of {m} ids was asked for, but only {len(distinct)} came up in {tries:,} tries, since the "
            "others are too rare: ask for fewer, or for unique=False."
        )


class UnigramNoise(NoiseDistribution):
    """P(k) ∝ count(k)^power: each word by how often it occurs, made more even (Mikolov et al. 2013, section 2.2).

    The alias method (Walker 1977; Vose 1991): V columns of equal height hold at most two words each, so
    a draw is one column and one toss. The table takes 8 bytes a word; a toss is one of 2²⁴.

    Parameters
    ----------
    counts : array (V,)
        Not negative; an id whose count is 0 is never drawn.
    power : float
        Not negative; 0.75 in word2vec: rare words are drawn more often than their share, frequent ones less.

    Raises
    ------
    InputError
        If a count is negative or no number, all are 0, or the power is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from handgrad.word2vec import UnigramNoise
    >>> noise = UnigramNoise(np.array([81, 16, 1, 0]))
    >>> noise.probabilities.round(4)  # 27, 8 and 1 in 36
    array([0.75  , 0.2222, 0.0278, 0.    ])
    """

    def __init__(self, counts: np.ndarray, power: float = 0.75):
        if not (np.isfinite(power) and power >= 0):
            raise InputError(f"The power of the counts must be a number of at least 0, but it is {power}.")
        counts = np.asarray(counts, dtype=np.float64)
        if counts.ndim != 1 or not (np.isfinite(counts) & (counts >= 0)).all() or not counts.any():
            raise InputError(
                "Counts must be one number for each id, none negative and not all zero, but they are "
                f"{np.array2string(counts, threshold=8)}."
            )
        with np.errstate(over="ignore"):
            weights = np.where(counts > 0, counts**power, 0)  # 0^0 is 1, and a word without a count is no noise
        if not np.isfinite(weights.sum()):
            raise InputError(f"Counts of up to {counts.max():g} to the power of {power:g} are too large: take less.")
        super().__init__(weights / weights.sum())

    def draw(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
        own, alias = self.alias_table
        column = rng.integers(len(own), size=shape, dtype=np.int32)
        toss = rng.random(size=shape, dtype=np.float32)
        return np.where(toss < own[column], column, alias[column])


class LogUniformNoise(NoiseDistribution):
    """P(k) = log((k + 2) / (k + 1)) / log(V + 1): nearly Zipf's law, by the rank of a word alone.

    The ids must be sorted by count, the most frequent word first. TensorFlow's default for NCE.

    Parameters
    ----------
    size : int
        V, the number of words.

    Raises
    ------
    InputError
        If the size is no whole number of at least 1.

    Examples
    --------
    >>> from handgrad.word2vec import LogUniformNoise
    >>> LogUniformNoise(3).probabilities.round(3)
    array([0.5  , 0.292, 0.208])
    """

    def __init__(self, size: int):
        _require_size(size)
        super().__init__(np.log1p(1 / np.arange(1, size + 1)) / np.log(size + 1))

    def draw(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
        V = len(self.probabilities)
        k = np.exp(rng.random(shape) * np.log(V + 1)).astype(np.int64) - 1  # rank k + 1 is log-uniform in [1, V + 1)
        return (k % V).astype(np.int32)  # V itself can come up by rounding


class UniformNoise(NoiseDistribution):
    """P(k) = 1 / V.

    Parameters
    ----------
    size : int
        V, the number of words.

    Raises
    ------
    InputError
        If the size is no whole number of at least 1.

    Examples
    --------
    >>> from handgrad.word2vec import UniformNoise
    >>> UniformNoise(4).probabilities
    array([0.25, 0.25, 0.25, 0.25])
    """

    def __init__(self, size: int):
        _require_size(size)
        super().__init__(np.full(size, 1 / size))

    def draw(self, rng: np.random.Generator, shape: int | tuple[int, ...]) -> np.ndarray:
        return rng.integers(len(self.probabilities), size=shape, dtype=np.int32)


def noise_for(config: "TrainingConfig", counts: np.ndarray) -> NoiseDistribution:
    """The noise that a configuration asks for, over the words with these counts."""
    match config.noise:
        case "unigram":
            return UnigramNoise(counts, config.noise_power)
        case "log-uniform":
            return LogUniformNoise(len(counts))
    return UniformNoise(len(counts))


def _filled_columns(probabilities):
    """Fill V columns of height 1 with the scaled probabilities: what a small word leaves free, a large one fills."""
    height = array("d", probabilities * len(probabilities))  # single entries of NumPy's arrays are slow
    alias = array("i", range(len(height)))
    small = array("i", [k for k, h in enumerate(height) if h < 1])
    large = array("i", [k for k, h in enumerate(height) if h >= 1])
    while small and large:
        s, g = small.pop(), large[-1]
        alias[s] = g
        height[g] -= 1 - height[s]
        if height[g] < 1:
            small.append(large.pop())
    # What is left has a height of 1, but for rounding, and is its own alias: its column holds it alone.
    return np.array(height, np.float32), np.array(alias, np.int32)


def _require_size(size):
    if not isinstance(size, int | np.integer) or size < 1:
        raise InputError(f"The number of ids must be an integer of at least 1, but it is {size!r}.")
