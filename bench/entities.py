"""How well the window classifier of chapter 7 finds locations: on the book's sentences, and on a file of CoNLL.

    python bench/entities.py
    python bench/entities.py --conll wikigold.conll.txt --vectors runs/wiki/vectors.bin

Precision, recall and F1 are of words, not of whole names, in hundredths, as the mean and the range over the seeds. The
vectors are made with `handgrad train` from a text in lower case.
"""

import argparse
from collections import Counter

import numpy as np

from handgrad.corpora import conll_file, entities
from handgrad.window_classifier import (
    OTHER,
    WindowClassifier,
    labels_of,
    precision_recall_f1,
    rows_of_words,
    windows_of,
)
from handgrad.word2vec import KeyedVectors

KINDS = ("O", "PER", "ORG", "LOC")


def words_of(sentences):
    return [word for sentence in sentences for word in sentence.words]


def locations(sentences):
    """Whether each word is part of a location: (N,)."""
    return labels_of(sentences)[:, 0] == 1


def never(train):
    """The most frequent answer."""
    return lambda sentences: np.zeros(len(words_of(sentences)), dtype=bool)


def every_capital(train):
    return lambda sentences: np.array([word[0].isupper() for word in words_of(sentences)])


def listed_words(train):
    """A gazetteer: the words that are more often part of a location in train than not."""
    counts = Counter(zip(words_of(train), locations(train), strict=True))
    names = {word for word, here in counts if here and counts[word, True] > counts[word, False]}
    return lambda sentences: np.array([word in names for word in words_of(sentences)])


def listed_names(train):
    """A gazetteer of whole names: at each word the longest location of train that begins there."""
    names = {tuple(name.split()) for sentence in train for name, kind in sentence.names if kind == "LOC"}
    longest = max(map(len, names))

    def find(sentences):
        found = []
        for sentence in sentences:
            here = np.zeros(len(sentence.words), dtype=bool)
            i = 0
            while i < len(here):
                lengths = [n for n in range(longest, 0, -1) if sentence.words[i : i + n] in names]
                here[i : i + max(lengths, default=0)] = True
                i += max(lengths, default=1)
            found.append(here)
        return np.concatenate(found)

    return find


def network(C=4, min_count=2, **settings):
    """The classifier with vectors that begin at random."""

    def learn(train, seed):
        rows = rows_of_words(train, min_count)
        net = WindowClassifier(len(rows) + OTHER + 1, C, **settings, seed=seed)
        net.fit(windows_of(train, rows, C), labels_of(train), seed=seed)
        return lambda sentences: net.forward(windows_of(sentences, rows, C))[:, 0] > 0.5

    return learn


def network_with_vectors(vectors, words, C=4):
    """Each of the words that has a vector begins with it, also those that train has not: they get theirs at the end.

    The vectors are of words in lower case; the last entry of a row says whether the word has a capital.
    """
    table = {}
    scale = 0.3 / np.std(vectors.vectors)  # as spread as random ones
    for word in words:
        if word.lower() in vectors:
            table[word] = np.append(vectors[word.lower()] * scale, 0.6 if word[0].isupper() else -0.6)

    def learn(train, seed):
        seen = set(words_of(train))
        rows = rows_of_words(train)
        for word in [*(w for w in table if w in seen), *(w for w in table if w not in seen)]:
            rows.setdefault(word, OTHER + 1 + len(rows))
        last = max((row for word, row in rows.items() if word in seen), default=OTHER)
        net = WindowClassifier(last + 1, C, D=vectors.vector_size + 1, seed=seed)
        for word, vector in table.items():
            if word in seen:
                net.E[rows[word]] = vector
        net.fit(windows_of(train, rows, C), labels_of(train), seed=seed)
        unseen = [table[word] for word, row in rows.items() if row > last]
        net.E = np.concatenate([net.E, np.reshape(unseen, (-1, net.E.shape[1]))])
        return lambda sentences: net.forward(windows_of(sentences, rows, C))[:, 0] > 0.5

    return learn


