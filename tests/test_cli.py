"""The command line: what it prints, and one sentence with exit status 2 for whatever is wrong."""

import json

import pytest
from click.testing import CliRunner

from handgrad.cli import main
from handgrad.word2vec import KeyedVectors


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat\nthe dog sat on the rug\n" * 50, encoding="utf-8")
    return path


def test_train_writes_a_folder_that_neighbours_reads(run, text, tmp_path):
    folder = tmp_path / "runs" / "first"
    result = run("train", text, "--output", folder, "--dimension", 8, "--epochs", 2)
    assert result.exit_code == 0, result.output
    assert "Vocabulary(7 words" in result.output and "raw words/s" in result.output
    assert sorted(p.name for p in folder.iterdir()) == ["loss.csv", "run.json", "vectors.bin"]
    vectors = KeyedVectors.load_word2vec_format(folder / "vectors.bin")
    assert len(vectors) == 7 and vectors.vector_size == 8
    described = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert described["config"]["epochs"] == 2 and described["raw_words"] == 600
    assert described["raw_words_per_second"] > 0
    lines = (folder / "loss.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "raw_words,loss_per_pair" and lines[-1].startswith("1200,")

    for command in ("neighbours", "neighbors"):
        result = run(command, folder / "vectors.bin", "cat", "dog", "--topn", 2)
        assert result.exit_code == 0
        rows = result.output.splitlines()
        assert [row.split()[0] for row in rows] == ["cat", "dog"]
        assert all(len(row.split()) == 5 for row in rows)


def test_without_output_it_says_that_nothing_was_kept(run, text):
    assert "not saved: give --output" in run("train", text, "--epochs", 1, "--dimension", 4).output


def test_a_gzipped_text_is_read(run, tmp_path):
    import gzip

    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"one two three four\n" * 20))
    assert "4 words" in run("train", path, "--epochs", 1, "--dimension", 4).output


@pytest.mark.parametrize("command", [[], ["train"], ["neighbours"]])
def test_help_has_examples(run, command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert not command or "Example" in result.output


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["train", "{tmp}/missing.txt"], "missing.txt"),
        (["train", "{tmp}/empty.txt"], "empty.txt"),
        (["train", "{tmp}"], "{tmp}"),
        (["train", "{tmp}/binary.txt"], "binary.txt"),
        (["train", "{tmp}/rare.txt"], "No word occurs 5 times or more in this text of 3 words"),
        (["train", "{tmp}/rare.txt", "--output", "{tmp}"], "exists already and is left as it is"),
        (["train", "{tmp}/rare.txt", "--output", "{tmp}/rare.txt"], "exists already and is left as it is"),
        (["train", "{tmp}/rare.txt", "--epochs", "0"], "expects epochs of at least 1, but got 0"),
        (["train", "{tmp}/rare.txt", "--dimension", "-1"], "expects dimension of at least 1"),
        (["train", "{tmp}/rare.txt", "--dimension", "x"], "not a valid integer"),
        (["train", "--colour"], "No such option"),
        (["neighbours", "{tmp}/missing.bin", "word"], "could not be read"),
        (["neighbours", "{tmp}/rare.txt", "word"], "is not a vectors file"),
        (
            ["neighbours", "{tmp}/vectors.bin", "nrth"],
            "The word 'nrth' is not among these 2 words; did you mean north?",
        ),
        (["neighbours", "{tmp}/vectors.bin", "north", "--topn", "0"], "topn of at least 1"),
        (["neighbours", "{tmp}/vectors.bin"], "Missing argument"),
        (["fly"], "No such command"),
        (["train", ""], "Expected a text file"),
        (["train", "{tmp}/rare.txt", "--output", ""], "The output folder has no name"),
        (["train", "{tmp}/rare.txt", "--output", "{tmp}/new"], "No word occurs 5 times or more"),
        (["train", "{tmp}/fine.txt", "--output", "{tmp}/late", "--dimension", "2000000000000"], "not enough memory"),
        (["train", "/dev/null"], "can be read only once"),
        (["neighbours", "{tmp}/text.vec", "a"], "with --text"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(run, tmp_path, arguments, sentence):
    (tmp_path / "empty.txt").write_text("", encoding="utf-8")
    (tmp_path / "rare.txt").write_text("three rare words\n", encoding="utf-8")
    (tmp_path / "fine.txt").write_text("two words\n" * 9, encoding="utf-8")
    (tmp_path / "text.vec").write_text("1 1\na 1\n", encoding="utf-8")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00" * 100)
    KeyedVectors(["north", "east"], [[0.0, 1.0], [1.0, 0.0]]).save_word2vec_format(tmp_path / "vectors.bin")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    result = run(*[a.format(tmp=tmp_path) for a in arguments])
    assert result.exit_code == 2, result.output
    assert sentence.format(tmp=tmp_path) in result.output.replace("\n", " ")
    assert "Traceback" not in result.output and isinstance(result.exception, SystemExit)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_mistake_of_the_library_is_not_blamed_on_the_user(run, text, monkeypatch):
    def broken(*arguments):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr("handgrad.word2vec.trainer.window_centers", broken)
    result = run("train", text)
    assert result.exit_code == 1 and isinstance(result.exception, ValueError)


def test_ctrl_c_stops_with_a_sentence_and_leaves_no_empty_folder(run, text, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("handgrad.word2vec.trainer.window_centers", interrupted)
    result = run("train", text, "--output", tmp_path / "run")
    assert result.exit_code == 130 and "Nothing was saved" in result.output
    assert not (tmp_path / "run").exists()
