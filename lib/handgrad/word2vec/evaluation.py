"""How good word vectors are: word similarity against human judgments, analogies, and the odd one out.

Each function gives a dataclass; ``print`` shows it as a table. What is not in the vocabulary is counted, and every
result says how much of the test was answered: two models that were asked different questions cannot be compared.
"""

import math
import os
import re
from dataclasses import dataclass
from functools import reduce

import numpy as np

from handgrad.errors import InputError
from handgrad.files import opened_text
from handgrad.installing import how_to_install
from handgrad.word2vec.keyed_vectors import COSMUL_EPSILON

SCORES_AT_ONCE = 2**24  # questions times words of one matrix product: 64 MB


@dataclass(frozen=True)
class WordSimilarity:
    """How well cosines agree with human scores.

    spearman, pearson : (correlation, two-sided p-value); Spearman compares ranks and is what papers report
    pairs, answered : int, pairs in the test, and those for which both words have a vector
    """

    name: str
    spearman: tuple[float, float]
    pearson: tuple[float, float]
    pairs: int
    answered: int

    @property
    def coverage(self):
        return self.answered / self.pairs

    def __str__(self):
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
    def answered(self):
        return len(self.correct) + len(self.incorrect)

    @property
    def questions(self):
        return self.answered + len(self.unknown)

    @property
    def accuracy(self):
        """The share of the answered questions that were answered correctly; NaN if there were none."""
        return len(self.correct) / self.answered if self.answered else math.nan

    @property
    def coverage(self):
        return self.answered / self.questions if self.questions else math.nan

    def __add__(self, other):
        lists = ((getattr(self, k) + getattr(other, k)) for k in ("correct", "incorrect", "unknown"))
        return AnalogySection(self.name, *lists)


