"""Whether the rows of a vectors file are text or binary: the header "V D" is the same in both.

Some files are both: ``1 1\\na 1.5\\n`` is a row of text, and a word with four bytes that make a float32. Rows that can
be read as text are text, so a binary file that looks like this is written with a mark, a vertical tab at the end of
its header. Every reader of word2vec's formats passes over it as over a blank, and no text has it.
"""

import re

SAMPLE = 2**16  # bytes after the first word, by which a file is judged
ROWS = 100  # of a sample that are looked at
MARK = b"\v"  # ends the header of a binary file that could be taken for text
NUMBER = re.compile(rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf|infinity)", re.IGNORECASE)
CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")  # characters that texts do not have and most binary files do


def is_number(field: bytes) -> bool:
    """Whether a field is a number as files have it. Python's float would take 1_0, too."""
    return NUMBER.fullmatch(field) is not None


def is_text(data: bytes, D: int) -> bool:
    """Judge the rows of a file by their first bytes: those up to SAMPLE bytes after the first blank, or all.

    Text is what has words and D numbers in at least half of its rows. What has not is text still if it is printable:
    then it is another text, and not vectors at all.
    """
    stop = data.find(b" ") + SAMPLE
    sample, whole = data[:stop], len(data) < stop
    *lines, last = sample.split(b"\n")
    rows = [line for line in [*lines, *([last] if whole else [])] if line.strip()][:ROWS]
    readable = sum(_is_row(row, D) for row in rows)
    if 2 * readable >= len(rows) > 0 or (not rows and _begins_row(last)):
        return True
    if CONTROL.search(sample):
        return False
    return _is_utf8(sample) or not _is_binary(sample, D, whole)


def _is_row(line: bytes, D: int) -> bool:
    fields = line.rsplit(maxsplit=D)
    return len(fields) == D + 1 and all(map(is_number, fields[1:]))


def _begins_row(line: bytes) -> bool:
    """Whether a row that goes on beyond the sample has a word and numbers so far."""
    numbers = line.split()[1:-1]
    return bool(numbers) and all(map(is_number, numbers))


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # a character that is cut by the end of the sample
    return True


def _is_binary(sample: bytes, D: int, whole: bool) -> bool:
    """Whether words in UTF-8 and D floats follow one another up to the end."""
    start = 0
    while start < len(sample) and (blank := sample.find(b" ", start)) >= 0:
        if not sample[start:blank].strip() or not _is_utf8(sample[start:blank]):
            return False
        start = blank + 1 + 4 * D
    return start == len(sample.rstrip(b"\n")) or start == len(sample) or (not whole and start > 0)
