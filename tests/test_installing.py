"""What is printed for a user to type must run as it stands."""

import importlib.metadata
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from handgrad.installing import how_to_install, this_command


@pytest.fixture
def installed_from(monkeypatch, tmp_path):
    """Pretends that pip has installed handgrad from somewhere, and wrote that down."""

    def installed_from(text):
        (tmp_path / "handgrad-0.dist-info").mkdir(exist_ok=True)
        (tmp_path / "handgrad-0.dist-info/METADATA").write_text("Name: handgrad\nVersion: 0\n", encoding="utf-8")
        if text is not None:
            (tmp_path / "handgrad-0.dist-info/direct_url.json").write_text(text, encoding="utf-8")
        distribution = importlib.metadata.Distribution.at(tmp_path / "handgrad-0.dist-info")
        monkeypatch.setattr(importlib.metadata, "distribution", lambda name: distribution)

    return installed_from


def arguments(command):
    """What is handed to ``pip install``."""
    words = shlex.split(command)
    assert "pip" in words[:3]
    return words[words.index("install") + 1 :]


@pytest.mark.parametrize("editable", [True, False])
def test_from_a_folder_it_is_installed_from_that_folder(installed_from, tmp_path, editable):
    folder = tmp_path / "my project's [folder]"
    folder.mkdir()
    installed_from(json.dumps({"url": folder.as_uri(), "dir_info": {"editable": editable}}))
    assert arguments(how_to_install("word2vec")) == ["-e"] * editable + [f"{folder}[word2vec]"]


def test_from_a_wheel_it_is_installed_from_that_wheel(installed_from, tmp_path):
    wheel = tmp_path / "a folder" / "handgrad-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    installed_from(json.dumps({"url": wheel.as_uri(), "archive_info": {}}))
    (argument,) = arguments(how_to_install("torch"))
    requirement = Requirement(argument)
    assert (requirement.name, requirement.extras, requirement.url) == ("handgrad", {"torch"}, wheel.as_uri())


def test_from_a_repository_it_is_installed_from_that_commit(installed_from):
    origin = {"url": "https://example.org/book.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    installed_from(json.dumps(origin | {"subdirectory": "part"}))
    (argument,) = arguments(how_to_install("widgets"))
    assert Requirement(argument).url == "git+https://example.org/book.git@abc#subdirectory=part"


@pytest.mark.parametrize(
    "text", [None, "", "no JSON", "[]", "{}", '{"url": 5}', '{"url": "file:///no/such/folder", "dir_info": {}}']
)
def test_from_an_unknown_place_no_command_is_made_up(installed_from, text):
    installed_from(text)
    assert how_to_install("book") == "install handgrad with its extra book, as its README says"


@pytest.mark.parametrize("called", ["handgrad", "handgrad.cli", "script"])
def test_what_a_run_says_to_type_next_runs_as_printed(tmp_path, called):
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 50, encoding="utf-8")
    script = tmp_path / "a folder" / "handgrad"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\nfrom handgrad.cli import main\nmain()\n", encoding="utf-8")
    script.chmod(0o755)
    program = ["a folder/handgrad"] if called == "script" else [sys.executable, "-m", called]
    settings = "--min-count 1 --dimension 4 --epochs 1 --subsample 0 --engine numpy --output run".split()
    done = subprocess.run([*program, "train", "text.txt", *settings], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    command = done.stdout.partition("Look further with: ")[2].splitlines()[0].replace("WORD ...", "cat")
    again = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0 and "mat" in again.stdout, again.stderr


def test_the_command_on_the_path_is_called_by_its_name(monkeypatch, tmp_path):
    script = tmp_path / "handgrad"
    script.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    assert this_command() == shlex.quote(str(script))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert this_command() == "handgrad"


def test_no_message_names_a_package_of_a_registry():
    library = Path(__file__).resolve().parents[1] / "lib/handgrad"
    assert [
        str(path) for path in library.rglob("*.py") if "install 'handgrad[" in path.read_text(encoding="utf-8")
    ] == []
