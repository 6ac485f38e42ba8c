"""From sentences to ids: the text is read once, and what training reads afterwards is a file of numbers."""

import hashlib
import json
import os
import tempfile
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from handgrad.errors import InputError, require_ids
from handgrad.files import replacing, require_folder_for
from handgrad.word2vec.text.vocabulary import Vocabulary, check_limits, not_a_sentence, words_of

IDS_AT_ONCE = 2**20  # that are in memory


@dataclass(eq=False, repr=False)
class EncodedText:
    """A text as ids, with its sentences.

    Parameters
    ----------
    vocabulary : Vocabulary
    ids : int32 array (N,)
        All sentences in one row; as a rule a memory-mapped file.
    starts : int64 array (S + 1,)
        Sentence s is ``ids[starts[s] : starts[s + 1]]``; it may be empty.
    ids_at_once : int
        How many ids are in memory where the text is gone through.

    Examples
    --------
    >>> from handgrad.word2vec import encode_text
    >>> text = encode_text([["to", "be"], ["or", "not", "to", "be"]])
    >>> text.ids.tolist(), text.starts.tolist(), len(text)
    ([0, 1, 2, 3, 0, 1], [0, 2, 6], 6)
    """

    vocabulary: Vocabulary
    ids: np.ndarray
    starts: np.ndarray
    ids_at_once: int = IDS_AT_ONCE

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"EncodedText({len(self):,} words in {len(self.starts) - 1:,} sentences, {self.vocabulary})"

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the vocabulary, the ids and the sentences: two texts with one digest
        train the same vectors.
        """
        words, counts = self.vocabulary.index_to_key, self.vocabulary.counts.tolist()
        sha256 = hashlib.sha256(json.dumps([words, counts, self.vocabulary.raw_words]).encode())
        for numbers, kind in [(self.ids, "<i4"), (self.starts, "<i8")]:
            for start in range(0, len(numbers), self.ids_at_once):
                sha256.update(numbers[start : start + self.ids_at_once].astype(kind).tobytes())
        return sha256.hexdigest()

    def require_whole(self) -> None:
        """Raise InputError unless its ids are those of its vocabulary and its sentences cover it in order."""
        require_ids(self.ids, len(self.vocabulary), f"A text with {self.vocabulary}")
        starts = np.asarray(self.starts)
        if not len(starts) or starts[0] or starts[-1] != len(self) or (np.diff(starts) < 0).any():
            raise InputError(
                f"The starts of a text's sentences rise from 0 to {len(self)}, its number of words, but these do not."
            )

    def split(self, held_out: int) -> "tuple[EncodedText, EncodedText | None]":
        """This text without its last sentences, and these, of at least ``held_out`` words together.

        Parameters
        ----------
        held_out : int

        Returns
        -------
        tuple of EncodedText
            The second is None if ``held_out`` is 0.

        Raises
        ------
        InputError
            If the text has no more words than that.
        """
        if not held_out:
            return self, None
        sentence = int(np.searchsorted(self.starts, len(self) - held_out, side="right")) - 1
        lengths = np.diff(self.starts[sentence:]) if sentence > 0 else np.zeros(1)
        if not self.starts[max(sentence, 0)] or lengths.max() < 2:
            raise InputError(
                f"held_out is {held_out:,} words, and then no pair of words is left in them, or to learn from: the "
                f"text has {len(self):,} words with a vector, in {len(self.starts) - 1:,} sentences."
            )
        first = self.starts[sentence]
        held = replace(self, ids=self.ids[first:], starts=self.starts[sentence:] - first)
        return replace(self, ids=self.ids[:first], starts=self.starts[: sentence + 1]), held

    def chunks(self, size: int | None = None) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Go through the text by whole sentences, about ``size`` words at a time, so that memory does not grow with it.

        Parameters
        ----------
        size : int, optional
            By default ``ids_at_once``.

        Yields
        ------
        position : int
            Where in ``ids`` the chunk begins.
        ids : int32 array (n,)
            A copy, n at most ``size``; a sentence that is longer comes in several chunks.
        sentence_of : int32 array (n,)
            The sentence of each id, counted from the chunk's first.
        """
        size = size or self.ids_at_once
        first, last = 0, len(self.starts) - 1
        while first < last:
            fits = np.searchsorted(self.starts, self.starts[first] + size, side="right") - 1
            end = max(int(fits), first + 1)
            starts = self.starts[first : end + 1]
            first = end
            if starts[-1] - starts[0] > size:  # one sentence
                for position in range(int(starts[0]), int(starts[-1]), size):
                    ids = np.array(self.ids[position : min(position + size, starts[-1])])
                    yield position, ids, np.zeros(len(ids), np.int32)
                continue
            sentence_of = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
            yield int(starts[0]), np.array(self.ids[starts[0] : starts[-1]]), sentence_of


