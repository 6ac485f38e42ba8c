"""The compiled engine in the trainer: it learns what NumPy learns, and is stopped, resumed and measured like it."""

import itertools
import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt

from handgrad.errors import InputError
from handgrad.word2vec import EncodedText, Trainer, TrainingConfig, Vocabulary, compiled, encode_text
from handgrad.word2vec.checkpoint import checkpoints, load_checkpoint


def sentences_of_two_topics(n=600, seed=0):
    """Words a0…a9 keep company with one another, and so do b0…b9: what a trainer has to find out."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        topic = rng.choice(["a", "b"])
        yield [f"{topic}{i}" for i in rng.integers(0, 10, size=8)]


TOPICS = list(sentences_of_two_topics())
SMALL = {"dimension": 16, "epochs": 4, "subsample": 0, "learning_rate": 0.05, "engine": "compiled", "min_count": 1}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Many steps in a small text."""
    monkeypatch.setattr(compiled, "PIECE", 100)


@pytest.fixture
def spied(monkeypatch):
    """What the kernel got and gave, call by call: (ids, starts, rate, state, noise_state, loss, pairs)."""
    calls = []

    def prepared(trainer):
        kernel = compiled.prepared(trainer)

        def noted(*arguments):
            calls.append((*arguments, *kernel(*arguments)))
            return calls[-1][-2:]

        return noted

    monkeypatch.setattr("handgrad.word2vec.trainer.prepared", prepared)
    return calls


def trained(corpus=TOPICS, **changes):
    trainer = Trainer(TrainingConfig(**SMALL | changes))
    trainer.fit(corpus)
    return trainer


def tables(trainer):
    return [parameter.value.tobytes() for parameter in trainer.network.parameters]


def share_of_company(vectors):
    near = [other[0] == word[0] for word in vectors.index_to_key for other, _ in vectors.most_similar(word, topn=9)]
    return np.mean(near)


def end_of(trainer):
    """The mean loss in the last quarter of a run."""
    return np.mean([entry.loss for entry in trainer.losses if entry.raw_words > 0.75 * trainer.total_words])


# seeds and threads


def test_one_seed_gives_the_same_bits_and_another_does_not():
    first, second = (tables(trained(subsample=0.05)) for _ in range(2))
    assert first == second
    for other in [{"seed": 2}, {"seeds": {"noise": 2}}, {"seeds": {"examples": 2}}, {"seeds": {"init": 2}}]:
        assert tables(trained(subsample=0.05, **other))[0] != first[0], other


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_words_find_the_company_they_keep(threads):
    trainer = trained(threads=threads)
    assert share_of_company(trainer.vectors) == 1
    assert end_of(trainer) < 0.55 * 6 * np.log(2)  # at first each σ is one half
    if threads > 1:
        assert end_of(trainer) == pytest.approx(end_of(trained()), rel=0.03)
    assert trainer.engine == "compiled" and trainer.describe()["engine"] == "compiled"


@pytest.mark.parametrize("changes", [{}, {"window": 2, "negatives": 12}, {"dynamic_window": False, "subsample": 0.02}])
def test_the_loss_ends_where_that_of_the_numpy_engine_ends(changes):
    """The same model learns the same thing, in text unseen too."""
    held = {"held_out": 800, "batch_size": 16} | changes
    ours, theirs = trained(**held), trained(**held | {"engine": "numpy"})
    assert (ours.engine, theirs.engine) == ("compiled", "numpy")
    assert ours.losses[-1].held_out < 0.95 * ours.losses[0].held_out
    assert ours.losses[-1].held_out == pytest.approx(theirs.losses[-1].held_out, rel=0.01)
    assert end_of(ours) == pytest.approx(end_of(theirs), rel=0.03)


@pytest.mark.parametrize("changes", [{"noise": "log-uniform"}, {"noise": "uniform"}, {"initialization": "tensorflow"}])
def test_every_noise_and_every_start_is_done(changes):
    assert share_of_company(trained(**changes).vectors) > 0.95


# the pieces of an epoch


