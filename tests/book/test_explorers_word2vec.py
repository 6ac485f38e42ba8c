"""The explorers of word2vec in a browser: driven by keyboard, and compared with what the library computes.

What holds for every explorer (the still picture, phone width, contrast, focus) is tested in test_explorers.py.
"""

import math
import re

import numpy as np
import pytest
from in_browser import said, tab_to

from handgrad import show
from handgrad.show.explorers.noise import POWERS, tries_for
from handgrad.show.explorers.parts.host import bundle
from handgrad.show.explorers.window import MAX_WINDOW
from handgrad.word2vec import (
    NCE,
    EncodedText,
    HierarchicalSoftmax,
    HuffmanTree,
    LogUniformNoise,
    NegativeSampling,
    UnigramNoise,
    Vocabulary,
    keep_probabilities,
    nce_gradients,
    nce_loss,
    pairs,
    window_batches,
)

SENTENCE = "the sum of each row of the array is one".split()
RARE = {f"rare{i}": 200 - i for i in range(150)}
COUNTS = {"the": 9000, "of": 4000, "is": 3000, "array": 600, "sum": 400, "each": 350, "one": 280, "row": 250, **RARE}
VOCABULARY = Vocabulary(COUNTS)


def numbers(texts):
    return [float(text.replace("−FLT_MAX", "-3.4028e38")) for text in texts]


# ---- The window ----


def expected_pairs(window, threshold, seed):
    """(center, context word) of the whole sentence, from the trainer's own batches."""
    ids, _ = VOCABULARY.encode([SENTENCE])
    text = EncodedText(VOCABULARY, ids, np.array([0, len(ids)]))
    keep = keep_probabilities(VOCABULARY.counts, VOCABULARY.raw_words, threshold)
    batches = window_batches(text, 100, window, seed, keep)
    names = VOCABULARY.index_to_key
    found = [pair for inputs, targets, _ in batches for pair in zip(*pairs(inputs, targets), strict=True)]
    return [(names[target], names[seen]) for seen, target in found]


def pairs_of_the_page(page):
    """The window goes over the sentence from left to right, by keyboard."""
    if not page.locator(".hg-center").count():
        return []  # every word is dropped
    page.locator(".hg-center").focus()
    page.keyboard.press("Home")
    found = []
    while True:
        shown = page.locator(".hg-pairs li").all_text_contents()
        found += [tuple(pair.strip("()").split(", ")) for pair in shown]
        before = page.locator(".hg-word").evaluate_all("(all) => all.findIndex((w) => w.tabIndex === 0)")
        page.keyboard.press("ArrowRight")
        if page.locator(".hg-word").evaluate_all("(all) => all.findIndex((w) => w.tabIndex === 0)") == before:
            return found


def test_the_window_makes_the_pairs_of_the_trainer(open_page):
    page = open_page(show.window_explorer(SENTENCE, VOCABULARY, window=2, threshold=1e-3, seed=3))
    found = set()
    for label, key, window, threshold, draw in [
        ("draw", "ArrowRight", 2, 1e-3, 1),
        ("window size", "End", MAX_WINDOW, 1e-3, 1),
        ("threshold", "End", MAX_WINDOW, 1e-5, 1),
        ("threshold", "Home", MAX_WINDOW, 0, 1),
        ("draw", "End", MAX_WINDOW, 0, 7),
        ("threshold", "ArrowRight", MAX_WINDOW, 1e-2, 7),
        ("window size", "ArrowLeft", MAX_WINDOW - 1, 1e-2, 7),
    ]:
        tab_to(page, label)
        page.keyboard.press(key)
        expected = expected_pairs(window, threshold, 3 + draw)
        assert pairs_of_the_page(page) == expected
        assert f"the whole sentence makes {len(expected)} pair" in said(page)
        found.add(len(expected))
    assert len(found) > 3  # the knobs matter


def test_keep_probabilities_are_the_librarys(open_page):
    page = open_page(f'<script type="module">{bundle("window")}window.keep = keepProbability;</script>')
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 10**6, size=200)
    for threshold in (0, 1e-2, 1e-3, 1e-5):
        script = "([counts, N, t]) => counts.map((count) => keep(count, N, t))"
        found = page.evaluate(script, [counts.tolist(), 10**7, threshold])
        np.testing.assert_allclose(found, keep_probabilities(counts, 10**7, threshold), rtol=1e-13)


