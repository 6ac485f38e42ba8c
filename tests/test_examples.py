"""The examples in README.md are what they say they are."""

import gzip
import re
from pathlib import Path

import numpy as np

from handgrad import corpora

ROOT = Path(__file__).resolve().parents[1]
RESULT = re.compile(r"^(?P<expression>\S.*?)\s+# (?P<result>.+)$")


def examples(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def test_each_line_gives_the_result_beside_it():
    example, *_ = examples("README.md")
    statements, compared = [], 0
    for line in example.splitlines():
        match = RESULT.match(line)
        if match and not line.startswith("class"):
            names = {}
            exec("\n".join(statements), names)
            assert repr(eval(match["expression"], names)) == match["result"]
            compared += 1
        statements.append(line)
    assert compared >= 2


def test_the_example_of_training_trains(tmp_path, monkeypatch, capsys):
    *_, example = examples("README.md")
    rng = np.random.default_rng(0)
    words = ["row", *(f"word{i}" for i in range(200))]
    lines = "".join(" ".join(rng.choice(words, 12)) + "\n" for _ in range(300))
    (tmp_path / "text.txt.gz").write_bytes(gzip.compress(lines.encode()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(corpora, "documentation", lambda: corpora.open_corpus("text.txt.gz"))  # which takes a second
    exec(example, names := {})
    assert len(names["vectors"]) == 201 and (tmp_path / "runs" / "cbow" / "vectors.bin").exists()
    assert "objective = " in capsys.readouterr().out


def test_the_readme_opens_with_the_course_the_two_commands_and_a_picture():
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:16]
    text = "\n".join(first_screen)
    assert "course" in text and "    make book " in text and "    make test " in text
    (picture,) = re.findall(r'<img src="([^"]+)"[^>]* alt="[^"]+"', text)
    assert (ROOT / picture).is_file()


def test_the_readme_names_only_commands_and_folders_that_exist():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in set(re.findall(r"`make ([a-z]+)`", readme)):
        assert re.search(rf"^{command}:", makefile, flags=re.MULTILINE), command
    for folder in re.findall(r"^\| `([\w/]+/)`", readme, flags=re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder
