"""Each benchmark runs from end to end on a small text and prints ratios; how large they are depends on the machine."""

import argparse
import importlib.util
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"
RATIO = re.compile(r"ratio (\d+\.\d+)")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Zipf's law without any meaning: enough for what counts and times."""
    rng, path = random.Random(1), tmp_path_factory.mktemp("bench") / "text.txt"
    words = [f"w{i}" for i in range(300)]
    shares = [1 / (i + 1) for i in range(len(words))]
    lines = [" ".join(rng.choices(words, shares, k=20)) for _ in range(1000)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def bench(script, *options, status=0):
    """What a script prints."""
    command = [sys.executable, str(BENCH / script), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    return done.stdout


def require(package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}")


def test_training_compares_speed_and_quality(text, tmp_path):
    require("gensim")
    similarity, results = tmp_path / "similarity.tsv", tmp_path / "results.json"
    similarity.write_text("w1\tw2\t3\nw3\tw4\t2\nw5\tw6\t1\n", encoding="utf-8")
    printed = bench(
        "training.py", text, "--similarity", similarity, "--seeds", 2, "--dimension", 16, "--results", results,
        "--sides", "gensim", "gensim-file", "deterministic", "handgrad-torch", "torch", "--torch-seconds", 0.2,
    )  # fmt: skip
    assert len(RATIO.findall(printed)) == 5
    assert printed.count("similarity ") == 3  # torch's vectors are not evaluated
    lines = json.loads(results.read_text(encoding="utf-8"))
    assert [line["peer"] for line in lines] == [
        "gensim", "gensim-file", "Hogwild", "handgrad-torch, for 0.2 s", "torch, for 0.2 s",
    ]  # fmt: skip
    assert all(len(line["ours"]) == len(line["theirs"]) == 2 for line in lines)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_training_with_hierarchical_softmax(text, model):
    require("gensim")
    options = ("--seeds", 1, "--dimension", 16, "--model", model, "--objective", "hierarchical-softmax")
    printed = bench("training.py", text, *options)
    assert f"{model}, hierarchical-softmax, D 16, 2 threads, 1 epoch of all, beside gensim" in printed
    assert len(RATIO.findall(printed)) == 1


def test_a_side_that_fails_is_named_and_the_others_are_measured(text):
    """torch's loop does skip-gram alone; and word2vec.c shows no progress on a text this short, or is not there."""
    require("gensim")
    sides = ("--sides", "torch", "word2vec.c", "gensim")
    printed = bench("training.py", text, "--seeds", 1, "--dimension", 16, "--model", "cbow", *sides, status=1)
    assert len(RATIO.findall(printed)) == 1
    assert "NOT MEASURED: torch failed: The torch side does skip-gram with negative sampling alone" in printed
    assert "NOT MEASURED: word2vec.c failed: " in printed


def test_from_text_to_vectors(text):
    require("gensim")
    printed = bench("text_to_vectors.py", text, "--turns", 1, "--compiled", "negative sampling")
    assert len(RATIO.findall(printed)) == 2  # warm and cold
    assert re.search(r"first call compiles, negative sampling: [\d.]+ s", printed), printed


def test_nce(text):
    printed = bench("nce_speed.py", text, "--steps", 40, "--turns", 1, "--sides", "torch", "handgrad-torch")
    assert len(RATIO.findall(printed)) == 2
    ends = [float(end) for line in re.findall(r"loss at the end (\S+) and (\S+)", printed) for end in line]
    assert ends[0] == pytest.approx(ends[1], rel=0.05)  # the same batches and first values, other noise
    assert ends[2] == pytest.approx(ends[3], rel=1e-3)  # the same noise too


def test_nce_says_what_to_install(text):
    if importlib.util.find_spec("tensorflow"):
        pytest.skip("TensorFlow is here")
    printed = bench("nce_speed.py", text, "--steps", 8, "--turns", 1, "--sides", "tensorflow", status=1)
    assert "There is no TensorFlow here: pip install -r bench/requirements.txt" in printed


def test_the_ideas_of_the_kernel_are_added_one_to_the_other(text):
    printed = bench("kernels.py", text, "--turns", 1, "--dimension", 16, "--sides", "pairs", "blocks", "registers")
    assert re.findall(r"(\w+): [^:]*, beside (\w+):", printed) == [
        ("blocks", "pairs"), ("registers", "blocks"), ("registers", "pairs"),
    ]  # fmt: skip
    assert len(RATIO.findall(printed)) == 3


def test_what_stands_in_for_products_in_registers_is_the_same(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    import kernels

    from handgrad.word2vec.engines.compiled import products
    from handgrad.word2vec.engines.compiled.aligned import aligned_table

    rng, rows, places = np.random.default_rng(0), np.array([5, 2, 2, 0]), np.arange(8)
    A, U = aligned_table(rng.normal(size=(8, 21))), aligned_table(rng.normal(size=(6, 21)))
    E = [aligned_table(np.zeros((8, 4))) for _ in range(2)]
    tables = [U.copy() for _ in range(2)]
    for module, errors, table in zip((kernels, products), E, tables, strict=True):
        module.scores(A, U, rows, errors, 8, 4)
        module.add_product(table, rows, errors.T, A, places, 8)
    assert E[0].any() and (tables[0] != U).any()
    np.testing.assert_allclose(E[0], E[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(*tables, rtol=1e-12, atol=1e-12)


def test_the_roofline_counts_the_entries(text, monkeypatch):
    assert len(RATIO.findall(bench("roofline.py", text, "--turns", 1))) == 3
    monkeypatch.syspath_prepend(BENCH)
    import roofline

    # Targets 1 and 2, whose windows are the words 0, 2 and 0, 1, 3: 5 pairs; 4 words, of which the kernel takes all.
    assert roofline.entries_of(1, [0, 0], [3, 4], drawn=12, negatives=7) == (4 * (12 + 2), 5 * (1 + 7), 5 + 7 * 4)
    # A target alone in its sentence is no pair, but it is computed.
    assert roofline.entries_of(5, [5], [6], drawn=12, negatives=7) == (13, 0, 0)


def test_memory_and_large_vocabularies():
    printed = bench("memory.py", "--words", 20_000, "--vocabularies", 100, 1000, "--turns", 1)
    assert len(RATIO.findall(printed)) == 1
    assert re.search(r"V = 1,000: beside model and ids, libraries included: \d+", printed)


def test_the_report_shows_what_was_found_and_what_failed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    import report

    faster = {
        "kind": "Ratio",
        "what": "task",
        "peer": "peer",
        "ours": [3, 4, 5],
        "theirs": [2, 2, 2],
        "unit": "1/s",
    }
    found = [
        {**faster, "ratio": 2.0, "least": 9.0, "quality": "test 0.6 and 0.5: no lower"},
        {"kind": "Figure", "what": "memory", "value": 50, "unit": "MB", "limit": "at most 100", "held": True},
        {"kind": "Failure", "what": "tensorflow failed: There is none."},
    ]
    done = [
        {"name": "one.py", "found": found, "printed": "ratio 2.00\n", "rc": 1},
        {"name": "two.py", "found": [], "printed": "", "rc": 1},
    ]
    report.write(tmp_path, done, words=1000, seconds=60)
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    assert "| task | peer | 4 | 2 | 1/s | 2.00 | 9, **missed** |" in page
    assert "- task, beside peer: test 0.6 and 0.5: no lower" in page
    assert "| memory | 50 MB | at most 100, held |" in page
    assert "- tensorflow failed: There is none." in page and "`two.py` ended with status 1" in page
    assert "one.py" not in page.split("## Not measured")[1].split("## What")[0]
    assert "<svg" in (tmp_path / "results.svg").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.md", "results.svg"]


def test_the_report_runs_every_script():
    spec = importlib.util.spec_from_file_location("bench_report", BENCH / "report.py")
    listed = {f"{name}.py" for name in re.findall(r'yield "(\w+)\.py"', Path(spec.origin).read_text(encoding="utf-8"))}
    helpers = {"sides.py", "report.py"}
    assert listed == {path.name for path in BENCH.glob("*.py")} - helpers


def test_the_reports_commands_for_training_are_understood(monkeypatch):
    """An option that was renamed would be noticed an hour later."""
    monkeypatch.syspath_prepend(BENCH)
    import report
    import training

    arguments = argparse.Namespace(text="text.gz", similarity=["pairs"], analogies="questions", words=1000)
    commands = [options for script, options in report.commands(arguments, "plain") if script == "training.py"]
    quality, beside_gensim, others = (training.options().parse_args(options) for options in commands)
    assert training.comparisons(quality) == [(training.Setting(least=9), ["deterministic", "gensim"])]
    assert training.comparisons(beside_gensim) == [(setting, ["gensim"]) for setting, _ in training.ALL]
    assert (quality.words, beside_gensim.words, others.words) == (0, 0, 1000)
    found = training.comparisons(others)
    assert [len(sides) for _, sides in found] == [4, 2, 1, 1] and "gensim" not in {
        s for _, sides in found for s in sides
    }


def test_the_window_classifier_beside_lists_of_names(tmp_path):
    """On a file of CoNLL, with vectors for some of its words; the book's own set takes the same way."""
    conll, vectors = tmp_path / "a.conll", tmp_path / "vectors.txt"
    near, far = "She O\nlives O\nin O\n{} I-LOC\n. O\n\n", "{} I-PER\nmet O\nher O\n. O\n\n"
    names = ("Peru", "Chile", "Lima", "Ida", "New", "Mali")
    conll.write_text("".join(near.format(name) + far.format(name) for name in names), encoding="utf-8")
    vectors.write_text("3 2\nperu 1 0\nchile 1 0\nmali 1 0.1\n", encoding="utf-8")
    printed = bench("entities.py", "--conll", conll, "--learn", 8, "--seeds", 2, "--vectors", vectors)
    assert "train: 8 sentences" in printed and "not in a location of train: 4 sentences" in printed
    rows = [line for line in printed.splitlines() if re.match(r"never|every|listed|network|4, ", line)]
    assert len(rows) == 10 and "trained vectors" in rows[-1]
    assert re.search(r"every capital +\d+ +100 ", rows[1]) and re.search(r"listed names( +0){3} +( +0){3}", rows[3])
