"""Bad input, row by row: what is given, and the one sentence that comes of it.

First through the command line, as users meet it, then through Python. After each row every file is as it was before,
and nothing new is there.
"""

import builtins
import errno
import gzip
import io
import json
import os
import shlex
import shutil
import signal
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from handgrad import corpora
from handgrad.cli import main
from handgrad.errors import InputError
from handgrad.word2vec import (
    EarlyStopping,
    HuffmanTree,
    KeyedVectors,
    LogUniformNoise,
    NumSkipsBatches,
    Trainer,
    TrainingConfig,
    UniformNoise,
    UnigramNoise,
    Vocabulary,
    encode_text,
    nce_loss,
    sampled_softmax_loss,
    window_batches,
)
from handgrad.word2vec.engines.numpy_engine import NumPyEngine
from handgrad.word2vec.runs.checkpoint import checkpoints, load_checkpoint
from handgrad.word2vec.vectors.evaluation import read_analogies, read_word_pairs, word_analogies
from handgrad.word2vec.vectors.ppmi import ppmi_vectors
from handgrad.word2vec.vectors.projector import save_projector

FINE = ("fine.txt", "--subsample", "0", "--dimension", "4")  # a text and settings with which nothing is wrong


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


FILES = {
    # texts
    "fine.txt": b"two words\n" * 9,
    "empty.txt": b"",
    "blank.txt": b" \n\t\n\n",
    "one.txt": b"word\n",
    "lonely.txt": b"word\n" * 9,
    "rare.txt": b"three rare words\n",
    "latin1.txt": "caf\u00e9 au lait\n".encode("latin-1") * 9,
    "nul.txt": b"two words\n" * 9 + b"and a \0 in the middle\n",
    "utf16.txt": "two words\n".encode("utf-16") * 9,
    "binary.txt": bytes(range(256)) * 40,
    "endless.txt": b"x" * 10_000_000,
    "damaged.gz": gzip.compress(b"two words\n" * 999)[:40],
    "no.gz": b"two words\n",
    "no.zip": b"two words\n",
    "folder/sub/empty.txt": b"",
    "mixed/a.txt": b"two words\n" * 9,
    "mixed/b.bin": b"\xff\xfe\0",
    # settings
    "no.toml": b"dimension: 3\n",
    "latin1.toml": "corpus = 'caf\u00e9'\n".encode("latin-1"),
    "misspelled.toml": b"dimensoin = 3\n",
    "unknown.toml": b"colour = 'red'\n",
    "option.toml": b"config = 'fine.toml'\n",
    "text.toml": b"dimension = 'large'\n",
    "path.toml": b"corpus = 3\n",
    "nul.toml": b'corpus = "fine.txt"\noutput = "a\\u0000b"\n',
    "table.toml": b"[window]\nleft = 2\n",
    "seeds.toml": b"seeds = 3\n",
    "steps.toml": b"report_every = 100\n",
    "truth.toml": b"report_every_words = true\n",
    "gensim.toml": b"vector_size = 100\n",
    "fine.toml": b"window = 3\n",
    "many.toml": b"subsample = 1" + 400 * b"0" + b"\n",
    "twice.toml": b"window = 2\nwindow = 3\n",
    # vectors
    "good.bin": b"2 2\nnorth " + floats(0, 1) + b"east " + floats(1, 0),
    "empty.bin": b"",
    "cut.bin": b"2 2\nnorth " + floats(0, 1) + b"east " + floats(1),
    "more.bin": b"1 2\nnorth " + floats(0, 1) + b"east " + floats(1, 0),
    "twice.bin": b"2 2\nnorth " + floats(0, 1) + b"north " + floats(1, 0),
    "nan.bin": b"2 2\nnorth " + floats(0, 1) + b"east " + floats(np.nan, 0),
    "inf.vec": b"2 2\nnorth 0 1\neast inf 0\n",
    "wide.vec": b"2 2\nnorth 0 1\neast 1 0 1\n",
    "narrow.vec": b"2 2\nnorth 0 1\neast 1\n",
    "zero.vec": b"0 0\n",
    "twice.vec": b"2 2\nnorth 0 1\nnorth 1 0\n",
    "latin1.vec": "1 2\ncaf\u00e9 0 1\n".encode("latin-1"),
    "cut.vec.gz": gzip.compress(b"2 2\nnorth 0 1\neast 1 0\n")[:-6],
    "csv.vec": b"word,x,y\nnorth,0,1\n",
    # questions
    "good.tsv": b"north\teast\t1\n",
    "bad.tsv": b"north\teast\t1\nnorth east\n",
    "empty.tsv": b"# nothing\n",
    "latin1.tsv": b"caf\xe9\teast\t1\n",
    "good.questions": b": all\nnorth east north east\n",
    "headless.questions": b"north east north east\n",
    "three.questions": b": all\nnorth east north\n",
    "empty.questions": b": all\n",
    # what only the system refuses to show
    "unreadable.txt": b"two words\n" * 9,
    "unreadable.bin": b"1 1\nnorth " + floats(1),
    "unreadable.toml": b"dimension = 4\n",
    "unreadable.tsv": b"north\teast\t1\n",
    # what is no run
    "notes/mine.txt": b"mine\n",
    "no_json/run.json": b"{",
    "other_json/run.json": b'{"status": "stopped"}',
    "list/run.json": b"[]",
    "wrong_config/run.json": b'{"status": "stopped", "config": {"colour": 1}, "text": {"digest": ""}}',
    "empty_run/": None,
}


