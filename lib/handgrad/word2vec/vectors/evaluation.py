"""How good word vectors are: word similarity against human judgments, analogies, and the odd one out.

Each function gives a dataclass; ``print`` shows it as a table. What is not in the vocabulary is counted, and every
result says how much of the test was answered: two models that were asked different questions cannot be compared.
"""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from handgrad.errors import InputError
from handgrad.installing import how_to_install
from handgrad.word2vec.vectors.cosines import COSMUL_EPSILON
from handgrad.word2vec.vectors.question_files import Pair, read_analogies, read_word_pairs

if TYPE_CHECKING:
    from handgrad.word2vec.vectors.keyed_vectors import KeyedVectors  # whose methods call these functions

METHODS = {"3CosAdd": "most_similar", "3CosMul": "most_similar_cosmul"}  # and what KeyedVectors calls them
SCORES_AT_ONCE = 2**24  # questions times words of one matrix product: 64 MB


@dataclass(frozen=True)
class WordSimilarity:
    """How well cosines agree with human scores.

    Attributes
    ----------
    spearman, pearson : (float, float)
        Correlation and two-sided p-value; Spearman compares ranks and is what papers report.
    pairs, answered : int
        Pairs in the test, and those for which both words have a vector.
    """

    name: str
    spearman: tuple[float, float]
    pearson: tuple[float, float]
    pairs: int
    answered: int

    @property
    def coverage(self) -> float:
        return self.answered / self.pairs

    def __str__(self) -> str:
        return (
            f"{self.name}: Spearman {self.spearman[0]:.3f}, Pearson {self.pearson[0]:.3f}, "
            f"on {self.answered} of {self.pairs} pairs"
        )


@dataclass(frozen=True)
class AnalogySection:
    """The questions of one section, each a tuple (a, b, c, d), by how they were answered."""

    name: str
    correct: tuple[tuple[str, ...], ...] = ()
    incorrect: tuple[tuple[str, ...], ...] = ()
    unknown: tuple[tuple[str, ...], ...] = ()

    @property
    def answered(self) -> int:
        return len(self.correct) + len(self.incorrect)

    @property
    def questions(self) -> int:
        return self.answered + len(self.unknown)

    @property
    def accuracy(self) -> float:
        """The share of the answered questions that were answered correctly; NaN if there were none."""
        return len(self.correct) / self.answered if self.answered else math.nan

    @property
    def coverage(self) -> float:
        return self.answered / self.questions if self.questions else math.nan

    def __add__(self, other: "AnalogySection") -> "AnalogySection":
        lists = ((getattr(self, k) + getattr(other, k)) for k in ("correct", "incorrect", "unknown"))
        return AnalogySection(self.name, *lists)


@dataclass(frozen=True)
class WordAnalogies:
    """Analogies by section. As in Google's test, sections whose name begins with "gram" are syntactic.

    Attributes
    ----------
    vocabulary : int
        The number of words among which the answers were looked for.
    """

    name: str
    sections: tuple[AnalogySection, ...]
    vocabulary: int

    @property
    def semantic(self) -> AnalogySection:
        return self._sum("semantic", lambda name: not name.startswith("gram"))

    @property
    def syntactic(self) -> AnalogySection:
        return self._sum("syntactic", lambda name: name.startswith("gram"))

    @property
    def total(self) -> AnalogySection:
        return self._sum("total", lambda name: True)

    def _sum(self, name: str, belongs: Callable[[str], bool]) -> AnalogySection:
        return reduce(AnalogySection.__add__, (s for s in self.sections if belongs(s.name)), AnalogySection(name))

    def __str__(self) -> str:
        parts = [part for part in (self.semantic, self.syntactic) if part.questions]
        rows = [*self.sections, *(parts if len(parts) == 2 else []), self.total]
        width = max(len(row.name) for row in rows)
        lines = [f"{self.name}, among {self.vocabulary:,} words", f"{'':{width}}  accuracy  answered  questions"]
        for row in rows:
            accuracy = f"{row.accuracy:.1%}" if row.answered else "-"
            lines.append(f"{row.name:{width}}  {accuracy:>8}  {row.answered:>8}  {row.questions:>9}")
        return "\n".join(lines)


