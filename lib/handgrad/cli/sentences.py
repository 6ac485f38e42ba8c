"""How a command ends when something is wrong: one sentence, and a status that a script can read."""

import os
import re
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

import click

from handgrad.errors import InputError
from handgrad.files import require_folder_for
from handgrad.installing import how_to_install

BAD_INPUT, INTERRUPTED = 2, 128 + signal.SIGINT
# What the extra [word2vec] installs beside click.
EXTRA = {"filelock", "numba", "pooch", "safetensors", "scipy", "tensorboard", "threadpoolctl", "tqdm"}


class BadInput(click.ClickException):
    """One sentence and exit status 2: what was expected, what came, what to do."""

    exit_code = BAD_INPUT


class SentencesInsteadOfTracebacks(click.Group):
    """An InputError is one sentence for the user, and here the whole message. Any other error is ours, and shows."""

    def make_context(self, *arguments, **options):
        for stream in (sys.stdout, sys.stderr):  # a word that the terminal cannot show is no reason to fail
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        with errors_as_sentences():
            return super().make_context(*arguments, **options)

    def invoke(self, context):
        command = self.get_command(context, (context._protected_args or context.args or [""])[0])
        with errors_as_sentences(command), warnings_as_sentences(command), ended_by_sigterm():
            return super().invoke(context)


def with_flags(message: str, command: click.Command | None) -> str:
    """A sentence of the library in one line, with the names of a command's settings as its options are called.

    A name with an underscore is a setting wherever it stands; any other is one where a value comes after it, as in
    "choose engine numpy" or "epochs = 5".
    """
    message = " ".join(message.split())
    for option in command.params if command else []:
        if not isinstance(option, click.Option) or not option.opts or not option.name:
            continue
        flag = max(option.opts, key=len)
        choices = getattr(option.type, "choices", None)
        values = rf"'?(?:{'|'.join(map(re.escape, choices))})\b" if choices else r"['{-]|\d|(?:True|False|true|false)\b"
        before, after = r"(?<![\w./\\'\"-])", r"(?![\w/\\'\"-]|\.\w)"
        if "_" not in option.name:
            after = rf"(?=(?: =| above| at| is|,)? (?:{values}))"
        message = re.sub(f"{before}{option.name}{after}", flag, message)
    return message


@contextmanager
def errors_as_sentences(command: click.Command | None = None):
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise  # its message is the help
    except click.UsageError as error:
        message = " ".join(error.format_message().split())  # click lists choices one a line
        path = error.ctx.command_path if error.ctx else "handgrad"
        raise BadInput(f"{message}{'' if message[-1] in '.?' else '.'} See {path} --help.") from error
    except InputError as error:
        raise BadInput(with_flags(str(error), command)) from error
    except ImportError as error:
        missing = error.name or getattr(error.__cause__, "name", None) or ""
        if missing.partition(".")[0] not in EXTRA:
            raise
        raise BadInput(f"This needs {missing}: {how_to_install('word2vec')}.") from error
    except BrokenPipeError:
        raise  # whoever reads our output has read enough: click ends quietly
    except OSError as error:
        raise BadInput(f"{error.filename or 'A file'}: {error.strerror or error}.") from error
    except MemoryError as error:
        raise BadInput(f"There is not enough memory for this{f': {error}' if str(error) else ''}.") from error
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def warnings_as_sentences(command: click.Command | None = None):
    """A warning is a line for the user too, without the line of code that it comes from."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *place: click.echo(
            f"Warning: {with_flags(str(message), command)}", err=True
        )
        yield


@contextmanager
def ended_by_sigterm():
    """SIGTERM ends a command as Ctrl-C does, so that half-written files are removed. Status 143, as in a shell."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may listen
        yield
        return

    def end(number, frame):
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def new_path(path):
    """A path for something new. What is there already is left as it is."""
    if not path:
        raise InputError("The output has no name: name a new file.")
    if os.path.lexists(path):
        raise InputError(f"The output {path} exists already and is left as it is: name a new one.")
    path = Path(path)
    require_folder_for(path, "output")
    return path
