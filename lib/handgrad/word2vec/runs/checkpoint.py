"""Checkpoints: the whole state of a run in a folder that is either complete or refused.

A checkpoint is a folder ``step-000005000`` of three files: ``arrays.safetensors`` holds the parameters and what the
optimizer remembers, ``state.json`` all else, and ``SHA256SUMS`` the digests of both (``sha256sum -c`` reads it). It is
written under another name, forced to the disk, and then renamed: whatever happens in the middle, the checkpoints
before it are untouched.
"""

import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from handgrad.errors import InputError

ARRAYS, STATE, SUMS = "arrays.safetensors", "state.json", "SHA256SUMS"
UNFINISHED = ".unfinished-"


class DamagedCheckpointError(InputError):
    """A checkpoint whose bytes are not those that were written."""


def save_checkpoint(folder, step, arrays, state, keep=3):
    """Write a checkpoint into ``folder``, and then remove all but the newest ``keep``.

    Parameters
    ----------
    folder : path, made if it is not there
    step : int, which names the checkpoint and orders it
    arrays : dict, name to NumPy array
    state : what JSON can hold
    keep : int, at least 1

    Returns
    -------
    Path of the checkpoint
    """
    folder = Path(folder)
    if step in [_step_of(known) for known in checkpoints(folder)] and is_whole_checkpoint(folder / _name_of(step)):
        return folder / _name_of(step)  # reached once more after a resume: the same bits
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob(f"{UNFINISHED}*"):  # of a run that was killed while it wrote or removed
        shutil.rmtree(left_over)
    path, unfinished = folder / _name_of(step), folder / f"{UNFINISHED}{step:09d}"
    try:
        unfinished.mkdir()
        # safetensors stores the bytes as they lie: a transposed or sliced array would come back as another
        save_file({name: np.asarray(array, order="C") for name, array in arrays.items()}, unfinished / ARRAYS)
        (unfinished / STATE).write_text(json.dumps(state, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        (unfinished / SUMS).write_bytes(_sums(unfinished))
        for written in (unfinished / ARRAYS, unfinished / STATE, unfinished / SUMS, unfinished):
            _force_to_disk(written)
        if path.exists():  # but damaged
            _remove(path)
        unfinished.rename(path)
        _force_to_disk(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"The checkpoint {path} could not be written: {reason}. Those before it are whole; make room and resume."
        ) from error
    for old in checkpoints(folder)[:-keep]:
        if old != path:
            _remove(old)
    return path


def load_checkpoint(path):
    """Read a checkpoint, if every byte is what was written.

    Returns
    -------
    arrays : dict, name to NumPy array
    state : as it was given to ``save_checkpoint``
    """
    path = Path(path)
    try:
        if (path / SUMS).read_bytes() != _sums(path):
            raise DamagedCheckpointError(f"{path} is damaged: its files are not those that {SUMS} was written for.")
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
        if not isinstance(state, dict):
            raise ValueError(f"{STATE} is no table")
        return load_file(path / ARRAYS), state
    except OSError as error:
        raise DamagedCheckpointError(
            f"{path} is no whole checkpoint: {Path(error.filename or path).name}: {error.strerror}."
        ) from error
    except (ValueError, RecursionError, SafetensorError) as error:  # with sums that were made for it
        raise DamagedCheckpointError(f"{path} is damaged: {' '.join(str(error).split())}.") from error


def load_newest_checkpoint(folder, require_right=None):
    """The newest checkpoint that is whole, as ``(path, arrays, state)``.

    ``require_right(arrays, state)``, if it is given, raises an error for one that is whole but cannot be right.
    Warns about each newer one that is not, and removes it: else it would be taken for the newest for ever.
    """
    damaged = []
    for path in reversed(checkpoints(folder)):
        try:
            arrays, state = load_checkpoint(path)
            if require_right:
                _require_right(path, require_right, arrays, state)
        except DamagedCheckpointError as error:
            warnings.warn(f"{error} The one before it is used.", stacklevel=2)
            damaged.append(path)
            continue
        for newer in damaged:
            _remove(newer)
        return path, arrays, state
    raise InputError(f"There is no whole checkpoint in {folder}: start a new run in a new folder.")


def _require_right(path, require_right, arrays, state):
    try:
        require_right(arrays, state)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise DamagedCheckpointError(f"{path} is damaged: it is no state of this run ({what:.200}).") from error


def checkpoints(folder):
    """The checkpoints in ``folder``, oldest first, whole or not."""
    named = [path for path in Path(folder).glob("step-*") if path.name.removeprefix("step-").isdigit()]
    return sorted(named, key=_step_of)


def _name_of(step):
    return f"step-{step:09d}"


def _step_of(path):
    return int(path.name.removeprefix("step-"))


def is_whole_checkpoint(path):
    try:
        return (path / SUMS).read_bytes() == _sums(path)
    except OSError:
        return False


def _sums(path):
    """The digests of a checkpoint's files, in the form of sha256sum."""
    return "".join(f"{_sha256(path / name)}  {name}\n" for name in (ARRAYS, STATE)).encode()


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _force_to_disk(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path):
    """First under a name that is no checkpoint's, so that a half removed one is never taken for one."""
    doomed = path.with_name(f"{UNFINISHED}{path.name}")
    path.rename(doomed)
    shutil.rmtree(doomed)
