"""``handgrad train``: from a text to word vectors. Its options are made from TrainingConfig."""

import os
import shlex
import tomllib
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click
import numpy as np
from click.core import ParameterSource

from handgrad.cli.sentences import INTERRUPTED, BadInput, with_flags
from handgrad.cli.texts import NAMED, open_text, text_options
from handgrad.cli.vectors import print_neighbours
from handgrad.corpora.words import Tokenizer
from handgrad.errors import InputError
from handgrad.files import KindError, opened_text
from handgrad.installing import this_command
from handgrad.word2vec import KeyedVectors, Trainer, TrainingConfig
from handgrad.word2vec.config import SettingError, UnknownSettingError, choices_of
from handgrad.word2vec.peers import NAMES_OF_PEERS

ALIKE = 0.99  # a cosine from which on words cannot be told apart
OTHER_NAMES = {  # of arguments that are no settings: in word2vec.c, fastText, GloVe and gensim
    **dict.fromkeys(["train", "input", "corpus_file", "sentences"], "CORPUS, without a name"),
    **dict.fromkeys(["binary", "save_vocab"], "a command of its own, handgrad export or handgrad corpus"),
    "save": "--output",
}
WORDS = ("lowercase", "tokenize")  # what a word of the text is
DOCUMENTATION_WORDS = ("row", "left", "minimum", "float32", "sin")


def setting_options(command):
    """An option for each field of TrainingConfig, with the field's own help, choices and default."""
    for each in reversed(fields(TrainingConfig)):
        command = _option(each)(command)
    return command


def _option(each):
    name, described = each.name.replace("_", "-"), {"help": each.metadata["help"], "show_default": True}
    if each.type is dict:
        return click.option(f"--{name}", multiple=True, metavar="NAME=NUMBER", callback=_numbers_by_name, **described)
    if each.type is bool:
        return click.option(f"--{name}/--no-{name}", default=each.default, **described)
    choices = choices_of(each)
    kind = click.Choice(choices) if choices else each.type
    return click.option(f"--{name}", default=each.default, type=kind, **described)


def _numbers_by_name(context, parameter, values):
    """("noise=7", "init=3") becomes {"noise": 7, "init": 3}."""
    numbers = {}
    for value in values:
        name, _, number = value.partition("=")
        if not number.isdecimal():
            raise click.BadParameter(f"{value!r} is not a name and a whole number, such as noise=7.")
        numbers[name] = int(number)
    return numbers


