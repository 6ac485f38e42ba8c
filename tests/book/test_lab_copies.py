"""`make lab` without the lab: the folder of readers' copies, through updates, damage, interruption and a second lab."""

import json
import os
import subprocess
import sys
from pathlib import Path

import lab
import nbformat
import pytest
from nbformat.sign import NotebookNotary
from notebooks import read

ROOT = Path(__file__).resolve().parents[2]
ANSWER = "answer-ex-1"


def chapter(*texts, link=""):
    cells = [nbformat.v4.new_markdown_cell(f"# A chapter\n\n{link}", id="cell-00")]
    cells += [nbformat.v4.new_code_cell(text, id=f"cell-{n:02d}") for n, text in enumerate(texts, start=1)]
    tags = {"tags": ["lab-only", "remove-cell"]}
    cells += [nbformat.v4.new_code_cell("", id=ANSWER, metadata=tags)]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(autouse=True)
def own_jupyter(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


@pytest.fixture
def copies(tmp_path):
    (tmp_path / "book").mkdir()
    nbformat.write(chapter("print(1)", link="See [Notation](notation.md)."), tmp_path / "book/01_one.ipynb")
    nbformat.write(chapter("print(2)"), tmp_path / "book/02_two.ipynb")
    (tmp_path / "book/notation.md").write_text("# Notation\n", encoding="utf-8")
    (tmp_path / "book/index.md").write_text("# The book\n", encoding="utf-8")
    made = lab.Copies(tmp_path / "book", tmp_path / "my-book")
    made.acquire()
    assert list(made.update()) == []
    yield made
    made.lock.release()


def answer(path, text="answer = 42"):
    notebook = nbformat.read(path, as_version=4)
    next(cell for cell in notebook.cells if cell.id == ANSWER).source = text
    nbformat.write(notebook, path)


def update_book(copies, name="01_one.ipynb", *texts):
    nbformat.write(chapter(*(texts or ("print('new')", "print(1)"))), copies.book / name)


def kept(copies):
    folder = copies.folder / lab.EARLIER
    return sorted(folder.iterdir()) if folder.exists() else []


def sources(path):
    return [cell.source for cell in read(path).cells]


def test_copies_hold_the_chapters_and_what_these_link_to(copies):
    names = sorted(path.name for path in copies.folder.iterdir() if not path.name.startswith("."))
    assert names == ["01_one.ipynb", "02_two.ipynb", "notation.md"]
    for path in copies.chapters:
        assert sources(copies.folder / path.name) == sources(path)


def test_drawings_of_a_copy_are_trusted(copies):
    with NotebookNotary() as notary:
        assert notary.check_signature(read(copies.folder / "01_one.ipynb"))
        assert not notary.check_signature(read(copies.book / "01_one.ipynb"))


def test_without_an_update_nothing_is_written(copies):
    answer(copies.folder / "01_one.ipynb")
    before = {path: path.stat().st_mtime_ns for path in copies.folder.iterdir() if path.is_file()}
    assert list(copies.update()) == [] and kept(copies) == []
    assert {path: path.stat().st_mtime_ns for path in copies.folder.iterdir() if path.is_file()} == before


def test_an_answer_survives_an_update_and_a_line_says_so(copies):
    copy = copies.folder / "01_one.ipynb"
    answer(copy)
    before = copy.read_bytes()
    update_book(copies)
    (line,) = copies.update()
    assert sources(copy) == ["# A chapter\n\n", "print('new')", "print(1)", "answer = 42"]
    assert [path.read_bytes() for path in kept(copies)] == [before]
    earlier = f"my-book/{lab.EARLIER}/{kept(copies)[0].name}"
    assert line == f"01_one.ipynb was updated, and 1 cell of yours is in it. As it was before, it is {earlier}."
    assert list(copies.update()) == []


def test_an_untouched_copy_is_replaced(copies):
    update_book(copies)
    assert list(copies.update()) == ["01_one.ipynb was updated."] and kept(copies) == []
    assert sources(copies.folder / "01_one.ipynb") == sources(copies.book / "01_one.ipynb")


def test_a_copy_that_was_deleted_or_renamed_is_made_again(copies):
    answer(copies.folder / "01_one.ipynb")
    (copies.folder / "01_one.ipynb").rename(copies.folder / "mine.ipynb")
    assert list(copies.update()) == []
    assert (
        sources(copies.folder / "01_one.ipynb")[-1] == "" and sources(copies.folder / "mine.ipynb")[-1] == "answer = 42"
    )


DAMAGED = {
    "empty": b"",
    "half of it": b'{"cells": [{"cell_ty',
    "not a notebook": b"[1]",
    "no text": b"\xff\xfe\x00",
    "cells without a source": b'{"cells": [{"cell_type": "code", "id": "a"}], "metadata": {}, "nbformat": 4}',
    "cells that are none": b'{"cells": [1], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "metadata that is none": b'{"cells": [], "metadata": [], "nbformat": 4, "nbformat_minor": 5}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_copy_is_put_aside_as_it_is(copies, content):
    copy = copies.folder / "01_one.ipynb"
    copy.write_bytes(content)
    (line,) = copies.update()
    assert "could not be read" in line and [path.read_bytes() for path in kept(copies)] == [content]
    assert sources(copy) == sources(copies.book / "01_one.ipynb")


def test_a_folder_in_its_place_is_put_aside(copies):
    copy = copies.folder / "01_one.ipynb"
    copy.unlink()
    copy.mkdir()
    (copy / "notes.txt").write_text("mine", encoding="utf-8")
    (line,) = copies.update()
    assert "could not be read" in line and (kept(copies)[0] / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert sources(copy) == sources(copies.book / "01_one.ipynb")


def test_where_the_old_edition_is_lost_the_answer_is_found_all_the_same(copies):
    answer(copies.folder / "01_one.ipynb")
    for path in (copies.folder / lab.EDITIONS).glob("*.ipynb"):
        path.unlink()
    update_book(copies)
    (line,) = copies.update()
    assert "1 cell of yours is in it" in line and len(kept(copies)) == 1
    assert sources(copies.folder / "01_one.ipynb")[1:] == ["print('new')", "print(1)", "answer = 42"]


def test_a_page_that_the_reader_changed_is_kept(copies):
    (copies.folder / "notation.md").write_text("# My notes\n", encoding="utf-8")
    (line,) = copies.update()
    assert "notation.md was updated" in line and kept(copies)[0].read_text(encoding="utf-8") == "# My notes\n"
    (copies.book / "notation.md").write_text("# Notation, new\n", encoding="utf-8")
    assert list(copies.update()) == []
    assert (copies.folder / "notation.md").read_text(encoding="utf-8") == "# Notation, new\n"


def test_two_updates_within_a_second_keep_both(copies):
    copy = copies.folder / "01_one.ipynb"
    for number in range(3):
        answer(copy, f"answer = {number}")
        update_book(copies, "01_one.ipynb", f"print({number}, 'new')")
        assert len(list(copies.update())) == 1
    assert [sources(path)[-1] for path in kept(copies)] == ["answer = 0", "answer = 1", "answer = 2"]


class Stopped(BaseException):
    """In place of Ctrl-C, a lost connection, an empty battery."""


@pytest.mark.parametrize("writes", range(4))
def test_wherever_an_update_is_stopped_the_next_one_completes_it(copies, monkeypatch, writes):
    copy = copies.folder / "01_one.ipynb"
    answer(copy)
    update_book(copies)
    replace, done = os.replace, []

    def replace_some(*arguments):
        if len(done) == writes:
            raise Stopped
        done.append(arguments)
        replace(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace_some)
        try:
            list(copies.update())
        except Stopped:
            assert "answer = 42" in sources(copy)
    list(copies.update())
    assert sources(copy) == ["# A chapter\n\n", "print('new')", "print(1)", "answer = 42"]
    assert all(sources(path)[-1] == "answer = 42" for path in kept(copies)) and kept(copies)
    assert not [path for path in copies.folder.rglob("*.partial")]


# ---- The command


@pytest.fixture
def command(tmp_path):
    """The command on copies in a folder, with a lab that says only that it was started, and how."""
    stand_in = tmp_path / "stand-in"
    stand_in.mkdir()
    (stand_in / "jupyterlab.py").write_text("import sys; print('LAB', *sys.argv[1:])", encoding="utf-8")

    def command(copies, *options, **settings):
        paths = os.pathsep.join([str(stand_in), os.environ.get("PYTHONPATH", "")])
        arguments = [lab.__file__, "--book", copies.book, "--copies", copies.folder, *options]
        return subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": paths},
            **settings,
        )

    return command


def test_the_lab_opens_the_first_chapter(copies, command):
    copies.lock.release()
    update_book(copies)
    done = command(copies, "--no-browser")
    assert done.returncode == 0, done.stderr
    said, started = done.stdout.splitlines()
    assert said == "01_one.ipynb was updated."
    assert f"--ServerApp.root_dir={copies.folder}" in started and "default_url=/lab/tree/01_one.ipynb" in started
    assert started.endswith("--no-browser")


def test_what_is_open_in_another_lab_is_not_updated(copies, command):
    answer(copies.folder / "01_one.ipynb")
    before = (copies.folder / "01_one.ipynb").read_bytes()
    update_book(copies)
    done = command(copies)
    assert done.returncode == 0 and "LAB" in done.stdout
    assert done.stderr == "The chapters are open in another lab, so they are not updated now.\n"
    assert (copies.folder / "01_one.ipynb").read_bytes() == before


@pytest.mark.parametrize("opened", [True, False], ids=["with copies", "without"])
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, copies, command, opened):
    """A file stands where a folder is needed, which stops the superuser too."""
    copies.lock.release()
    if opened:
        for path in (copies.folder / lab.EDITIONS).iterdir():
            path.unlink()
        (copies.folder / lab.EDITIONS).rmdir()
        (copies.folder / lab.EDITIONS).write_text("", encoding="utf-8")
    else:
        copies.folder = tmp_path / "file"
        copies.folder.write_text("", encoding="utf-8")
    done = command(copies)
    assert len(done.stderr.splitlines()) == 1 and "could not be updated" in done.stderr, done.stderr
    assert (done.returncode, "LAB" in done.stdout) == ((0, True) if opened else (2, False))


def test_git_ignores_the_copies_and_make_opens_them():
    assert "my-book/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "tools/lab.py $(LAB_OPTIONS)" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_a_copy_says_which_edition_it_was_made_from(copies):
    stored = json.loads((copies.folder / "01_one.ipynb").read_text(encoding="utf-8"))
    edition = stored["metadata"][lab.MARK]["edition"]
    assert (copies.folder / lab.EDITIONS / f"{edition}.ipynb").read_bytes() == copies.chapters[0].read_bytes()
