"""The command ``handgrad``: train word vectors, look at them, judge them, hand them on."""

import signal
import sys

try:
    import click

    from handgrad import __version__
    from handgrad.cli.evaluation import evaluate
    from handgrad.cli.sentences import SentencesInsteadOfTracebacks
    from handgrad.cli.texts import corpus
    from handgrad.cli.training import train
    from handgrad.cli.vectors import analogy, export, neighbours
except ImportError as error:
    if error.name != "click":
        raise
    from handgrad.installing import how_to_install

    print(f"The handgrad command needs click: {how_to_install('word2vec')}", file=sys.stderr)
    sys.exit(2)
except KeyboardInterrupt:  # while modules are read, which takes seconds the first time
    print("Stopped.", file=sys.stderr)
    sys.exit(128 + signal.SIGINT)


@click.group(cls=SentencesInsteadOfTracebacks, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="handgrad")
def main():
    """Word vectors with gradients by hand.

    \b
    Examples:
      handgrad train text.txt.gz --output runs/text
      handgrad neighbours runs/text/vectors.bin row left minimum
      handgrad analogy runs/text/vectors.bin row rows column
    """


for command in (train, corpus, evaluate, neighbours, analogy, export):
    main.add_command(command)
main.add_command(neighbours, name="neighbors")  # both spellings
