"""What a word is does not depend on how a text is cut into pieces, and simple words are those that people know."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.cli.texts import open_text
from handgrad.corpora import Corpus, open_corpus, simple_words
from handgrad.corpora.words import word_splitter

SIMPLE = {
    "The cat, The DOG!": "the cat the dog",
    "Don't say 'C3PO' or word2vec": "don say po or word vec",  # as gensim: what an apostrophe cuts off is too short
    "_stressed_ new_york __init__ a_b_ _ __": "stressed new_york init a_b",
    "हिन्दी": "हिन्दी",
    "Cafe\u0301": "caf\u00e9",
    "\u0130stanbul Straße ΣΟΦΟΣ": "i\u0307stanbul straße σοφος",
    "I a x1y \u6211 \U0001f600 42 \u0301": "",
    "我们 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22": "我们 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22",
    f"{'a' * 15} {'a' * 16}": "a" * 15,
    "": "",
}


@pytest.mark.parametrize("text", SIMPLE)
def test_simple_words(text):
    assert simple_words(text) == SIMPLE[text].split()


@given(st.text() | st.text(alphabet="aB_1' é\u0301\u0130Σ我\n\u3000"))
def test_simple_words_of_any_text(text):
    words = simple_words(text)
    for word in words:
        assert 2 <= len(word) <= 15 and word.strip("_") == word and not any(map(str.isdecimal, word))
        assert simple_words(word) == [word]


@given(st.text(alphabet="aB_1' é\u0301\u0130ΣςΑ我"), st.text(alphabet="aB_1' é\u0301\u0130ΣςΑ我"))
@pytest.mark.parametrize("options", [{"lowercase": True}, {"tokenize": "simple"}], ids=["lowercase", "simple"])
def test_a_cut_at_a_blank_changes_no_word(options, before, after):
    split = word_splitter(**options)
    assert split(f"{before} {after}") == split(before) + split(after)


def test_simple_words_are_gensims():
    utils = pytest.importorskip("gensim.utils")
    for text in (
        "Don't say 'C3PO' or word2vec: we'll see, 3.5 km² of \"Zürich\"!",
        "Ein Flußbär läuft — weit weg.",
        "a_b",
    ):
        assert simple_words(text) == utils.simple_preprocess(text)


SENTENCES = [["The", "Cat,"], ["42", "!"], ["SAT_"]]
WORDS = {
    ("blanks", False): SENTENCES,
    ("blanks", True): [["the", "cat,"], ["42", "!"], ["sat_"]],
    ("simple", False): [["the", "cat"], ["sat"]],
    ("simple", True): [["the", "cat"], ["sat"]],
}


@pytest.mark.parametrize("tokenize, lowercase", WORDS)
def test_a_corpus_in_other_words(tmp_path, tokenize, lowercase):
    path = tmp_path / "a.txt"
    path.write_text("The Cat,\n42 !\nSAT_\n", encoding="utf-8")
    for corpus in (
        Corpus("here", lambda: iter(SENTENCES)).with_words(lowercase, tokenize),
        open_corpus(path, lowercase, tokenize),
        open_corpus(tmp_path, lowercase, tokenize),
        open_text(str(path), lowercase, tokenize),
    ):
        assert list(corpus) == list(corpus) == WORDS[tokenize, lowercase]
        assert (corpus.lowercase, corpus.tokenize, corpus.pinned) == (lowercase, tokenize, None)


def test_by_default_words_are_as_they_are_written(tmp_path):
    corpus = Corpus("here", lambda: iter(SENTENCES))
    assert corpus.with_words() is corpus and list(corpus.with_words()) == SENTENCES
    (tmp_path / "a.txt").write_text("The Cat,\n", encoding="utf-8")
    assert list(open_corpus(tmp_path / "a.txt")) == [["The", "Cat,"]]
    assert word_splitter()("The Cat,\tSAT_") == ["The", "Cat,", "SAT_"]


def test_the_books_text_stays_pinned_in_lower_case_alone():
    corpus = Corpus("made up", lambda: iter([["a", "text8"]]), pinned=True)
    assert corpus.with_words(lowercase=True).pinned is True
    assert corpus.with_words(tokenize="simple").pinned is False


def test_options_that_are_none_are_sentences(tmp_path):
    (tmp_path / "a.txt").write_text("42 7 ! a\n", encoding="utf-8")
    with pytest.raises(ValueError, match='tokenize is "blanks" or "simple", but got \'words\''):
        open_corpus(tmp_path, tokenize="words")
    with pytest.raises(ValueError, match="lowercase is True or False, but got 'yes'"):
        open_corpus(tmp_path, lowercase="yes")
    with pytest.raises(ValueError, match="words of 2 to 15 letters, as the simple tokenizer"):
        open_corpus(tmp_path, tokenize="simple")


WITHOUT_BLANKS = {
    "Chinese": "我们在北京大学学习自然语言处理。今天天气很好,我们去公园散步。\n" * 9,
    "Japanese": "私は東京大学で自然言語処理を勉強しています。今日は天気がいいです。\n" * 9,
    "Thai": "ภาษาไทยเป็นภาษาที่ไม่มีการเว้นวรรคระหว่างคำ เรากำลังเรียนรู้การประมวลผลภาษา\n" * 9,
    "Tibetan": "བོད་ཀྱི་སྐད་ཡིག་ནི་བོད་ཡུལ་དང་དེའི་ཉེ་འཁོར་གྱི་ས་ཁུལ་དུ་བེད་སྤྱོད་བྱེད་པའི་སྐད་ཡིག་ཅིག་ཡིན།\n" * 9,
    "no script's words": f"{'acgt' * 50}\n" * 9,
}
WITH_BLANKS = {
    "Chinese": "我们 在 北京大学 学习 自然 语言 处理 。\n" * 9,
    "Chinese, a word a line": "我们\n自然语言处理\n" * 9,
    "Thai": "ภาษา ไทย เป็น ภาษา ที่ ไม่ มี การ เว้นวรรค\n" * 9,
    "Korean": "우리는 대학교에서 자연어처리를 공부하고 있습니다.\n" * 9,
    "German": "Die Donaudampfschifffahrtsgesellschaft beförderte Verkehrsinfrastrukturfinanzierungsgesellschaften.\n"
    * 9,
    "code": 'raise InputError(f"{self.configuration.parameters[name].value!r}")\n\nself.assertRaises(Error)\n' * 9,
    "addresses": "https://www.example.org/a/long/path/to/a/document.html?with=questions\n" * 9,
    "English with one Chinese line": "the cat sat on the mat\n" * 9 + "我们在北京大学学习自然语言处理。\n",
}


@pytest.mark.parametrize("tokenize", ["blanks", "simple"])
@pytest.mark.parametrize("language", WITHOUT_BLANKS)
def test_a_text_without_blanks_is_warned_of(tmp_path, language, tokenize):
    (tmp_path / "a.txt").write_text(WITHOUT_BLANKS[language] + "two words", encoding="utf-8")
    with pytest.warns(UserWarning, match="a.txt has hardly any: its words have [0-9]+ characters") as caught:
        open_corpus(tmp_path / "a.txt", tokenize=tokenize)
    assert len(caught) == 1 and "\n" not in str(caught[0].message) and caught[0].filename == __file__


@pytest.mark.parametrize("language", WITH_BLANKS)
def test_a_text_with_blanks_is_not_warned_of(tmp_path, language):
    (tmp_path / "a.txt").write_text(WITH_BLANKS[language], encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_corpus(tmp_path / "a.txt")
