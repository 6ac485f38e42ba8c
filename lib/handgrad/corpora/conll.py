"""Sentences in which names are marked: files in the format of CoNLL, and the set that the book learns from."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from handgrad.corpora.files import LONGEST_PIECE, check_file, reading, refuse_nul
from handgrad.errors import InputError, is_whole

DATA = Path(__file__).parent / "data"
PARTS = ("train", "known", "new")
COLUMN_BREAK = re.compile("[ \t\n]+")  # no other blank: a word may hold one, as 10\u00a0000 does


@dataclass(frozen=True)
class TaggedSentence:
    """The words of a sentence, with a tag for each.

    Attributes
    ----------
    words : tuple of str
    tags : tuple of str
        As many, in IOB2: B-LOC on the first word of a location, I-LOC on its others, and O on words outside all names.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What each word is part of: LOC, PER, … or O."""
        return tuple(tag[2:] or "O" for tag in self.tags)

    @property
    def names(self) -> list[tuple[str, str]]:
        """The names in order, each with its kind: [("Mill Street", "LOC"), …]."""
        names: list[tuple[list[str], str]] = []
        for word, tag, kind in zip(self.words, self.tags, self.kinds, strict=True):
            if tag.startswith("B-"):
                names.append(([word], kind))
            elif tag != "O":
                names[-1][0].append(word)
        return [(" ".join(words), kind) for words, kind in names]


def conll_file(path: str | os.PathLike, column: int = -1) -> list[TaggedSentence]:
    """Read a file in the format of CoNLL: a word a line, its tag in the last column, a blank line after each sentence.

    The tags may be in any of the three schemes IO, IOB1 and IOB2. A name begins at each B- tag, and at an I- tag that
    follows a word of another kind: that rule reads all three, and what is returned is IOB2. Lines of -DOCSTART- are
    passed over. There are no comments: # is a word like any other. The text is UTF-8, plain, .gz or .zip, as
    `text_file` reads it.

    Parameters
    ----------
    path : str or os.PathLike
    column : int
        Which column holds the tags, counted from 0, or from the end if negative; the words are in column 0.

    Returns
    -------
    list of TaggedSentence

    Raises
    ------
    InputError
        The file cannot be read, as in `text_file`; it has no sentence; or a line, which is named by its number, has no
        such column, or something else than a tag in it. Tags of other schemes (S-LOC, E-LOC) are not read.
    """
    if not is_whole(column) or column == 0:
        raise InputError(f"column is the number of a column after the words, such as 1 or -1, but got {column!r:.40}.")
    path = Path(path)
    check_file(path)
    with reading(path) as file:
        lines = iter(lambda: file.readline(LONGEST_PIECE), "")
        sentences = [_in_iob2(pairs) for pairs in _sentences(lines, path, column)]
    if not sentences:
        raise InputError(f"Expected a file with a word and its tag in each line, but {path} has none; give another.")
    return sentences


def _sentences(lines: Iterable[str], path: Path, column: int) -> Iterator[list[tuple[str, str]]]:
    """The sentences of a file as pairs of a word and a tag; the last one may end where the file ends."""
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(lines, start=1):
        refuse_nul(line, path)
        columns = [entry for entry in COLUMN_BREAK.split(line) if entry]
        if not columns or columns[0] == "-DOCSTART-":
            if pairs:
                yield pairs
            pairs = []
            continue
        tag = columns[column] if -len(columns) < column < len(columns) else None
        if tag is None or not (tag == "O" or (tag[:2] in ("B-", "I-") and tag[2:])):
            raise InputError(
                f"Expected a word and a tag such as O, B-LOC or I-LOC in line {number} of {path}, but it is "
                f"{line.strip()!r:.60}; correct the line, or give the number of the tags' column."
            )
        pairs.append((columns[0], tag))
    if pairs:
        yield pairs


def _in_iob2(pairs: list[tuple[str, str]]) -> TaggedSentence:
    """The same sentence in IOB2: an I- tag that continues nothing becomes a B- tag."""
    tags: list[str] = []
    for _, tag in pairs:
        continues = bool(tags) and tags[-1][2:] == tag[2:]
        tags.append(f"B-{tag[2:]}" if tag.startswith("I-") and not continues else tag)
    return TaggedSentence(tuple(word for word, _ in pairs), tuple(tags))


def entities() -> dict[str, list[TaggedSentence]]:
    """The book's own set: 600 sentences in which persons (PER), locations (LOC) and organizations (ORG) are marked.

    It was written for chapter 7 and is frozen. Its README, beside the files, has the rules by which names were marked,
    who marked them, and how well two markings agree (`entities_marked_twice`).

    Returns
    -------
    dict
        "train", 360 sentences; "known", 120 others whose names all occur in train; "new", 120 whose names do not, nor
        does any word of a name. Sentences are in the order of their 20 subjects.
    """
    return {part: conll_file(DATA / f"entities.{part}.conll") for part in PARTS}


def entities_marked_twice() -> tuple[list[TaggedSentence], list[TaggedSentence]]:
    """The 600 sentences with the marks that `entities` has, and with those of somebody who had never seen them."""
    path = DATA / "entities.twice.conll"
    return conll_file(path, column=1), conll_file(path, column=2)
