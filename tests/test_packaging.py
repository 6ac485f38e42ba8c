"""What is installed without extras: NumPy alone must be enough for gates, graph, checker and optimizers."""

import doctest
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import handgrad.graph
from handgrad.cli.sentences import EXTRA
from handgrad.installing import how_to_install

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run_without_extras(code):
    """Run code in a Python that finds handgrad and NumPy, and nothing else outside the standard library."""
    allowed = ("handgrad", "numpy")
    blocker = f"""
import sys, importlib.abc
class OnlyNumPy(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in {allowed!r} and top not in sys.stdlib_module_names and not top.startswith("__editable__"):
            raise ModuleNotFoundError(f"No module named {{top!r}}", name=top)
sys.meta_path.insert(0, OnlyNumPy())
"""
    return subprocess.run([sys.executable, "-c", blocker + code], capture_output=True, text=True, timeout=120)


def test_the_core_needs_numpy_alone():
    result = run_without_extras(
        "import handgrad as hg\n"
        "graph = hg.ComputationalGraph(hg.Multiply()(hg.Node('x'), hg.Node('y')))\n"
        "print(graph.forward(x=2.0, y=3.0), graph.backward(), hg.check_gate(hg.Tanh(), 0.5).ok)"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "6.0 {'x': 3.0, 'y': 2.0} True"


def test_the_blocker_blocks():
    result = run_without_extras("import torch")
    assert result.returncode != 0 and "No module named 'torch'" in result.stderr


@pytest.mark.parametrize(
    "module", ["handgrad.word2vec", "handgrad.corpora", "handgrad.datasets", "handgrad.window_classifier"]
)
def test_word2vec_and_corpora_can_be_imported_without_extras(module):
    result = run_without_extras(f"import {module}")
    assert result.returncode == 0, result.stderr


def test_the_command_without_its_extra_is_one_sentence():
    result = run_without_extras("import handgrad.cli")
    assert result.returncode == 2
    assert result.stderr.strip() == f"The handgrad command needs click: {how_to_install('word2vec')}"


def test_whatever_the_extra_installs_is_told_when_it_is_missing():
    extra = {requirement.split(">")[0] for requirement in PROJECT["optional-dependencies"]["word2vec"]}
    assert extra == EXTRA | {"click"}


def test_numpy_is_the_only_dependency_of_the_core():
    assert [d.split(">")[0] for d in PROJECT["dependencies"]] == ["numpy"]


def test_one_version():
    assert PROJECT["version"] == handgrad.__version__


def test_every_public_name_exists_and_is_documented():
    for name in handgrad.__all__:
        assert getattr(handgrad, name).__doc__, name


def test_pins_are_exact_and_of_what_pyproject_asks_for():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split(";")[0].strip() for line in lines if line and not line.lstrip().startswith("#")]
    assert "-e ." in pins and "torch==2.13.0" in pins
    assert all("==" in pin for pin in pins if pin != "-e .")
    assert not [pin for pin in pins if pin.startswith("nvidia")]
    names = {pin.split("==")[0].lower() for pin in pins}
    asked = {d for extra in ("book", "test", "dev") for d in PROJECT["optional-dependencies"][extra]}
    for requirement in asked:
        name = requirement.split("[")[0].split(">")[0].split("=")[0].strip().lower()
        assert name == "handgrad" or name in names, requirement


def test_the_wheel_tells_type_checkers_that_it_is_annotated(tmp_path):
    """And it carries what explorers need. It is built from a copy: setuptools leaves files beside its sources."""
    for name in ("lib", "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, tmp_path]
    built = subprocess.run([sys.executable, *build], capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"handgrad/py.typed", "handgrad/show/explorers/parts/host.js", "handgrad/installing.py"} <= set(names)
    assert {f"handgrad/corpora/data/entities.{part}.conll" for part in ("train", "known", "new", "twice")} <= set(names)
    assert "handgrad/corpora/data/README.md" in names


def test_doctests_of_the_core():
    results = doctest.testmod(handgrad.graph)
    assert results.failed == 0 and results.attempted > 0


def test_drawings_need_numpy_alone_and_what_needs_more_says_so():
    result = run_without_extras(
        "import handgrad as hg\n"
        "from handgrad import show\n"
        "print(show.draw(hg.ComputationalGraph(hg.Tanh()(hg.Node('x')))).svg()[:4])\n"
        "for call in (show.use_book_style, lambda: hg.as_torch_function(hg.Tanh)):\n"
        "    try: call()\n"
        "    except ValueError as error: print(error)"
    )
    assert result.returncode == 0, result.stderr
    svg, figures, bridge = result.stdout.splitlines()
    assert svg == "<svg" and "need matplotlib" in figures and "needs torch" in bridge