def report(name, finders, tests):
    """A row: for each test set precision, recall and F1, of one finder or of several seeds."""
    cells = []
    for right, sentences, of in tests:
        scores = 100 * np.array([precision_recall_f1(find(sentences)[of], right[of]) for find in finders])
        f1 = scores[:, 2]
        spread = f" ({f1.min():2.0f} to {f1.max():2.0f})" if len(finders) > 1 else ""
        cells.append(f"{scores[:, 0].mean():4.0f} {scores[:, 1].mean():4.0f} {f1.mean():4.0f}{spread:11}")
    print(f"{name:36} {'   '.join(cells)}", flush=True)


def compare(train, tests, networks, seeds):
    """Baselines and networks, a row each. Tests: sentences by name, and of which of their words to speak."""
    heads = [f"{name:25}" for name in tests]
    print(f"{'':36} {'   '.join(heads)}\n{'':36} {'   '.join(['prec  rec   F1' + ' ' * 11] * len(tests))}")
    cases = [(locations(sentences), sentences, of(sentences)) for sentences, of in tests.values()]
    for baseline in (never, every_capital, listed_words, listed_names):
        report(baseline.__name__.replace("_", " "), [baseline(train)], cases)
    for name, learn in networks.items():
        report(name, [learn(train, seed) for seed in range(seeds)], cases)


def everywhere(sentences):
    return np.ones(len(words_of(sentences)), dtype=bool)


def beyond(train):
    """Only words that are in no location of train, so that a list finds nothing."""
    listed = {word for word, here in zip(words_of(train), locations(train), strict=True) if here}
    return lambda sentences: np.array([word not in listed for word in words_of(sentences)])


def confusion(train, sentences, seed=0):
    """Rows: what is right; columns: what the network says."""
    rows = rows_of_words(train)
    net = WindowClassifier(len(rows) + OTHER + 1, M=len(KINDS), seed=seed)
    net.fit(windows_of(train, rows), labels_of(train, KINDS), seed=seed)
    said = net.forward(windows_of(sentences, rows)).argmax(axis=1)
    right = labels_of(sentences, KINDS).argmax(axis=1)
    print(f"{'':8}" + "".join(f"{kind:>7}" for kind in KINDS) + f"{'F1':>7}")
    for i, kind in enumerate(KINDS):
        counts = "".join(f"{np.sum((right == i) & (said == j)):7d}" for j in range(len(KINDS)))
        print(f"{kind:8}{counts}{100 * precision_recall_f1(said == i, right == i)[2]:7.0f}")
    print(f"accuracy {np.mean(said == right):.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conll", help="a file in the format of CoNLL with LOC among its kinds")
    parser.add_argument(
        "--learn", type=int, default=1200, help="from so many of its sentences; the others are the test"
    )
    parser.add_argument("--mixed", action="store_true", help="both of all articles; else in the order of the file")
    parser.add_argument("--vectors", help="word vectors that handgrad train has made, to begin with")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()

    networks = {
        **{f"network, {C} context words": network(C) for C in (0, 2, 4)},
        "4, each word its own row": network(4, min_count=1),
    }
    if options.conll:
        sentences = conll_file(options.conll)
        if options.mixed:
            sentences = [sentences[i] for i in np.random.default_rng(0).permutation(len(sentences))]
        train, test = sentences[: options.learn], sentences[options.learn :]
        tests = {"all": (test, everywhere), "not in a location of train": (test, beyond(train))}
    else:
        parts = entities()
        train = parts["train"]
        tests = {part: (parts[part], everywhere) for part in ("known", "new")}
    for name, group in {"train": train, **{name: test for name, (test, _) in tests.items()}}.items():
        words, share = len(words_of(group)), locations(group).mean()
        print(f"{name}: {len(group):,} sentences, {words:,} words, {share:.1%} in locations")
    if options.vectors:
        vectors = KeyedVectors.load_word2vec_format(options.vectors)
        everything = {
            word: None for group in (train, *(test for test, _ in tests.values())) for word in words_of(group)
        }
        networks["4, random vectors of that size"] = network(4, D=vectors.vector_size + 1)
        networks["4, trained vectors"] = network_with_vectors(vectors, everything)
    compare(train, tests, networks, options.seeds)
    if not options.conll:
        for part in ("known", "new"):
            print(f"\nKinds, {part}:")
            confusion(train, parts[part])


if __name__ == "__main__":
    main()