@dataclass(frozen=True)
class OddOneOut:
    """Sets of words of which the first does not belong to the others.

    Attributes
    ----------
    answers : tuple of (set of words, chosen word)
    unknown : tuple of sets
        Those with a word that has no vector.
    """

    name: str
    answers: tuple[tuple[tuple[str, ...], str], ...]
    unknown: tuple[tuple[str, ...], ...]

    @property
    def correct(self) -> int:
        return sum(words[0] == chosen for words, chosen in self.answers)

    @property
    def accuracy(self) -> float:
        return self.correct / len(self.answers) if self.answers else math.nan

    @property
    def chance(self) -> float:
        """The accuracy that guessing has."""
        return float(np.mean([1 / len(words) for words, _ in self.answers])) if self.answers else math.nan

    def __str__(self) -> str:
        answered, sets = len(self.answers), len(self.answers) + len(self.unknown)
        share = f"{self.accuracy:.1%} correct (guessing has {self.chance:.0%}), " if answered else ""
        return f"{self.name}: {share}on {answered} of {sets} sets"


def word_similarity(
    vectors: "KeyedVectors",
    pairs: str | os.PathLike | Iterable[Pair],
    *,
    delimiter: str | None = None,
    encoding: str = "utf8",
    restrict_vocab: int | None = 300_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
    similarity_function: str | Callable[[Any, Any], float] = "similarity",
    name: str | None = None,
) -> WordSimilarity:
    """Compare the cosines of word pairs with human scores, as gensim's evaluate_word_pairs does.

    Parameters
    ----------
    vectors : KeyedVectors
        The words most frequent first.
    pairs : path or list of (word, word, score)
        A path is one for ``read_word_pairs``.
    delimiter, encoding : str
        Those of the file; None finds the delimiter out.
    restrict_vocab : int or None
        Words after so many first ones count as unknown.
    case_insensitive : bool
        Whether to compare words without regard to case; the first, most frequent, variant has the vector.
    dummy4unknown : bool
        False leaves out pairs with an unknown word, True gives them a similarity of 0.
    similarity_function : str or callable
        A function of two words, or the name of a method of ``vectors``.
    name : str
        For the result; otherwise the file's.

    Returns
    -------
    WordSimilarity
        ``print`` shows it as a table.

    Raises
    ------
    InputError
        If a pair is none, or the file cannot be read.

    Examples
    --------
    >>> from handgrad.word2vec import KeyedVectors, word_similarity
    >>> plane = [[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]]
    >>> vectors = KeyedVectors(["hot", "warm", "cold"], plane)
    >>> scores = [("hot", "warm", 9), ("warm", "cold", 4), ("hot", "cold", 1)]
    >>> result = word_similarity(vectors, [*scores, ("hot", "ice", 0)])
    >>> round(result.spearman[0], 4), result.pairs, result.answered
    (1.0, 4, 3)
    """
    stats = _scipy_stats()
    name = name or _name(pairs, "word pairs")
    if isinstance(pairs, str | os.PathLike):
        pairs = read_word_pairs(pairs, delimiter, encoding)
    pairs = _checked_pairs(pairs)
    similarity = _similarity_function(vectors, similarity_function)
    index_of, fold = _folded_vocabulary(vectors, restrict_vocab, case_insensitive)
    rows = [(index_of.get(fold(a), -1), index_of.get(fold(b), -1), score) for a, b, score in pairs]
    known = [row for row in rows if row[0] >= 0 and row[1] >= 0]
    used = rows if dummy4unknown else known
    if len(known) < 3:
        raise InputError(f"{name} has {len(known)} pairs whose words both have vectors; a correlation needs 3.")
    words = vectors.index_to_key
    cosines = [float(similarity(words[i], words[j])) if i >= 0 and j >= 0 else 0.0 for i, j, _ in used]
    if not np.isfinite(cosines).all():
        raise InputError(f"{name}: the similarity of a pair is NaN or infinite: use another similarity_function.")
    scores = [score for *_, score in used]
    if len(set(scores)) == 1 or len(set(cosines)) == 1:
        raise InputError(f"{name}: all scores, or all cosines, are equal, so there is no correlation between them.")
    spearman, pearson = stats.spearmanr(scores, cosines), stats.pearsonr(scores, cosines)
    return WordSimilarity(name, _floats(spearman), _floats(pearson), len(pairs), len(known))


