"""A run on more text begins with what another one has learned."""

import hashlib

import numpy as np
import pytest
from click.testing import CliRunner
from stop_at import StopAt

from handgrad.cli import main
from handgrad.errors import InputError
from handgrad.word2vec import Callback, KeyedVectors, Trainer, TrainingConfig

TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (120, 12)).clip(max=60)]
MORE = [[f"w{i}" for i in row] for row in np.random.default_rng(1).zipf(1.6, (120, 12)).clip(max=90)]
SMALL = {"dimension": 8, "min_count": 1, "batch_size": 16, "epochs": 2, "subsample": 1e-2, "engine": "numpy"}
ENGINES = [{}, {"engine": "compiled", "batch_size": 64}, {"engine": "torch", "device": "cpu"}]


class Beginning(Callback):
    """What the parameters are when training begins."""

    def on_train_begin(self, trainer):
        self.values = {p.name: p.value.copy() for p in trainer.network.parameters}


def run(folder, text=MORE, callbacks=(), resume=False, **changes):
    trainer = Trainer(TrainingConfig(**SMALL | changes), callbacks)
    trainer.fit(text, folder, resume)
    return trainer


def digest(folder):
    return hashlib.sha256((folder / "vectors.bin").read_bytes()).hexdigest()


@pytest.mark.parametrize("changes", ENGINES, ids=str)
@pytest.mark.parametrize("objective", ["negative-sampling", "nce"])
def test_known_words_begin_where_they_ended_and_others_as_ever(tmp_path, changes, objective):
    changes = {**changes, "objective": objective}
    before = run(tmp_path / "before", TEXT, **changes)
    plain, warm = Beginning(), Beginning()
    run(tmp_path / "plain", callbacks=[plain], **changes)
    after = run(tmp_path / "after", callbacks=[warm], begin_from=str(tmp_path / "before"), **changes)
    then, now = before.vocabulary.key_to_index, after.vocabulary.key_to_index
    known, new = [w for w in now if w in then], [w for w in now if w not in then]
    assert known and new and list(now) != list(then)
    ended = {p.name: p.value for p in before.network.parameters}
    for name in warm.values:
        theirs, ours = [then[w] for w in known], [now[w] for w in known]
        np.testing.assert_array_equal(warm.values[name][ours], ended[name][theirs])
        others = [now[w] for w in new]
        np.testing.assert_array_equal(warm.values[name][others], plain.values[name][others])
    assert digest(tmp_path / "after") != digest(tmp_path / "plain")


@pytest.mark.parametrize("changes", ENGINES, ids=str)
def test_what_an_engine_learns_from_is_what_it_begins_with(tmp_path, changes):
    """A rate so small that nothing moves: the vectors that come out are those that went in."""
    still = {"learning_rate": 1e-30, "min_learning_rate": 1e-30}
    before = run(tmp_path / "before", TEXT, **changes)
    after = run(tmp_path / "after", TEXT, begin_from=str(tmp_path / "before"), seed=5, **changes, **still)
    np.testing.assert_array_equal(after.vectors.vectors, before.vectors.vectors)


def test_it_begins_once_and_a_resumed_run_does_not_look_there_again(tmp_path):
    run(tmp_path / "before", TEXT)
    (tmp_path / "before").rename(tmp_path / "elsewhere")
    from_there = {"begin_from": str(tmp_path / "elsewhere")}
    run(tmp_path / "whole", **from_there)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", callbacks=[StopAt(9)], report_every_words=1, **from_there)
    (tmp_path / "elsewhere").rename(tmp_path / "gone")
    run(tmp_path / "parts", callbacks=[StopAt(-1)], resume=True, **from_there)
    assert digest(tmp_path / "parts") == digest(tmp_path / "whole")


def test_a_file_of_vectors_gives_the_vectors_alone(tmp_path):
    words = KeyedVectors(["w1", "nowhere"], np.full((2, 8), 0.25, np.float32))
    words.save_word2vec_format(tmp_path / "words.txt")
    began = Beginning()
    trainer = run(tmp_path / "run", callbacks=[began], begin_from=str(tmp_path / "words.txt"))
    assert (began.values["embed/V"][trainer.vocabulary.key_to_index["w1"]] == 0.25).all()
    assert not began.values["out/U"].any()


def test_a_tree_is_another_one_for_another_text_and_is_left_as_it_begins(tmp_path):
    began, tree = Beginning(), {"objective": "hierarchical-softmax"}
    run(tmp_path / "before", TEXT, **tree)
    run(tmp_path / "run", TEXT, callbacks=[began], begin_from=str(tmp_path / "before"), **tree)
    assert not began.values["out/U"].any() and began.values["embed/V"].any()


@pytest.mark.parametrize(
    ("words", "shape", "sentence"),
    [
        (["w1", "w2"], (2, 5), r"have 5 numbers, and the run has dimension 8: choose 5"),
        (["x", "y"], (2, 8), r"None of the \d+ words of the text has a vector in .*: begin without it"),
    ],
)
def test_what_fits_nothing_is_refused_and_leaves_no_folder(tmp_path, words, shape, sentence):
    KeyedVectors(words, np.ones(shape, np.float32)).save_word2vec_format(tmp_path / "w.bin", binary=True)
    with pytest.raises(InputError, match=sentence):
        run(tmp_path / "run", begin_from=str(tmp_path / "w.bin"))
    with pytest.raises(InputError, match="nowhere"):
        run(tmp_path / "run", begin_from=str(tmp_path / "nowhere"))
    assert not (tmp_path / "run").exists()


def test_on_the_command_line_more_text_is_told_the_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"text.txt": TEXT, "more.txt": TEXT + MORE}.items():
        (tmp_path / name).write_text("\n".join(map(" ".join, text)), encoding="utf-8")

    def train(*arguments):
        return CliRunner().invoke(main, ["train", "--dimension", "8", "--engine", "numpy", *map(str, arguments)])

    assert train("text.txt", "--output", "run").exit_code == 0
    refused = train("more.txt", "--resume", "--output", "run", "--epochs", 6)
    assert refused.exit_code == 2 and "learned from another text" in refused.stderr
    assert "(--begin-from 'run')" in refused.stderr
    done = train("more.txt", "--output", "more", "--begin-from", "run")
    assert done.exit_code == 0, done.output
    assert "words begin with their vectors in run" in done.stderr
