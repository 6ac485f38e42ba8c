"""A checkpoint is complete or refused, whatever happens while it is written or after."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from handgrad.errors import InputError
from handgrad.word2vec import Trainer, TrainingConfig
from handgrad.word2vec.runs import checkpoint
from handgrad.word2vec.runs.checkpoint import (
    DamagedCheckpointError,
    checkpoints,
    load_checkpoint,
    load_newest_checkpoint,
    save_checkpoint,
)

ARRAYS = {"embed/V": np.arange(6, dtype=np.float32).reshape(2, 3), "optimizer/embed/V/m": np.array([1e-300, np.pi])}
STATE = {"step": 7, "loss": 0.1 + 0.2, "words": ["naïve", "π"], "nothing": None}


def test_what_is_loaded_is_what_was_saved_to_the_bit(tmp_path):
    path = save_checkpoint(tmp_path, 7, ARRAYS, STATE)
    arrays, state = load_checkpoint(path)
    assert path.name == "step-000000007" and state == STATE
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and arrays[name].tobytes() == array.tobytes()


def test_the_newest_are_kept_and_found(tmp_path):
    (tmp_path / "step-notes").mkdir()  # no checkpoint, whatever it is
    for step in (5, 20, 200_000_000, 1_000_000_000):
        save_checkpoint(tmp_path, step, ARRAYS, {"at": step}, keep=3)
    names = ["step-000000020", "step-200000000", "step-1000000000"]
    assert [path.name for path in checkpoints(tmp_path)] == names
    path, _, state = load_newest_checkpoint(tmp_path)
    assert state == {"at": 1_000_000_000} and path.name == "step-1000000000"


def test_three_are_kept_where_no_number_is_given(tmp_path):
    for step in range(5):
        save_checkpoint(tmp_path, step, ARRAYS, {"at": step})
    assert [path.name for path in checkpoints(tmp_path)] == [f"step-{step:09d}" for step in (2, 3, 4)]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_state_that_json_cannot_hold_is_never_a_checkpoint(tmp_path, number):
    """Python would write NaN, which is no JSON: other programs could not read it."""
    save_checkpoint(tmp_path, 1, ARRAYS, {"loss": 0.5})
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_checkpoint(tmp_path, 2, ARRAYS, {"loss": number})
    assert load_newest_checkpoint(tmp_path)[2] == {"loss": 0.5}


def test_a_step_that_is_reached_again_stays_as_it_is_unless_it_is_damaged(tmp_path):
    path = save_checkpoint(tmp_path, 5, ARRAYS, {"time": 1})
    assert save_checkpoint(tmp_path, 5, ARRAYS, {"time": 2}) == path
    assert load_newest_checkpoint(tmp_path)[2] == {"time": 1}
    (path / "state.json").unlink()
    save_checkpoint(tmp_path, 5, ARRAYS, {"time": 3})
    assert load_newest_checkpoint(tmp_path)[2] == {"time": 3}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "array", [np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(12.0)[::2], np.float64(3)]
)
def test_arrays_come_back_however_they_lay_in_memory(tmp_path, array):
    save_checkpoint(tmp_path, 1, {"x": np.asarray(array)}, {})
    loaded = load_newest_checkpoint(tmp_path)[1]["x"]
    assert loaded.shape == np.shape(array)
    np.testing.assert_array_equal(loaded, array)


def test_damaged_checkpoints_never_push_out_a_whole_one(tmp_path):
    save_checkpoint(tmp_path, 20, ARRAYS, {"at": 20}, keep=1)
    shutil.copytree(tmp_path / "step-000000020", tmp_path / "step-000000075")
    (tmp_path / "step-000000075" / "state.json").write_bytes(b"")
    with pytest.warns(UserWarning, match="step-000000075 is damaged"):
        assert load_newest_checkpoint(tmp_path)[2] == {"at": 20}
    save_checkpoint(tmp_path, 45, ARRAYS, {"at": 45}, keep=1)
    assert load_newest_checkpoint(tmp_path)[2] == {"at": 45}


def test_the_sums_are_what_sha256sum_reads(tmp_path):
    path = save_checkpoint(tmp_path, 1, ARRAYS, STATE)
    if shutil.which("sha256sum") is None:
        pytest.fail("this test needs sha256sum, from coreutils")
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=path, check=True, stdout=subprocess.DEVNULL)


def test_two_hundred_flipped_bits_are_all_refused_by_name(tmp_path):
    path = save_checkpoint(tmp_path, 3, {"V": np.random.default_rng(0).standard_normal((20, 10))}, STATE)
    rng = np.random.default_rng(1)
    files = sorted(path.iterdir())
    assert len(files) == 3
    for flip in range(200):
        file = files[flip % 3]
        whole = bytearray(file.read_bytes())
        whole[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        original = file.read_bytes()
        file.write_bytes(whole)
        with pytest.raises(DamagedCheckpointError, match="step-000000003 is damaged"):
            load_checkpoint(path)
        file.write_bytes(original)
    assert load_checkpoint(path)[1] == STATE


@pytest.mark.parametrize("name", ["arrays.safetensors", "state.json", "SHA256SUMS"])
@pytest.mark.parametrize("harm", ["cut", "removed", "empty"])
def test_the_one_before_a_damaged_checkpoint_is_used_with_a_warning(tmp_path, name, harm):
    save_checkpoint(tmp_path, 1, ARRAYS, {"at": 1})
    file = save_checkpoint(tmp_path, 2, ARRAYS, {"at": 2}) / name
    if harm == "removed":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: 0 if harm == "empty" else -1])
    with pytest.warns(UserWarning, match="step-000000002 is .* The one before it is used"):
        assert load_newest_checkpoint(tmp_path)[2] == {"at": 1}


def test_no_checkpoint_at_all_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="There is no whole checkpoint in"):
        load_newest_checkpoint(tmp_path / "nowhere")


def test_a_full_disk_is_a_sentence_and_the_last_checkpoint_is_whole(tmp_path):
    """A limit on the size of files stands for the disk: writing beyond it fails in the middle, as on a full one."""
    save_checkpoint(tmp_path, 1, ARRAYS, {"at": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(InputError, match=r"step-000000002 could not be written: .*make room and resume"):
            save_checkpoint(tmp_path, 2, {"V": np.zeros(100_000)}, {"at": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]
    assert load_newest_checkpoint(tmp_path)[2] == {"at": 1}


def spy_on_the_disk(monkeypatch):
    """What is forced to the disk (by inode, which a file keeps when it is renamed), renamed and removed, in order."""
    events, fsync, rename, replace, rmtree = [], os.fsync, Path.rename, os.replace, shutil.rmtree

    def spying_fsync(descriptor):
        events.append(("forced", os.fstat(descriptor).st_ino))
        fsync(descriptor)

    def spying_rename(self, target):
        events.append(("renamed", self.name, Path(target).name))
        return rename(self, target)

    def spying_replace(source, target):
        events.append(("renamed", Path(source).name, Path(target).name))
        replace(source, target)

    def spying_rmtree(path, **options):
        events.append(("removed", Path(path).name))
        rmtree(path, **options)

    monkeypatch.setattr(os, "fsync", spying_fsync)
    monkeypatch.setattr(Path, "rename", spying_rename)
    monkeypatch.setattr(os, "replace", spying_replace)
    monkeypatch.setattr(shutil, "rmtree", spying_rmtree)
    return events


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    events = spy_on_the_disk(monkeypatch)
    path = save_checkpoint(tmp_path, 1, ARRAYS, STATE)
    (named,) = (at for at, event in enumerate(events) if event[0] == "renamed")
    assert events[named][2] == path.name
    forced = [event[1] for event in events[:named]]
    written = {file.name: file.stat().st_ino for file in path.iterdir()}
    assert set(written) == {"arrays.safetensors", "state.json", "SHA256SUMS"}
    assert set(forced) == {*written.values(), path.stat().st_ino}
    assert forced[-1] == path.stat().st_ino  # the folder, when its files are
    assert events[named + 1 :] == [("forced", tmp_path.stat().st_ino)]  # and the name itself


def test_a_checkpoint_loses_its_name_before_its_files(tmp_path, monkeypatch):
    """So that one that is half removed is never taken for the newest."""
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, ARRAYS, STATE, keep=9)
    (tmp_path / "step-000000003" / "state.json").unlink()
    events = spy_on_the_disk(monkeypatch)
    with pytest.warns(UserWarning, match="step-000000003 is no whole checkpoint"):
        load_newest_checkpoint(tmp_path)  # removes the third
    (tmp_path / "step-000000002" / "state.json").unlink()
    save_checkpoint(tmp_path, 2, ARRAYS, STATE, keep=1)  # replaces the second and removes the first
    removed = [at for at, event in enumerate(events) if event[0] == "removed"]
    assert [events[at - 1][1] for at in removed] == ["step-000000003", "step-000000002", "step-000000001"]
    for at in removed:
        assert events[at - 1] == ("renamed", events[at - 1][1], events[at][1])
        assert not events[at][1].startswith("step-")
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000002"]


def test_what_a_removal_left_over_is_removed_by_the_next(tmp_path):
    save_checkpoint(tmp_path, 1, ARRAYS, STATE)
    for name in (".unfinished-000000007", ".unfinished-step-000000002"):
        shutil.copytree(tmp_path / "step-000000001", tmp_path / name)
    assert [path.name for path in checkpoints(tmp_path)] == ["step-000000001"]
    save_checkpoint(tmp_path, 2, ARRAYS, STATE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000001", "step-000000002"]


def test_what_a_run_says_of_itself_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    events = spy_on_the_disk(monkeypatch)
    config = TrainingConfig(dimension=2, min_count=1, subsample=0, epochs=1, engine="numpy")
    Trainer(config).fit([["a", "b", "c"]] * 9, tmp_path)
    for name in ("run.json", "loss.csv", "vectors.bin"):
        last = max(at for at, event in enumerate(events) if event[0] == "renamed" and event[2] == name)
        assert events[last - 1] == ("forced", (tmp_path / name).stat().st_ino)


SAVE_FOREVER = """
import sys
import numpy as np
from handgrad.word2vec.runs.checkpoint import checkpoints, save_checkpoint
print("ready", flush=True)
known = checkpoints(sys.argv[1])
for step in range(int(known[-1].name[5:]) + 1 if known else 1, 10**6):
    save_checkpoint(sys.argv[1], step, {"V": np.full(50_000, float(step))}, {"step": step}, keep=2)
"""


def test_whatever_is_left_by_a_kill_the_newest_checkpoint_is_whole(tmp_path):
    rng = np.random.default_rng(time.time_ns())
    for attempt in range(12):
        process = subprocess.Popen([sys.executable, "-c", SAVE_FOREVER, tmp_path], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(rng.uniform(0.01, 0.1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if not checkpoints(tmp_path):
            continue
        _, arrays, state = load_newest_checkpoint(tmp_path)  # a warning, for one that is not whole, fails the test
        assert (arrays["V"] == state["step"]).all()
        assert len(checkpoints(tmp_path)) <= 3, attempt
    assert checkpoints(tmp_path)


def test_state_is_plain_json(tmp_path):
    path = save_checkpoint(tmp_path, 1, ARRAYS, STATE)
    assert json.loads(Path(path / checkpoint.STATE).read_text(encoding="utf-8")) == STATE