def test_a_fixed_window_reaches_as_far_as_it_can_and_words_say_so(open_page):
    page = open_page(show.window_explorer("row sum each one array".split(), VOCABULARY, window=2, threshold=0))
    tab_to(page, "each window draws its reach")
    page.keyboard.press("Space")
    outside = ["row", "sum", "one", "array"]
    assert page.locator(".hg-pairs li").all_text_contents() == [f"(each, {word})" for word in outside]
    assert said(page) == (
        "each: the window reaches 2 words to each side, and makes 4 pairs. This draw drops no word; the whole "
        "sentence makes 14 pairs."
    )
    tab_to(page, "Next")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.locator(".hg-center .hg-name").text_content() == "array"
    assert page.get_by_role("button", name="Next").get_attribute("aria-disabled") == "true"
    page.keyboard.press("Enter")  # the last word
    assert said(page).startswith("array: the window reaches 2 words to each side, and makes 2 pairs.")


def test_a_dropped_word_is_marked_in_words_and_has_no_window(open_page):
    page = open_page(show.window_explorer(["the", "row"], VOCABULARY, threshold=1e-5))
    first = page.locator(".hg-word").first
    assert first.text_content().endswith(", dropped") and first.get_attribute("aria-disabled") == "true"
    first.click(force=True)
    assert page.locator(".hg-center .hg-name").all_text_contents() in ([], ["row"])
    assert "drops the" in said(page)


# ---- The noise ----


def shown_noise(page):
    """P and the expected count of each word, as the page writes them."""
    rows = page.locator(".hg-noise tbody tr").all()
    rows = [row.locator("td.hg-number, td:last-child").all_text_contents() for row in rows]
    return [float(P.replace("%", "")) / 100 for P, _ in rows], [float(E) for _, E in rows]


def test_the_noise_agrees_with_the_library_at_every_setting(open_page):
    page = open_page(show.noise_explorer(VOCABULARY))
    ids = np.array([0, 1, 4, 9, 19, 49, 99, 157])
    for label, key, noise, m, unique in [
        (None, None, UnigramNoise(VOCABULARY.counts), 5, False),
        ("power", "Home", UnigramNoise(VOCABULARY.counts, 0), 5, False),
        ("power", "End", UnigramNoise(VOCABULARY.counts, 1), 5, False),
        ("sample", "End", UnigramNoise(VOCABULARY.counts, 1), 20, False),
        ("all different", "Space", UnigramNoise(VOCABULARY.counts, 1), 20, True),
        ("power", "ArrowLeft", UnigramNoise(VOCABULARY.counts, POWERS[-2]), 20, True),
        ("counts to a power", "ArrowRight", LogUniformNoise(len(VOCABULARY)), 20, True),
    ]:
        if label:
            tab_to(page, label)
            page.keyboard.press(key)
        P, E = shown_noise(page)
        np.testing.assert_allclose(P, noise.probabilities[ids], rtol=6e-3)  # three digits
        tries = tries_for(noise, m) if unique else m
        np.testing.assert_allclose(E, noise.expected_count(ids, m, tries), rtol=6e-3)
    assert page.get_by_label("power", exact=False).last.is_disabled()  # log-uniform noise has none
    assert "In 20 different words, found in about" in said(page)


def test_the_noise_says_what_is_seen_and_bars_are_to_scale(open_page):
    page = open_page(show.noise_explorer(VOCABULARY, ["the", "row"]))
    tab_to(page, "1the")
    page.keyboard.press("ArrowDown")
    P, share = UnigramNoise(VOCABULARY.counts).probabilities[7], 250 / VOCABULARY.raw_words
    text = said(page).replace("\u00a0", " ")
    assert text.startswith(f"row: {100 * P:.3g} % of the noise, {P / share:.2g} times its share of the text")
    assert f"Among 5 negatives, its expected count is {5 * P:.4g}." in text
    tab_to(page, "log scale")
    page.keyboard.press("Space")
    widths = page.locator(".hg-track i").evaluate_all("(bars) => bars.map((bar) => bar.getBoundingClientRect().width)")
    noise = UnigramNoise(VOCABULARY.counts).probabilities
    assert widths[0] / widths[1] == pytest.approx(noise[0] / noise[7], rel=0.02)


