"""Commands that read a file of vectors: neighbours, analogy, export."""

import click

from handgrad.cli.sentences import new_path
from handgrad.word2vec import KeyedVectors

# How save_word2vec_format is called for each format of a single file.
FILE_FORMATS = {
    "word2vec-binary": {"binary": True},
    "word2vec-text": {"binary": False},
    "glove": {"binary": False, "write_header": False},
}

vectors_argument = click.argument("vectors")


@click.command()
@vectors_argument
@click.argument("words", nargs=-1, required=True)
@click.option("--topn", default=10, show_default=True, help="Neighbors to show for each word.")
def neighbours(vectors, words, topn):
    """Print the nearest words to some words.

    For each of WORDS a line: those that are nearest by cosine in the file VECTORS, which is in word2vec's binary or
    text format or in GloVe's, plain or .gz.

    \b
    Example:
      handgrad neighbours runs/text/vectors.bin row left minimum
    """
    print_neighbours(KeyedVectors.load_word2vec_format(vectors), words, topn)


def print_neighbours(vectors, words, topn):
    found = {word: vectors.most_similar(word, topn=topn) for word in words}  # all, before anything is printed
    width = max(map(len, found), default=0)
    for word, near in found.items():
        click.echo(f"{word:>{width}}  " + "  ".join(f"{other} {cosine:.2f}" for other, cosine in near))


@click.command()
@vectors_argument
@click.argument("a")
@click.argument("b")
@click.argument("c")
@click.option("--topn", default=5, show_default=True, help="Answers to show, the best first.")
def analogy(vectors, a, b, c, topn):
    """Complete "A is to B as C is to ...".

    The answers are the words nearest to B - A + C in the file VECTORS.

    \b
    Example:
      handgrad analogy runs/text/vectors.bin row rows column
    """
    answers = KeyedVectors.load_word2vec_format(vectors).analogy(a, b, c, topn=topn)
    click.echo(f"{a} is to {b} as {c} is to")
    for word, cosine in answers:
        click.echo(f"  {word} {cosine:.2f}")


@click.command()
@vectors_argument
@click.argument("output")
@click.option("--format", "kind", required=True, type=click.Choice([*FILE_FORMATS, "projector"]), help="What to write.")
@click.option("--limit", type=int, help="Only so many first, most frequent, words (projector: 3000 if not given).")
def export(vectors, output, kind, limit):
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
    loaded = KeyedVectors.load_word2vec_format(vectors, limit=limit)
    if kind == "projector":
        from handgrad.word2vec.projector import save_projector

        save_projector(loaded, path, **({} if limit is None else {"limit": limit}))
    else:
        loaded.save_word2vec_format(path, **FILE_FORMATS[kind])
    click.echo(f"Saved {loaded} in {path}.")
