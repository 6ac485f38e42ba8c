"""Files of questions for word vectors: word pairs with human scores, and analogies.

Not one line of a file is passed over: what is no question is blank, a comment, a header, or an error that names it.
"""

import codecs
import csv
import math
import os
import re
from collections.abc import Iterator

from handgrad.errors import InputError
from handgrad.files import opened_text

SEPARATORS = ("\t", ";", ",", " ")  # of word pairs; the first that separates most lines. A blank is any number of them
BLANKS = re.compile("[ \t]+")
NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
DIGITS = re.compile("[0-9]+")
FIRST, SECOND = (re.compile(rf"(.+?)[ _.-]*(?:{ending})", re.IGNORECASE) for ending in ("1|a|i", "2|b|ii"))
WORD_NAMES = {"word", "term", "concept", "first", "second", "source", "target", "noun", "verb", "item"}
SCORE_NAMES = re.compile(r"score|sim|similarity|rating|mean|human|relatedness|gold|average", re.IGNORECASE)

Pair = tuple[str, str, float]


def read_word_pairs(path: str | os.PathLike, delimiter: str | None = None, encoding: str = "utf8") -> list[Pair]:
    r"""Read human scores: lines of two words and a number, with one separator in all the file.

    It is the first of tab, semicolon, comma and blanks that makes three fields or more of most lines. Fields may be in
    quotes, as in CSV, and all scores may have decimal commas. WordSim-353, MEN and gensim's files have the score in the
    third column. A first line of names, such as "word1 word2 score", is a header: the first column that it calls a
    score, as SimLex-999 does "SimLex999", has the scores. Lines with # in front are comments.

    Parameters
    ----------
    path : str or os.PathLike
    delimiter : str, optional
        The separator, if it is not to be found out.
    encoding : str

    Returns
    -------
    list of (word, word, score)

    Raises
    ------
    InputError
        If any other line is not two words and a finite score, or its commas may be between numbers or in them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from handgrad.word2vec import read_word_pairs
    >>> text = "word1,word2,score\nhot,warm,7.5\n"
    >>> characters = Path("pairs.csv").write_text(text, encoding="utf-8")
    >>> read_word_pairs("pairs.csv")
    [('hot', 'warm', 7.5)]
    """
    if not isinstance(delimiter, str | None):
        raise InputError(
            f"The delimiter of {path} is a text such as ',', or None to find it out; got {delimiter!r:.60}."
        )
    lines = [(number, line) for number, line in _lines(path, encoding) if not line.lstrip().startswith("#")]
    if not lines:
        raise InputError(f"{path} has no word pairs: it needs lines of two words and a score, with tabs between.")
    separator = delimiter or _separator([line for _, line in lines])
    rows = [(number, line, _fields(line, separator)) for number, line in lines]
    header = rows.pop(0)[2] if _is_header(rows[0][2]) else []
    if not rows:
        raise InputError(f"{path} has no word pairs: below its header it needs lines of two words and a score.")
    if separator == ",":
        _require_clear_commas(path, rows, header)
    column = next((i for i, name in enumerate(header) if i >= 2 and SCORE_NAMES.search(name)), 2)

    pairs: list[Pair] = []
    decimal_signs: dict[str, int] = {}
    for number, line, fields in rows:
        if len(fields) <= column or not fields[0] or not fields[1] or not NUMBER.fullmatch(fields[column]):
            hint = "; if it is a header, put # in front" if not pairs else ""
            raise InputError(
                f"{path} is not a list of word pairs: line {number} is not two words and a score: {line[:60]!r}{hint}."
            )
        score = float(fields[column].replace(",", "."))
        if not math.isfinite(score):
            raise InputError(f"{path} is not a list of word pairs: line {number} has an infinite score: {line[:60]!r}.")
        for sign in ".,":
            if sign in fields[column]:
                decimal_signs.setdefault(sign, number)
        if len(decimal_signs) > 1:
            raise InputError(
                f"{path} has decimal points (line {decimal_signs['.']}) and commas (line {decimal_signs[',']}) in its "
                "scores: write all of them alike."
            )
        pairs.append((fields[0], fields[1], score))
    return pairs


def _separator(lines: list[str]) -> str:
    return max(SEPARATORS, key=lambda separator: sum(len(_fields(line, separator)) >= 3 for line in lines))


