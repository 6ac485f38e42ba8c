"""Word vectors, asked which words are near. The names are gensim 4's, so that they need not be learned twice."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from handgrad.errors import InputError, is_whole
from handgrad.word2vec.vectors.cosines import COSMUL_EPSILON, cosine, cosines_of_rows, length, lengths_of, unit
from handgrad.word2vec.vectors.evaluation import METHODS, word_analogies, word_similarity
from handgrad.word2vec.vectors.stored_vectors import Key, StoredVectors, UnknownWordError

__all__ = ["KeyedVectors", "UnknownWordError"]

BLOCK = 2**17  # numbers that are worked on at once: they stay in the processor's cache
Given = Key | np.ndarray | Sequence[Any] | None  # a word, an index, a vector, or a list of these or of pairs
Neighbors = list[tuple[Key, float]]


class KeyedVectors(StoredVectors):
    """A vector for each word.

    As in gensim, a key is a word or its index. Lengths of vectors are not kept but computed when they are needed:
    they cost as much as reading the vectors, and they are right after ``vectors`` has been changed in place.

    Made of words and their vectors, ``KeyedVectors(words, vectors)``, or as in gensim of a size alone, to add words to:
    ``KeyedVectors(vector_size, count=0, dtype=numpy.float32)``.

    Parameters
    ----------
    index_to_key : sequence of str
        The words, most frequent first; or a Vocabulary, whose words are not copied, and its counts are taken.
    vectors : float array (V, D)
        Not copied.
    counts : int array (V,), optional
        How often each word occurs; ``get_vecattr(word, "count")`` gives it.
    vector_size : int
        D of vectors that are to be added.
    count : int
        For how many words to make room at once; they are words when they are added.
    dtype : NumPy type
        Of vectors that are to be added.

    Attributes
    ----------
    index_to_key : list of str
    key_to_index : dict
        Word to index.
    vectors : float array (V, D)
    expandos : dict
        Name of an attribute to an array (V,), as in gensim.

    Raises
    ------
    InputError
        If words, vectors and counts do not fit together, or a word is there twice.

    Examples
    --------
    >>> from handgrad.word2vec import KeyedVectors
    >>> plane = [[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]]
    >>> vectors = KeyedVectors(["hot", "warm", "cold"], plane)
    >>> vectors["warm"]
    array([0.8, 0.6])
    >>> round(vectors.similarity("hot", "warm"), 4)
    0.8
    >>> [word for word, cosine in vectors.most_similar("hot")]
    ['warm', 'cold']
    """

    @property
    def norms(self) -> np.ndarray:
        """The lengths of all vectors (V,), as they are now."""
        return np.concatenate([self._lengths(*block) for block in self._blocks(len(self))] or [np.empty(0)])

    def fill_norms(self, force: bool = False) -> None:
        """Does nothing. gensim keeps the lengths and must be told when they are old; here they are never kept."""

    def get_normed_vectors(self) -> np.ndarray:
        """All vectors with length 1, a copy; a vector of zeros stays one.

        Returns
        -------
        float array (V, D)
        """
        norms = self.norms[:, None]
        return self.vectors / np.where(norms > 0, norms, 1)

    def unit_normalize_all(self) -> None:
        """Give all vectors length 1, for good."""
        self.vectors = self.get_normed_vectors().astype(self.vectors.dtype)

    def init_sims(self, replace: bool = False) -> None:
        """gensim's older name for ``fill_norms``, and with ``replace`` for ``unit_normalize_all``."""
        if replace:
            self.unit_normalize_all()

    def get_mean_vector(
        self,
        keys: Sequence[Any],
        weights: ArrayLike | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> np.ndarray:
        """The weighted mean of vectors, divided by the sum of the weights' magnitudes.

        Parameters
        ----------
        keys : list of words, indices or vectors
            Words count with length 1 if ``pre_normalize``, vectors as they are.
        weights : array (n,), optional
            Ones if not given.
        pre_normalize : bool
        post_normalize : bool
            Whether to give the mean length 1.
        ignore_missing : bool
            Whether to pass over unknown words, as gensim does.

        Returns
        -------
        float array (D,)

        Raises
        ------
        InputError
            If there is no key, or none is known, or weights and keys differ in number.
        UnknownWordError
            If a word is unknown and ``ignore_missing`` is False.
        """
        weights = np.ones(len(keys)) if weights is None else np.asarray(weights, dtype=np.float64)
        if not len(keys) or weights.shape != (len(keys),):
            raise InputError(
                f"A mean expects at least one key, and a weight for each, but got {len(keys)} keys and weights of "
                f"shape {weights.shape}."
            )
        known = [i for i, key in enumerate(keys) if not ignore_missing or self._is_vector(key) or key in self]
        mean = np.zeros(self.vector_size)
        for i in known:
            mean += weights[i] * self._as_vector(keys[i], pre_normalize)
        mean /= np.abs(weights[known]).sum() or 1
        return (unit(mean) if post_normalize else mean).astype(self.vectors.dtype)

    def similarity(self, w1: Key, w2: Key) -> float:
        """The cosine of the angle between two words' vectors; 0 if one of them is all zeros."""
        return self._finite(cosine(self.get_vector(w1), self.get_vector(w2)), w1, w2)

    def distance(self, w1: Key, w2: Key) -> float:
        """1 - similarity"""
        return 1 - self.similarity(w1, w2)

    def distances(self, word_or_vector: Any, other_words: Sequence[Key] = ()) -> np.ndarray:
        """1 - cosine from a word or vector to each of ``other_words``, or to all words, in an array; 0 to itself."""
        vector = self._as_vector(word_or_vector, norm=False)
        if len(other_words):
            return 1 - np.array([cosine(vector, self.get_vector(word)) for word in other_words], self._working_type)
        distances = 1 - self._cosines(unit(vector))
        if not self._is_vector(word_or_vector):
            distances[self.get_index(word_or_vector)] = 1 - cosine(vector, vector)
        return distances

    @staticmethod
    def cosine_similarities(vector_1: ArrayLike, vectors_all: ArrayLike) -> np.ndarray:
        """The cosines between a vector (D,) and some vectors (n, D), in an array (n,)."""
        return np.array([cosine(np.asarray(vector_1), row) for row in np.asarray(vectors_all)])

    def relative_cosine_similarity(self, wa: Key, wb: Key, topn: int = 10) -> float:
        """The cosine of two words, over the sum of those of the ``topn`` words nearest to the first.

        Above 1 / topn, the words are likely synonyms (Leeuwenberg et al. 2016, "A minimally supervised approach for
        synonym extraction with word embeddings").
        """
        total = sum(near for _, near in self.similar_by_word(wa, topn))
        if not total > 0:
            raise InputError(f"The cosines of the {topn} words nearest to {wa!r} have no sum above 0 to compare with.")
        return self.similarity(wa, wb) / total

    def n_similarity(self, ws1: Sequence[Key], ws2: Sequence[Key]) -> float:
        """The cosine between the mean vectors of two lists of words. Unknown words are passed over, as in gensim."""
        return cosine(self.get_mean_vector(ws1, pre_normalize=False), self.get_mean_vector(ws2, pre_normalize=False))

    def most_similar(
        self,
        positive: Given = (),
        negative: Given = (),
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
    ) -> Neighbors | np.ndarray:
        """The words nearest to the sum of ``positive`` minus the sum of ``negative``, by cosine.

        Every word counts with length 1 (3CosAdd: Levy and Goldberg 2014, equation 1), and a vector as it is. The given
        words are left out. Among equal cosines the first word in ``index_to_key`` comes first.

        Parameters
        ----------
        positive, negative : word, index, vector (D,) or a list of these
            Also of pairs with a weight, which then stands for the +1 of ``positive`` or the -1 of ``negative``.
        topn : int or None
            None gives the cosines of all words, 0 an empty list.
        clip_start, clip_end : int, optional
            Look only among the words from the one index to before the other.
        restrict_vocab : int, optional
            Look only among so many first words, whatever ``clip_start`` and ``clip_end`` are.

        Returns
        -------
        list of (word, cosine), or an array (V,)
            Best first.

        Raises
        ------
        UnknownWordError
            If a word has no vector.
        InputError
            If nothing is given, or a number is out of range.
        """
        if topn == 0:
            return []
        keys, weights = _weighted_keys(positive, negative)
        vectors = [self._as_vector(key, norm=True).astype(np.float64) for key in keys]
        wanted: Any = sum(weight * vector for weight, vector in zip(weights, vectors, strict=True))
        if not np.linalg.norm(wanted) > 1e-6 * sum(map(np.linalg.norm, vectors)):
            raise InputError("These words add up to a vector without a direction, so no word is nearest to it.")
        if restrict_vocab is not None:
            clip_start, clip_end = 0, restrict_vocab
        elif not 0 <= clip_start < (len(self) if clip_end is None else clip_end):
            raise InputError(f"Words to look at begin at 0 or later and end later, but got {clip_start} to {clip_end}.")
        return self._best(self._cosines(unit(wanted), clip_end), keys, topn, clip_start)

    def most_similar_cosmul(
        self, positive: Given = (), negative: Given = (), topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbors | np.ndarray:
        """The words for which the product of cosines with ``positive``, over that with ``negative``, is largest.

        3CosMul (Levy and Goldberg 2014, equation 4), with cosines moved to [0, 1]: no single one decides alone.
        Parameters and result are those of ``most_similar``, without weights; the numbers are no cosines.
        """
        if topn == 0:
            return []
        keys, weights = _weighted_keys(positive, negative)
        scores: Any = 1.0
        for key, weight in zip(keys, weights, strict=True):
            cosines = self._cosines(unit(self._as_vector(key, norm=True)), restrict_vocab)
            moved = (1 + cosines) / 2
            scores = scores * moved if weight > 0 else scores / (moved + COSMUL_EPSILON)
        return self._best(scores, keys, topn)

    def similar_by_word(
        self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbors | np.ndarray:
        """The words nearest to one word."""
        return self.most_similar([word], topn=topn, restrict_vocab=restrict_vocab)

    similar_by_key = similar_by_word

    def similar_by_vector(
        self, vector: ArrayLike, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbors | np.ndarray:
        """The words nearest to a vector (D,)."""
        return self.most_similar([np.asarray(vector)], topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """The one of ``keys_list`` that is nearest to ``key1``."""
        return max(keys_list, key=lambda key: self.similarity(key1, key))

    def analogy(self, a: Key, b: Key, c: Key, topn: int | None = 10) -> Neighbors | np.ndarray:
        """What completes "a is to b as c is to ...", best first: the words nearest to b - a + c. (Not in gensim.)"""
        return self.most_similar(positive=[b, c], negative=[a], topn=topn)

    def closer_than(self, key1: Key, key2: Key) -> list[Key]:
        """The words that are nearer to ``key1`` than ``key2`` is, in the order of ``index_to_key``."""
        distances, itself = self.distances(key1), self.get_index(key1)
        closer = np.flatnonzero(distances < distances[self.get_index(key2)])
        return [self.index_to_key[i] for i in closer if i != itself]

    def rank(self, key1: Key, key2: Key) -> int:
        """The place of ``key2`` among the neighbors of ``key1``, from 1."""
        return len(self.closer_than(key1, key2)) + 1

    def rank_by_centrality(self, words: Sequence[Key], use_norm: bool = True) -> list[tuple[float, Key]]:
        """Pairs (cosine with the mean of all, word), the most central word first. Unknown words: a warning.

        The mean is that of vectors of length 1. Without ``use_norm`` it is that of the vectors as they are, and each
        cosine is multiplied by the length of the word's vector.
        """
        known = [word for word in words if word in self]
        if len(known) < len(words):
            unknown = [word for word in words if word not in self]
            warnings.warn(f"Without a vector, and passed over: {', '.join(map(repr, unknown))}.", stacklevel=2)
        if not known:
            raise InputError("Ranking by centrality expects at least one word that has a vector, but got none.")
        mean, vectors = self.get_mean_vector(known, pre_normalize=use_norm), map(self.get_vector, known)
        scores = [cosine(mean, vector) * (1 if use_norm else length(vector)) for vector in vectors]
        return sorted(zip(scores, known, strict=True), reverse=True)

    def doesnt_match(self, words: Sequence[Key]) -> Key:
        """The one of ``words`` that is farthest from their mean."""
        return self.rank_by_centrality(words)[-1][1]

    def evaluate_word_pairs(
        self,
        pairs: str | os.PathLike | Iterable,
        delimiter: str | None = None,
        encoding: str = "utf8",
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str | Callable[[Key, Key], float] = "similarity",
        name: str | None = None,
    ) -> tuple[tuple[float, float], tuple[float, float], float]:
        """gensim's (Pearson, Spearman, percentage of pairs with unknown words); see ``evaluation.word_similarity``.

        gensim expects to be told the ``delimiter``; here None finds it out.
        """
        result = word_similarity(
            self,
            pairs,
            delimiter=delimiter,
            encoding=encoding,
            restrict_vocab=restrict_vocab,
            case_insensitive=case_insensitive,
            dummy4unknown=dummy4unknown,
            similarity_function=similarity_function,
            name=name,
        )
        return result.pearson, result.spearman, 100 * (1 - result.coverage)

    def evaluate_word_analogies(
        self,
        analogies: str | os.PathLike | dict,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: Literal["most_similar", "most_similar_cosmul"] = "most_similar",
        method: Literal["3CosAdd", "3CosMul"] | None = None,
        name: str | None = None,
    ) -> tuple[float, list[dict[str, Any]]]:
        """gensim's (accuracy, list of dicts of sections); see ``evaluation.word_analogies``.

        ``similarity_function`` is gensim's name for the method: most_similar is 3CosAdd, most_similar_cosmul 3CosMul.
        """
        by_function: dict[str, Any] = {function: method for method, function in METHODS.items()}
        if similarity_function not in by_function:
            raise InputError(
                f"similarity_function is one of {', '.join(by_function)}, but got {similarity_function!r:.60}."
            )
        result = word_analogies(
            self,
            analogies,
            restrict_vocab=restrict_vocab,
            case_insensitive=case_insensitive,
            dummy4unknown=dummy4unknown,
            method=method or by_function[similarity_function],
            name=name,
        )
        sections = [
            {"section": section.name, "correct": list(section.correct), "incorrect": list(section.incorrect)}
            for section in (*result.sections, replace(result.total, name="Total accuracy"))
        ]
        return (result.total.accuracy if result.total.answered else 0.0), sections

    def _is_vector(self, key: object) -> bool:
        return isinstance(key, np.ndarray) and key.ndim > 0

    def _as_vector(self, key: Any, norm: bool) -> np.ndarray:
        """The vector of a word, or a vector as it is."""
        if not self._is_vector(key):
            return self.get_vector(key, norm)
        if key.shape != (self.vector_size,) or not np.isfinite(key).all():
            raise InputError(
                f"A vector here expects {self.vector_size} finite numbers, but got shape {key.shape}"
                f"{'' if key.shape != (self.vector_size,) else ' with NaN or infinity'}."
            )
        return key

    @property
    def _working_type(self) -> np.dtype:
        """That of the vectors; float16 ends at 65504, which a square soon reaches."""
        return np.promote_types(self.vectors.dtype, np.float32)

    def _blocks(self, count: int) -> Iterator[tuple[int, np.ndarray]]:
        """The first ``count`` vectors, some at a time, each time with the index of the first."""
        rows = max(1, BLOCK // max(1, self.vector_size))
        for start in range(0, count, rows):
            yield start, self.vectors[start : min(start + rows, count)].astype(self._working_type, copy=False)

    def _finite(self, number: float, *keys: Key) -> float:
        """A cosine between words, or a sentence that names the one whose vector has none."""
        if number != number:
            for key in keys:
                index = self.get_index(key)
                self._lengths(index, self.vectors[index : index + 1])
        return number

    def _lengths(self, start: int, rows: np.ndarray) -> np.ndarray:
        lengths = lengths_of(rows)
        if not np.isfinite(lengths).all():
            word = self.index_to_key[start + np.isfinite(lengths).argmin()]
            raise InputError(
                f"The vector of {word!r} has a number that is NaN, infinite or too large: try a smaller learning rate."
            )
        return lengths

    def _cosines(self, query: np.ndarray, restrict_vocab: int | None = None) -> np.ndarray:
        """The cosine of each vector with a query of length 1, of the first ``restrict_vocab`` or of all."""
        if restrict_vocab is not None and restrict_vocab < 1:
            raise InputError(f"restrict_vocab expects at least 1 word, or None for all, but got {restrict_vocab}.")
        count = len(self) if restrict_vocab is None else min(restrict_vocab, len(self))
        query = query.astype(self._working_type, copy=False)
        cosines = np.zeros(count, self._working_type)
        for start, rows in self._blocks(count):
            cosines_of_rows(rows, self._lengths(start, rows), query, cosines[start : start + len(rows)])
        return cosines

    def _best(self, scores: np.ndarray, given: Iterable, topn: int | None, first: int = 0) -> Neighbors | np.ndarray:
        """The ``topn`` best (word, score), from index ``first`` on, without the given words; or all scores."""
        if topn is None:
            return scores[first:]
        if not is_whole(topn) or topn < 0:
            raise InputError(f"most_similar expects topn of at least 0, or None for all, but got {topn!r:.60}.")
        given = {self.get_index(key) for key in given if not self._is_vector(key)}
        best = [first + i for i in _largest(scores[first:], int(topn) + len(given)) if first + i not in given]
        return [(self.index_to_key[i], float(scores[i])) for i in best[:topn]]


def _weighted_keys(positive: Given, negative: Given) -> tuple[list, list[float]]:
    """The keys of both lists, and their weights: 1 and -1 where no other is given."""
    keys, weights = [], []
    both: tuple[tuple[Any, float], ...] = ((positive, 1.0), (negative, -1.0))
    for given, sign in both:
        if given is None:
            continue
        if isinstance(given, str | Integral) or (isinstance(given, np.ndarray) and given.ndim == 1):
            given = [given]
        for item in given:
            pair = item if isinstance(item, tuple | list) else (item, sign)
            if len(pair) != 2:
                raise InputError(f"most_similar expects words, vectors or pairs (word, weight), but got {item!r}.")
            keys.append(pair[0])
            weights.append(pair[1])
    if not keys:
        raise InputError("most_similar expects at least one word, positive or negative.")
    return keys, weights


def _largest(scores: np.ndarray, count: int) -> list[int]:
    """The indices of the largest scores, the largest first; among equals the smaller index first."""
    candidates = np.arange(len(scores))
    if count < len(scores):
        least = np.partition(scores, -count)[-count]
        candidates = np.flatnonzero(scores >= least)
    order = np.argsort(-scores[candidates], kind="stable")
    return candidates[order[:count]].tolist()