def text_of(lengths):
    ids = np.arange(sum(lengths), dtype=np.int32)
    vocabulary = Vocabulary({f"w{i}": 1 for i in ids.tolist()}, 1)
    return EncodedText(vocabulary, ids, np.cumsum([0, *lengths]))


@pytest.mark.parametrize(
    "lengths",
    [
        [8] * 50,
        [99, 1, 1, 100, 2],
        [0, 0, 30, 0, 80, 0, 0],
        [3],
        [250, 4],
        [4, 250, 4],
        [100, 100],
        [1000],
        [0, 201, 0],
    ],
    ids=str,
)
def test_the_pieces_hold_every_word_once_and_go_on_from_where_any_of_them_ended(lengths):
    text = text_of(lengths)
    pieces = list(compiled._pieces(text, 0))
    assert all(0 < piece[-1] - piece[0] <= compiled.PIECE for piece in pieces)
    assert [piece[0] for piece in pieces] + [len(text)] == [0] + [piece[-1] for piece in pieces]
    cuts = set(np.concatenate(pieces))
    assert set(text.starts) <= cuts  # no two sentences are joined
    inside = cuts - set(text.starts)  # and only those that are longer than a piece are cut
    sentences = np.searchsorted(text.starts, sorted(inside), side="right") - 1
    assert all(lengths[s] > compiled.PIECE for s in sentences)
    assert len(pieces) <= 2 * len(text) / compiled.PIECE + 1
    for n, piece in enumerate(pieces):
        left = list(compiled._pieces(text, int(piece[-1])))
        assert [p.tolist() for p in left] == [p.tolist() for p in pieces[n + 1 :]]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_each_epoch_trains_each_sentence_once_whatever_the_threads(spied, threads):
    text = encode_text(TOPICS[:123])
    trained(text, threads=threads, epochs=2)
    seen = sorted(tuple(ids[a:b]) for ids, starts, *_ in spied for a, b in itertools.pairwise(starts))
    expected = [tuple(text.ids[a:b]) for a, b in itertools.pairwise(text.starts)]
    assert seen == sorted(2 * expected)
    states = [state for call in spied for state in call[3:5]]
    assert (
        len(set(states)) == len(states) == 2 * len(spied)
    )  # no two pieces, epochs or draws have a generator in common


def test_threads_have_the_same_generators_as_one(spied):
    runs = []
    for threads in (1, 3):
        spied.clear()
        trained(threads=threads, epochs=2)
        runs.append(sorted((int(call[3]), int(call[4]), call[6]) for call in spied))
    assert runs[0] == runs[1]  # with the same windows, so as many pairs


def test_the_kernel_is_given_what_the_configuration_says(spied):
    def pairs(**changes):
        spied.clear()
        trained(epochs=1, **changes)
        return [call[-1] for call in spied]

    for window in (1, 3, 5):  # eight words in a sentence
        in_a_sentence = sum(1 for i in range(8) for j in range(8) if 0 < abs(i - j) <= window)
        assert sum(pairs(window=window, dynamic_window=False)) == in_a_sentence * len(TOPICS)
    drawn = pairs()
    assert sum(drawn) < 0.8 * in_a_sentence * len(TOPICS)
    assert pairs(seeds={"noise": 2}) == drawn == pairs(negatives=2)  # noise has no part in the windows
    assert pairs(seeds={"examples": 2}) != drawn


# what is measured


def test_the_learning_rate_falls_with_the_words_read(spied):
    trainer = trained(learning_rate=0.04, report_every=1)
    words = np.cumsum([0] + [len(call[0]) for call in spied])
    expected = np.maximum(0.04 * (1 - words[:-1] / (4 * len(trainer.text))), trainer.config.min_learning_rate)
    assert words[-1] == 4 * len(trainer.text) and len(spied) > 100
    np.testing.assert_allclose([call[2] for call in spied], expected, rtol=1e-6)
    rates = [entry.learning_rate for entry in trainer.losses]
    assert rates == sorted(rates, reverse=True) and len(set(rates)) > 100


