"""Word vectors, found by their words. The names are gensim 4's, so that nobody has to learn them twice."""

import difflib
import warnings
from dataclasses import replace
from functools import cached_property
from numbers import Integral

import numpy as np

from handgrad.errors import InputError
from handgrad.word2vec.vector_files import first_duplicate, read_vectors, write_vectors
from handgrad.word2vec.vocabulary import Vocabulary

BLOCK = 2**17  # numbers that are worked on at once: they stay in the processor's cache
COSMUL_EPSILON = 1e-6  # keeps 3CosMul from dividing by zero; gensim's value, Levy and Goldberg have 0.001


class UnknownWordError(KeyError, InputError):
    """A word that has no vector. (gensim raises KeyError here.)"""

    def __str__(self):  # KeyError would print the sentence in quotation marks
        return self.args[0]


class KeyedVectors:
    """A vector for each word.

    As in gensim, a key is a word or its index. Lengths of vectors are not kept but computed when they are needed:
    they cost as much as reading the vectors, and they are right after ``vectors`` has been changed in place.

    Parameters
    ----------
    index_to_key : sequence of str, the words, most frequent first; or a Vocabulary, whose words are not copied, and its
        counts are taken
    vectors : float array (V, D), not copied
    counts : int array (V,), optional, how often each word occurs; ``get_vecattr(word, "count")`` gives it

    Attributes
    ----------
    index_to_key : list of str
    key_to_index : dict, word to index
    vectors : float array (V, D)
    expandos : dict, name of an attribute to an array (V,), as in gensim
    """

    def __init__(self, index_to_key, vectors, counts=None):
        self._vocabulary = index_to_key if isinstance(index_to_key, Vocabulary) else None
        if self._vocabulary:
            counts = self._vocabulary.counts if counts is None else counts
            self.index_to_key = self._vocabulary.index_to_key
        else:
            self.index_to_key = list(index_to_key)
        self.vectors = np.asarray(vectors)
        if self.vectors.dtype.kind in "iub":
            self.vectors = self.vectors.astype(np.float32)
        if self.vectors.dtype.kind != "f":
            raise InputError(f"KeyedVectors expects vectors of numbers, but got an array of {self.vectors.dtype}.")
        if self.vectors.ndim != 2 or len(self.vectors) != len(self):
            raise InputError(
                f"KeyedVectors expects one row for each of the {len(self)} words, but got vectors "
                f"of shape {self.vectors.shape}."
            )
        if not self._vocabulary and len(self.key_to_index) < len(self):
            twice = first_duplicate(self.index_to_key)
            raise InputError(f"KeyedVectors expects each word once, but {twice!r} occurs twice.")
        self.expandos = {}
        if counts is not None:
            if np.shape(counts) != (len(self),):
                raise InputError(f"KeyedVectors expects {len(self)} counts, but got shape {np.shape(counts)}.")
            self.expandos["count"] = np.asarray(counts)

    @cached_property
    def key_to_index(self):
        if self._vocabulary:  # which makes it when it is asked for
            return self._vocabulary.key_to_index
        return {word: index for index, word in enumerate(self.index_to_key)}

    @property
    def vector_size(self):
        return self.vectors.shape[1]

    def __len__(self):
        return len(self.index_to_key)

    def __contains__(self, key):
        return self.has_index_for(key)

    def __getitem__(self, key_or_keys):
        if isinstance(key_or_keys, str | Integral):
            return self.get_vector(key_or_keys)
        return self.vectors[[self.get_index(key) for key in key_or_keys]]

    def __repr__(self):
        return f"KeyedVectors({len(self):,} words, {self.vector_size} dimensions)"

    def get_index(self, key, default=None):
        """The row of a word; an integer that is no word is a row already. ``default`` instead of an error."""
        if (index := self.key_to_index.get(key)) is not None:
            return index
        if isinstance(key, Integral) and 0 <= key < len(self):
            return int(key)
        if default is not None:
            return default
        frequent = self.index_to_key[:50_000]  # looking for similar words among millions takes seconds
        similar = difflib.get_close_matches(str(key), frequent, n=3, cutoff=0.7)
        hint = f"; did you mean {' or '.join(similar)}?" if similar else "."
        raise UnknownWordError(f"The word {key!r} is not among these {len(self):,} words{hint}")

    def has_index_for(self, key):
        return self.get_index(key, -1) >= 0

    def get_vecattr(self, key, attr):
        """What ``set_vecattr`` or ``counts`` has stored for a word, such as its "count"."""
        if attr not in self.expandos:
            raise UnknownWordError(f"These words have no attribute {attr!r}, only {sorted(self.expandos)}.")
        return self.expandos[attr][self.get_index(key)]

    def set_vecattr(self, key, attr, val):
        """Store a value for a word. All values of one attribute have the type of the first, and start as its zero."""
        index, dtype = self.get_index(key), np.asarray(val).dtype
        if attr not in self.expandos:
            self.expandos[attr] = np.zeros(len(self), dtype if dtype.kind in "biuf" else object)
        column = self.expandos[attr]
        if column.dtype != object and not np.can_cast(dtype, column.dtype, "same_kind"):
            raise InputError(f"The attribute {attr!r} holds numbers of type {column.dtype}, but got {val!r}.")
        column[index] = val

    def get_vector(self, key, norm=False):
        """The vector of a word (D,), of length 1 if ``norm``. It is read-only: to change it, change ``vectors``."""
        vector = self.vectors[self.get_index(key)]
        if norm:
            vector = _unit(vector)
        vector.flags.writeable = False
        return vector

    @property
    def norms(self):
        """The lengths of all vectors (V,), as they are now."""
        return np.concatenate([self._lengths(*block) for block in self._blocks(len(self))] or [np.empty(0)])

    def fill_norms(self, force=False):
        """Does nothing. gensim keeps the lengths and must be told when they are old; here they are never kept."""

    def get_normed_vectors(self):
        """All vectors with length 1 (V, D), a copy; a vector of zeros stays one."""
        norms = self.norms[:, None]
        return self.vectors / np.where(norms > 0, norms, 1)

    def get_mean_vector(self, keys, weights=None, pre_normalize=True, post_normalize=False, ignore_missing=True):
        """The weighted mean of vectors (D,), divided by the sum of the weights' magnitudes.

        Parameters
        ----------
        keys : list of words, indices or vectors; words count with length 1 if ``pre_normalize``, vectors as they are
        weights : array (n,), optional, ones if not given
        post_normalize : bool, give the mean length 1
        ignore_missing : bool, pass over unknown words, as gensim does
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
        return (_unit(mean) if post_normalize else mean).astype(self.vectors.dtype)

    def similarity(self, w1, w2):
        """The cosine of the angle between two words' vectors; 0 if one of them is all zeros."""
        return _cosine(self.get_vector(w1), self.get_vector(w2))

    def distance(self, w1, w2):
        """1 - similarity"""
        return 1 - self.similarity(w1, w2)

    def distances(self, word_or_vector, other_words=()):
        """1 - cosine from a word or vector to each of ``other_words``, or to all words, in an array."""
        query = _unit(self._as_vector(word_or_vector, norm=False))
        if not len(other_words):
            return 1 - self._cosines(query)
        return 1 - np.array([_cosine(query, self.get_vector(word)) for word in other_words], dtype=self.vectors.dtype)

    def n_similarity(self, ws1, ws2):
        """The cosine between the mean vectors of two lists of words. Unknown words are passed over, as in gensim."""
        return _cosine(self.get_mean_vector(ws1, pre_normalize=False), self.get_mean_vector(ws2, pre_normalize=False))

    def most_similar(self, positive=(), negative=(), topn=10, restrict_vocab=None):
        """The words nearest to the sum of ``positive`` less the sum of ``negative``, by cosine.

        Every word counts with length 1 (3CosAdd: Levy and Goldberg 2014, equation 1), and a vector as it is. The given
        words are left out. Among equal cosines the first word in ``index_to_key`` comes first.

        Parameters
        ----------
        positive, negative : a word, an index, a vector (D,) or a list of these; also of pairs with a weight, which
            then stands for the +1 of ``positive`` or the -1 of ``negative``
        topn : int or None; None gives the cosines of all words
        restrict_vocab : int, optional, look only among so many first words

        Returns
        -------
        list of (word, cosine), best first; or an array (V,)
        """
        keys, weights = _weighted_keys(positive, negative)
        vectors = [self._as_vector(key, norm=True).astype(np.float64) for key in keys]
        wanted = sum(weight * vector for weight, vector in zip(weights, vectors, strict=True))
        if not np.linalg.norm(wanted) > 1e-6 * sum(map(np.linalg.norm, vectors)):
            raise InputError("These words add up to a vector without a direction, so no word is nearest to it.")
        return self._best(self._cosines(_unit(wanted), restrict_vocab), keys, topn)

    def most_similar_cosmul(self, positive=(), negative=(), topn=10, restrict_vocab=None):
        """The words for which the product of cosines with ``positive``, over that with ``negative``, is largest.

        3CosMul (Levy and Goldberg 2014, equation 4), with cosines moved to [0, 1]: no single one decides alone.
        Parameters and result are those of ``most_similar``, without weights; the numbers are no cosines.
        """
        keys, weights = _weighted_keys(positive, negative)
        scores = 1.0
        for key, weight in zip(keys, weights, strict=True):
            cosines = self._cosines(_unit(self._as_vector(key, norm=True)), restrict_vocab)
            moved = (1 + cosines) / 2
            scores = scores * moved if weight > 0 else scores / (moved + COSMUL_EPSILON)
        return self._best(scores, keys, topn)

    def similar_by_word(self, word, topn=10, restrict_vocab=None):
        """The words nearest to one word."""
        return self.most_similar([word], topn=topn, restrict_vocab=restrict_vocab)

    similar_by_key = similar_by_word

    def similar_by_vector(self, vector, topn=10, restrict_vocab=None):
        """The words nearest to a vector (D,)."""
        return self.most_similar([np.asarray(vector)], topn=topn, restrict_vocab=restrict_vocab)

    def most_similar_to_given(self, key1, keys_list):
        """The one of ``keys_list`` that is nearest to ``key1``."""
        return max(keys_list, key=lambda key: self.similarity(key1, key))

    def analogy(self, a, b, c, topn=10):
        """What completes "a is to b as c is to ...", best first: the words nearest to b - a + c. (Not in gensim.)"""
        return self.most_similar(positive=[b, c], negative=[a], topn=topn)

    def closer_than(self, key1, key2):
        """The words that are nearer to ``key1`` than ``key2`` is, in the order of ``index_to_key``."""
        distances, itself = self.distances(key1), self.get_index(key1)
        closer = np.flatnonzero(distances < distances[self.get_index(key2)])
        return [self.index_to_key[i] for i in closer if i != itself]

    def rank(self, key1, key2):
        """The place of ``key2`` among the neighbors of ``key1``, from 1."""
        return len(self.closer_than(key1, key2)) + 1

    def rank_by_centrality(self, words, use_norm=True):
        """Pairs (cosine with the mean of all, word), the most central word first. Unknown words: a warning."""
        known = [word for word in words if word in self]
        if len(known) < len(words):
            unknown = [word for word in words if word not in self]
            warnings.warn(f"Without a vector, and passed over: {', '.join(map(repr, unknown))}.", stacklevel=2)
        if not known:
            raise InputError("Ranking by centrality expects at least one word that has a vector, but got none.")
        mean = self.get_mean_vector(known, pre_normalize=use_norm)
        return sorted(((_cosine(mean, self.get_vector(word)), word) for word in known), reverse=True)

    def doesnt_match(self, words):
        """The one of ``words`` that is farthest from their mean."""
        return self.rank_by_centrality(words)[-1][1]

    def evaluate_word_pairs(self, pairs, **options):
        """gensim's (Pearson, Spearman, percentage of pairs with unknown words); see ``evaluation.word_similarity``."""
        from handgrad.word2vec.evaluation import word_similarity  # it stands on this module, not the other way round

        result = word_similarity(self, pairs, **options)
        return result.pearson, result.spearman, 100 * (1 - result.coverage)

    def evaluate_word_analogies(self, analogies, **options):
        """gensim's (accuracy, list of dicts of sections); see ``evaluation.word_analogies``."""
        from handgrad.word2vec.evaluation import word_analogies

        result = word_analogies(self, analogies, **options)
        sections = [
            {"section": section.name, "correct": list(section.correct), "incorrect": list(section.incorrect)}
            for section in (*result.sections, replace(result.total, name="Total accuracy"))
        ]
        return (result.total.accuracy if result.total.answered else 0.0), sections

    def save_word2vec_format(self, fname, binary=False, write_header=True):
        """Write word2vec's text or binary format, as gensim does; see ``vector_files.write_vectors``.

        The file appears whole or not at all. Numbers are written as float32; text without the header is GloVe's.
        """
        write_vectors(fname, self.index_to_key, self.vectors, binary, write_header)

    @classmethod
    def load_word2vec_format(cls, fname, *, binary=None, limit=None, no_header=None, unicode_errors="strict"):
        """Read word2vec's text or binary format or GloVe's text, plain or .gz; see ``vector_files.read_vectors``.

        gensim expects to be told ``binary`` and ``no_header``; here None finds them out.
        """
        return cls(*read_vectors(fname, binary, limit, no_header, unicode_errors))

    def _is_vector(self, key):
        return isinstance(key, np.ndarray) and key.ndim > 0

    def _as_vector(self, key, norm):
        """The vector of a word, or a vector as it is."""
        if not self._is_vector(key):
            return self.get_vector(key, norm)
        if key.shape != (self.vector_size,) or not np.isfinite(key).all():
            raise InputError(
                f"A vector here expects {self.vector_size} finite numbers, but got shape {key.shape}"
                f"{'' if key.shape != (self.vector_size,) else ' with NaN or infinity'}."
            )
        return key

    def _blocks(self, count):
        """The first ``count`` vectors, some at a time, each time with the index of the first."""
        rows = max(1, BLOCK // max(1, self.vector_size))
        return ((start, self.vectors[start : min(start + rows, count)]) for start in range(0, count, rows))

    def _lengths(self, start, rows):
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(np.vecdot(rows, rows))
        if not np.isfinite(lengths).all():
            word = self.index_to_key[start + np.isfinite(lengths).argmin()]
            raise InputError(
                f"The vector of {word!r} has a number that is NaN, infinite or too large: try a smaller learning rate."
            )
        return lengths

    def _cosines(self, query, restrict_vocab=None):
        """The cosine of each vector with a query of length 1: a dot product over a length.

        Row by row, not as one matrix product: so the same vector has the same cosine wherever it stands.
        """
        if restrict_vocab is not None and restrict_vocab < 1:
            raise InputError(f"restrict_vocab expects at least 1 word, or None for all, but got {restrict_vocab}.")
        count = len(self) if restrict_vocab is None else min(restrict_vocab, len(self))
        query = query.astype(self.vectors.dtype, copy=False)
        cosines = np.zeros(count, self.vectors.dtype)
        for start, rows in self._blocks(count):
            lengths = self._lengths(start, rows)
            np.divide(np.vecdot(rows, query), lengths, out=cosines[start : start + len(rows)], where=lengths > 0)
        return cosines

    def _best(self, scores, given, topn):
        """The ``topn`` best (word, score) without the given words, or all scores."""
        if topn is None:
            return scores
        if topn < 1:
            raise InputError(f"most_similar expects topn of at least 1, but got {topn}.")
        given = {self.get_index(key) for key in given if not self._is_vector(key)}
        best = [i for i in _largest(scores, topn + len(given)) if i not in given]
        return [(self.index_to_key[i], float(scores[i])) for i in best[:topn]]


def _weighted_keys(positive, negative):
    """The keys of both lists, and their weights: 1 and -1 where no other is given."""
    keys, weights = [], []
    for given, sign in ((positive, 1.0), (negative, -1.0)):
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


def _largest(scores, count):
    """The indices of the largest scores, the largest first; among equals the smaller index first."""
    candidates = np.arange(len(scores))
    if count < len(scores):
        least = np.partition(scores, -count)[-count]
        candidates = np.flatnonzero(scores >= least)
    order = np.argsort(-scores[candidates], kind="stable")
    return candidates[order[:count]].tolist()


def _length(vector):
    return float(np.linalg.norm(vector.astype(np.float64)))


def _unit(vector):
    length = _length(vector)
    return vector / vector.dtype.type(length) if length else vector.copy()


def _cosine(x, y):
    lengths = _length(x) * _length(y)
    return float(x.astype(np.float64) @ y.astype(np.float64) / lengths) if lengths else 0.0