def test_no_bar_leaves_its_track(open_page):
    """Not that of a rare word either, whose share is greatest where all are equal."""
    page = open_page(show.noise_explorer(VOCABULARY, [VOCABULARY.index_to_key[-1]]))
    tab_to(page, "log scale")
    page.keyboard.press("Space")
    tab_to(page, "power")
    page.keyboard.press("Home")
    bar, track = (page.locator(f".hg-track{part}").first.bounding_box()["width"] for part in (" i", ""))
    assert 0.9 * track < bar <= track


# ---- The NCE matrix ----

MODES = ["score", "log E", "corrected", "label", "σ(x)", "loss", "gradient"]


def batch(T=1):
    rng = np.random.default_rng(4)
    labels = np.array([[6, 1], [0, 4], [1, 2]])[:, :T]
    sampled = LogUniformNoise(8).sample(np.random.default_rng(8), 5, labels)
    return rng.normal(size=(8, 4)), 0.3 * rng.normal(size=8), labels, rng.normal(size=(3, 4)), sampled


def cells(page):
    texts = page.locator(".hg-nce tbody td[tabindex] span").all_text_contents()
    return np.array(numbers(texts)).reshape(3, -1)


def losses(page):
    return numbers(page.locator(".hg-nce tbody .hg-loss").all_text_contents())


def choose_mode(page, mode):
    page.get_by_role("radio", name=mode, exact=True).focus()
    page.keyboard.press("Space")
    assert page.get_by_role("radio", name=mode, exact=True).is_checked()


@pytest.mark.parametrize("T", [1, 2])
def test_every_mode_of_the_matrix_agrees_with_the_librarys_gate(open_page, T):
    weights, biases, labels, inputs, sampled = batch(T)
    page = open_page(show.nce_explorer(*batch(T)))
    for remove in (False, True):
        gate = NCE(remove)
        arguments = (inputs[:, None], weights, biases, labels, *sampled)
        expected_losses = gate.forward(*arguments)[:, 0]
        x = gate.corrected_scores(*arguments)[:, 0]
        z = np.where(np.arange(x.shape[1]) < T, 1 / T, 0.0)
        E = np.concatenate([sampled.true_expected_count, np.tile(sampled.sampled_expected_count, (3, 1))], axis=1)
        columns = np.concatenate([labels, np.tile(sampled.ids, (3, 1))], axis=1)
        score = np.einsum("bd,bjd->bj", inputs, weights[columns]) + biases[columns]
        sigma = gate.error[:, 0] + z
        with np.errstate(over="ignore"):
            each = (1 - z) * x + np.maximum(-x, 0) + np.log1p(np.exp(-np.abs(x)))
        right = [score, np.log(E), x, np.tile(z, (3, 1)), sigma, each, gate.error[:, 0]]
        for mode, expected in zip(MODES, right, strict=True):
            choose_mode(page, mode)
            np.testing.assert_allclose(cells(page), expected, rtol=6e-3, atol=1e-5, err_msg=mode)
            np.testing.assert_allclose(losses(page), expected_losses, rtol=6e-4)
        mean = nce_loss(*batch(T), remove_accidental_hits=remove).mean()
        assert f"the mean of the batch is {mean:.4g}." in said(page)
        tab_to(page, "remove accidental hits")
        page.keyboard.press("Space")


def test_the_cells_gradients_make_the_librarys_bias_gradient(open_page):
    """Each cell's gradient is what its score gets, and a bias is added to its scores."""
    _, _, labels, _, sampled = batch()
    page = open_page(show.nce_explorer(*batch()))
    choose_mode(page, "gradient")
    db = np.zeros(8)
    np.add.at(db, np.concatenate([labels, np.tile(sampled.ids, (3, 1))], axis=1), cells(page))
    np.testing.assert_allclose(db, nce_gradients(*batch()).biases.to_dense(), atol=5e-3)


def test_without_log_E_and_biases_it_is_negative_sampling(open_page):
    weights, _, labels, inputs, sampled = batch()
    page = open_page(show.nce_explorer(weights, np.zeros(8), labels, inputs, sampled, remove_accidental_hits=True))
    tab_to(page, "subtract log E")
    page.keyboard.press("Space")
    negatives = np.tile(sampled.ids, (3, 1))
    expected = NegativeSampling().forward(inputs[:, None], weights, labels[:, 0], negatives)[:, 0]
    np.testing.assert_allclose(losses(page), expected, rtol=6e-4)
    assert said(page).endswith("Without log E this is the loss of negative sampling.")


