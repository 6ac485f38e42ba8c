"""The command line: what it prints and writes, and how it ends. What is bad input, and its sentences: test_bad_inputs.

Where a process is ended by a signal, it is a real one.
"""

import functools
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from dataclasses import fields

import numpy as np
import pytest
from click.testing import CliRunner

from handgrad import corpora
from handgrad.cli import main
from handgrad.cli.sentences import with_flags
from handgrad.installing import how_to_install
from handgrad.word2vec import KeyedVectors, TrainingConfig, Vocabulary
from handgrad.word2vec.config import choices_of
from handgrad.word2vec.engines.numpy_engine import NumPyEngine
from handgrad.word2vec.runs.checkpoint import checkpoints
from handgrad.word2vec.vectors import evaluation

SMALL = ("--dimension", 8, "--epochs", 2, "--subsample", 0, "--batch-size", 16, "--engine", "numpy")


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat\nthe dog sat on the rug\n" * 50, encoding="utf-8")
    return path


@pytest.fixture
def four_words(tmp_path):
    path = tmp_path / "four.bin"
    vectors = KeyedVectors(["north", "south", "up", "down"], [[1.0, 0.2, 0], [-1, 0.2, 0], [1, 0, 0.3], [-1, 0, 0.3]])
    vectors.save_word2vec_format(path, binary=True)
    return path


