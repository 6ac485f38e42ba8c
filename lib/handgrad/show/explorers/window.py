"""The window over a sentence: which words are thinned out, how far each window reaches, and which pairs come out."""

from collections.abc import Sequence
from html import escape

import numpy as np

from handgrad.errors import InputError, is_whole
from handgrad.show.explorers.parts.digits import as_text
from handgrad.show.explorers.parts.host import Explorer
from handgrad.word2vec.text.subsampling import keep_probabilities
from handgrad.word2vec.text.vocabulary import Vocabulary
from handgrad.word2vec.text.windows import NO_WORD, window_inputs

MAX_WORDS = 24
MAX_WINDOW = 10
MAX_DRAWS = 20
THRESHOLDS = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5)  # the places of the slider, after 0, which keeps every word
TOSS_DIGITS = 8  # behind the point; a toss is a multiple of 2⁻²⁴


class WindowExplorer(Explorer):
    """A sentence with a window to slide, and draws of chance to choose from."""

    module = "window"

    def __init__(self, words, counts, raw_words, window, thresholds, threshold, tosses, reaches, title):
        state = {
            "words": [{"word": word, "count": int(count)} for word, count in zip(words, counts, strict=True)],
            "raw_words": int(raw_words),
            "thresholds": thresholds,
            "threshold": thresholds.index(threshold),  # the place of the slider
            "window": window,
            "dynamic": True,
            "tosses": [[round(float(toss), TOSS_DIGITS) for toss in draw] for draw in tosses],  # (draws, N)
            "reaches": [[row.tolist() for row in draw] for draw in reaches],  # (draws, MAX_WINDOW, N)
            "draw": 0,
            "center": len(words) // 2,
        }
        super().__init__(state, title)

    def rows(self):
        """The first draw as text: word, count, keep, toss, and the words in its window."""
        words = [entry["word"] for entry in self.state["words"]]
        counts = np.array([entry["count"] for entry in self.state["words"]])
        threshold = self.state["thresholds"][self.state["threshold"]]
        keep = keep_probabilities(counts, self.state["raw_words"], threshold)
        tosses = self.state["tosses"][0]
        kept = np.flatnonzero(tosses < keep)
        reach = np.array(self.state["reaches"][0][self.state["window"] - 1][: len(kept)], dtype=np.int64)
        windows = window_inputs(kept, np.zeros_like(kept), 0, len(kept), reach, self.state["window"])
        context = dict(zip(kept.tolist(), windows, strict=True))  # by place in the sentence
        yield ["word", "count", "keep", "toss", "words in its window"]
        for i, word in enumerate(words):
            seen = [words[j] for j in context[i] if j != NO_WORD] if i in context else ["(dropped)"]
            yield [word, f"{counts[i]:,}", as_text(keep[i]), f"{tosses[i]:.4f}", " ".join(seen) or "(none)"]

    def __repr__(self):
        rows = list(self.rows())
        widths = [max(map(len, column)) for column in zip(*(row[:4] for row in rows), strict=True)]
        lines = ["  ".join([*(c.rjust(w) for c, w in zip(r, widths, strict=False)), r[4]]) for r in rows]
        return "\n".join([super().__repr__(), *lines])

    def still(self):
        head, *body = self.rows()
        heading = "".join(f'<th scope="col">{text}</th>' for text in head[:-1])
        heading += f'<th scope="col" class="hg-words">{head[-1]}</th>'
        lines = "".join(
            f'<tr><th scope="row">{escape(word)}</th>{"".join(f"<td>{text}</td>" for text in numbers)}'
            f'<td class="hg-words">{escape(seen)}</td></tr>'
            for word, *numbers, seen in body
        )
        return f"<table><thead><tr>{heading}</tr></thead><tbody>{lines}</tbody></table>"