def test_with_biases_nothing_is_called_negative_sampling_that_is_not(open_page):
    page = open_page(show.nce_explorer(*batch()))
    tab_to(page, "subtract log E")
    page.keyboard.press("Space")
    assert said(page).endswith("Without log E, and if the biases were zero, this is the loss of negative sampling.")


def test_where_the_model_is_sure_the_sums_are_right_to_the_last_digit(open_page):
    """For x = 12, 1 - σ(x) is 1 - 1 in four digits."""
    weights, _, labels, inputs, sampled = batch()
    page = open_page(show.nce_explorer(0 * weights, np.full(8, 12.0), labels, inputs, sampled))
    tab_to(page, "subtract log E")
    page.keyboard.press("Space")
    small = f"{1 / (1 + math.exp(12)):.4g}"
    entries = page.locator(".hg-nce tbody tr").first.locator("td[tabindex]")
    choose_mode(page, "loss")
    entries.nth(1).click()
    assert f"so the loss is −log(1 − σ(x)) = −log σ(−x) = −log {small} = 12." in said(page)
    choose_mode(page, "gradient")
    entries.first.click()
    assert f"σ(x) − z = −σ(−x) = -{small}, so" in said(page)


def test_arrows_walk_over_the_cells_which_say_how_they_come_about(open_page):
    words = "the of is array sum each one row".split()
    weights, biases, _, inputs, sampled = batch()
    page = open_page(show.nce_explorer(*batch(), words=words, rows=["a", "b", "c"]))
    tab_to(page, page.locator(".hg-nce tbody td[tabindex]").first.text_content())
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    choose_mode(page, "corrected")
    word = sampled.ids[1]
    score, logE = inputs[1] @ weights[word] + biases[word], np.log(sampled.sampled_expected_count[1])
    assert re.sub(r"[()]", "", said(page)).startswith(
        f"Example b, noise word {words[word]}: x = score − log E = {score:.4g} − {logE:.4g} = {score - logE:.4g}."
    )
    assert page.locator("th.hg-on").all_text_contents() == [words[word], "b"]


def test_on_a_phone_the_matrix_fades_out_where_it_goes_on(open_page):
    page = open_page(show.nce_explorer(*batch(2)), viewport={"width": 390, "height": 844})
    box = page.locator(".hg-scroll:has(.hg-nce)")
    sides = {"start": (False, True), "middle": (True, True), "end": (True, False)}
    for share, (place, expected) in zip((0, 0.5, 1), sides.items(), strict=True):
        box.evaluate("(e, share) => { e.scrollLeft = share * (e.scrollWidth - e.clientWidth) }", share)
        page.wait_for_function(
            "sides => ['left', 'right'].every((side, i) => sides[i] === "
            "document.querySelector('.hg-scroll').classList.contains(`hg-more-${side}`))",
            arg=expected,
            timeout=2000,
        )
        assert ("rgba(0, 0, 0, 0)" in box.evaluate("e => getComputedStyle(e).maskImage")) == expected[1], place


