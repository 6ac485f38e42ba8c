"""Where compiled code is kept, and what happens where it cannot be kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import handgrad

BLOCKS = """
import numpy as np
from handgrad.word2vec.engines.compiled.draws import draw_outputs
print(len(draw_outputs(np.zeros(5, np.int32), 4, np.zeros(1, np.uint64), 3, np.uint64(1))))
"""


def test_a_change_in_a_file_reaches_what_was_compiled_of_another(tmp_path):
    """up_to, of aligned.py, is inlined in draw_outputs, of draws.py."""
    package = shutil.copytree(Path(handgrad.__file__).parent, tmp_path / "handgrad")
    variables = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": ""}

    def outputs():
        done = subprocess.run([sys.executable, "-c", BLOCKS], env=variables, capture_output=True, text=True, check=True)
        return int(done.stdout), {path.stat().st_mtime_ns for path in package.rglob("draws.draw_outputs-*.nb[ic]")}

    words, compiled = outputs()
    assert words == 5 + 2 * 3 and compiled
    with open(package / "word2vec/engines/compiled/pieces.py", "a", encoding="utf-8") as file:
        file.write("# changed, and nothing of it is compiled")
    assert outputs() == (words, compiled)  # not compiled again
    aligned = package / "word2vec/engines/compiled/aligned.py"
    aligned.write_text(aligned.read_text().replace("(n + multiple - 1) // multiple * multiple", "n + 3 * multiple"))
    words, compiled_again = outputs()
    assert words == 5 + 4 * 3
    assert compiled.isdisjoint(compiled_again)


def test_without_a_place_for_compiled_code_it_is_compiled_and_one_line_says_so(tmp_path):
    """As in a container whose package and home are read-only (numba #5566): here files stand where folders should be.

    For a process of root every folder can be written to, whatever its mode.
    """
    package = shutil.copytree(
        Path(handgrad.__file__).parent, tmp_path / "handgrad", ignore=shutil.ignore_patterns("__pycache__")
    )
    file = package / "word2vec/engines/compiled/__pycache__"
    file.touch()
    nowhere = {name: str(file) for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "IPYTHONDIR")}
    variables = os.environ | nowhere | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 50, encoding="utf-8")
    settings = "--min-count 1 --dimension 4 --epochs 1 --subsample 0 --engine compiled --output run".split()
    settings += "--objective nce --negatives 2".split()  # the kernel that takes the compiler the least time
    command = [sys.executable, "-m", "handgrad.cli", "train", "text.txt", *settings]
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("There is no place to keep compiled code") == 1
    assert "Traceback" not in done.stderr and (tmp_path / "run/vectors.bin").exists()
