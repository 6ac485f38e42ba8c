"""A run is written down, is never lost, and goes on from where it was to the bits with which it would have ended."""

import csv
import importlib.metadata
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from stop_at import StopAt, bits
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from handgrad.errors import InputError
from handgrad.word2vec import Callback, EarlyStopping, KeyedVectors, Trainer, TrainingConfig
from handgrad.word2vec.runs.checkpoint import checkpoints, load_checkpoint
from handgrad.word2vec.runs.run_folder import read_run

TEXT = [[f"w{i}" for i in row] for row in np.random.default_rng(0).zipf(1.6, (120, 12)).clip(max=60)]
SMALL = {
    "dimension": 8,
    "min_count": 1,
    "batch_size": 16,
    "epochs": 2,
    "subsample": 1e-2,
    "checkpoint_every_words": 330,
    "engine": "numpy",
}


def run(folder, callbacks=(), resume=False, text=TEXT, **changes):
    return Trainer(TrainingConfig(**SMALL | {"report_every_words": 1} | changes), callbacks).fit(text, folder, resume)


@pytest.mark.parametrize("engine, package", [("numpy", set()), ("compiled", {"numba"}), ("torch", {"torch"})])
def test_a_run_names_all_that_has_a_part_in_its_bits(tmp_path, engine, package):
    run(tmp_path / "run", engine=engine, batch_size=64, epochs=1)
    told = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    of_machine = {"compiled": {"numbers_in_a_vector"}, "torch": {"device"}}.get(engine, set())
    assert set(told["versions"]) == {"handgrad", "numpy", "python"} | package | of_machine
    assert all(told["versions"][name] == importlib.metadata.version(name) for name in package)