def _checked_pairs(pairs: Iterable) -> list[Pair]:
    """Word pairs that were given in Python, or a sentence that shows the first that is not two words and a score."""
    try:
        pairs = list(pairs)
    except TypeError as error:
        raise InputError(f"Word pairs are a path or a list of (word, word, score), but got {pairs!r:.60}.") from error
    for pair in pairs:
        if not _is_question(pair, 3) or not all(isinstance(word, str) for word in pair[:2]) or not _is_score(pair[2]):
            raise InputError(f"A word pair is (word, word, score), but got {pair!r:.60}.")
    return pairs


def _is_question(item: object, length: int) -> bool:
    return isinstance(item, tuple | list) and len(item) == length


def _is_score(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _similarity_function(vectors: "KeyedVectors", function: str | Callable) -> Callable[[Any, Any], float]:
    if callable(function):
        return function
    method = getattr(vectors, function, None) if isinstance(function, str) else None
    if not callable(method):
        raise InputError(
            f'similarity_function is a function of two words or the name of a method, such as "similarity", '
            f"but got {function!r:.60}."
        )
    return method


def word_analogies(
    vectors: "KeyedVectors",
    analogies: str | os.PathLike | dict[str, list[tuple[str, ...]]],
    *,
    restrict_vocab: int | None = 300_000,
    case_insensitive: bool = True,
    dummy4unknown: bool = False,
    method: Literal["3CosAdd", "3CosMul"] = "3CosAdd",
    name: str | None = None,
    scores_at_once: int = SCORES_AT_ONCE,
) -> WordAnalogies:
    """Answer analogies "a is to b as c is to ..." and count what is right, as gensim's evaluate_word_analogies does.

    3CosAdd looks for the word that is nearest to b - a + c, all of length 1; 3CosMul for the largest product of
    cosines (Levy and Goldberg 2014, equations 1 and 4). a, b and c themselves, in any case, are no answers.

    Parameters
    ----------
    vectors : KeyedVectors
        The words most frequent first.
    analogies : path or dict
        A path is one for ``read_analogies``, a dict is {section: list of (a, b, c, d)}.
    restrict_vocab : int or None
        Ask and answer only with so many first words; papers report 30,000 and None, all.
    case_insensitive : bool
        Whether to compare words without regard to case; the first, most frequent, variant counts.
    dummy4unknown : bool
        False leaves out questions with an unknown word, True counts them as incorrect.
    method : str
        "3CosAdd" or "3CosMul".
    name : str
        For the result; otherwise the file's.
    scores_at_once : int
        Questions times words of one matrix product: by default 64 MB.

    Returns
    -------
    WordAnalogies
        ``print`` shows it as a table.

    Raises
    ------
    InputError
        If a question is none, the method is unknown, or the file cannot be read.

    Examples
    --------
    >>> from handgrad.word2vec import KeyedVectors, word_analogies
    >>> words = ["man", "woman", "king", "queen", "apple"]
    >>> plane = [[1.0, 0.0], [1.0, 1.0], [2.0, -0.5], [2.0, 1.0], [-1.0, 0.0]]
    >>> questions = {"royalty": [("man", "woman", "king", "queen")]}
    >>> result = word_analogies(KeyedVectors(words, plane), questions)
    >>> result.total.accuracy
    1.0
    """
    if method not in METHODS:
        raise InputError(f'word_analogies expects the method "3CosAdd" or "3CosMul", but got {method!r}.')
    name = name or _name(analogies, "analogies")
    sections = read_analogies(analogies) if isinstance(analogies, str | os.PathLike) else analogies
    if not isinstance(sections, dict):
        raise InputError(f"Analogies are a path or a dict {{section: list of (a, b, c, d)}}, but got {sections!r:.60}.")
    index_of, fold = _folded_vocabulary(vectors, restrict_vocab, case_insensitive)
    V = len(vectors) if restrict_vocab is None else min(restrict_vocab, len(vectors))
    variant_of = np.array([index_of[fold(str(word))] for word in vectors.index_to_key[:V]], dtype=np.intp)  # (V,)

    questions = [(section, question) for section, questions in sections.items() for question in questions]
    for _, question in questions:
        if not _is_question(question, 4) or not all(isinstance(word, str) for word in question):
            raise InputError(f"An analogy has four words, but {name} has {question!r:.60}.")
    questions = [(section, tuple(question)) for section, question in questions]
    ids = np.array([[index_of.get(fold(word), -1) for word in question] for _, question in questions], dtype=np.intp)
    ids = ids.reshape(-1, 4)
    known = (ids >= 0).all(axis=1)
    right = np.zeros(len(ids), dtype=bool)
    unit = vectors.get_normed_vectors()[:V]
    right[known] = ids[known, 3] == _answers(unit, ids[known, :3], variant_of, method, scores_at_once)

    answered = known | dummy4unknown
    lists: dict[str, tuple[list, list, list]] = {section: ([], [], []) for section in sections}
    for (section, question), correct, incorrect in zip(questions, right, answered & ~right, strict=True):
        lists[section][0 if correct else 1 if incorrect else 2].append(question)
    return WordAnalogies(name, tuple(AnalogySection(s, *map(tuple, parts)) for s, parts in lists.items()), V)


def _answers(
    unit: np.ndarray, given: np.ndarray, variant_of: np.ndarray, method: str, scores_at_once: int
) -> np.ndarray:
    """The answer to each question: the id (n,) of the best word that is none of the three given, -1 if there is none.

    unit (V, D) of length 1, given (n, 3) ids a, b, c; variant_of (V,), the same id for all spellings of a word
    """
    answers = np.empty(len(given), dtype=np.intp)
    at_once = max(1, scores_at_once // max(1, len(unit)))
    for start in range(0, len(given), at_once):
        a, b, c = given[start : start + at_once].T
        if method == "3CosAdd":
            scores = (unit[b] - unit[a] + unit[c]) @ unit.T  # (n, V)
        else:
            cos_a, cos_b, cos_c = ((1 + unit[word] @ unit.T) / 2 for word in (a, b, c))
            scores = cos_b * cos_c / (cos_a + COSMUL_EPSILON)
        question = np.arange(len(a))
        for word in (a, b, c):
            scores[question, word] = -np.inf
        best = scores.argmax(axis=1)
        # Another spelling of a given word is no answer either: strike it out and look again.
        while (again := (variant_of[best] == [a, b, c]).any(axis=0) & (scores[question, best] > -np.inf)).any():
            scores[again, best[again]] = -np.inf
            best[again] = scores[again].argmax(axis=1)
        answers[start : start + at_once] = np.where(scores[question, best] > -np.inf, variant_of[best], -1)
    return answers


def odd_one_out(vectors: "KeyedVectors", sets: Sequence[tuple[str, ...]], name: str = "odd one out") -> OddOneOut:
    """Ask ``doesnt_match`` for the word of each set that does not belong; it should be the first.

    Parameters
    ----------
    vectors : KeyedVectors
    sets : list of tuples of words
    name : str
        For the result.

    Returns
    -------
    OddOneOut
        ``print`` shows it as a table.

    Examples
    --------
    >>> from handgrad.word2vec import KeyedVectors, odd_one_out
    >>> plane = [[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]]
    >>> vectors = KeyedVectors(["hot", "warm", "cold"], plane)
    >>> odd_one_out(vectors, [("cold", "hot", "warm")]).accuracy
    1.0
    """
    known = [tuple(words) for words in sets if all(word in vectors for word in words)]
    unknown = [tuple(words) for words in sets if not all(word in vectors for word in words)]
    return OddOneOut(name, tuple((words, str(vectors.doesnt_match(words))) for words in known), tuple(unknown))


def _folded_vocabulary(
    vectors: "KeyedVectors", restrict_vocab: int | None, case_insensitive: bool
) -> tuple[dict[str, int], Callable[[str], str]]:
    """{word without case: its first index} for the first words, and the function that takes the case away."""
    if restrict_vocab is not None and restrict_vocab < 1:
        raise InputError(f"restrict_vocab expects at least 1 word, or None for all, but got {restrict_vocab}.")
    fold = str.upper if case_insensitive else str  # gensim folds with upper(), so that results agree
    words = map(str, vectors.index_to_key[:restrict_vocab])
    return {fold(word): index for index, word in reversed(list(enumerate(words)))}, fold


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError(f"Rank correlation needs scipy: {how_to_install('word2vec')}") from error
    return stats


def _name(source: object, otherwise: str) -> str:
    return os.path.basename(source) if isinstance(source, str | os.PathLike) else otherwise


def _floats(result: Any) -> tuple[float, float]:
    return float(result.statistic), float(result.pvalue)
