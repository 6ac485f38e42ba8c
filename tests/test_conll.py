"""Files of CoNLL are read in each scheme, a wrong line is named, and the book's own set is what its README says."""

import gzip
import hashlib
import re
import zipfile
from collections import Counter, defaultdict
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.corpora import TaggedSentence, conll_file, entities, entities_marked_twice
from handgrad.corpora.conll import DATA
from handgrad.errors import InputError

DIGESTS = {
    "known": "ace1d434b5477ed0514f8927c5bdc803c4f6c0f177b5ecf372bb84da3ef82de4",
    "new": "389682b74cde1d43d90633eba1f26294057df459d0af0f365924443ce365d7bc",
    "train": "72987644b140ae03d6598d4e6cc9fcccc4ae7053f6faed53ef4908868949e9e4",
    "twice": "6f9d1efafc0d125aa418c2b3dd9ac2ddc74ad51c2311f155570af2f8881107ee",
}
README = (DATA / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parts():
    return entities()


@pytest.fixture(scope="module")
def everything(parts):
    return [sentence for part in parts.values() for sentence in part]


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Reads a file with this in it: a str, or bytes as they are."""
    folder = tmp_path_factory.mktemp("conll")

    def read(text, name="a.conll", **settings):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return conll_file(folder / name, **settings)

    return read


LIMA = TaggedSentence(("Lima", "met", "New", "York", "."), ("B-ORG", "O", "B-LOC", "I-LOC", "O"))
IOB2 = "Lima B-ORG\nmet O\nNew B-LOC\nYork I-LOC\n. O\n\n"


@pytest.mark.parametrize(
    "text",
    [
        IOB2,
        "Lima I-ORG\nmet O\nNew I-LOC\nYork I-LOC\n. O\n",  # IO, and IOB1; no blank line at the end
        "Lima I-ORG\nmet O\nNew I-LOC\nYork I-LOC\n. O",  # nor the end of a line
        "\n\n-DOCSTART- -X- O\n\nLima NNP B-ORG\nmet VBD O\nNew NNP B-LOC\nYork NNP I-LOC\n. . O\n",
        "-DOCSTART-\nLima\tI-ORG\r\nmet\tO\r\nNew\tI-LOC\r\nYork\tI-LOC\r\n.\tO\r\n \t\r\n",
        "\ufeffLima   I-ORG \nmet   O \nNew   I-LOC \nYork  I-LOC \n.     O \n",
        b"\xef\xbb\xbf" + IOB2.replace("\n", "\r").encode("utf-8"),
    ],
)
def test_one_sentence_in_each_scheme_and_with_each_blank(read, text):
    assert read(text) == [LIMA]
    assert LIMA.kinds == ("ORG", "O", "LOC", "LOC", "O")
    assert LIMA.names == [("Lima", "ORG"), ("New York", "LOC")]


@pytest.mark.parametrize(
    "tags, names",
    [
        ("I-LOC I-LOC I-PER", [("Peru Chile", "LOC"), ("Ida", "PER")]),  # IO joins names that touch
        ("I-LOC B-LOC I-PER", [("Peru", "LOC"), ("Chile", "LOC"), ("Ida", "PER")]),  # IOB1 says where one begins
        ("B-LOC B-LOC B-PER", [("Peru", "LOC"), ("Chile", "LOC"), ("Ida", "PER")]),
        ("B-LOC I-LOC B-PER", [("Peru Chile", "LOC"), ("Ida", "PER")]),
        ("I-LOC O I-LOC", [("Peru", "LOC"), ("Ida", "LOC")]),
    ],
)
def test_names_that_touch(read, tags, names):
    lines = zip(("Peru", "Chile", "Ida"), tags.split(), strict=True)
    (sentence,) = read("".join(f"{word} {tag}\n" for word, tag in lines))
    assert sentence.names == names


def test_a_name_does_not_go_on_in_the_next_sentence(read):
    first, second = read("Peru I-LOC\n\nChile I-LOC\n")
    assert first.names == [("Peru", "LOC")] and second.names == [("Chile", "LOC")]


def test_what_is_a_word(read):
    """A comment's sign, a blank that does not part columns, and what other readers take for the end of a line."""
    words = ("#", "10\u00a0000", "a\u2028b", "a\x85b", "a\x0cb", "-X-", "O", "B-LOC")
    (sentence,) = read("".join(f"{word} O\n" for word in words))
    assert sentence.words == words


# Anything but what parts words and lines, a NUL, and halves of characters.
CHARACTERS = st.characters(exclude_characters=" \t\n\r\0", exclude_categories=["Cs"])
WORDS = st.text(CHARACTERS, min_size=1, max_size=5).filter(lambda word: word != "-DOCSTART-")
PIECES = st.lists(st.tuples(st.sampled_from(["", "LOC", "PER", "B-X"]), st.lists(WORDS, min_size=1, max_size=3)))
SENTENCES = st.lists(PIECES.filter(bool), min_size=1)


def in_iob2(pieces):
    return [(word, kind and f"{'I' if i else 'B'}-{kind}") for kind, words in pieces for i, word in enumerate(words)]


def in_iob1(pieces):
    """B- only where a name touches one of its kind before it."""
    lines, last = [], ""
    for kind, words in pieces:
        for i, word in enumerate(words):
            lines.append((word, kind and f"{'B' if i == 0 and kind == last else 'I'}-{kind}"))
            last = kind
    return lines


def in_io(pieces):
    return [(word, kind and f"I-{kind}") for kind, words in pieces for word in words]


@given(SENTENCES, st.sampled_from([" ", "\t", "  ", " - \t"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_is_written_is_read_back(read, sentences, blank, end, closed):
    def file(scheme):
        lines = ("".join(f"{word}{blank}{tag or 'O'}{end}" for word, tag in scheme(pieces)) for pieces in sentences)
        return "\ufeff" + end.join(lines) + (end if closed else "")

    expected = [in_iob2(pieces) for pieces in sentences]
    for scheme in (in_iob2, in_iob1):
        assert [list(zip(s.words, s.tags, strict=True)) for s in read(file(scheme))] == [
            [(word, tag or "O") for word, tag in lines] for lines in expected
        ]
    for sentence, pieces in zip(read(file(in_io)), sentences, strict=True):
        assert sentence.kinds == tuple(kind or "O" for kind, words in pieces for _ in words)


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("Peru I-LOC\nChile\n", "in line 2 of .*, but it is 'Chile'"),
        ("\n\n\nPeru LOC\n", "in line 4 of .*, but it is 'Peru LOC'"),
        ("Peru B-\n", "in line 1 of"),
        ("Peru S-LOC\n", "in line 1 of"),  # of another scheme
        ("Peru i-loc\n", "in line 1 of"),
        ("# a comment\nPeru I-LOC\n", "in line 1 of .*'# a comment'"),
        ("Peru I-LOC\nChile I-LOC 0.9\n", "in line 2 of"),
        ("Peru I-LOC\n" * 3 + "x" * 100_000 + " O\n", "in line 4 of"),
        ("", "has none"),
        ("\n-DOCSTART- O\n \n", "has none"),
        (b"Peru I-LOC\ncaf\xe9 O\n", "a byte 0xe9"),
        ("Peru I-LOC\n".encode("utf-16"), "text in UTF-16"),
        ("Peru\0 I-LOC\n", "NUL"),
        (gzip.compress(b"Peru I-LOC\n", mtime=0), "gzip data"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(read, text, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        read(text)
    assert "\n" not in str(error.value) and str(error.value).endswith(".") and len(str(error.value)) < 400


def test_what_is_no_file(tmp_path):
    for path, sentence in ((tmp_path, "is a directory"), (tmp_path / "none", "there is no")):
        with pytest.raises(InputError, match=sentence):
            conll_file(path)


def test_packed_files(read):
    assert read(gzip.compress(IOB2.encode("utf-8")), "a.gz") == [LIMA]
    with zipfile.ZipFile(archive := BytesIO(), "w") as file:
        file.writestr("a.conll", IOB2)
    assert read(archive.getvalue(), "a.zip") == [LIMA]
    with pytest.raises(InputError, match="whole gzip file"):
        read(gzip.compress(IOB2.encode("utf-8"))[:-9], "b.gz")


def test_tags_in_any_column(read):
    text = "Peru I-LOC O\nmet O O\n"
    assert [read(text, column=column)[0].names for column in (1, -2, 2, -1)] == [[("Peru", "LOC")]] * 2 + [[]] * 2
    for column, sentence in (
        (3, "in line 1"),
        (-3, "in line 1"),
        (0, "column is"),
        (1.0, "column is"),
        (True, "column is"),
    ):
        with pytest.raises(InputError, match=sentence):
            read(text, column=column)


# The book's own set.


def test_the_set_is_frozen():
    assert {path.name for path in DATA.iterdir()} == {"README.md", *(f"entities.{part}.conll" for part in DIGESTS)}
    for part, digest in DIGESTS.items():
        assert hashlib.sha256((DATA / f"entities.{part}.conll").read_bytes()).hexdigest() == digest, part


def test_the_set_has_the_counts_of_its_readme(parts):
    for name, sentences in parts.items():
        kinds = Counter(kind for sentence in sentences for _, kind in sentence.names)
        words = sum(len(sentence.words) for sentence in sentences)
        in_locations = sum(kind == "LOC" for sentence in sentences for kind in sentence.kinds)
        names = f"{kinds.total()} | {kinds['PER']}, {kinds['ORG']}, {kinds['LOC']} | {in_locations}"
        assert f"| `entities.{name}.conll` | {len(sentences)} | {words:,} | {names} |" in README
        assert set(kinds) == {"PER", "ORG", "LOC"} and in_locations >= 110
        without = sum(not sentence.names for sentence in sentences) / len(sentences)
        assert 0.2 < without < 0.27


def words_of_names(sentences):
    return {word for sentence in sentences for name, _ in sentence.names for word in name.split()}


def test_no_word_of_a_new_name_is_in_train(parts):
    seen = {word.lower() for sentence in parts["train"] for word in sentence.words}
    assert not seen & {word.lower() for word in words_of_names(parts["new"])}
    assert not words_of_names(parts["known"]) & words_of_names(parts["new"])


def test_known_names_are_of_train(parts):
    train = Counter(name for sentence in parts["train"] for name in sentence.names)
    assert {name for sentence in parts["known"] for name in sentence.names} <= set(train)
    assert f"{sum(n == 1 for n in train.values()) / len(train):.0%}" == "62%" and "62 % occur once" in README


def test_24_names_are_of_two_kinds_in_train_and_in_known(parts):
    def ambiguous(sentences):
        kinds = defaultdict(set)
        for sentence in sentences:
            for name, kind in sentence.names:
                kinds[name].add(kind)
        return {name: found for name, found in kinds.items() if len(found) > 1}

    assert len(ambiguous(parts["train"])) == 24 and ambiguous(parts["train"]) == ambiguous(parts["known"])
    assert {"Jordan", "Florence", "Chelsea", "Victoria", "Lima"} <= set(ambiguous(parts["train"]))


def test_no_two_sentences_are_alike_but_for_their_names(everything):
    masked = Counter(
        tuple("" if kind != "O" else word for word, kind in zip(sentence.words, sentence.kinds, strict=True))
        for sentence in everything
    )
    assert len(everything) == len(masked) == 600
    runs = Counter(run for s in everything for run in {tuple(s.words[i : i + 4]) for i in range(len(s.words) - 3)})
    assert max(runs.values()) <= 6  # in one of a hundred
    lengths = [sum(re.search(r"\w", word) is not None and word != "'s" for word in s.words) for s in everything]
    assert min(lengths) >= 6 and max(lengths) <= 16


def test_neither_a_preposition_nor_a_capital_gives_a_location_away(everything):
    prepositions = (
        "above across at behind between by for from in into near of off on past round through to with".split()
    )
    before, after, capitals = Counter(), Counter(), Counter()
    for sentence in everything:
        words = [word.lower() for word in sentence.words]
        for i, tag in enumerate(sentence.tags):
            article = i > 1 and words[i - 1] == "the"
            if tag == "B-LOC":
                before[i > 0 and words[i - 1 - article] in prepositions] += 1
            if i and words[i - 1] in ("in", "from", "near") and sentence.words[i][0].isupper():
                after[tag == "B-LOC"] += 1
            if sentence.words[i][0].isupper():
                capitals[tag[2:] == "LOC"] += 1
    assert before[False] > 0.2 * before.total()
    assert after[False] > 0.15 * after.total()
    assert capitals[False] > 2 * capitals[True]


def test_the_two_markings_agree_as_the_readme_says(parts):
    first, second = entities_marked_twice()
    assert [sentence.words for sentence in first] == [sentence.words for sentence in second]
    a, b = ([tag for sentence in marking for tag in sentence.tags] for marking in (first, second))
    same = sum(x == y for x, y in zip(a, b, strict=True))
    assert f"{same:,} of {len(a):,}: {same / len(a):.2%}".replace("%", " %") in README
    by_chance = sum(Counter(a)[tag] * Counter(b)[tag] for tag in set(a)) / len(a) ** 2
    assert f"| {(same / len(a) - by_chance) / (1 - by_chance):.3f} |" in README
    spans = [{(i, *span) for i, s in enumerate(marking) for span in spans_of(s)} for marking in (first, second)]
    both = len(spans[0] & spans[1])
    assert len(spans[0]) == len(spans[1])
    assert f"{both} of {len(spans[0])} on either side: F1 {both / len(spans[0]):.3f}" in README
    differ = {s.words for s, t in zip(first, second, strict=True) if s != t}
    assert f"| {len(differ)} of 600 |" in README
    assert first == [sentence for part in parts.values() for sentence in part]


def spans_of(sentence):
    """Where each name begins and ends, and its kind."""
    begins = [i for i, tag in enumerate(sentence.tags) if tag.startswith("B-")]
    lengths = [len(name.split()) for name, _ in sentence.names]
    return [(i, i + n, sentence.kinds[i]) for i, n in zip(begins, lengths, strict=True)]
