"""The command ``handgrad``: train word vectors, and look at the neighbors of words."""

import csv
import json
import sys
from dataclasses import fields
from pathlib import Path

try:
    import click
    from tqdm import tqdm
except ImportError as error:
    print(f"The handgrad command needs {error.name}: pip install 'handgrad[word2vec]'", file=sys.stderr)
    sys.exit(2)

from handgrad import __version__, corpora
from handgrad.errors import InputError
from handgrad.word2vec import KeyedVectors, Trainer, TrainingConfig

DOCUMENTATION_WORDS = ("row", "left", "minimum", "float32", "sin")
DEFAULTS = {field.name: field.default for field in fields(TrainingConfig)}


class BadInput(click.ClickException):
    """One sentence and exit status 2: what was expected, what came, what to do."""

    exit_code = 2


class SentencesInsteadOfTracebacks(click.Group):
    """An InputError is one sentence for the user, and here the whole message. Any other error is ours, and shows."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except InputError as error:
            raise BadInput(str(error)) from error
        except BrokenPipeError:
            raise  # whoever reads our output has read enough: click ends quietly
        except OSError as error:
            raise BadInput(f"{error.filename or 'A file'}: {error.strerror or error}.") from error
        except MemoryError as error:
            raise BadInput(f"There is not enough memory for this: {error}.") from error


@click.group(cls=SentencesInsteadOfTracebacks, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="handgrad")
def main():
    """Word vectors with gradients by hand."""


def option(name, help):
    """An option of ``train`` for the field of TrainingConfig with the same name, and with its default."""
    default = DEFAULTS[name.removeprefix("--").replace("-", "_")]
    return click.option(name, default=default, show_default=True, type=type(default), help=help)


@main.command()
@click.argument("corpus", required=False)
@click.option("--output", metavar="DIR", help="A new folder for vectors.bin, loss.csv and run.json.")
@option("--dimension", "Numbers in a vector.")
@option("--window", "Words to each side, at most.")
@option("--negatives", "Noise words for each outside word.")
@option("--epochs", "Passes over the text.")
@option("--min-count", "Rarer words get no vector.")
@option("--subsample", "Thin out words above this share of the text; 0 keeps all.")
@option("--learning-rate", "At the start; it falls to almost 0.")
@option("--seed", "The same seed gives the same vectors.")
def train(corpus, output, **settings):
    """Train skip-gram with negative sampling on CORPUS, a UTF-8 text file (.gz too), one sentence a line.

    Without CORPUS, the text is the documentation of the installed numpy, torch, matplotlib, sympy and networkx.

    \b
    Examples:
      handgrad train
      handgrad train text.txt.gz --output runs/text --dimension 100 --epochs 5
    """
    config = TrainingConfig(**settings)
    sentences = corpora.documentation() if corpus is None else corpora.text_file(corpus)
    folder = None if output is None else new_folder(output)
    trainer = Trainer(config)
    with tqdm(unit=" words", unit_scale=True, dynamic_ncols=True, desc="reading") as bar:

        def report(words, loss):
            if bar.total is None:
                bar.reset(total=trainer.vocabulary.raw_words * config.epochs)
                bar.set_description("training")
            bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            bar.update(words)

        try:
            vectors = trainer.fit(sentences, report)
        except BaseException as error:
            bar.close()
            if folder:
                folder.rmdir()  # still empty
            if isinstance(error, KeyboardInterrupt):
                click.echo(f"Stopped after {bar.n:,} of {bar.total or 0:,} words. Nothing was saved.", err=True)
                raise SystemExit(130) from None
            raise
    click.echo(f"{trainer.vocabulary}, {trainer.words_per_second:,.0f} raw words/s")
    if folder:
        save(folder, trainer, vectors, corpus)
        click.echo(f"Saved in {folder}. Look further with: handgrad neighbours {folder / 'vectors.bin'} WORD ...")
    else:
        click.echo("The vectors were not saved: give --output DIR to keep them.")
    words = DOCUMENTATION_WORDS if corpus is None else vectors.index_to_key[100:600:100]
    print_neighbours(vectors, [word for word in words if word in vectors], topn=5)


@main.command()
@click.argument("vectors", type=click.Path())
@click.argument("words", nargs=-1, required=True)
@click.option("--topn", default=10, show_default=True, help="Neighbors to show for each word.")
@click.option("--text", is_flag=True, help="VECTORS is in word2vec's text format, not binary.")
def neighbours(vectors, words, topn, text):
    """Print the nearest words to each of WORDS, by cosine, in the file VECTORS.

    \b
    Example:
      handgrad neighbours runs/text/vectors.bin row left minimum
    """
    print_neighbours(KeyedVectors.load_word2vec_format(vectors, binary=not text), words, topn)


main.add_command(neighbours, name="neighbors")  # both spellings


def print_neighbours(vectors, words, topn):
    found = {word: vectors.most_similar(word, topn=topn) for word in words}  # all, before anything is printed
    width = max(map(len, found), default=0)
    for word, near in found.items():
        click.echo(f"{word:>{width}}  " + "  ".join(f"{other} {cosine:.2f}" for other, cosine in near))


def new_folder(path):
    """Make the folder of a run before hours of work depend on it. One that holds anything is refused."""
    if not path:
        raise InputError("The output folder has no name: give --output DIR.")
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"The output {folder} exists already and is left as it is: name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save(folder, trainer, vectors, corpus):
    vectors.save_word2vec_format(folder / "vectors.bin")
    with open(folder / "loss.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("raw_words", "loss_per_pair"), *trainer.losses])
    run = {"corpus": str(corpus or "documentation"), "handgrad": __version__, **trainer.describe()}
    (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