def _fields(line: str, separator: str) -> list[str]:
    """The fields of a line, those at its end that are empty aside; none if its quotes are not those of CSV."""
    if separator == " ":
        fields = BLANKS.split(line.strip(" \t"))
    elif len(separator) > 1:
        fields = line.split(separator)
    else:
        try:
            (fields,) = csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)
        except (csv.Error, ValueError):
            return []
    fields = [field.strip() for field in fields]
    while fields and not fields[-1]:
        fields.pop()
    return fields


def _is_header(fields: list[str]) -> bool:
    """Whether these are names of columns: "word1" and "word2" and what is no score, or "word", "word" and "score"."""
    if len(fields) < 3 or any(map(NUMBER.fullmatch, fields)) or not re.match(r"[^\W\d_]{3}", fields[2]):
        return False
    first, second = FIRST.fullmatch(fields[0]), SECOND.fullmatch(fields[1])
    if first and second and first[1].lower() == second[1].lower():
        return fields[2].lower() not in ("nan", "inf", "infinity", "none", "null")
    named = all(field.lower().removesuffix(" word") in WORD_NAMES for field in fields[:2])
    return named and SCORE_NAMES.search(fields[2]) is not None


def _require_clear_commas(path: str | os.PathLike, rows: list[tuple[int, str, list[str]]], header: list[str]) -> None:
    """In "Auto,Bus,3,58" the last comma may be that of a number, so nothing is guessed."""
    width = len(header or rows[0][2])
    for number, line, fields in rows:
        if len(fields) != width and (len(fields) < 3 or len(header) < 3 or len(fields) > width):
            raise InputError(
                f"{path} is not a list of word pairs: line {number} is not two words and a score, but {len(fields)} "
                f"fields where others have {width}: put what has a comma in quotes, as in {line[:60]!r}."
            )
    if not header and all(len(f) > 3 and DIGITS.fullmatch(f[2]) and DIGITS.fullmatch(f[3]) for _, _, f in rows):
        raise InputError(
            f"{path} has commas between its fields and perhaps in its scores, as in {rows[0][1][:60]!r}: put tabs or "
            "semicolons between the fields, or a header above them."
        )


def read_analogies(path: str | os.PathLike, encoding: str = "utf8") -> dict[str, list[tuple[str, ...]]]:
    r"""Read analogies in Google's format: lines ": section", and below each of them lines of four words.

    Parameters
    ----------
    path : str or os.PathLike
    encoding : str

    Returns
    -------
    dict
        Section to list of (a, b, c, d).

    Raises
    ------
    InputError
        If a line is neither a section nor four words, or the file cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from handgrad.word2vec import read_analogies
    >>> text = ": family\nhe she king queen\n"
    >>> characters = Path("questions.txt").write_text(text, encoding="utf-8")
    >>> read_analogies("questions.txt")
    {'family': [('he', 'she', 'king', 'queen')]}
    """
    sections: dict[str, list[tuple[str, ...]]] = {}
    questions = None
    for number, line in _lines(path, encoding):
        if line.startswith(":"):
            questions = sections.setdefault(line.removeprefix(":").strip(), [])
        elif questions is None:
            raise InputError(f'{path} is not a file of analogies: line {number} comes before any ": section".')
        elif len(words := BLANKS.split(line)) == 4:
            questions.append(tuple(words))
        else:
            raise InputError(f"{path} is not a file of analogies: line {number} has {len(words)} words instead of 4.")
    if not any(sections.values()):
        raise InputError(f'{path} has no analogies: it needs lines of four words below lines ": section".')
    return sections


def _is_utf8(encoding: str) -> bool:
    """Whether this is a name of UTF-8: utf_8, U8 and others are too."""
    if not isinstance(encoding, str):
        raise LookupError(encoding)
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _lines(path: str | os.PathLike, encoding: str) -> Iterator[tuple[int, str]]:
    """The number and the text of each line that is not blank."""
    try:
        encoding = "UTF-8" if _is_utf8(encoding) else encoding
        is_named = encoding != "UTF-8"  # then what looks like UTF-16 may be meant
        with open(path, encoding=encoding) if is_named else opened_text(path, "word pairs or analogies") as file:
            for number, line in enumerate(file, start=1):
                if "\0" in line:
                    raise InputError(f"{path} is not {encoding} text, but perhaps UTF-16: save it as UTF-8.")
                if line.strip():
                    yield number, line.rstrip("\n").strip(" \t")
    except UnicodeError as error:
        raise InputError(f"{path} is not {encoding} text: save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error
    except LookupError as error:
        raise InputError(
            f"The encoding of {path} is one that Python has, such as utf8, but got {encoding!r}."
        ) from error
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"Questions are read from a file, but {path!r:.60} is no path.") from error