def stopped_run(folder, **changes):
    """A run of which there is one checkpoint."""
    learn = NumPyEngine.learn

    def learn_and_stop(self, *arguments):
        learned = learn(self, *arguments)
        os.kill(os.getpid(), signal.SIGINT)
        return learned

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NumPyEngine, "learn", learn_and_stop)
        with pytest.raises(KeyboardInterrupt):
            Trainer(TrainingConfig(dimension=4, subsample=0, engine="numpy", **changes)).fit(
                corpora.text_file("fine.txt"), folder
            )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with all that is wrong in it, made once: each test checks that it is left as it was."""
    folder = tmp_path_factory.mktemp("world")
    for name, content in FILES.items():
        path = folder / name
        if content is None:
            path.mkdir()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a.txt", "two words\n")
        archive.writestr("b.txt", "two words\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Trainer(TrainingConfig(dimension=4, subsample=0)).fit(corpora.text_file("fine.txt"), "finished")
        stopped_run("stopped")
        stopped_run("scope", checkpoint_scope="embed")
        stopped_run("damaged")
        (checkpoints("damaged/checkpoints")[0] / "arrays.safetensors").write_bytes(b"damaged")
        shutil.copytree("stopped", "nameless")
        told = json.loads(Path("nameless/run.json").read_text(encoding="utf-8"))
        Path("nameless/run.json").write_text(json.dumps(told | {"corpus": None}), encoding="utf-8")
    return folder


@pytest.fixture
def here(world, monkeypatch):
    """The world as the current folder; files named unreadable… are those of somebody else, even for root."""

    def refusing(open_file):
        def refuse(file, *arguments, **options):
            if Path(os.fspath(file) if not isinstance(file, int) else "").name.startswith("unreadable"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(file))
            return open_file(file, *arguments, **options)

        return refuse

    monkeypatch.chdir(world)
    before = snapshot(world)
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", refusing(builtins.open))
        patch.setattr(io, "open", refusing(io.open))
        yield world
    assert snapshot(world) == before


def snapshot(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


COMMANDS = [
    # a text that is none
    ("train missing.txt", "Expected a text file, but there is no missing.txt; check the path."),
    ("train empty.txt", "Expected a text with words, but empty.txt has none"),
    ("train blank.txt", "Expected a text with words, but blank.txt has none"),
    ("train one.txt", "No word occurs 5 times or more in this text of 1 words"),
    ("train one.txt --min-count 1", "There is nothing to learn from: of"),
    ("train lonely.txt --subsample 0", "There is nothing to learn from: of"),
    ("train rare.txt", "No word occurs 5 times or more in this text of 3 words: give more text"),
    ("train rare.txt --output new", "No word occurs 5 times or more"),
    ("train latin1.txt", "latin1.txt has a byte 0xe9 that is not; save the file as UTF-8."),
    ("train nul.txt", "nul.txt has a NUL byte"),
    ("train utf16.txt", "Expected UTF-8 text, but utf16.txt is text in UTF-16, as its byte order mark says"),
    ("train binary.txt", "Expected UTF-8 text, but binary.txt"),
    ("train endless.txt", "endless.txt has 1,048,576 characters without one; give a text that is split into words."),
    ("train damaged.gz", "Expected a whole gzip file, but damaged.gz is cut off"),
    ("train no.gz", "Expected a whole gzip file, but no.gz"),
    ("train no.zip", "Expected a whole zip file, but no.zip"),
    ("train two.zip", "two.zip holds 2 files"),
    ("train folder", "no file below folder has a word"),
    ("train mixed", "Expected UTF-8 text, but mixed/b.bin"),
    ("train unreadable.txt", "unreadable.txt cannot be read (Permission denied); check its permissions."),
    ("train /dev/null", "/dev/null can be read only once"),
    ("train ''", "Expected a text file or a directory, but its name is empty"),
    ("corpus missing.txt", "there is no missing.txt"),
    ("corpus nul.txt", "nul.txt has a NUL byte"),
    ("corpus rare.txt", "No word occurs 5 times or more"),
    ("corpus fine.txt --min-count 0", "--min-count is a whole number of at least 1, but got 0."),
    ("corpus fine.txt --top -1", "-1 is not in the range"),
    ("corpus fine.txt --vocabulary one.txt", "The output one.txt exists already and is left as it is"),
    ("corpus fine.txt --vocabulary nowhere/words", "There is no folder nowhere for the output words: make it first."),
    # settings that are wrong
    ("train fine.txt --epochs 0", "handgrad train expects --epochs of at least 1, but got 0."),
    ("train fine.txt --dimension -1", "handgrad train expects --dimension of at least 1, but got -1."),
    ("train fine.txt --dimension x", "Invalid value for '--dimension': 'x' is not a valid integer."),
    ("train fine.txt --dimension 2000000000", "There is not enough memory for this: Unable to allocate"),
    ("train fine.txt --window 0", "handgrad train expects --window of at least 1, but got 0."),
    ("train fine.txt --report-every-words -1", "expects --report-every-words of at least 0, but got -1."),
    ("train fine.txt --report-every-words 1.5", "Invalid value for '--report-every-words': '1.5' is not a valid"),
    ("train fine.txt --report-every-words 1e6", "Invalid value for '--report-every-words': '1e6' is not a valid"),
    ("train fine.txt --report-every-words true", "Invalid value for '--report-every-words': 'true' is not a valid"),
    (f"train fine.txt --report-every-words 1{40 * '0'}", "expects --report-every-words of at most 2,147,483,647, but"),
    ("train fine.txt --checkpoint-every-words -1", "expects --checkpoint-every-words of at least 0, but got -1."),
    ("train fine.txt --checkpoint-every-words 0.5", "Invalid value for '--checkpoint-every-words': '0.5' is not"),
    ("train fine.txt --checkpoint-every-words 1e6", "Invalid value for '--checkpoint-every-words': '1e6' is not"),
    ("train fine.txt --checkpoint-every-words no", "Invalid value for '--checkpoint-every-words': 'no' is not a"),
    ("train fine.txt --checkpoint-every-words 2147483648", "expects --checkpoint-every-words of at most 2,147,483,647"),
    ("train fine.txt --learning-rate nan", "handgrad train expects --learning-rate of at least 0, but got nan."),
    ("train fine.txt --min-learning-rate 1", "--min-learning-rate to be at most --learning-rate, 0.025, but got 1.0."),
    ("train fine.txt --objective svm", "Invalid value for '--objective': 'svm' is not one of 'negative-sampling'"),
    ("train fine.txt --objective nce --negatives 0", "expects --negatives of at least 1 for nce, but got 0."),
    ("train fine.txt --update pair --model cbow", "expects --update='pair' only with skipgram"),
    ("train fine.txt --num-skips 11", "expects --num-skips to be at most twice the --window, 5"),
    ("train fine.txt --seeds noise", "'noise' is not a name and a whole number, such as noise=7. See handgrad train"),
    ("train fine.txt --seeds luck=7", "expects --seeds of init, examples, noise, each a whole number"),
    ("train fine.txt --unk keep --max-vocabulary 1", "expects --max-vocabulary of at least 2 with unk='keep'"),
    ("train {fine} --objective nce --negatives 3", "3 different noise words were asked for, but there are 2"),
    ("train {fine} --held-out 18", "--held-out is 18 words, and then no pair of words is left in them"),
    (
        "train {fine} --num-skips 2 --window 9 --subsample 0 --no-dynamic-window",
        "A window of 19 words does not fit in a text of 18: give more text.",
    ),
    ("train {fine} --checkpoint-scope out/Z --output new", "There is no parameter in the scope 'out/Z'"),
    ("train {fine} --learning-rate 1e300", " steps: choose a --learning-rate below"),
    ("train lonely.txt --objective hierarchical-softmax", "A Huffman tree expects the counts of at least 2 words"),
    ("train --colour red", "No such option"),
    (
        "train fine.txt --report-every 100",
        "No such option: --report-every. Here it is --report-every-words, which counts words of the text",
    ),
    (
        "train fine.txt --checkpoint-every=100",
        "No such option: --checkpoint-every. Here it is --checkpoint-every-words, which counts words of the text",
    ),
    ("train fine.txt --save-steps 100", "Here it is --checkpoint-every-words, in words, or checkpoint_seconds."),
    ("train fine.txt --vector-size 100", "No such option: --vector-size. Here it is --dimension."),
    ("train fine.txt --negative 5", "No such option: --negative. Here it is --negatives."),
    ("train fine.txt --sample=1e-3", "No such option: --sample. Here it is --subsample."),
    ("train fine.txt --workers 3", "Here it is --threads."),
    ("train fine.txt --iterations 3", "Here it is --epochs."),
    ("train fine.txt --sg 1", "Here it is --model, which is skipgram or cbow."),
    ("train fine.txt --hs 1", "Here it is --objective, which is hierarchical-softmax instead of 1."),
    ("train fine.txt --min-alpha 1e-4", "Here it is --min-learning-rate."),
    ("train fine.txt -alpha 0.05", "No such option: -alpha. Here it is --learning-rate."),
    ("train fine.txt -size 100 -window 5", "No such option: -size. Here it is --dimension."),
    ("train fine.txt -min-count 1", "No such option: -min-count. Write --min-count, with two dashes."),
    ("train -train fine.txt -output out.bin", "No such option: -train. Here it is CORPUS, without a name."),
    ("train fine.txt -cbow 0 -hs 1", "No such option: -cbow. Here it is --model"),
    ("train fine.txt -hs 1", "No such option: -hs. Here it is --objective"),
    ("train --config steps.toml", "steps.toml: TrainingConfig has no 'report_every': here it is report_every_words,"),
    ("train --config truth.toml", "truth.toml: TrainingConfig expects report_every_words to be a whole number"),
    ("train --config gensim.toml", "gensim.toml: TrainingConfig has no 'vector_size': here it is dimension."),
    ("train --config many.toml", "many.toml: TrainingConfig expects subsample of at least 0 and at most"),
    ("train fine.txt --config fine.toml --learning-rate 1e-6", "to be at most --learning-rate, 1e-06"),
    ("train fine.txt more.txt", "Got unexpected extra argument (more.txt). See handgrad train --help."),
    # settings in a file
    ("train --config missing.toml", "The settings missing.toml could not be read: No such file or directory."),
    ("train --config unreadable.toml", "The settings unreadable.toml could not be read: Permission denied."),
    ("train --config folder", "The settings folder could not be read: Is a directory."),
    ("train --config no.toml", "no.toml is not a TOML file: Expected '=' after a key"),
    ("train --config latin1.toml", "latin1.toml is not a TOML file: 'utf-8' codec can't decode"),
    ("train --config twice.toml", "twice.toml is not a TOML file: Cannot overwrite a value"),
    ("train --config misspelled.toml", "misspelled.toml: TrainingConfig has no 'dimensoin': did you mean dimension?"),
    ("train --config option.toml", "option.toml: TrainingConfig has no 'config': it has model, objective"),
    ("train --config unknown.toml", "unknown.toml: TrainingConfig has no 'colour': it has model, objective"),
    ("train --config text.toml", "text.toml: TrainingConfig expects dimension to be a whole number, but got 'large'."),
    ("train --config path.toml", "path.toml: corpus is a path, but got 3."),
    ("train --config nul.toml", r"nul.toml: output is a path, but got 'a\x00b'."),
    ("train --config table.toml", "table.toml: TrainingConfig expects window to be a whole number"),
    ("train --config seeds.toml", "expects seeds to be a table of names and seeds, but got 3."),
    # an output that is in the way
    ("train {fine} --output finished", "The output finished exists already and is left as it is"),
    ("train {fine} --output notes", "The output notes exists already and is left as it is"),
    ("train {fine} --output fine.txt", "The output fine.txt exists already and is left as it is"),
    ("train {fine} --output fine.txt/run", "fine.txt/run could not be made: Not a directory."),
    ("train {fine} --output ''", "The output folder has no name"),
    ("train mixed --output mixed/run", "The output mixed/run is inside the directory of texts mixed"),
    # a run that cannot go on
    ("train fine.txt --resume", "A run is resumed from its folder: name it with --output DIR."),
    ("train --resume --output new", "There is no run to resume in new: it has no run.json."),
    ("train --resume --output notes", "There is no run to resume in notes: it has no run.json."),
    ("train --resume --output empty_run", "There is no run to resume in empty_run: it is empty."),
    ("train --resume --output finished", "The run in finished is finished; its vectors are in finished/vectors.bin."),
    ("train --resume --output no_json", "no_json/run.json is damaged, so the run cannot be resumed: Expecting"),
    ("train --resume --output other_json", "run.json is damaged, so the run cannot be resumed: it has no 'config'."),
    ("train --resume --output list", "list/run.json is damaged, so the run cannot be resumed: it is no table of names"),
    ("train fine.txt --resume --output wrong_config", "run.json: TrainingConfig has no 'colour'"),
    ("train --resume --output nameless", "The run in nameless does not say which text it learned from: give CORPUS"),
    ("train --resume --output stopped --dimension 5", "The run in stopped has --dimension = 4, but it should"),
    ("train mixed/a.txt --resume --output scope", "scope/checkpoints/step-000000001 holds the parameters in the scope"),
    ("train lonely.txt --resume --output stopped", "The run in stopped learned from another text, of 18 words"),
    # vectors
    ("neighbours missing.bin north", "The vectors file missing.bin could not be read: No such file or directory."),
    ("neighbours unreadable.bin north", "The vectors file unreadable.bin could not be read: Permission denied."),
    ("neighbours folder north", "The vectors file folder could not be read: it is a folder without vectors.bin"),
    ("neighbours empty.bin north", "empty.bin is not a vectors file: it is empty."),
    ("neighbours fine.txt north", "fine.txt is not a vectors file: its first line is neither"),
    ("neighbours csv.vec north", "csv.vec is not a vectors file: its first line is neither"),
    ("neighbours cut.bin north", "cut.bin is not a vectors file: it promises 2 words of 2 numbers and ends after 1."),
    ("neighbours more.bin north", "more.bin is not a vectors file: it promises 1 words of 2 numbers and goes on after"),
    ("neighbours nan.bin north", "the vector of 'east' has a number that is NaN or infinite."),
    ("neighbours inf.vec north", "the vector of 'east' has a number that is NaN or infinite."),
    ("neighbours wide.vec north", "wide.vec is not a vectors file: row 2, 'east 1 0 1"),
    ("neighbours narrow.vec north", "narrow.vec is not a vectors file: row 2, 'east 1"),
    ("neighbours zero.vec north", "it promises 0 words of 0 numbers, but needs at least one of each."),
    ("neighbours latin1.vec north --unicode-errors strict", "is not UTF-8"),
    ("neighbours cut.vec.gz north", "The vectors file cut.vec.gz is cut off or damaged"),
    ("neighbours good.bin nrth", "The word 'nrth' is not among these 2 words; did you mean north?"),
    ("neighbours good.bin north nrth", "The word 'nrth' is not among these 2 words; did you mean north?"),
    ("neighbours good.bin north --topn 0", "Invalid value for '--topn': 0 is not in the range x>=1."),
    ("neighbours good.bin", "Missing argument 'WORDS...'. See handgrad neighbours --help."),
    ("analogy good.bin north east west north", "Got unexpected extra argument (north)."),
    ("analogy good.bin north east west", "The word 'west' is not among these 2 words"),
    ("analogy good.bin north east", "Missing argument 'C'."),
    ("export good.bin one.txt --format glove", "The output one.txt exists already and is left as it is"),
    ("export good.bin notes --format projector", "The output notes exists already and is left as it is"),
    ("export good.bin nowhere/new --format glove", "There is no folder nowhere for the output new: make it first."),
    ("export good.bin '' --format glove", "The output has no name"),
    ("export good.bin new --format xml", "Invalid value for '--format': 'xml' is not one of 'word2vec-binary'"),
    ("export good.bin new", "Missing option '--format'. Choose from: word2vec-binary, word2vec-text, glove"),
    ("export good.bin new --format glove --limit 0", "expects a limit of at least 1 word, but got 0."),
    ("export nan.bin new --format glove", "the vector of 'east' has a number that is NaN or infinite."),
    # questions
    ("evaluate good.bin --similarity missing.tsv", "missing.tsv could not be read: No such file or directory."),
    ("evaluate good.bin --similarity unreadable.tsv", "unreadable.tsv could not be read: Permission denied."),
    ("evaluate good.bin --similarity bad.tsv", "bad.tsv is not a list of word pairs: line 2 is not two"),
    ("evaluate good.bin --similarity empty.tsv", "empty.tsv has no word pairs"),
    ("evaluate good.bin --similarity latin1.tsv", "latin1.tsv is not UTF-8 text: save it as UTF-8."),
    ("evaluate good.bin --similarity good.tsv", "a correlation needs 3."),
    ("evaluate good.bin --analogies missing.txt", "missing.txt could not be read: No such file or directory."),
    ("evaluate good.bin --analogies headless.questions", "line 1 comes before any \": section\"."),
    ("evaluate good.bin --analogies three.questions", "line 2 has 3 words instead of 4."),
    ("evaluate good.bin --analogies empty.questions", "empty.questions has no analogies"),
    ("evaluate good.bin --restrict-vocab 0", "--restrict-vocab expects at least 1 word, or None for all, but got 0."),
    ("evaluate good.bin --analogies good.questions --method add", "'add' is not one of '3CosAdd', '3CosMul'."),
    ("evaluate cut.bin", "cut.bin is not a vectors file"),
    ("fly", "No such command 'fly'. See handgrad --help."),
]  # fmt: skip


@pytest.mark.parametrize("command, sentence", COMMANDS, ids=[command for command, _ in COMMANDS])
def test_on_the_command_line_it_is_one_sentence_and_status_2(here, command, sentence):
    arguments = shlex.split(command.replace("{fine}", shlex.join(FINE)))
    result = CliRunner().invoke(main, arguments, prog_name="handgrad")
    assert result.exit_code == 2 and isinstance(result.exception, SystemExit), result.output
    assert not result.stdout
    *bars, said = result.stderr.replace("\r", "\n").splitlines()
    assert all(not bar.strip() or bar.startswith(("reading: ", "training: ", "counting: ")) for bar in bars), bars
    assert said.startswith("Error: ") and said[-1] in ".?"
    assert sentence in said


def unit_config(**settings):
    return lambda: TrainingConfig(**settings)


def labels(*ids):
    return np.array(ids)[:, None]


def sampled(ids, true, expected):
    return np.array(ids), np.array(true, dtype=float), np.array(expected, dtype=float)


RNG = np.random.default_rng(0)
W, B, X = np.ones((4, 2)), np.zeros(4), np.ones((1, 2))
EAST = KeyedVectors(["north", "east"], [[0.0, 1.0], [np.nan, 0.0]])

CALLS = {
    # texts and vocabularies
    "no sentence": (lambda: Trainer().fit([]), "No word occurs 5 times or more in this text of 0 words"),
    "strings": (lambda: Trainer().fit(["a string"]), "A sentence is a list of words, but got the string 'a string'"),
    "a path": (lambda: encode_text("fine.txt"), "expects sentences, but got the name 'fine.txt': open it with"),
    "numbers": (lambda: Vocabulary.from_sentences([[1, 2]]), "A word is a string, but got 1"),
    "no list": (lambda: encode_text([3]), "A sentence is a list of words, but got 3"),
    "encode over a file": (lambda: encode_text([["a"]], path="one.txt"), "one.txt exists already and is left as it is"),
    "min_count": (lambda: Vocabulary({"a": 1}, min_count=-1), "min_count is a whole number of at least 1, but got -1."),
    "unk": (lambda: Vocabulary({"a": 1}, unk="perhaps"), "unk is \"drop\" or \"keep\", but got 'perhaps'."),
    "no vocabulary": (lambda: Vocabulary.load("fine.txt"), "Expected a vocabulary that was saved, but fine.txt"),
    "text_file of a folder": (lambda: corpora.text_file("mixed"), "mixed is a directory; name a file in it"),
    "directory of a file": (lambda: corpora.directory("fine.txt"), "fine.txt is a file; open it with text_file."),
    "another text8": (lambda: corpora.text8("fine.txt"), "Expected text8 with 100,000,000 bytes, but fine.txt has 90"),
    # settings
    "objective": (unit_config(objective="svm"), "expects objective to be one of negative-sampling, hier"),
    "model": (unit_config(model="glove"), "expects model to be one of skipgram, cbow, but got 'glove'."),
    "dimension 0": (unit_config(dimension=0), "expects dimension of at least 1, but got 0."),
    "dimension 1.5": (unit_config(dimension=1.5), "expects dimension to be a whole number, but got 1.5."),
    "dimension True": (unit_config(dimension=True), "expects dimension to be a whole number, but got True."),
    "negatives -1": (unit_config(negatives=-1), "expects negatives of at least 0, but got -1."),
    "seeds": (unit_config(seeds={"noise": -1}), "each a whole number of at least 0, but got 'noise': -1."),
    "a name": (lambda: TrainingConfig.from_dict({"size": 3}), "TrainingConfig has no 'size'"),
    "resume without folder": (lambda: Trainer().fit([["a"]], resume=True), "can be resumed only from its folder"),
    # noise
    "m > V": (lambda: UniformNoise(3).sample(RNG, 4, labels(0)), "A unique sample of 4 ids was asked for, but only 3"),
    "m = 0": (lambda: LogUniformNoise(3).sample(RNG, 0, labels(0)), "m, must be an integer of at least 1, but it is 0"),
    "P = 0": (lambda: UnigramNoise([1, 0]).sample(RNG, 1, labels(1)), "probability 0"),
    "all P = 0": (lambda: UnigramNoise([0, 0]), "none negative and not all zero"),
    "negative counts": (lambda: UnigramNoise([1, -1]), "none negative and not all zero"),
    "power nan": (lambda: UnigramNoise([1], power=np.nan), "must be a number of at least 0, but it is nan."),
    "V = 0": (lambda: UniformNoise(0), "The number of ids must be an integer of at least 1, but it is 0."),
    "label out of range": (lambda: UniformNoise(3).sample(RNG, 1, labels(3)), "labels from 0 to 2, but got 3"),
    "label of floats": (lambda: UniformNoise(3).sample(RNG, 1, np.ones(1)), "labels from 0 to 2, but got"),
    "tree of one": (lambda: HuffmanTree([3]), "A Huffman tree expects the counts of at least 2 words"),
    # losses
    "nce label out of range": (lambda: nce_loss(W, B, labels(4), X, sampled([0], [[1]], [1])), "from 0 to 3"),
    "nce id out of range": (lambda: nce_loss(W, B, labels(0), X, sampled([9], [[1]], [1])), "from 0 to 3"),
    "softmax id negative": (lambda: sampled_softmax_loss(W, B, labels(-1), X, sampled([0], [[1]], [1])), "from 0 to 3"),
    # windows
    "window 0": (lambda: next(window_batches(encode_text([["a"]]), 2, 0, seed=1)), "window is a whole number of at"),
    "skips in a short text": (lambda: NumSkipsBatches(np.arange(2), 2, 2, 1, RNG), "does not fit in a text of 2"),
    # vectors
    "twice": (lambda: KeyedVectors(["a", "a"], np.ones((2, 2))), "expects each word once, but 'a' occurs twice."),
    "rows": (lambda: KeyedVectors(["a"], np.ones((2, 2))), "expects one row for each of the 1 words"),
    "strings as vectors": (lambda: KeyedVectors(["a"], [["x"]]), "expects vectors of numbers"),
    "nan neighbors": (lambda: EAST.most_similar("north"), "The vector of 'east' has a number that is NaN"),
    "nan saved": (lambda: EAST.save_word2vec_format("new"), "The vector of 'east' has a number that is NaN"),
    "nan over a file": (lambda: EAST.save_word2vec_format("one.txt"), "The vector of 'east' has a number that is NaN"),
    "no word": (lambda: EAST.most_similar(), "expects at least one word, positive or negative."),
    "text as binary": (lambda: KeyedVectors.load_word2vec_format("wide.vec", binary=True), "in word2vec's binary"),
    "projector": (lambda: save_projector(EAST, "one.txt"), "go into a folder, but one.txt is a file"),
    "ppmi": (lambda: ppmi_vectors(["a", "b"], [0, 1], [0, 2], dimension=2), "a dimension from 1 to 1, but got 2"),
    "pairs": (lambda: read_word_pairs("bad.tsv"), "line 2 is not two words and a score"),
    "analogies": (lambda: read_analogies("three.questions"), "line 2 has 3 words instead of 4."),
    "three words": (lambda: word_analogies(EAST, {"s": [("a", "b", "c")]}), "An analogy has four words"),
    "method": (lambda: word_analogies(EAST, {}, method="add"), 'expects the method "3CosAdd" or "3CosMul"'),
    "checkpoint": (lambda: load_checkpoint("damaged/checkpoints/step-000000001"), "is damaged: its files are not"),
    "other callbacks": (
        lambda: Trainer(TrainingConfig(dimension=4, subsample=0, engine="numpy"), [EarlyStopping()]).fit(
            corpora.text_file("fine.txt"), "stopped", resume=True
        ),
        "The run was begun with no callback that remembers something",
    ),
    "no checkpoint": (lambda: load_checkpoint("notes"), "notes is no whole checkpoint"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_in_python_it_is_one_sentence(here, name):
    call, sentence = CALLS[name]
    with pytest.raises(InputError) as caught:
        call()
    said = str(caught.value)
    assert sentence in said and "\n" not in said and said[-1] in ".?"


def test_a_damaged_checkpoint_without_an_older_one_is_a_sentence(here):
    """In the folder itself nothing changes, but a warning comes before the sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = CliRunner().invoke(main, ["train", "--resume", "--output", "damaged"])
    warned, said = result.stderr.replace("\r", "\n").splitlines()[-2:]
    assert result.exit_code == 2
    assert warned.startswith("Warning: damaged/checkpoints/step-000000001 is damaged")
    assert said.startswith("Error: There is no whole checkpoint in damaged/checkpoints")


def test_the_table_is_long_enough():
    assert len(COMMANDS) >= 40 and len({command for command, _ in COMMANDS}) == len(COMMANDS)
