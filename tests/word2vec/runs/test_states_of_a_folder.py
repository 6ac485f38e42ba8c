"""Every state in which a run's folder can be, whatever is done with it: it works, or the advice that it gives does."""

import json
import re
import shlex
import shutil

import pytest
from click.testing import CliRunner

from handgrad import corpora
from handgrad.cli import main
from handgrad.errors import InputError
from handgrad.word2vec import Callback, Trainer, TrainingConfig
from handgrad.word2vec.runs import run_folder
from handgrad.word2vec.runs.checkpoint import checkpoints

SETTINGS = {"dimension": 4, "subsample": 0.0, "batch_size": 4, "epochs": 2, "report_every_words": 1, "engine": "numpy"}
OFTEN = {"checkpoint_every_words": 12}  # three steps
OPTIONS = [part for name, value in SETTINGS.items() for part in (f"--{name.replace('_', '-')}", str(value))]


class KilledError(BaseException):
    """Stands for kill -9: nothing is tidied up after it."""


class At(Callback):
    def __init__(self, step, error):
        self.at, self.error = step, error

    def on_report(self, trainer):
        if trainer.step == self.at:
            raise self.error


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("one two three four\n" * 30, encoding="utf-8")
    return tmp_path


def fit(*callbacks, patch=None, **changes):
    """A run in the folder "run", in which something happens."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if patch:
            monkeypatch.setattr(*patch)
        try:
            Trainer(TrainingConfig(**SETTINGS | changes), callbacks).fit(corpora.text_file("text.txt"), "run")
        except (KilledError, InputError, OSError, KeyboardInterrupt, RuntimeError) as error:
            return error


def killed(*arguments, **options):
    raise KilledError


def no_room(*arguments, **options):
    raise OSError(28, "No space left on device", "run/loss.csv")


def left_by_kill(here, *names):
    """What kill -9 leaves: no handler has run, so the lock and what was half written are there."""
    for name in (".lock", *names):
        (here / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "run" / name).write_bytes(b"half")


def damage_all(here):
    for path in checkpoints(here / "run" / "checkpoints"):
        (path / "arrays.safetensors").write_bytes(b"")


def kill_at_finish(here):
    fit(patch=(run_folder, "save_projector", killed))


STATES = {
    "not there": lambda here: None,
    "empty": lambda here: (here / "run").mkdir(),
    "killed before run.json": lambda here: left_by_kill(here, "run.json.123.partial"),
    "killed before the first checkpoint": lambda here: (fit(At(3, KilledError())), left_by_kill(here)),
    "killed in its first checkpoint": lambda here: (
        fit(At(3, KilledError())),
        left_by_kill(here, "checkpoints/.unfinished-000000003/arrays.safetensors"),
    ),
    "killed after a checkpoint": lambda here: (fit(At(7, KilledError()), **OFTEN), left_by_kill(here)),
    "killed while it finished": kill_at_finish,
    "a second Ctrl-C before the first checkpoint": lambda here: fit(At(3, KeyboardInterrupt())),
    "failed before the first checkpoint": lambda here: fit(learning_rate=1e20),
    "failed with a checkpoint": lambda here: fit(At(7, RuntimeError("of a callback")), **OFTEN),
    "no room at the start": lambda here: fit(patch=(run_folder.RunFolder, "_write_losses", no_room)),
    "no room in the middle": lambda here: fit(
        patch=(run_folder, "save_checkpoint", no_room), **OFTEN
    ),
    "bad text": lambda here: (
        (here / "text.txt").write_bytes(b"one two three\n" * 9 + b"\xff\n"),
        fit(),
        (here / "text.txt").write_text("one two three four\n" * 30, encoding="utf-8"),
    ),
    "finished": lambda here: fit(),
    "its only checkpoint is damaged": lambda here: (fit(At(4, KilledError()), **OFTEN), damage_all(here)),
    "run.json is damaged": lambda here: (fit(), (here / "run" / "run.json").write_text("{")),
    "somebody else's files": lambda here: ((here / "run").mkdir(), (here / "run" / "mine.txt").write_text("mine")),
    "a file": lambda here: (here / "run").write_text("mine"),
}  # fmt: skip
BLOCKED = {  # where a new run would be the end of something
    "killed after a checkpoint", "killed while it finished", "failed with a checkpoint", "finished",
    "its only checkpoint is damaged", "run.json is damaged", "somebody else's files", "a file",
}  # fmt: skip
NOTHING_TO_RESUME = {
    "not there", "bad text", "run.json is damaged", "somebody else's files", "a file", "its only checkpoint is damaged",
    "finished", "empty", "killed before run.json", "failed before the first checkpoint",
}  # fmt: skip


def command(*arguments):
    result = CliRunner().invoke(main, ["train", *map(str, arguments)])
    assert result.exit_code in (0, 2), result.output
    said = result.stderr.replace("\r", "\n").splitlines()
    return result.exit_code == 0, said[-1] if said else ""


def is_finished(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"] == "finished"


def follow(advice, here):
    """Do what the sentence says, each thing that it offers, on a copy of what is there."""
    followed = []
    again = ("text.txt", *OPTIONS)
    ways = {
        "new folder": (*again, "--output", "new"),
        "without resume, in a new folder": (*again, "--output", "new"),
        r"resume the run that is in it(?! with)": ("--resume", "--output", "run"),
        "with more epochs|give epochs above 2|give --epochs above 2": ("--resume", "--output", "run", "--epochs", 5),
        "choose a --learning-rate below": ("--resume", "--output", "run", "--learning-rate", 0.025),
        "Give the corpus and the settings again": (*again, "--resume", "--output", "run"),
    }
    for words, arguments in ways.items():
        if re.search(words, advice):
            works, said = command(*arguments)
            assert works, (advice, shlex.join(map(str, arguments)), said)
            assert is_finished(here / ("new" if "new" in arguments else "run"))
            followed.append(words)
            shutil.rmtree(here / "new", ignore_errors=True)
    return followed


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("way", ["again", "resume"])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "default:.*is damaged")
def test_it_works_or_its_advice_does(here, state, way):
    STATES[state](here)
    if way == "again":
        works, said = command("text.txt", *OPTIONS, "--output", "run")
        assert works == (state not in BLOCKED), said
    else:
        works, said = command("--resume", "--output", "run")
        assert works == (state not in NOTHING_TO_RESUME), said
    if works:
        assert is_finished(here / "run")
        return
    assert said.startswith("Error: ") and said[-1] in ".?"
    if state == "killed after a checkpoint" or state == "failed with a checkpoint":
        assert follow(said, here) == ["new folder", "resume the run that is in it(?! with)"]
    else:
        assert follow(said, here), said