def encode_text(
    sentences: Iterable[Iterable[str]],
    min_count: int = 1,
    max_size: int | None = None,
    unk: Literal["drop", "keep"] = "drop",
    path: str | os.PathLike | None = None,
    progress: Callable[[int], Any] | None = None,
    ids_at_once: int = IDS_AT_ONCE,
) -> EncodedText:
    """Count the words of a text and turn it into ids, in one pass over it.

    Words get provisional ids in the order in which they are met, and these go to a file. When the text has
    ended, all words are counted and sorted, and the file is renumbered in place. In memory there are all different
    words, one piece of the file, and 8 bytes for each sentence. The same text gives the same ids, always.

    Parameters
    ----------
    sentences : iterable of lists of str
        One that can be read only once will do.
    min_count, max_size, unk
        Which words get an id, as in ``Vocabulary``.
    path : str or os.PathLike, optional
        A new file for the ids (int32). Without it they are in a temporary file, 4 bytes a word, in the folder
        for such files (TMPDIR), invisible to others and gone when the result is.
    progress : callable, optional
        Called with the number of words read since the last call.
    ids_at_once : int
        How many ids are in a piece.

    Returns
    -------
    EncodedText

    Raises
    ------
    InputError
        If a sentence is no list of strings, if no word is frequent enough, or if ``path`` exists. No file is left then.

    Examples
    --------
    >>> from handgrad.word2vec import encode_text
    >>> text = encode_text([["to", "be", "or", "not", "to", "be"]], min_count=2)
    >>> text.vocabulary.index_to_key, text.ids.tolist()
    (['to', 'be'], [0, 1, 0, 1])
    """
    if isinstance(sentences, str | os.PathLike):
        raise InputError(
            f"encode_text expects sentences, but got the name {str(sentences)!r}: open it with corpora.open_corpus."
        )
    check_limits(min_count, max_size, unk)  # before the text is read, not after
    with _new_file(path) as file:
        words, starts = _write_provisional_ids(file, sentences, progress or (lambda count: None), ids_at_once)
        counts = np.zeros(len(words), dtype=np.int64)
        for _, piece in _pieces(file, ids_at_once):
            counts += np.bincount(piece, minlength=len(counts))
        for word, count in zip(words, counts.tolist(), strict=True):
            words[word] = count  # in place of the id, which is its place: a million words need no second dict
        vocabulary = Vocabulary(words, min_count, max_size, unk)
        _renumber(file, _final_ids(words, vocabulary), starts, ids_at_once)
        if path is None:  # the file has no name, and lives as long as its map
            return EncodedText(vocabulary, np.memmap(file, dtype=np.int32, mode="r"), starts, ids_at_once)
    return EncodedText(vocabulary, np.memmap(path, dtype=np.int32, mode="r"), starts, ids_at_once)


def _write_provisional_ids(file, sentences, progress, ids_at_once):
    """Write the ids of all words; return a dict, word to id, and where the sentences start, int64 (S + 1,)."""
    provisional = defaultdict()
    provisional.default_factory = provisional.__len__  # a word that is met first gets the next number
    starts, written, piece = array("q", [0]), 0, array("i")
    for sentence in sentences:
        try:
            piece.extend(map(provisional.__getitem__, words_of(sentence)))
        except TypeError as error:
            raise not_a_sentence(sentence) from error
        starts.append(written + len(piece))
        if len(piece) >= ids_at_once:
            piece.tofile(file)
            progress(len(piece))
            written += len(piece)
            piece = array("i")
    piece.tofile(file)
    progress(len(piece))
    provisional.default_factory = None  # it holds the dict, and would keep it in memory
    return provisional, np.frombuffer(starts, dtype=np.int64)


def _final_ids(words, vocabulary):
    """Of each word in a dict of all words, in its order: int32 (len(words),). The dict's values become these."""
    for word in words:
        words[word] = vocabulary.unknown_index
    for index, word in enumerate(vocabulary.index_to_key):
        if word in words:  # UNK may not be
            words[word] = index
    return np.fromiter(words.values(), np.int32, len(words))


def _renumber(file, final, starts, ids_at_once):
    """Replace each id i in the file by final[i], or drop it where that is -1; ``starts`` moves along, in place."""
    written = sentence = 0
    for position, piece in _pieces(file, ids_at_once):
        new = final[piece]
        kept = new >= 0
        before = np.concatenate([[0], np.cumsum(kept)])  # how many are kept before each place in the piece
        end = np.searchsorted(starts, position + len(piece), side="right")
        starts[sentence:end] = written + before[starts[sentence:end] - position]
        file.seek(4 * written)  # never ahead of what is read
        file.write(new[kept].tobytes())
        written, sentence = written + int(before[-1]), end
    file.truncate(4 * written)
    file.flush()


def _pieces(file, ids_at_once):
    """Yield (position, int32 array) through the file of ids."""
    position = 0
    while True:
        file.seek(4 * position)
        piece = np.frombuffer(file.read(4 * ids_at_once), dtype=np.int32)
        if not len(piece):
            return
        yield position, piece
        position += len(piece)


@contextmanager
def _new_file(path):
    """A file to write and read; at ``path`` it appears when it is complete, without a path it has no name."""
    if path is None:
        with tempfile.TemporaryFile() as file:
            yield file
        return
    path = Path(os.path.realpath(path))
    if path.exists():
        raise InputError(f"The file {path} exists already and is left as it is: name a new one.")
    require_folder_for(path)
    with replacing(path, alone=True) as partial, open(partial, "w+b") as file:
        yield file
