"""The texts that commands read, and ``handgrad corpus``, which says what a text is."""

import os
from collections import Counter
from collections.abc import Callable
from typing import get_args

import click

from handgrad import corpora
from handgrad.cli.sentences import new_path
from handgrad.corpora.words import Tokenizer
from handgrad.errors import InputError

# Texts that have a name instead of a path.
NAMED = {"documentation": corpora.documentation, "text8": corpora.text8}


def text_options(command: Callable) -> Callable:
    """``--lowercase`` and ``--tokenize``: what a word of the text is. `open_text` takes them by these names.

    A run that is to be resumed has to store both beside the name of its text: with others the text is another one.
    """
    for option in (
        click.option(
            "--tokenize",
            default="blanks",
            show_default=True,
            type=click.Choice(get_args(Tokenizer)),
            help="What a word is: all between two blanks, as it is written, or, with simple, a run of 2 to 15 "
            "letters in lower case, as gensim's simple_preprocess has it.",
        ),
        click.option("--lowercase/--no-lowercase", default=False, help="Turn all words into lower case."),
    ):
        command = option(command)
    return command


def open_text(name: str | None = None, lowercase: bool = False, tokenize: Tokenizer = "blanks") -> corpora.Corpus:
    """The corpus of a path or a name; None is the documentation. A file of the same name comes before the name.

    The corpus says in ``lowercase`` and ``tokenize`` what its words are.
    """
    if name is None:
        name = "documentation"
    if not name:
        raise InputError("Expected a text file or a directory, but its name is empty: give a path, or nothing at all.")
    if name in NAMED and not os.path.lexists(name):
        return NAMED[name]().with_words(lowercase, tokenize)
    return corpora.open_corpus(name, lowercase, tokenize)


@click.command()
@click.argument("corpus", required=False)
@click.option("--min-count", default=5, show_default=True, help="Words that are rarer are not in the vocabulary.")
@click.option("--top", default=20, show_default=True, type=click.IntRange(min=0), help="Most frequent words to show.")
@click.option("--vocabulary", metavar="FILE", help="Save the words and their counts in a new file (JSON).")
@text_options
def corpus(
    corpus: str | None, min_count: int, top: int, vocabulary: str | None, lowercase: bool, tokenize: Tokenizer
) -> None:
    """Say what a text is: words, vocabulary, digest.

    CORPUS is a UTF-8 text file (.gz and .zip too) with one sentence a line, a directory of such files, or text8, which
    is downloaded once. Words are split at blanks and kept as written, unless --lowercase or --tokenize says otherwise.
    Without CORPUS it is the documentation of the installed numpy, torch, matplotlib, sympy and networkx.

    \b
    Examples:
      handgrad corpus
      handgrad corpus text8
      handgrad corpus text.txt.gz --min-count 10 --vocabulary words.json
    """
    from tqdm import tqdm

    from handgrad.word2vec.text.vocabulary import Vocabulary, check_limits

    check_limits(min_count, None, "drop")
    vocabulary = None if vocabulary is None else new_path(vocabulary)
    text, sentences = open_text(corpus, lowercase, tokenize), 0
    counts: Counter[str] = Counter()
    with tqdm(unit=" words", unit_scale=True, dynamic_ncols=True, desc="counting", leave=False) as bar:
        for words in text:
            counts.update(words)
            sentences += 1
            bar.update(len(words))
    known = Vocabulary(counts, min_count)
    if vocabulary:
        known.save(vocabulary)
    click.echo(text.name)
    click.echo(f"  words       {known.raw_words:,}, of which {len(counts):,} are different")
    click.echo(f"  sentences   {sentences:,}")
    share = known.counts.sum() / known.raw_words
    click.echo(f"  vocabulary  {len(known):,} words that occur at least {min_count} times: {share:.1%} of the text")
    click.echo(f"  digest      sha256:{text.digest}")
    if text.pinned is not None:
        click.echo(f"  pinned      {'yes' if text.pinned else 'no, so it gives other numbers than the book has'}")
    if top:
        frequent = zip(known.index_to_key[:top], known.counts, strict=False)
        click.echo("  frequent    " + "  ".join(f"{word} {count:,}" for word, count in frequent))
    if vocabulary:
        click.echo(f"Saved the vocabulary in {vocabulary}.")
