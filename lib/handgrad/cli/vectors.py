"""Commands that read a file of vectors: neighbours, analogy, export."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from handgrad.cli.sentences import new_path
from handgrad.word2vec import KeyedVectors
from handgrad.word2vec.vectors.vector_files import Mending

# How save_word2vec_format is called for each format of a single file.
FILE_FORMATS: dict[str, dict[str, Any]] = {
    "word2vec-binary": {"binary": True},
    "word2vec-text": {"binary": False},
    "glove": {"binary": False, "write_header": False},
}


def reads_vectors(command: Callable) -> Callable:
    """Give a command the argument VECTORS and how to read it, and hand it what ``loaded`` takes."""
    command = click.option(
        "--unicode-errors",
        type=click.Choice(["strict", "replace", "ignore"]),
        help="What to do with a word that is not UTF-8: refuse it, mend it or leave out what is wrong in it.  "
        "[default: mend it and warn]",
    )(command)
    return click.argument("vectors")(command)


def loaded(vectors: str, unicode_errors: Mending | None, limit: int | None = None) -> KeyedVectors:
    return KeyedVectors.load_word2vec_format(vectors, unicode_errors=unicode_errors, limit=limit)


@click.command()
@reads_vectors
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--topn", default=10, show_default=True, type=click.IntRange(min=1), help="Neighbors to show for each word."
)
def neighbours(vectors: str, words: Sequence[str], topn: int, unicode_errors: Mending | None) -> None:
    """Print the nearest words to some words.

    For each of WORDS a line: those that are nearest by cosine in the file VECTORS, which is in word2vec's binary or
    text format or in GloVe's, plain or .gz. The folder of a run stands for its vectors.bin.

    \b
    Example:
      handgrad neighbours runs/text/vectors.bin row left minimum
    """
    print_neighbours(loaded(vectors, unicode_errors), words, topn)


def print_neighbours(vectors: KeyedVectors, words: Sequence[str], topn: int) -> None:
    found = {word: vectors.most_similar(word, topn=topn) for word in words}  # all, before anything is printed
    width = max(map(len, found), default=0)
    for word, near in found.items():
        click.echo(f"{word:>{width}}  " + "  ".join(f"{other} {cosine:.2f}" for other, cosine in near))


@click.command()
@reads_vectors
@click.argument("a")
@click.argument("b")
@click.argument("c")
@click.option(
    "--topn", default=5, show_default=True, type=click.IntRange(min=1), help="Answers to show, the best first."
)
def analogy(vectors: str, a: str, b: str, c: str, topn: int, unicode_errors: Mending | None) -> None:
    """Complete "A is to B as C is to ...".

    The answers are the words nearest to B - A + C in the file VECTORS.

    \b
    Example:
      handgrad analogy runs/text/vectors.bin row rows column
    """
    answers = loaded(vectors, unicode_errors).analogy(a, b, c, topn=topn)
    click.echo(f"{a} is to {b} as {c} is to")
    for word, cosine in answers:
        click.echo(f"  {word} {cosine:.2f}")


@click.command()
@reads_vectors
@click.argument("output")
@click.option("--format", "kind", required=True, type=click.Choice([*FILE_FORMATS, "projector"]), help="What to write.")
@click.option("--limit", type=int, help="Only so many first, most frequent, words (projector: 3000 if not given).")
def export(vectors: str, output: str, kind: str, limit: int | None, unicode_errors: Mending | None) -> None:
    """Write word vectors in another format.

    VECTORS is a file of vectors, and OUTPUT a new one, compressed if its name ends in .gz. For TensorBoard's projector
    OUTPUT is a new folder, to look at with: tensorboard --logdir OUTPUT

    \b
    Examples:
      handgrad export runs/text/vectors.bin vectors.txt --format word2vec-text
      handgrad export runs/text/vectors.bin glove.txt.gz --format glove --limit 10000
      handgrad export runs/text/vectors.bin projector --format projector
    """
    path = new_path(output)
    some = loaded(vectors, unicode_errors, limit)
    if kind == "projector":
        from handgrad.word2vec.vectors.projector import LABELS, save_projector

        save_projector(some, path, limit=LABELS if limit is None else limit)
    else:
        some.save_word2vec_format(path, **FILE_FORMATS[kind])
    click.echo(f"Saved {some} in {path}.")