@pytest.mark.parametrize("threads, report_every", [(1, 1), (1, 7), (1, 0), (2, 3)])
def test_the_loss_is_the_exact_mean_over_all_pairs(spied, threads, report_every):
    trainer = trained(threads=threads, report_every=report_every, epochs=2)
    steps = [0] + [entry.step for entry in trainer.losses]
    assert steps == sorted(set(steps)) and (steps[1] == report_every or not report_every)
    assert steps[-1] == trainer.step == 2 * math.ceil(len(spied) / 2 / threads)
    assert trainer.losses[-1].raw_words == trainer.total_words == 2 * 8 * len(TOPICS)
    if threads == 1:
        for entry, first, last in zip(trainer.losses, steps, steps[1:], strict=False):
            losses, pairs = zip(*(call[-2:] for call in spied[first:last]), strict=True)
            assert entry.loss == pytest.approx(math.fsum(losses) / sum(pairs), rel=1e-12)


def test_what_the_kernel_measures_is_what_the_gates_measure():
    """With a learning rate that moves nothing, each mean is that of the network at its start."""
    trainer = trained(learning_rate=1e-30, min_learning_rate=1e-30, initialization="tensorflow", epochs=6)
    rng, total, pairs = np.random.default_rng(0), 0.0, 0
    for _ in range(6):
        inputs = trainer.text.ids.reshape(-1, 8)
        for i in range(8):
            others = [j for j in range(8) if j != i and abs(j - i) <= 5]
            for reach in range(1, 6):
                kept = np.where(np.abs(np.array(others) - i) <= reach, inputs[:, others], -1)
                loss, n = trainer.network.loss(kept, trainer.network.samples(rng, inputs[:, i]))
                total, pairs = total + loss, pairs + n
    measured = np.mean([entry.loss for entry in trainer.losses])
    assert measured == pytest.approx(total / pairs, rel=0.01)


def test_a_loss_that_is_no_number_is_a_sentence():
    for rate in (1e5, 1e30):
        with pytest.raises(InputError, match=r"The loss is .* after \d+ steps: choose a learning_rate"):
            trained(learning_rate=rate)


# stopped and resumed


TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (120, 12)).clip(max=60)]
RUN = {
    "dimension": 8, "min_count": 1, "epochs": 3, "subsample": 1e-2, "checkpoint_every": 10, "report_every": 1,
    "engine": "compiled",
}  # fmt: skip


def run(folder, step=-1, number=signal.SIGINT, resume=False, text=TEXT, **changes):
    return Trainer(TrainingConfig(**RUN | changes), [StopAt(step, number)]).fit(text, folder, resume)


def files(folder):
    """The bits of a run that do not depend on the clock."""
    newest = checkpoints(folder / "checkpoints")[-1]
    arrays, _ = load_checkpoint(newest)
    named = {name: array.tobytes() for name, array in arrays.items()}
    return newest.name, named, [(folder / name).read_bytes() for name in ("vectors.bin", "loss.csv")]