@dataclass(frozen=True)
class WordAnalogies:
    """Analogies by section. As in Google's test, sections whose name begins with "gram" are syntactic.

    vocabulary : int, the number of words among which the answers were looked for
    """

    name: str
    sections: tuple[AnalogySection, ...]
    vocabulary: int

    @property
    def semantic(self):
        return self._sum("semantic", lambda name: not name.startswith("gram"))

    @property
    def syntactic(self):
        return self._sum("syntactic", lambda name: name.startswith("gram"))

    @property
    def total(self):
        return self._sum("total", lambda name: True)

    def _sum(self, name, belongs):
        return reduce(AnalogySection.__add__, (s for s in self.sections if belongs(s.name)), AnalogySection(name))

    def __str__(self):
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

    answers : tuple of (set of words, chosen word); unknown : sets with a word that has no vector
    """

    name: str
    answers: tuple[tuple[tuple[str, ...], str], ...]
    unknown: tuple[tuple[str, ...], ...]

    @property
    def correct(self):
        return sum(words[0] == chosen for words, chosen in self.answers)

    @property
    def accuracy(self):
        return self.correct / len(self.answers) if self.answers else math.nan

    @property
    def chance(self):
        """The accuracy that guessing has."""
        return float(np.mean([1 / len(words) for words, _ in self.answers])) if self.answers else math.nan

    def __str__(self):
        answered, sets = len(self.answers), len(self.answers) + len(self.unknown)
        share = f"{self.accuracy:.1%} correct (guessing has {self.chance:.0%}), " if answered else ""
        return f"{self.name}: {share}on {answered} of {sets} sets"


def word_similarity(vectors, pairs, *, restrict_vocab=300_000, case_insensitive=True, dummy4unknown=False, name=None):
    """Compare the cosines of word pairs with human scores, as gensim's evaluate_word_pairs does.

    Parameters
    ----------
    vectors : KeyedVectors, the words most frequent first
    pairs : a path for ``read_word_pairs``, or a list of (word, word, score)
    restrict_vocab : int or None, words after so many first ones count as unknown
    case_insensitive : bool, compare words without regard to case; the first, most frequent, variant has the vector
    dummy4unknown : bool, False leaves out pairs with an unknown word, True gives them a cosine of 0
    name : str, for the result; otherwise the file's

    Returns
    -------
    WordSimilarity
    """
    stats = _scipy_stats()
    name = name or _name(pairs, "word pairs")
    pairs = read_word_pairs(pairs) if isinstance(pairs, str | os.PathLike) else list(pairs)
    index_of, fold = _folded_vocabulary(vectors, restrict_vocab, case_insensitive)
    rows = [(index_of.get(fold(a), -1), index_of.get(fold(b), -1), score) for a, b, score in pairs]
    known = [row for row in rows if row[0] >= 0 and row[1] >= 0]
    used = rows if dummy4unknown else known
    if len(known) < 3:
        raise InputError(f"{name} has {len(known)} pairs whose words both have vectors; a correlation needs 3.")
    cosines = [vectors.similarity(i, j) if i >= 0 and j >= 0 else 0.0 for i, j, _ in used]
    scores = [score for *_, score in used]
    if len(set(scores)) == 1 or len(set(cosines)) == 1:
        raise InputError(f"{name}: all scores, or all cosines, are equal, so there is no correlation between them.")
    spearman, pearson = stats.spearmanr(scores, cosines), stats.pearsonr(scores, cosines)
    return WordSimilarity(name, _floats(spearman), _floats(pearson), len(pairs), len(known))


def word_analogies(
    vectors,
    analogies,
    *,
    restrict_vocab=300_000,
    case_insensitive=True,
    dummy4unknown=False,
    method="3CosAdd",
    name=None,
):
    """Answer analogies "a is to b as c is to ..." and count what is right, as gensim's evaluate_word_analogies does.

    3CosAdd looks for the word that is nearest to b - a + c, all of length 1; 3CosMul for the largest product of
    cosines (Levy and Goldberg 2014, equations 1 and 4). a, b and c themselves, in any case, are no answers.

    Parameters
    ----------
    vectors : KeyedVectors, the words most frequent first
    analogies : a path for ``read_analogies``, or a dict {section: list of (a, b, c, d)}
    restrict_vocab : int or None, ask and answer only with so many first words; papers report 30,000 and None, all
    case_insensitive : bool, compare words without regard to case; the first, most frequent, variant counts
    dummy4unknown : bool, False leaves out questions with an unknown word, True counts them as incorrect
    method : "3CosAdd" or "3CosMul"
    name : str, for the result; otherwise the file's

    Returns
    -------
    WordAnalogies
    """
    if method not in ("3CosAdd", "3CosMul"):
        raise InputError(f'word_analogies expects the method "3CosAdd" or "3CosMul", but got {method!r}.')
    name = name or _name(analogies, "analogies")
    sections = read_analogies(analogies) if isinstance(analogies, str | os.PathLike) else analogies
    index_of, fold = _folded_vocabulary(vectors, restrict_vocab, case_insensitive)
    V = len(vectors) if restrict_vocab is None else min(restrict_vocab, len(vectors))
    variant_of = np.array([index_of[fold(word)] for word in vectors.index_to_key[:V]], dtype=np.intp)  # (V,)

    questions = [(section, tuple(question)) for section, questions in sections.items() for question in questions]
    if wrong := [question for _, question in questions if len(question) != 4]:
        raise InputError(f"An analogy has four words, but {name} has {wrong[0]!r}.")
    ids = np.array([[index_of.get(fold(word), -1) for word in question] for _, question in questions], dtype=np.intp)
    ids = ids.reshape(-1, 4)
    known = (ids >= 0).all(axis=1)
    right = np.zeros(len(ids), dtype=bool)
    right[known] = ids[known, 3] == _answers(vectors.get_normed_vectors()[:V], ids[known, :3], variant_of, method)

    answered = known | dummy4unknown
    lists = {section: ([], [], []) for section in sections}
    for (section, question), correct, incorrect in zip(questions, right, answered & ~right, strict=True):
        lists[section][0 if correct else 1 if incorrect else 2].append(question)
    return WordAnalogies(name, tuple(AnalogySection(s, *map(tuple, parts)) for s, parts in lists.items()), V)


def _answers(unit, given, variant_of, method):
    """The answer to each question: the id (n,) of the best word that is none of the three given, -1 if there is none.

    unit (V, D) of length 1, given (n, 3) ids a, b, c; variant_of (V,), the same id for all spellings of a word
    """
    answers = np.empty(len(given), dtype=np.intp)
    at_once = max(1, SCORES_AT_ONCE // max(1, len(unit)))
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


def odd_one_out(vectors, sets, name="odd one out"):
    """Ask ``doesnt_match`` for the word of each set that does not belong; it should be the first.

    Parameters
    ----------
    vectors : KeyedVectors
    sets : list of tuples of words

    Returns
    -------
    OddOneOut
    """
    known = [tuple(words) for words in sets if all(word in vectors for word in words)]
    unknown = [tuple(words) for words in sets if not all(word in vectors for word in words)]
    return OddOneOut(name, tuple((words, vectors.doesnt_match(words)) for words in known), tuple(unknown))


def read_word_pairs(path):
    """Read human scores: lines of two words and a number, between tabs, commas or blanks.

    WordSim-353, MEN and gensim's files have the score in the third column, SimLex-999 as it is published in the column
    "SimLex999". A first line without a number is a header; lines with # in front are comments.

    Returns
    -------
    list of (word, word, score)
    """
    pairs, column = [], 2
    for number, line in _lines(path):
        if line.startswith("#"):
            continue
        fields = [field.strip() for field in re.split("\t|," if "\t" in line or "," in line else " ", line)]
        score = _score(fields, column)
        if score is not None and fields[0] and fields[1]:
            pairs.append((fields[0], fields[1], score))
        elif pairs or number > 1:
            raise InputError(
                f"{path} is not a list of word pairs: line {number} is not two words and a score: {line[:60]!r}."
            )
        elif "SimLex999" in fields:
            column = fields.index("SimLex999")
    if not pairs:
        raise InputError(f"{path} has no word pairs: it needs lines of two words and a score, with tabs between.")
    return pairs


def _score(fields, column):
    try:
        score = float(fields[column])
    except (IndexError, ValueError):
        return None
    return score if math.isfinite(score) else None


def read_analogies(path):
    """Read analogies in Google's format: lines ": section", and below each of them lines of four words.

    Returns
    -------
    dict, section to list of (a, b, c, d)
    """
    sections, questions = {}, None
    for number, line in _lines(path):
        if line.startswith(":"):
            questions = sections.setdefault(line.removeprefix(":").strip(), [])
        elif questions is None:
            raise InputError(f'{path} is not a file of analogies: line {number} comes before any ": section".')
        elif len(words := line.split()) == 4:
            questions.append(tuple(words))
        else:
            raise InputError(f"{path} is not a file of analogies: line {number} has {len(words)} words instead of 4.")
    if not any(sections.values()):
        raise InputError(f'{path} has no analogies: it needs lines of four words below lines ": section".')
    return sections


def _lines(path):
    """The number and the text of each line that is not blank."""
    try:
        with opened_text(path, "word pairs or analogies") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def _folded_vocabulary(vectors, restrict_vocab, case_insensitive):
    """{word without case: its first index} for the first words, and the function that takes the case away."""
    if restrict_vocab is not None and restrict_vocab < 1:
        raise InputError(f"restrict_vocab expects at least 1 word, or None for all, but got {restrict_vocab}.")
    fold = str.upper if case_insensitive else str  # gensim folds with upper(), so that results agree
    words = vectors.index_to_key[:restrict_vocab]
    return {fold(word): index for index, word in reversed(list(enumerate(words)))}, fold


def _scipy_stats():
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError(f"Rank correlation needs scipy: {how_to_install('word2vec')}") from error
    return stats


def _name(source, otherwise):
    return os.path.basename(source) if isinstance(source, str | os.PathLike) else otherwise


def _floats(result):
    return float(result.statistic), float(result.pvalue)