def window_explorer(
    sentence: Sequence[str],
    vocabulary: Vocabulary,
    window: int = 2,
    threshold: float = 1e-3,
    draws: int = 8,
    seed: int = 0,
    title: str = "",
) -> WindowExplorer:
    """Slide a window over a sentence whose frequent words are thinned out, and see the pairs that come out.

    The reader moves the center, and chooses window, threshold and draw. A pair is (center, context word).

    Parameters
    ----------
    sentence : list of str
        Words that are not in the vocabulary are left out, as ``Vocabulary.encode`` does.
    vocabulary : Vocabulary
        Its counts and raw words say how likely each word is kept.
    window : int
        Words to each side at most.
    threshold : float
        Of ``keep_probabilities``; 0 keeps every word.
    draws : int
        How many draws of chance the page has.
    seed : int
        Draw d keeps the words and has the reaches of ``window_batches`` with the seed ``seed + d``.
    title : str, optional
        The caption.

    Returns
    -------
    WindowExplorer
        An explorer in a notebook and on a page.

    Raises
    ------
    InputError
        If there are fewer than two known words, more than a page takes, or settings out of range.

    Notes
    -----
    ``window_batches`` gives the same windows the other way round, as word2vec.c does: the word in the middle is the
    target, and those around it are the inputs. All in all the pairs are the same.

    Examples
    --------
    >>> from handgrad import show
    >>> from handgrad.word2vec import Vocabulary
    >>> words = ["to", "be", "or", "not", "to", "be"]
    >>> show.window_explorer(words, Vocabulary.from_sentences([words]), threshold=0)
    WindowExplorer: Slide the window; then lower the threshold, and see it close over the words that are dropped.
    word  count  keep    toss  words in its window
      to      2     1  0.8506  be
      be      2     1  0.6370  to or
      or      1     1  0.5111  be not
     not      1     1  0.2698  be or to be
      to      2     1  0.3078  or not be
      be      2     1  0.0410  not to
    """
    if not isinstance(vocabulary, Vocabulary):
        raise InputError(
            f"window_explorer expects a Vocabulary, but got {type(vocabulary).__name__}: make one with "
            "Vocabulary({word: count, ...})."
        )
    ids, _ = vocabulary.encode([sentence])
    if not 2 <= len(ids) <= MAX_WORDS:
        raise InputError(
            f"window_explorer expects a sentence with 2 to {MAX_WORDS} words of the vocabulary, but this one has "
            f"{len(ids)}: give another one."
        )
    for name, value, most in [("window", window, MAX_WINDOW), ("draws", draws, MAX_DRAWS)]:
        if not is_whole(value) or not 1 <= value <= most:
            raise InputError(f"{name} is a whole number from 1 to {most}, but got {value!r}.")
    if not is_whole(seed) or seed < 0:
        raise InputError(f"seed is a whole number of at least 0, but got {seed!r}.")
    if not 0 <= threshold < np.inf:
        raise InputError(f"threshold is 0, which keeps every word, or a positive number, but got {threshold}.")
    thresholds = [0.0, *sorted({*THRESHOLDS, float(threshold)} - {0.0}, reverse=True)]
    chance = [_draw(seed + d, len(ids)) for d in range(draws)]
    return WindowExplorer(
        [vocabulary.index_to_key[i] for i in ids],
        vocabulary.counts[ids],
        vocabulary.raw_words,
        int(window),
        thresholds,
        float(threshold),
        [tosses for tosses, _ in chance],
        [reaches for _, reaches in chance],
        title or "Slide the window; then lower the threshold, and see it close over the words that are dropped.",
    )


def _draw(seed, N):
    """What window_batches draws for a text of N words: tosses (N,), and reaches for each window (MAX_WINDOW, N).

    It draws reaches for the words that are kept alone. Those are the first so many of these.
    """
    reaches = []
    for window in range(1, MAX_WINDOW + 1):
        rng = np.random.default_rng([seed, 0])
        tosses = rng.random(N, dtype=np.float32)
        reaches.append(rng.integers(1, window, size=N, endpoint=True))
    return tosses, reaches
