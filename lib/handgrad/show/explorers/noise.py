"""The noise distribution: how often words of different rank are drawn, and what a power of the counts does to that."""

from collections.abc import Sequence
from html import escape

import numpy as np

from handgrad.errors import InputError, is_whole
from handgrad.show.explorers.parts.digits import as_text, rounded
from handgrad.show.explorers.parts.host import Explorer
from handgrad.show.tables import table_as_text
from handgrad.word2vec.objectives.noise import LogUniformNoise, UnigramNoise
from handgrad.word2vec.text.vocabulary import Vocabulary

POWERS = [k / 20 for k in range(21)]
SIZES = [1, 2, 5, 10, 15, 20, 64, 128, 256, 512, 1024]  # of a sample
SHARE_OF_SIZE = 4  # a unique sample is at most V over this: expected counts are rough beyond
HEAD = 100  # words that stand for the frequent ones
MAX_WORDS = 20  # that are shown
MIN_V = 20


class NoiseExplorer(Explorer):
    """Words of different rank, and their probability under noise of any power, or log-uniform noise."""

    module = "noise"

    def __init__(self, vocabulary, ids, power, m, unique, title):
        V = len(vocabulary)
        share = vocabulary.counts / vocabulary.counts.sum()
        noises = [*(UnigramNoise(vocabulary.counts, p) for p in POWERS), LogUniformNoise(V)]
        sizes = [size for size in SIZES if size <= V // SHARE_OF_SIZE]
        head = min(HEAD, V // SHARE_OF_SIZE)
        state = {
            "words": [{"word": vocabulary.index_to_key[i], "rank": i + 1, "share": rounded(share[i])} for i in ids],
            "probabilities": [rounded(noise.probabilities[ids]) for noise in noises],  # by power, then log-uniform
            "powers": POWERS,
            "sizes": sizes,
            "tries": [[tries_for(noise, size) for size in sizes] for noise in noises],
            "head": head,
            "head_share": rounded(share[:head].sum()),
            "head_probabilities": rounded([noise.probabilities[:head].sum() for noise in noises]),
            "power": POWERS.index(power),  # the place of the slider
            "uniform": False,  # whether the noise is log-uniform
            "size": sizes.index(m),
            "unique": unique,
            "log_scale": True,
            "chosen": 0,
        }
        super().__init__(state, title)
        self.noise = noises[POWERS.index(power)]

    def rows(self):
        """The first setting as text: rank, word, share of the text, of the noise, expected count."""
        m, tries = self.sample()
        ids = np.array([entry["rank"] - 1 for entry in self.state["words"]])
        expected = self.noise.expected_count(ids, m, tries)
        yield ["rank", "word", "of the text", "of the noise", f"expected in {m}"]
        for entry, P, E in zip(self.state["words"], self.noise.probabilities[ids], expected, strict=True):
            yield [f"{entry['rank']:,}", entry["word"], f"{100 * entry['share']:.3g} %", f"{100 * P:.3g} %", as_text(E)]

    def sample(self):
        """m, and how many tries it takes."""
        m = self.state["sizes"][self.state["size"]]
        return m, self.state["tries"][self.state["power"]][self.state["size"]] if self.state["unique"] else m

    def __repr__(self):
        power = f"power {POWERS[self.state['power']]:g}"
        return "\n".join([super().__repr__(), power, *table_as_text(self.rows())])

    def still(self):
        head, *body = self.rows()
        heading = "".join(f'<th scope="col">{text}</th>' for text in head)
        lines = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in body)
        note = f"Noise in proportion to the counts to the power of {POWERS[self.state['power']]:g}."
        table = f"<table><thead><tr>{heading}</tr></thead><tbody>{lines}</tbody></table>"
        return f'{table}<p class="hg-note">{note}</p>'


def noise_explorer(
    vocabulary: Vocabulary,
    words: Sequence[str] | None = None,
    power: float = 0.75,
    m: int = 5,
    unique: bool = False,
    title: str = "",
) -> NoiseExplorer:
    """Bend the noise distribution by its power, and see what becomes of frequent and of rare words.

    The reader chooses power, or log-uniform noise, and the size of a sample, and a word whose expected count is said.

    Parameters
    ----------
    vocabulary : Vocabulary
    words : list of str, optional
        By default those of rank 1, 2, 5, 10, 20, 50, and so on, and the last.
    power : float
        One of 0, 0.05, ..., 1.
    m : int
        The size of a sample at first, one of 1, 2, 5, 10, 15, 20, 64, 128, ..., 1024, a quarter of V at most.
    unique : bool
        Whether all words of a sample are different.
    title : str, optional
        The caption.

    Returns
    -------
    NoiseExplorer
        An explorer in a notebook and on a page.

    Raises
    ------
    InputError
        If the vocabulary is too small, a word is not in it, or a setting is one that the sliders do not have.

    Notes
    -----
    A unique sample takes as many tries as it happens to take. Here they are the fewest in which m different words
    are to be expected, and the counts are those of ``NoiseDistribution.expected_count`` for so many tries.

    Examples
    --------
    >>> from handgrad import show
    >>> from handgrad.word2vec import Vocabulary
    >>> counts = {f"word{rank}": 1000 // rank for rank in range(1, 21)}
    >>> show.noise_explorer(Vocabulary(counts), words=["word1", "word10", "word20"])
    NoiseExplorer: Bend the noise: power 1 is the text itself, power 0 takes every word alike.
    power 0.75
    rank    word  of the text  of the noise  expected in 5
       1   word1       27.9 %        19.8 %         0.9883
      10  word10       2.79 %        3.51 %         0.1757
      20  word20       1.39 %        2.09 %         0.1045
    """
    if not isinstance(vocabulary, Vocabulary):
        raise InputError(
            f"noise_explorer expects a Vocabulary, but got {type(vocabulary).__name__}: make one with "
            "Vocabulary({word: count, ...})."
        )
    V = len(vocabulary)
    if V < MIN_V or not vocabulary.counts.all():
        raise InputError(
            f"noise_explorer expects a vocabulary of at least {MIN_V} words that all occur, but got "
            f"{np.count_nonzero(vocabulary.counts)} of {V}: count more text."
        )
    words = [vocabulary.index_to_key[i] for i in _ranks(V)] if words is None else list(words)
    if not 1 <= len(words) <= MAX_WORDS or len(set(words)) < len(words):
        raise InputError(f"words are 1 to {MAX_WORDS} different words, but got {words}.")
    if unknown := [word for word in words if word not in vocabulary]:
        raise InputError(f"The vocabulary has no word {unknown[0]!r}: leave it out, or lower min_count.")
    if power not in POWERS:
        raise InputError(f"power is one of 0, 0.05, ..., 1, where the slider can stand, but got {power!r}.")
    sizes = [size for size in SIZES if size <= V // SHARE_OF_SIZE]
    if not is_whole(m) or m not in sizes:
        raise InputError(f"m is one of {', '.join(map(str, sizes))} for these {V} words, but got {m!r}.")
    return NoiseExplorer(
        vocabulary,
        sorted(vocabulary.key_to_index[word] for word in words),
        power,
        int(m),
        bool(unique),
        title or "Bend the noise: power 1 is the text itself, power 0 takes every word alike.",
    )


def tries_for(noise, m):
    """The fewest draws in which m different ids are to be expected."""
    with np.errstate(divide="ignore"):
        log_missed = np.log1p(-noise.probabilities)  # of one draw

    def different(tries):
        return -np.expm1(tries * log_missed).sum()

    low, high = m, 2 * m
    while different(high) < m - 1e-9:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if different(middle) >= m - 1e-9 else (middle + 1, high)
    return low


def _ranks(V):
    """Ids of rank 1, 2, 5, 10, 20, 50 and so on, and the last, as in a table on a logarithmic scale."""
    ranks = {k * 10**e for e in range(len(str(V))) for k in (1, 2, 5)} | {V}
    return sorted(rank - 1 for rank in ranks if rank <= V)[-MAX_WORDS:]