def test_the_folder_tells_how_it_was_made(tmp_path):
    vectors = run(tmp_path / "run", held_out=100)
    told = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "finished" and told["config"]["dimension"] == 8
    assert told["text"]["words"] == sum(map(len, TEXT)) and len(told["text"]["digest"]) == 64
    assert 0 < told["text"]["words"] - told["raw_words"] / 2 - 100 < 12  # whole sentences are held out
    assert told["raw_words_per_second"] > 0
    with open(tmp_path / "run" / "loss.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["raw_words", "loss_per_pair", "held_out_loss", "learning_rate", "step"]
    assert [int(row["step"]) for row in rows] == list(range(1, told["steps"] + 1))
    assert float(rows[-1]["loss_per_pair"]) == told["final_loss_per_pair"] and float(rows[-1]["held_out_loss"]) > 0
    loaded = KeyedVectors.load_word2vec_format(tmp_path / "run" / "vectors.bin", binary=True)
    np.testing.assert_array_equal(loaded.vectors, vectors.vectors)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert {"loss", "held_out_loss", "learning_rate", "words_per_second"} <= set(events.Tags()["scalars"])
    assert events.Tags()["histograms"] == ["embed/V", "out/U"]
    assert [e.step for e in events.Scalars("loss")] == [int(row["step"]) for row in rows]


@pytest.mark.parametrize("number, ends", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "learning_rate": 0.01},
        {"optimizer": "momentum", "model": "cbow"},
        {"optimizer": "adagrad", "objective": "nce", "reduction": "mean"},
        {"objective": "hierarchical-softmax"},
        {"update": "pair"},
        {"num_skips": 2, "window": 2, "max_steps": 800, "subsample": 0, "dynamic_window": False},
        {"checkpoint_every_words": 0, "held_out": 100, "seeds": {"noise": 7}},
    ],
    ids=str,
)
def test_stopped_and_resumed_ends_with_the_same_bits(tmp_path, changes, number, ends):
    run(tmp_path / "whole", **changes)
    with pytest.raises(ends):
        run(tmp_path / "parts", [StopAt(13, number)], **changes)
    told = json.loads((tmp_path / "parts" / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "stopped" and told["steps"] == 13
    with pytest.raises(ends):
        run(tmp_path / "parts", [StopAt(27, number)], resume=True, **changes)
    run(tmp_path / "parts", [StopAt(-1)], resume=True, **changes)
    assert bits(tmp_path / "whole") == bits(tmp_path / "parts")


def with_intervals_in_steps(folder, **changes):
    """Make run.json what an earlier version wrote, whose intervals counted steps."""
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    for name in ("report_every", "checkpoint_every"):
        del told["config"][f"{name}_words"]
        told["config"][name] = changes.pop(name)
    (folder / "run.json").write_text(json.dumps(told | changes), encoding="utf-8")


@pytest.mark.parametrize(
    "changes, report, checkpoint",
    [
        ({"report_every": 3, "checkpoint_every": 10}, 3 * 235 // 7, 10 * 235 // 7),  # 7 steps went through 235 words
        ({"report_every": 0, "checkpoint_every": 0}, 0, 0),
        ({"report_every": 1, "checkpoint_every": 2**31 - 1}, 235 // 7, 2**31 - 1),
        ({"report_every": 1, "checkpoint_every": 5, "steps": 0, "raw_words": 0}, 16, 80),  # batches of 16
        ({"report_every": 1, "checkpoint_every": 5, "raw_words": None}, 16, 80),
        ({"report_every": 1, "checkpoint_every": 5, "raw_words": 1}, 1, 1),
    ],
    ids=str,
)
def test_intervals_of_an_earlier_version_were_in_steps_and_become_as_many_words(tmp_path, changes, report, checkpoint):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [StopAt(7)])
    with_intervals_in_steps(tmp_path, **changes)
    settings = read_run(tmp_path)["config"]
    assert (settings["report_every_words"], settings["checkpoint_every_words"]) == (report, checkpoint)
    Trainer(TrainingConfig.from_dict(settings)).fit(TEXT, tmp_path, resume=True)
    assert settings == json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["config"]


@pytest.mark.parametrize("every", ["three", 1.5, True, [3]])
def test_an_interval_that_is_no_number_of_steps_is_a_sentence(tmp_path, every):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [StopAt(7)])
    with_intervals_in_steps(tmp_path, report_every=every, checkpoint_every=0)
    with pytest.raises(InputError, match="damaged, so the run cannot be resumed: its report_every is no number of st"):
        run(tmp_path, resume=True)


def test_a_callback_remembers_across_a_resume(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [EarlyStopping(patience=10**6), StopAt(12)])
    stopping = EarlyStopping(patience=10**6)
    seen = []

    class Look(Callback):
        def on_train_begin(self, trainer):
            seen.append((stopping.best, trainer.step))

    run(tmp_path, [stopping, Look()], resume=True)
    (best, step) = seen[0]
    assert np.isfinite(best) and step == 12


def test_fifty_kills_at_random_moments(tmp_path):
    script = Path(__file__).with_name("kill_and_resume.py")
    seed = str(time.time_ns() % 10**6)
    result = subprocess.run([sys.executable, script, tmp_path, "50", seed], capture_output=True, text=True)
    assert result.returncode == 0, f"seed {seed}: {result.stdout}{result.stderr}"
    assert "all ended with the same bits" in result.stdout
    print(result.stdout)


def test_a_damaged_checkpoint_is_passed_over_and_the_bits_are_the_same(tmp_path):
    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", [StopAt(25)])
    newest = checkpoints(tmp_path / "parts" / "checkpoints")[-1]
    assert newest.name == "step-000000025"
    (newest / "arrays.safetensors").write_bytes(b"")
    with pytest.warns(UserWarning, match="step-000000025 is damaged.*The one before it is used"):
        run(tmp_path / "parts", [StopAt(-1)], resume=True)
    assert bits(tmp_path / "whole") == bits(tmp_path / "parts")


def test_another_run_in_the_folder_is_refused_and_left_alone(tmp_path):
    run(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="exists already and is left as it is"):
        run(tmp_path)
    with pytest.raises(InputError, match="is finished; its vectors are in"):
        run(tmp_path, resume=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_is_no_run_cannot_be_resumed(tmp_path):
    with pytest.raises(InputError, match="There is no run to resume in"):
        run(tmp_path / "nowhere", resume=True)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="There is no run to resume in"):
        run(tmp_path, resume=True)
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json is damaged"):
        run(tmp_path, resume=True)
    with pytest.raises(InputError, match="can be resumed only from its folder"):
        run(None, resume=True)


def test_an_editor_may_put_a_byte_order_mark_before_the_description(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [StopAt(12)])
    told = (tmp_path / "run.json").read_text(encoding="utf-8")
    (tmp_path / "run.json").write_text(told, encoding="utf-8-sig")
    run(tmp_path, resume=True)
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["status"] == "finished"


def test_other_settings_and_other_text_are_refused(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [StopAt(12)])
    with pytest.raises(InputError, match="has dimension = 8, but it should go on with 9"):
        run(tmp_path, resume=True, dimension=9)
    with pytest.raises(InputError, match="learned from another text, of 1,440 words"):
        run(tmp_path, [StopAt(-1)], resume=True, text=[sentence[::-1] for sentence in TEXT])
    run(tmp_path, [StopAt(-1)], resume=True)


def test_only_parameters_in_the_scope_are_kept_and_no_run_goes_on_from_them(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [StopAt(12)], checkpoint_scope="embed")
    arrays, _ = load_checkpoint(checkpoints(tmp_path / "checkpoints")[-1])
    assert list(arrays) == ["embed/V"]
    with pytest.raises(InputError, match="holds the parameters in the scope 'embed' alone"):
        run(tmp_path, resume=True, checkpoint_scope="embed")
    with pytest.raises(InputError, match="no parameter in the scope 'emb': there are embed/V, out/U"):
        run(tmp_path / "other", checkpoint_scope="emb")


def test_without_a_folder_ctrl_c_leaves_the_vectors_that_there_are():
    trainer = Trainer(TrainingConfig(**SMALL, report_every_words=1), [StopAt(5)])
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(TEXT)
    assert trainer.step == 5 and trainer.vectors.vectors.any()


def test_in_a_thread_of_its_own_it_trains_too():
    results = []
    thread = threading.Thread(target=lambda: results.append(Trainer(TrainingConfig(**SMALL)).fit(TEXT)))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(results[0].vectors, Trainer(TrainingConfig(**SMALL)).fit(TEXT).vectors)


def test_a_text_that_cannot_be_learned_from_leaves_no_folder(tmp_path):
    with pytest.raises(InputError, match="No word occurs 5 times"):
        run(tmp_path / "run", text=[["a", "b"]], min_count=5)
    assert not (tmp_path / "run").exists()


def test_progress_bars_go_to_the_end(tmp_path, capsys):
    Trainer(TrainingConfig(**SMALL)).fit(TEXT, progress=True)
    shown = capsys.readouterr().err
    assert "reading" in shown and "training: 100%" in shown and "loss" in shown