@pytest.mark.parametrize("number, ends", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
@pytest.mark.parametrize(
    "changes",
    [{}, {"dynamic_window": False}, {"checkpoint_every": 0, "held_out": 100}, {"seeds": {"noise": 7}}],
    ids=str,
)
def test_stopped_and_resumed_ends_with_the_same_bits(tmp_path, changes, number, ends):
    run(tmp_path / "whole", **changes)
    for step in (13, 28):
        with pytest.raises(ends):
            run(tmp_path / "parts", step, number, resume=step > 13, **changes)
        told = json.loads((tmp_path / "parts" / "run.json").read_text(encoding="utf-8"))
        assert told["status"] == "stopped" and told["steps"] == step and told["engine"] == "compiled"
    run(tmp_path / "parts", resume=True, **changes)
    assert files(tmp_path / "whole") == files(tmp_path / "parts")


ENDINGS = {
    "sentences": TEXT,
    "rare words at the end": [*TEXT, ["rare"], ["rarer"]],
    "one line": [[word for sentence in TEXT for word in sentence]],
}


@pytest.mark.parametrize("text", ENDINGS.values(), ids=ENDINGS)
def test_at_every_step_of_two_epochs_one_can_stop(tmp_path, text, monkeypatch):
    """The last step of an epoch too, where the words that are left have no vector, and within a long sentence."""
    monkeypatch.setattr(compiled, "PIECE", 400)
    options = {"text": text, "min_count": 2, "epochs": 2}
    run(tmp_path / "whole", **options)
    expected = files(tmp_path / "whole")
    steps = json.loads((tmp_path / "whole" / "run.json").read_text(encoding="utf-8"))["steps"]
    assert steps >= 6
    for step in range(1, steps):
        folder = tmp_path / f"stopped-at-{step}"
        with pytest.raises(KeyboardInterrupt):
            run(folder, step, **options)
        run(folder, resume=True, **options)
        assert files(folder) == expected, step


def test_with_threads_a_stopped_run_goes_on_to_its_end(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, 11, threads=2)
    run(tmp_path, resume=True, threads=2)
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "finished" and told["raw_words"] == 3 * sum(map(len, TEXT))


def test_ten_kills_at_random_moments(tmp_path):
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
import kill_and_resume
from handgrad.word2vec import TrainingConfig, compiled
compiled.PIECE = 30
kill_and_resume.CONFIG = TrainingConfig(
    dimension=40, window=3, epochs=3, subsample=1e-2, min_count=1, checkpoint_every=3, keep=2, engine="compiled"
)
kill_and_resume.main(Path(sys.argv[1]), 10, int(sys.argv[2]))
"""
    seed = str(time.time_ns() % 10**6)
    result = subprocess.run([sys.executable, "-c", script, tmp_path, seed], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"seed {seed}: {result.stdout}{result.stderr}"
    assert "all ended with the same bits" in result.stdout


# where it cannot be used


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "cbow"},
        {"objective": "nce"},
        {"objective": "hierarchical-softmax"},
        {"optimizer": "adam"},
        {"update": "pair"},
        {"reduction": "mean"},
        {"precision": "float64"},
        {"num_skips": 2, "dynamic_window": False},
    ],
    ids=str,
)
def test_what_it_does_not_do_is_one_sentence(changes):
    (name, value), *_ = changes.items()
    expected = f"The compiled engine does not do {name} = {value!r}: leave engine at auto, or choose numpy."
    with pytest.raises(InputError) as error:
        trained(TOPICS[:20], **changes)
    assert str(error.value) == expected
    assert trained(TOPICS[:20], **changes | {"engine": "auto", "epochs": 1}).engine == "numpy"


def test_what_it_does_it_does_unasked():
    assert trained(engine="auto", epochs=1).engine == "compiled"
    assert trained(engine="numpy", epochs=1).engine == "numpy"
    assert not compiled.unsupported(TrainingConfig())


def run_without_numba(engine):
    code = f"""
import sys, warnings
sys.modules["numba"] = None  # importing it fails, and it is not found
from handgrad.errors import InputError
from handgrad.word2vec import Trainer, TrainingConfig
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        trainer = Trainer(TrainingConfig(min_count=1, dimension=4, subsample=0, engine={engine!r}))
        vectors = trainer.fit([["a", "b", "c"]] * 20)
        print(trainer.engine, len(vectors))
    except InputError as error:
        print(error)
for each in caught:
    print(each.category.__name__, each.message, each.filename)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_without_numba_it_trains_in_numpy_and_says_once_what_to_install():
    trained_in, warning = run_without_numba("auto")
    assert trained_in == "numpy 3"
    message = "Training is many times as fast with numba: pip install 'handgrad[word2vec]'."
    assert warning == f"UserWarning {message} <string>"  # at the line of whoever called fit
    assert run_without_numba("numpy") == ["numpy 3"]


def test_without_numba_the_compiled_engine_is_one_sentence():
    assert run_without_numba("compiled") == [
        "The compiled engine needs numba: pip install 'handgrad[word2vec]', or choose engine numpy."
    ]