def test_accidental_hits_are_marked_and_removed_on_wish(open_page):
    _, _, labels, _, sampled = batch()
    hits = [(i, k) for i in range(3) for k in range(5) if sampled.ids[k] in labels[i]]
    page = open_page(show.nce_explorer(*batch()))
    marked = [text.endswith("hit") for text in page.locator(".hg-nce tbody td[tabindex]").all_text_contents()]
    assert hits and [(i // 6, i % 6 - 1) for i, mark in enumerate(marked) if mark] == hits
    tab_to(page, "remove accidental hits")
    page.keyboard.press("Space")
    choose_mode(page, "corrected")
    i, k = hits[0]
    page.locator(".hg-nce tbody tr").nth(i).locator("td[tabindex]").nth(1 + k).click()
    assert "by accident a true word of this row: its score gets −FLT_MAX" in said(page)
    choose_mode(page, "loss")
    assert cells(page)[i, 1 + k] == 0


# ---- The Huffman path ----


def tree():
    rng = np.random.default_rng(2)
    words, counts = "the of is array sum row".split(), np.array([90, 40, 30, 6, 4, 2])
    return words, counts, rng.normal(size=3), rng.normal(size=(5, 3))


def probability(word, counts, h, U):
    nodes, codes = HuffmanTree(counts).paths(np.array([word]))
    return np.exp(-HierarchicalSoftmax().forward(h[None, None], U, nodes, codes)[0, 0])


def test_trees_are_those_of_the_library(open_page):
    page = open_page(f'<script type="module">{bundle("huffman")}window.huffmanTree = huffmanTree;</script>')
    rng = np.random.default_rng(1)
    for _ in range(60):
        counts = rng.integers(0, rng.choice([3, 20, 10**6]), size=rng.integers(2, 16))  # many equal ones
        tree = HuffmanTree(counts)
        found = page.evaluate("(counts) => huffmanTree(counts)", counts.tolist())
        for word, path in enumerate(found):
            steps = slice(*tree.starts[word : word + 2])
            assert [step["node"] for step in path] == tree.nodes[steps].tolist()
            assert [step["code"] for step in path] == tree.codes[steps].tolist()


def test_every_word_of_the_tree_is_in_the_picture(open_page):
    counts = {"the": 900, "of": 400, "a": 300, "row": 25, "axis": 24, "differentiabilities": 1}
    rng = np.random.default_rng(0)
    page = open_page(
        show.huffman_explorer(list(counts), list(counts.values()), rng.normal(size=3), rng.normal(size=(5, 3)))
    )
    for word in page.get_by_role("radio").all():
        word.check(force=True)
        cut = page.evaluate(
            """() => {
                const svg = document.querySelector(".hg-tree"), width = svg.viewBox.baseVal.width;
                const ends = [...svg.querySelectorAll(".hg-leaf")].map((leaf) => leaf.getBBox());
                return ends.filter((box) => box.x + box.width > width).length;
            }"""
        )
        assert cut == 0


def test_each_words_path_is_lit_and_its_product_is_the_librarys_probability(open_page):
    words, counts, h, U = tree()
    page = open_page(show.huffman_explorer(words, counts, h, U, word="the"))
    tab_to(page, "the")
    for i, word in enumerate(words):
        P, code = probability(i, counts, h, U), HuffmanTree(counts).code(i)
        assert said(page).startswith(f"{word} has the code {code}: {len(code)} turn")
        assert re.search(rf"P\({word}\) = .*?{re.escape(f'{P:.4g}')}\. ", said(page))
        assert "of all 6 words sum to 1." in said(page)
        turns = page.locator(".hg-tree text.hg-code.hg-on").all_text_contents()
        assert sorted(turns) == sorted(code) and page.locator(".hg-tree path.hg-on").count() == len(code)
        assert page.locator(".hg-path tbody tr").count() == len(code)
        assert page.locator(".hg-path tbody tr").last.locator("td").last.text_content() == f"{P:.4g}"
        page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="the").is_checked()  # round


def test_a_count_that_is_typed_builds_the_tree_anew(open_page):
    words, counts, h, U = tree()
    page = open_page(show.huffman_explorer(words, counts, h, U, word="row"))
    tab_to(page, "count of row")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("500")
    changed = np.array([*counts[:-1], 500])
    assert said(page).startswith(f"row has the code {HuffmanTree(changed).code(5)}: 1 turn, P(row) = ")
    assert f"P(row) = {probability(5, changed, h, U):.4g}." in said(page)
    page.locator(".hg-stage .hg-leaf").filter(has_text="the").click()  # another word, while the field has the focus
    assert page.get_by_label("count of the").input_value() == "90" and said(page).startswith("the has the code")
    page.locator(".hg-stage .hg-leaf").filter(has_text="row").click()
    tab_to(page, "Reset")
    page.keyboard.press("Enter")
    assert said(page).startswith(f"row has the code {HuffmanTree(counts).code(5)}: ")


def test_a_score_that_is_typed_moves_probability_and_the_sum_stays(open_page):
    words, counts, h, U = tree()
    page = open_page(show.huffman_explorer(words, counts, h, U, word="the"))
    code = HuffmanTree(counts).code(0)
    tab_to(page, "score of node 4")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("2")
    P = 1 / (1 + np.exp(-2 if code == "0" else 2))
    assert said(page).startswith(f"the has the code {code}: 1 turn, P(the) = {P:.4g}.")
    assert "of all 6 words sum to 1." in said(page)