class NamesOfPeers(click.Command):
    """Options of gensim and word2vec.c, with one dash or two, are answered with what they are called here."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        given = list(arguments)
        try:
            return super().parse_args(context, arguments)
        except click.NoSuchOption as error:
            for argument in given:
                if argument.startswith("-") and (hint := self._hint(argument.partition("=")[0])):
                    raise click.UsageError(hint, context) from error
            raise

    def _hint(self, option: str) -> str:
        name = option.lstrip("-").replace("-", "_")
        own = {each.name: max(each.opts, key=len) for each in self.params if isinstance(each, click.Option)}
        if name in own:
            return "" if option.startswith("--") else f"No such option: {option}. Write {own[name]}, with two dashes."
        if name in OTHER_NAMES:
            return f"No such option: {option}. Here it is {OTHER_NAMES[name]}."
        field, *more = NAMES_OF_PEERS.get(name, "").partition(",")
        return f"No such option: {option}. Here it is {own[field]}{''.join(more)}." if field else ""


@click.command(cls=NamesOfPeers)
@click.argument("corpus", required=False)
@click.option(
    "--output", metavar="DIR", help="A new folder for the vectors, and for all that tells how they were made."
)
@click.option("--config", metavar="FILE", help="Settings in TOML, with TrainingConfig's names; corpus and output too.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run in --output, which was stopped; or with one that is finished, if --epochs are more.",
)
@text_options
@setting_options
@click.pass_context
def train(context, config, resume, **others):
    """Train word vectors on a text.

    CORPUS is a UTF-8 text file (.gz and .zip too) with one sentence a line, a directory of such files, or text8, which
    is downloaded once. Words are split at blanks and kept as written, unless --lowercase or --tokenize says otherwise.
    Without CORPUS it is the documentation of the installed numpy, torch, matplotlib, sympy and
    networkx.

    Settings come from the command line, then from the file of --config, then, with --resume, from the run that is
    resumed, and else they are the defaults, which are word2vec's.

    \b
    Examples:
      handgrad train
      handgrad train text.txt.gz --output runs/text --model cbow --dimension 200 --window 8
      handgrad train --config settings.toml --epochs 1
      handgrad train --resume --output runs/text
      handgrad train --resume --output runs/text --epochs 10
      handgrad train more.txt --output runs/more --begin-from runs/text
    """
    given = {name: context.params[name] for name in others if _is_given(context, name)}
    settings = _all_settings(given, config, resume)
    corpus, output = settings.pop("corpus", None), settings.pop("output", None)
    words = {name: settings.pop(name) for name in WORDS if name in settings}
    trainer = Trainer(_configuration(context, settings, given, config))
    trainer.worded = partial(with_flags, command=context.command)
    if output:
        _require_apart(output, corpus)
    text = open_text(corpus, **words)
    if output is None:
        click.echo("training: nothing will be saved; to keep the vectors, give --output DIR.", err=True)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # where numbers grow too large, the trainer says it better
            vectors = trainer.fit(text, output, resume, progress=True)
    except (KeyboardInterrupt, SystemExit) as end:  # Ctrl-C and SIGTERM
        if trainer.processes.rank == 0:  # one speaks for all
            click.echo(_how_far(trainer, output, resume), err=True)
        raise SystemExit(INTERRUPTED if isinstance(end, KeyboardInterrupt) else end.code) from None
    if trainer.processes.rank == 0:
        _report(trainer, text, vectors, output)


def _configuration(
    context: click.Context, settings: dict[str, Any], given: dict[str, Any], file: str | None
) -> TrainingConfig:
    """The settings as a configuration. What is wrong has the name that it was given: that of an option, or of a key."""
    try:
        return TrainingConfig.from_dict(settings)
    except UnknownSettingError as error:  # of a file: click has refused other options
        where = file if file is not None and error.name in read_settings(file) else "run.json"
        raise BadInput(" ".join(f"{where}: {error}".split())) from error
    except SettingError as error:
        if file is None or error.name in given or error.name not in read_settings(file):
            flag = "--" + error.name.replace("_", "-")
            message = f"handgrad train expects {flag}{error.expected}"
            raise BadInput(with_flags(message, context.command)) from error
        raise BadInput(" ".join(f"{file}: {error}".split())) from error


def _is_given(context, name):
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _all_settings(given, config, resume):
    """The given settings, and behind them those of the TOML file, and those of the run that is resumed."""
    settings = given if config is None else _joined(read_settings(config), given)
    if resume:
        settings = _joined(settings_of_the_run(settings.get("output"), settings), settings)
    return settings


def _joined(before, after):
    """Settings and those that win over them. Seeds are joined one by one: each is a setting of its own."""
    joined = before | after
    if isinstance(before.get("seeds"), dict) and isinstance(after.get("seeds"), dict):
        joined["seeds"] = before["seeds"] | after["seeds"]
    return joined


def read_settings(path):
    """The settings in a TOML file, those of TrainingConfig unchecked; corpus, output and what a word is."""
    try:
        with opened_text(path, "settings in TOML", newline="") as file:  # TOML has rules of its own for line ends
            settings = tomllib.loads(file.read().replace("\r\n", "\n"))
    except KindError:
        raise
    except OSError as error:
        raise InputError(f"The settings {path} could not be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:  # no TOML, or no UTF-8; or a thousand brackets
        raise InputError(f"{path} is not a TOML file: {' '.join(str(error).split())}.") from error
    for name in ("corpus", "output"):
        if name in settings and (not isinstance(settings[name], str) or "\0" in settings[name]):
            raise InputError(f"{path}: {name} is a path, but got {settings[name]!r}.")
    if not isinstance(settings.get("lowercase", False), bool):
        raise InputError(f"{path}: lowercase is true or false, but got {settings['lowercase']!r:.80}.")
    if settings.get("tokenize", "blanks") not in get_args(Tokenizer):
        raise InputError(
            f"{path}: tokenize is one of {', '.join(get_args(Tokenizer))}, but got {settings['tokenize']!r:.80}."
        )
    return settings


def settings_of_the_run(output, given):
    """The settings and the corpus of the run in a folder, from its run.json."""
    from handgrad.word2vec.runs.run_folder import read_run

    if output is None:
        raise InputError("A run is resumed from its folder: name it with --output DIR.")
    earlier = read_run(Path(output))
    if not earlier and "corpus" not in given:  # killed before it could say what it was
        raise InputError(f"There is no run to resume in {output}: it is empty. Give the corpus and the settings again.")
    if not earlier:
        return {}
    if not isinstance(earlier.get("corpus"), str) and "corpus" not in given:
        raise InputError(f"The run in {output} does not say which text it learned from: give CORPUS too.")
    text = _text_of_the_run(earlier)
    if "corpus" not in given and text not in NAMED and not os.path.lexists(text):
        raise InputError(
            f"The text of the run in {output} is gone, there is no {text}: give CORPUS too, the same text where it is "
            "now."
        )
    return earlier["config"] | {
        "corpus": text,
        "lowercase": earlier.get("lowercase") is True,
        "tokenize": "simple" if earlier.get("tokenize") == "simple" else "blanks",
    }


def _text_of_the_run(earlier: dict[str, Any]) -> str | None:
    """Where its text is: at the path that it was read from, or if that is gone, at the path as it was given.

    Whether it is still the same text, its digest decides.
    """
    name, path = earlier.get("corpus"), earlier.get("corpus_path")
    if isinstance(path, str) and "\0" not in path and (os.path.lexists(path) or not os.path.lexists(name or "")):
        return path
    return name


def _require_apart(output, corpus):
    """The files of a run must not become a part of the text that it learns from, which a resume would read."""
    if corpus and Path(corpus).is_dir() and Path(output).resolve().is_relative_to(Path(corpus).resolve()):
        raise InputError(f"The output {output} is inside the directory of texts {corpus}: name a folder elsewhere.")


def _report(trainer, text, vectors, output):
    """What there is to know when a run has ended."""
    click.echo(f"{trainer.vocabulary}, {trainer.words_per_second:,.0f} raw words/s")
    if output:
        file = shlex.quote(str(trainer.folder.vectors))
        click.echo(f"Saved in {output}. Look further with: {this_command()} neighbours {file} WORD ...")
    else:
        click.echo("The vectors were not saved: give --output DIR to keep them.")
    words = DOCUMENTATION_WORDS if text.name == "documentation" else vectors.index_to_key[100:600:100]
    known = [word for word in words if word in vectors]
    shown = known or vectors.index_to_key[:3]
    print_neighbours(vectors, shown, topn=5)
    if _are_alike(vectors, shown):
        click.echo(
            "All cosines are about 1: so far the vectors have learned little more than what all words have in common. "
            f"A text of {trainer.vocabulary.raw_words:,} words wants more --epochs than {trainer.config.epochs}, "
            f"{_enough_epochs(trainer)} for instance, or give a larger text."
        )


def _are_alike(vectors: KeyedVectors, words: list[str]) -> bool:
    cosines = [cosine for word in words for _, cosine in vectors.most_similar(word, topn=5)]
    return bool(cosines) and min(cosines) > ALIKE


def _enough_epochs(trainer: Trainer) -> int:
    """So many that a few million words are read; and ten times as many as were too few, at least."""
    return max(10 * trainer.config.epochs, -(-3_000_000 // max(trainer.vocabulary.raw_words, 3000)))


def _how_far(trainer, output, resume):
    """What to say when a run was stopped: how far it came, what is left of it, and how to go on."""
    if not trainer.has_text:
        kept = f"The run in {output} is as it was." if resume else "Nothing was saved."
        return f"Stopped while the text was being read. {kept}"
    if output and not trainer.folder.description.exists():  # it had not begun to be written down
        return "Stopped before the first step. Nothing was saved."
    came = f"Stopped after {trainer.raw_words:,} words, {trainer.share:.0%} of the run."
    if not output:
        return f"{came} Nothing was saved: give --output DIR to keep a run."
    from handgrad.word2vec.runs.checkpoint import checkpoints

    kept = checkpoints(trainer.folder.checkpoints)
    if kept and trainer.config.checkpoint_scope:
        return (
            f"{came} What is in {trainer.config.checkpoint_scope!r} was kept in {kept[-1]}; no run can go on from it."
        )
    what = f"The checkpoint {kept[-1]} was kept" if kept else "There was no checkpoint yet"
    program = this_command() if trainer.processes.count == 1 else "torchrun ... -m handgrad.cli"
    command = f"{program} train --resume --output {shlex.quote(str(output))}"
    return f"{came} {what}; go on with: {command}"