def read_run(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


# train


def test_train_writes_a_folder_that_neighbours_reads(run, text, tmp_path):
    folder = tmp_path / "runs" / "first"
    result = run("train", text, "--output", folder, *SMALL)
    assert result.exit_code == 0, result.output
    assert "Vocabulary(7 words" in result.output and "raw words/s" in result.output
    assert f"Saved in {folder}" in result.output
    assert {p.name for p in folder.iterdir()} == {"loss.csv", "run.json", "vectors.bin", "checkpoints", "tensorboard"}
    vectors = KeyedVectors.load_word2vec_format(folder / "vectors.bin")
    assert len(vectors) == 7 and vectors.vector_size == 8
    described = read_run(folder)
    assert described["corpus"] == str(text) and described["config"]["epochs"] == 2
    assert described["text"]["words"] == 600 and described["raw_words_per_second"] > 0
    lines = (folder / "loss.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("raw_words,loss_per_pair") and lines[-1].startswith("1200,")
    nearest = vectors.most_similar(vectors.index_to_key[0], topn=5)
    assert f"{vectors.index_to_key[0]}  {nearest[0][0]} {nearest[0][1]:.2f}" in result.output

    for command in ("neighbours", "neighbors"):
        result = run(command, folder / "vectors.bin", "cat", "dog", "--topn", 2)
        assert result.exit_code == 0
        rows = result.output.splitlines()
        assert [row.split()[0] for row in rows] == ["cat", "dog"]
        assert all(len(row.split()) == 5 for row in rows)


def test_the_example_of_the_manual_works_as_it_is_written(run, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = (
        "train text.txt --output DIR --model skipgram --objective negative-sampling --dimension 100 --window 5 "
        "--negatives 5 --epochs 5 --min-count 5 --subsample 1e-3 --threads 2 --seed 1"
    )
    text.write_text("".join(f"word{i % 37} word{i % 41} word{i % 29} word{i % 31}\n" for i in range(2000)))
    result = run(*line.split())
    assert result.exit_code == 0, result.output
    assert read_run(tmp_path / "DIR")["config"] == TrainingConfig(threads=2).to_dict()


OTHER_VALUES = {
    "seeds": {"noise": 7, "init": 3},
    "model": "cbow",
    "held_out": 20,
    "checkpoint_scope": "embed",
    "begin_from": "runs/text",
}
APART = {  # fields that do not go with all the others at once
    "num_skips": {"num_skips": 2, "batch_size": 64, "subsample": 0.0, "dynamic_window": False},
    "update": {"update": "pair"},
    "max_vocabulary": {"max_vocabulary": 5},
    "device": {"device": "cpu", "engine": "torch"},
    "examples_on": {"examples_on": "host", "engine": "torch"},
    "max_repeats": {"max_repeats": 8, "engine": "torch"},
    "sync_every": {"sync_every": 8, "engine": "torch"},
}


def another_value(each):
    """A value that is not the default of a field."""
    if each.name in OTHER_VALUES:
        return OTHER_VALUES[each.name]
    if choices := choices_of(each):
        return next(choice for choice in choices if choice != each.default)
    if each.type is bool:
        return not each.default
    return each.type(each.default / 2) if each.type is float else each.default + 1


def as_options(settings):
    for name, value in settings.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            yield f"--{option}" if value else f"--no-{option}"
        elif isinstance(value, dict):
            yield from (part for key, seed in value.items() for part in (f"--{option}", f"{key}={seed}"))
        else:
            yield from (f"--{option}", str(value))


def as_toml(settings):
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items() if name != "seeds") + "".join(
        f"[{name}]\n" + "".join(f"{key} = {seed}\n" for key, seed in value.items())
        for name, value in settings.items()
        if name == "seeds"
    )


@pytest.mark.parametrize("way", ["options", "toml"])
@pytest.mark.parametrize("name", [each.name for each in fields(TrainingConfig)])
def test_every_field_can_be_set(run, tmp_path, name, way, monkeypatch):
    """Each setting arrives at the trainer, from an option and from a file, and nothing else is changed."""
    seen = []

    def fit(self, corpus, *arguments, **options):
        seen.append(self.config)
        raise KeyboardInterrupt

    monkeypatch.setattr("handgrad.word2vec.Trainer.fit", fit)
    (tmp_path / "text.txt").write_text("a b\n", encoding="utf-8")
    each = next(field for field in fields(TrainingConfig) if field.name == name)
    settings = APART.get(name, {name: another_value(each)})
    if way == "toml":
        (tmp_path / "settings.toml").write_text(as_toml(settings), encoding="utf-8")
        result = run("train", tmp_path / "text.txt", "--config", tmp_path / "settings.toml")
    else:
        result = run("train", tmp_path / "text.txt", *as_options(settings))
    assert result.exit_code == 130, result.output
    assert getattr(seen[0], name) != getattr(TrainingConfig(), name)
    assert seen[0] == TrainingConfig(**settings)


def test_the_command_line_wins_over_the_file_and_seeds_are_joined(run, text, tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'corpus = "{text}"\noutput = "{tmp_path / "from_file"}"\ndimension = 4\nepochs = 1\nsubsample = 0\n'
        "[seeds]\nnoise = 7\ninit = 1\n",
        encoding="utf-8",
    )
    assert run("train", "--config", settings, "--dimension", 6, "--seeds", "init=2").exit_code == 0
    told = read_run(tmp_path / "from_file")
    assert told["corpus"] == str(text) and told["config"]["epochs"] == 1
    assert told["config"]["dimension"] == 6 and told["config"]["seeds"] == {"noise": 7, "init": 2}
    assert run("train", "--config", settings, "--output", tmp_path / "other").exit_code == 0
    assert (tmp_path / "other" / "vectors.bin").exists()


def test_every_option_explains_itself_and_says_its_default(run):
    shown = " ".join(run("train", "--help").output.split())
    for each in fields(TrainingConfig):
        assert f"--{each.name.replace('_', '-')}" in shown
        words = [re.sub(r"-\s+", "-", each.metadata["help"]), shown.replace("- ", "-")]
        assert words[0].replace("- ", "-")[:40] in words[1]
    assert "[default: 0.025]" in shown and "[default: negative-sampling]" in shown


def test_a_setting_that_an_engine_would_ignore_is_one_sentence(run, text, tmp_path):
    result = run("train", text, "--engine", "compiled", "--batch-size", 32)
    assert result.exit_code == 2 and result.output.splitlines()[-1] == (
        "Error: The compiled engine ignores --batch-size = 32: it learns pieces of the text, where batches are for "
        "--engine numpy or torch. Leave it at 64."
    )
    settings = ("--engine", "torch", "--device", "cpu", "--sync-every", 8)
    result = run("train", text, *settings, "--output", tmp_path / "run")
    assert result.exit_code == 2 and "ignores --sync-every = 8: this process is alone" in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "said, meant",
    [
        ("dimension = 100, not", "--dimension = 100, not"),
        ("got epochs 12 and max_steps 0", "got --epochs 12 and --max-steps 0"),
        ("subsample = 1e-05", "--subsample = 1e-05"),
        ("keep = -20", "--keep = -20"),
        ("give epochs above 12.", "give --epochs above 12."),
        ("device = 'auto'", "--device = 'auto'"),
        ("seeds = {'noise': 3}", "--seeds = {'noise': 3}"),
        ("choose engine numpy, a compiled engine is faster", "choose --engine numpy, a compiled engine is faster"),
        ("the window of a text in window.txt, 'epochs 3'", "the window of a text in window.txt, 'epochs 3'"),
    ],
)
def test_a_setting_beside_its_value_is_called_as_its_option(said, meant):
    assert with_flags(said, main.commands["train"]) == meant


def test_without_output_it_says_that_nothing_was_kept(run, text):
    assert "not saved: give --output" in run("train", text, *SMALL).output


@pytest.mark.parametrize("kind", ["gz", "folder"])
def test_other_kinds_of_text_are_read(run, tmp_path, kind):
    if kind == "gz":
        (path := tmp_path / "text.gz").write_bytes(gzip.compress(b"one two three four\n" * 20))
    else:
        (path := tmp_path / "texts").mkdir()
        (path / "a.txt").write_bytes(b"one two three four\n" * 20)
    assert "4 words" in run("train", path, *SMALL).output


def test_a_name_is_a_text_unless_there_is_a_file_of_that_name(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    builtin = corpora.Corpus("text8", lambda: iter([["one", "two"]] * 9), pinned=True)
    monkeypatch.setitem(sys.modules["handgrad.cli.texts"].NAMED, "text8", lambda: builtin)
    assert "of which 2 are different" in run("corpus", "text8").output
    (tmp_path / "text8").write_text("here is mine\n" * 9, encoding="utf-8")
    assert "of which 3 are different" in run("corpus", "text8").output


def test_a_line_of_ten_megabytes_is_a_text_like_others(run, tmp_path):
    (tmp_path / "line.txt").write_text("to be or not to be " * 530_000, encoding="utf-8")
    result = run("corpus", tmp_path / "line.txt")
    assert result.exit_code == 0 and "words       3,180,000, of which 4 are different" in result.output


# how it ends


def started(*arguments, until, cwd=None):
    """The command in a process of its own, when it has written so much on its standard error."""
    process = subprocess.Popen(
        [sys.executable, "-m", "handgrad.cli", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=cwd,
    )
    written = b""
    while until not in written and (piece := os.read(process.stderr.fileno(), 4096)):
        written += piece
    assert until in written, written.decode()
    return process


def ended(process):
    _, err = process.communicate(timeout=60)
    return process.returncode, err.decode().replace("\r", "\n").splitlines()[-1]


def write_long_text(folder):
    (folder / "long.txt").write_text(
        "".join(f"word{i % 97} word{i % 89} word{i % 83} word{i % 79}\n" for i in range(20_000)), encoding="utf-8"
    )
    return "long.txt"


@pytest.fixture
def long_text(tmp_path):
    return write_long_text(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A function that trains on the long text with some settings: the folder, once for the same settings."""

    @functools.cache
    def train(*settings):
        folder = tmp_path_factory.mktemp("whole")
        text = folder / write_long_text(folder)
        done = CliRunner().invoke(main, ["train", str(text), "--output", str(folder / "run"), *map(str, settings)])
        assert done.exit_code == 0, done.output
        return folder / "run"

    return train


@pytest.mark.parametrize("engine, epochs", [("numpy", 3), ("compiled", 60)])
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_how_to_go_on_and_ends_with_the_same_bits(
    long_text, whole, tmp_path, number, status, engine, epochs
):
    settings = ("--dimension", 20, "--epochs", epochs, "--seeds", "noise=7", "--engine", engine)
    process = started("train", long_text, "--output", "my run", *settings, until=b"loss", cwd=tmp_path)
    process.send_signal(number)
    code, said = ended(process)
    assert code == status, said
    step = read_run(tmp_path / "my run")["steps"]
    kept = f"The checkpoint my run/checkpoints/step-{step:09d} was kept"
    assert re.fullmatch(
        rf"Stopped after [\d,]+ words, \d+% of the run\. {kept}; go on with: "
        r"\S+ -m handgrad\.cli train --resume --output 'my run'",
        said,
    )
    assert not (tmp_path / "my run" / "vectors.bin").exists()
    command = [sys.executable, "-m", "handgrad.cli", "train", "--resume", "--output", "my run"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    for name in ("vectors.bin", "loss.csv"):
        assert (tmp_path / "my run" / name).read_bytes() == (whole(*settings) / name).read_bytes()


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_it_reads_it_leaves_no_folder(tmp_path, number, status):
    (tmp_path / "long.txt").write_bytes(b"many more words than can be read in a moment\n" * 800_000)
    process = started("train", "long.txt", "--output", "run", until=b"M words", cwd=tmp_path)
    process.send_signal(number)
    assert ended(process) == (status, "Stopped while the text was being read. Nothing was saved.")
    assert not (tmp_path / "run").exists()


def test_without_a_folder_a_stopped_run_says_that_nothing_was_saved(long_text, tmp_path):
    process = started("train", long_text, "--epochs", 500, until=b"loss", cwd=tmp_path)
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130 and said.endswith("of the run. Nothing was saved: give --output DIR to keep a run.")


def test_other_commands_end_on_ctrl_c_too(tmp_path):
    (tmp_path / "long.txt").write_bytes(b"many more words than can be counted in a moment\n" * 800_000)
    process = started("corpus", "long.txt", until=b"M words", cwd=tmp_path)
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "Stopped.")


def test_stopped_while_its_modules_are_read_it_shows_no_traceback(tmp_path):
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "handgrad", "train"]
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "Stopped.\n")


def stop_after(step, monkeypatch):
    """Ctrl-C, when so many steps have been made."""
    steps = NumPyEngine.steps

    def steps_and_stop(self, place):
        for made in steps(self, place):
            if made.place.step == step:
                os.kill(os.getpid(), signal.SIGINT)
            yield made

    monkeypatch.setattr(NumPyEngine, "steps", steps_and_stop)


@pytest.fixture
def stopped(run, text, tmp_path):
    """The folder of a run that was stopped after 10 steps."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        stop_after(10, monkeypatch)
        result = run("train", text, "--output", tmp_path / "run", *SMALL)
    assert result.exit_code == 130, result.output
    return tmp_path / "run"


def test_what_is_not_given_is_taken_from_the_run_that_is_resumed(run, stopped):
    assert run("train", "--resume", "--output", stopped, "--dimension", 8).exit_code == 0
    told = read_run(stopped)
    assert told["status"] == "finished" and told["config"]["batch_size"] == 16


def test_a_run_whose_intervals_were_in_steps_goes_on_with_as_many_words(run, stopped):
    told = read_run(stopped)
    del told["config"]["report_every_words"], told["config"]["checkpoint_every_words"]
    told["config"] |= {"report_every": 3, "checkpoint_every": 4}
    (stopped / "run.json").write_text(json.dumps(told), encoding="utf-8")
    result = run("train", "--resume", "--output", stopped, "--checkpoint-every-words", 100)
    assert result.exit_code == 0, result.output
    told = read_run(stopped)
    assert told["status"] == "finished"
    assert (told["config"]["report_every_words"], told["config"]["checkpoint_every_words"]) == (3 * 16, 100)


def test_a_text_that_was_moved_can_be_given_again(run, text, tmp_path, stopped):
    text.rename(tmp_path / "moved.txt")
    result = run("train", "--resume", "--output", stopped)
    assert result.exit_code == 2 and f"there is no {text}" in result.output
    assert run("train", tmp_path / "moved.txt", "--resume", "--output", stopped).exit_code == 0
    assert read_run(stopped)["corpus"] == str(tmp_path / "moved.txt")


def test_a_damaged_checkpoint_is_a_warning_in_one_line_when_there_is_an_older_one(run, text, tmp_path, monkeypatch):
    with pytest.MonkeyPatch.context() as patch:
        stop_after(10, patch)
        run("train", text, "--output", tmp_path / "run", *SMALL, "--checkpoint-every-words", 6 * 16)
    assert len(checkpoints(tmp_path / "run" / "checkpoints")) == 2
    (checkpoints(tmp_path / "run" / "checkpoints")[-1] / "state.json").write_bytes(b"{}")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = run("train", "--resume", "--output", tmp_path / "run")
    assert result.exit_code == 0, result.output
    (said,) = [line for line in result.stderr.splitlines() if "Warning" in line]
    assert re.fullmatch(r"Warning: \S+step-000000010 is damaged: .* The one before it is used\.", said)


def test_stopped_before_the_first_checkpoint_it_can_still_go_on(run, text, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt  # as a second Ctrl-C does, which is not waited for

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("handgrad.word2vec.engines.examples.window_batches", interrupted)
        result = run("train", text, "--output", tmp_path / "run", *SMALL)
    assert result.exit_code == 130 and "There was no checkpoint yet; go on with: handgrad train" in result.output
    assert run("train", "--resume", "--output", tmp_path / "run").exit_code == 0


def test_a_checkpoint_of_one_scope_promises_no_resume(run, text, tmp_path, monkeypatch):
    stop_after(10, monkeypatch)
    result = run("train", text, "--output", tmp_path / "run", *SMALL, "--checkpoint-scope", "embed")
    assert result.exit_code == 130 and "step-000000010; no run can go on from it." in result.output


def test_a_mistake_of_the_library_is_not_blamed_on_the_user(run, text, monkeypatch):
    def broken(*arguments):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr("handgrad.word2vec.engines.examples.window_batches", broken)
    result = run("train", text, "--engine", "numpy")
    assert result.exit_code == 1 and isinstance(result.exception, ValueError)


@pytest.mark.parametrize("missing, command", [("scipy", "evaluate"), ("safetensors", "train"), ("filelock", "train")])
def test_what_is_not_installed_is_one_sentence(run, text, four_words, tmp_path, monkeypatch, missing, command):
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("run_folder", "checkpoint"):
        monkeypatch.delitem(sys.modules, f"handgrad.word2vec.runs.{name}", raising=False)
    (tmp_path / "pairs.tsv").write_text("up\tdown\t1\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, missing, None)
    arguments = {
        "evaluate": [four_words, "--similarity", tmp_path / "pairs.tsv"],
        "train": [text, "--output", tmp_path / "run"],
    }[command]
    result = run(command, *arguments)
    assert result.exit_code == 2
    assert re.search(rf"Error: This needs {missing}\S*: {re.escape(how_to_install('word2vec'))}\.\n$", result.stderr)


def test_it_can_be_called_outside_the_main_thread(run, text):
    results = []
    thread = threading.Thread(target=lambda: results.append(run("corpus", text)))
    thread.start()
    thread.join()
    assert results[0].exit_code == 0


# the other commands


def test_corpus_says_what_a_text_is(run, text, tmp_path):
    result = run("corpus", text, "--min-count", 51, "--top", 2, "--vocabulary", tmp_path / "words.json")
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    assert f"{text} words 600, of which 7 are different sentences 100 " in shown
    assert "vocabulary 3 words that occur at least 51 times: 66.7% of the text" in shown
    assert f"digest sha256:{corpora.text_file(text).digest}" in shown
    assert "pinned" not in shown and "frequent the 200 sat 100 Saved" in shown
    assert Vocabulary.load(tmp_path / "words.json").index_to_key == ["the", "sat", "on"]


def test_corpus_of_nothing_is_the_documentation(run):
    shown = " ".join(run("corpus").stdout.split())
    assert shown.startswith(f"documentation words {corpora.DOCUMENTATION_WORDS:,}")
    assert f"sha256:{corpora.DOCUMENTATION_DIGEST} pinned yes" in shown


def test_an_analogy_is_completed(run, four_words):
    result = run("analogy", four_words, "north", "south", "up", "--topn", 1)
    assert result.stdout == "north is to south as up is to\n  down 1.00\n"


@pytest.mark.parametrize("kind", ["word2vec-text", "word2vec-binary", "glove", "word2vec-text.gz"])
def test_what_is_exported_is_read_by_other_commands(run, four_words, tmp_path, kind):
    output = tmp_path / f"exported.{kind}"
    result = run("export", four_words, output, "--format", kind.removesuffix(".gz"), "--limit", 3)
    assert result.exit_code == 0 and "Saved KeyedVectors(3 words, 3 dimensions)" in result.output
    before = KeyedVectors.load_word2vec_format(four_words, limit=3)
    after = KeyedVectors.load_word2vec_format(output)
    assert before.index_to_key == after.index_to_key and before.vectors.tobytes() == after.vectors.tobytes()
    if kind.startswith("word2vec"):
        KeyedVectors.load_word2vec_format(output, binary=kind == "word2vec-binary", no_header=False)
    assert run("neighbours", output, "up").stdout.startswith("up  north")


def test_the_projector_gets_its_folder(run, four_words, tmp_path):
    assert run("export", four_words, tmp_path / "shown", "--format", "projector", "--limit", 2).exit_code == 0
    assert (tmp_path / "shown" / "metadata.tsv").read_text(encoding="utf-8") == "north\nsouth\n"
    assert {path.name for path in (tmp_path / "shown").iterdir()} == {
        "tensors.tsv",
        "metadata.tsv",
        "projector_config.pbtxt",
    }


@pytest.fixture
def questions(tmp_path):
    scores = {"up\tsouth": 1, "north\tsouth": 2, "up\tdown": 3, "up\twest": 5, "up\tnorth": 9}  # as the cosines rise
    rows = [f"{words}\t{score}\n" for words, score in scores.items()]
    (tmp_path / "pairs.tsv").write_text("".join(rows), encoding="utf-8")
    (tmp_path / "analogies.txt").write_text(
        ": gram\nnorth south up down\nnorth south west east\n: other\nup down north up\n", encoding="utf-8"
    )
    return "--similarity", tmp_path / "pairs.tsv", "--analogies", tmp_path / "analogies.txt"


def test_evaluate_prints_tables_with_coverage(run, four_words, questions):
    rows = [line.split() for line in run("evaluate", four_words, *questions).stdout.splitlines()]
    (similarity,) = [row for row in rows if row[:1] == ["pairs.tsv"]]
    assert similarity[1] == "1.000" and similarity[3:] == ["4", "5", "80.0%"]
    assert ["gram", "100.0%", "1", "2"] in rows and ["other", "0.0%", "1", "1"] in rows
    assert ["total", "50.0%", "2", "3"] in rows and ["coverage", "66.7%"] in rows


def test_evaluate_prints_json(run, four_words, questions):
    told = json.loads(run("evaluate", four_words, *questions, "--restrict-vocab", 3, "--json").stdout)
    (analogies,) = told["analogies"]
    assert analogies["among_words"] == 3 and analogies["total"]["answered"] == 0
    assert analogies["total"]["accuracy"] is None and analogies["total"]["questions"] == 3
    assert told["similarity"][0]["coverage"] == 0.6


def test_evaluate_asks_by_the_method_that_was_named(run, four_words, questions, monkeypatch):
    seen, ask = [], evaluation.word_analogies

    def noted(*arguments, **options):
        seen.append(options["method"])
        return ask(*arguments, **options)

    monkeypatch.setattr(evaluation, "word_analogies", noted)
    run("evaluate", four_words, *questions, "--method", "3CosMul")
    run("evaluate", four_words, *questions)
    assert seen == ["3CosMul", "3CosAdd"]


@pytest.mark.parametrize("words, protocols", [(30_000, ["30,000"]), (30_001, ["30,000", "30,001"])])
def test_both_protocols_are_reported_for_a_large_vocabulary(run, four_words, questions, tmp_path, words, protocols):
    four = KeyedVectors.load_word2vec_format(four_words)
    others = [f"w{i}" for i in range(words - 4)]
    large = KeyedVectors(four.index_to_key + others, np.concatenate([four.vectors, np.ones((words - 4, 3))]))
    large.save_word2vec_format(tmp_path / "large.bin", binary=True)
    shown = run("evaluate", tmp_path / "large.bin", *questions[2:]).stdout
    assert re.findall(r"analogies\.txt, among ([\d,]+) words", shown) == protocols


def test_without_files_the_questions_are_the_books(run, four_words):
    shown = run("evaluate", four_words).stdout
    assert "the book's analogies, among 4 words" in shown and "the book's odd ones out: on 0 of 20 sets" in shown
    told = json.loads(run("evaluate", four_words, "--json").stdout)
    assert told["odd_one_out"] == {
        "name": "the book's odd ones out",
        "correct": 0,
        "answered": 0,
        "sets": 20,
        "accuracy": None,
    }


@pytest.mark.parametrize(
    "command", [[], ["train"], ["corpus"], ["evaluate"], ["neighbours"], ["neighbors"], ["analogy"], ["export"]]
)
def test_help_has_examples(run, command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert re.search(r"Examples?:\n +handgrad \w", result.output)


def test_help_imports_nothing_that_takes_long():
    code = (
        "import sys; from handgrad.cli import main; main(['train', '--help'], standalone_mode=False); "
        "print([m for m in ('torch', 'scipy', 'tensorboard', 'safetensors', 'pooch') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"


def test_a_word_that_the_terminal_cannot_show_is_no_reason_to_fail(tmp_path):
    KeyedVectors(["→", "b"], [[1.0, 1], [0, 1]]).save_word2vec_format(tmp_path / "v.txt")
    result = subprocess.run(
        [sys.executable, "-m", "handgrad.cli", "neighbours", tmp_path / "v.txt", "b"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
    )
    assert result.returncode == 0 and result.stdout == b"b  \\u2192 0.71\n"


# vectors that are not quite right


@pytest.mark.filterwarnings("always")
def test_words_that_were_cut_are_a_warning_and_an_option_says_what_to_do(run, tmp_path):
    (tmp_path / "cut.txt").write_bytes(b"3 2\ncaf\xc3 1 0\ntea 1 1\ncaf 0 1\n")
    (tmp_path / "questions").write_text(": s\ntea caf tea caf\n")
    for command in (
        "neighbours F tea",
        "analogy F tea caf caf",
        "evaluate F --analogies Q",
        "export F N --format glove",
    ):
        names = {"F": tmp_path / "cut.txt", "Q": tmp_path / "questions", "N": tmp_path / command.split()[0]}
        arguments = [names.get(part, part) for part in command.split()]
        result = run(*arguments)
        assert result.exit_code == 0 and "Warning: " in result.stderr and "1 word that is not UTF-8" in result.stderr
        (tmp_path / "export").unlink(missing_ok=True)
        assert "had before, such as 'caf'" in run(*arguments, "--unicode-errors", "ignore").stderr
        (tmp_path / "export").unlink(missing_ok=True)
        result = run(*arguments, "--unicode-errors", "replace")
        assert result.exit_code == 0 and not result.stderr
        (tmp_path / "export").unlink(missing_ok=True)
        assert run(*arguments, "--unicode-errors", "strict").exit_code == 2


def test_the_folder_of_a_run_stands_for_its_vectors(run, four_words):
    four_words.rename(four_words.with_name("vectors.bin"))
    for command in ("neighbours", "evaluate"):
        words = ["up"] if command == "neighbours" else []
        result = run(command, four_words.parent, *words)
        assert result.exit_code == 0, result.output


@pytest.mark.filterwarnings("ignore:Words are split at blanks")  # which such a text is told
def test_a_word_of_20_000_letters_is_trained_and_found(run, tmp_path):
    """gensim #388"""
    (tmp_path / "text.txt").write_text(f"the {'w' * 20_000} sat\n" * 50, encoding="utf-8")
    assert run("train", tmp_path / "text.txt", "--output", tmp_path / "run", *SMALL).exit_code == 0
    assert run("neighbours", tmp_path / "run", "the").exit_code == 0
