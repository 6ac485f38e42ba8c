"""What is the word in the middle of a window? One hidden layer over word vectors, and each gradient by hand.

B windows in a batch, C context words around each word, D entries of a word vector, H hidden units, V rows of word
vectors; M = 1 score where the question is yes or no (a location?), else a score for each of M kinds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from handgrad.corpora import TaggedSentence
from handgrad.errors import InputError, is_whole
from handgrad.functional import log_sigmoid, log_softmax, sigmoid, softmax

PAD, CAPITALIZED, OTHER = range(3)  # rows of no single word: beyond a sentence's ends, and for words without a row


def rows_of_words(
    sentences: Iterable[TaggedSentence],
    min_count: int = 2,
) -> dict[str, int]:
    """A row for each word that occurs often enough; rarer ones count as unknown."""
    counts = Counter(word for sentence in sentences for word in sentence.words)
    often = (word for word in counts if counts[word] >= min_count)
    return {word: row for row, word in enumerate(often, start=OTHER + 1)}


def windows_of(
    sentences: Iterable[TaggedSentence],
    rows: Mapping[str, int],
    C: int = 4,
) -> np.ndarray:
    """Rows (N, C + 1): each of N words between its C neighbors."""
    if not is_whole(C) or C < 0 or C % 2:
        raise InputError(f"C counts context words: give 0, 2 or 4, not {C!r:.40}.")
    windows, pad = [], [PAD] * (C // 2)
    for sentence in sentences:
        unknown = [CAPITALIZED if w[0].isupper() else OTHER for w in sentence.words]
        known = map(rows.get, sentence.words, unknown)
        ids = [*pad, *known, *pad]
        windows += [ids[i : i + C + 1] for i in range(len(sentence.words))]
    return np.array(windows, dtype=np.intp).reshape(-1, C + 1)


def labels_of(sentences: Iterable[TaggedSentence], kinds: Sequence[str] = ("LOC",)) -> np.ndarray:
    """t (N, M), a row for each of N words: 1 at its kind, 0 elsewhere."""
    t = [[kind == k for k in kinds] for sentence in sentences for kind in sentence.kinds]
    return np.array(t, dtype=float).reshape(-1, len(kinds))


class WindowClassifier:
    """s = U tanh(W x + b) + c, where x is a window's word vectors end to end, and p = σ(s), or softmax(s) if M > 1."""

    def __init__(self, V: int, C: int = 4, D: int = 20, H: int = 30, M: int = 1, seed: int = 0) -> None:
        rng, n = np.random.default_rng(seed), (C + 1) * D
        self.E = rng.normal(0, 0.3, (V, D))
        self.W, self.b = rng.normal(0, 1 / np.sqrt(n), (H, n)), np.zeros(H)  # (H, (C + 1)D), (H,)
        self.U, self.c = rng.normal(0, 1 / np.sqrt(H), (M, H)), np.zeros(M)  # (M, H), (M,)

    def forward(self, windows: np.ndarray) -> np.ndarray:
        """p (B, M) of windows (B, C + 1); what the gradients need is kept."""
        self.windows = windows  # (B, C + 1)
        self.x = self.E[windows].reshape(len(windows), -1)  # (B, (C + 1)D)
        self.h = np.tanh(self.x @ self.W.T + self.b)  # (B, H)
        self.s = self.h @ self.U.T + self.c  # (B, M)
        return softmax(self.s) if len(self.c) > 1 else sigmoid(self.s)

    def loss(self, t: np.ndarray) -> float:
        """J = -Σ log p of what is right, t (B, M), summed over the windows that forward was given."""
        return -float(np.sum(t * log_softmax(self.s) if len(self.c) > 1 else log_sigmoid(np.where(t, self.s, -self.s))))

    def gradients(self, error: np.ndarray) -> dict[str, np.ndarray]:
        """Of J, from the error ∂J/∂s = p - t (B, M): of σ and of softmax."""
        delta = error @ self.U * (1 - self.h**2)  # (B, H)  used for W, b and x
        dx = (delta @ self.W).reshape(*self.windows.shape, -1)  # (B, C + 1, D)
        dE = np.zeros_like(self.E)
        np.add.at(dE, self.windows, dx)  # (V, D)  pieces of one row add
        return {
            "E": dE,
            "W": delta.T @ self.x,
            "b": delta.sum(axis=0),
            "U": error.T @ self.h,
            "c": error.sum(axis=0),
        }

    def fit(
        self,
        windows: np.ndarray,
        t: np.ndarray,
        epochs: int = 20,
        batch: int = 8,
        rate: float = 0.05,
        seed: int = 0,
    ) -> list[float]:
        """Learn by SGD, at a rate that falls to 0. Returns the mean loss of each epoch."""
        rng, N, totals = np.random.default_rng(seed), len(windows), [0.0] * epochs
        for k in range(epochs):
            order = rng.permutation(N)
            for i in range(0, N, batch):
                chosen = order[i : i + batch]
                error = self.forward(windows[chosen]) - t[chosen]
                totals[k] += self.loss(t[chosen])
                now = rate * (1 - (k + i / N) / epochs)
                for name, gradient in self.gradients(error).items():
                    getattr(self, name)[...] -= now * gradient
        return [total / N for total in totals]


def precision_recall_f1(found: np.ndarray, right: np.ndarray) -> tuple[float, ...]:
    """Hits as a share of what was found (N,), of what is right (N,), and of the mean of the two counts: F1."""
    hits, found_count, right_count = np.sum(found & right), np.sum(found), np.sum(right)
    return tuple(float(hits / max(n, 1)) for n in (found_count, right_count, (found_count + right_count) / 2))
