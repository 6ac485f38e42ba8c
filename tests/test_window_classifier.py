"""The gradients by hand are those of the graph of gates, of torch and of measured slopes; and it learns."""

import numpy as np
import pytest
import torch

from handgrad import (
    ComputationalGraph,
    EmbeddingLookup,
    MatMul,
    Node,
    Reshape,
    RowSparseGradient,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    Sum,
    Tanh,
    Transpose,
)
from handgrad.corpora import TaggedSentence, entities
from handgrad.errors import InputError
from handgrad.numerical import numerical_jacobian
from handgrad.window_classifier import (
    CAPITALIZED,
    OTHER,
    PAD,
    WindowClassifier,
    labels_of,
    precision_recall_f1,
    rows_of_words,
    windows_of,
)

PARAMETERS = "EWbUc"
# Row 0 stands twice in the first window and once in the second: its pieces add.
WINDOWS = np.array([[0, 0, 3], [0, 3, 5], [4, 5, 1]])


def classifier(M, C=2, **sizes):
    net = WindowClassifier(V=6, C=C, **({"D": 3, "H": 4} | sizes), M=M, seed=3)
    rng = np.random.default_rng(1)
    net.b[:], net.c[:] = rng.standard_normal(net.b.shape), rng.standard_normal(net.c.shape)
    return net


def labels(M):
    return np.array([[1.0], [0.0], [1.0]]) if M == 1 else np.eye(M)[[2, 0, 1]]


def by_hand(net, t, windows=WINDOWS):
    p = net.forward(windows)
    return net.loss(t), net.gradients(p - t)


@pytest.mark.parametrize("M", [1, 3, 4])
def test_the_gradients_are_the_measured_slopes(M):
    net, t = classifier(M), labels(M)
    _, gradients = by_hand(net, t)
    for name in PARAMETERS:
        parameter = getattr(net, name)
        here = parameter.copy()

        def loss(moved, name=name):
            setattr(net, name, moved)
            net.forward(WINDOWS)
            return net.loss(t)

        slopes = numerical_jacobian(loss, here).reshape(here.shape)
        setattr(net, name, here)
        np.testing.assert_allclose(gradients[name], slopes, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("M", [1, 3])
def test_torch_finds_the_same_gradients(M):
    net, t = classifier(M), labels(M)
    loss, gradients = by_hand(net, t)
    E, W, b, U, c = tensors = [torch.tensor(getattr(net, name), requires_grad=True) for name in PARAMETERS]
    s = torch.tanh(E[torch.tensor(WINDOWS)].reshape(3, -1) @ W.T + b) @ U.T + c
    if M == 1:
        theirs = torch.nn.functional.binary_cross_entropy_with_logits(s, torch.tensor(t), reduction="sum")
    else:
        theirs = torch.nn.functional.cross_entropy(s, torch.tensor(t), reduction="sum")
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=1e-12)
    for name, tensor in zip(PARAMETERS, tensors, strict=True):
        np.testing.assert_allclose(gradients[name], tensor.grad.numpy(), rtol=1e-10, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("M", [1, 3])
def test_the_graph_of_gates_finds_the_same_gradients(M):
    net, t = classifier(M), labels(M)
    loss, gradients = by_hand(net, t)
    E, W, b, U, c, ids, right = map(Node, ["E", "W", "b", "U", "c", "ids", "t"])
    x = Reshape(3, 9)(EmbeddingLookup()(E, ids))
    h = Tanh()(MatMul()(x, Transpose()(W)) + b)
    s = MatMul()(h, Transpose()(U)) + c
    graph = ComputationalGraph(Sum()((SigmoidCrossEntropy if M == 1 else SoftmaxCrossEntropy)()(s, right)))
    parameters = {name: getattr(net, name) for name in PARAMETERS}
    values = parameters | {"ids": WINDOWS, "t": t.astype(int) if M == 1 else t.argmax(axis=1)}
    assert loss == pytest.approx(graph.forward(values), rel=1e-12)
    theirs = graph.backward()
    assert isinstance(theirs["E"], RowSparseGradient)
    for name in PARAMETERS:
        theirs_dense = theirs[name].to_dense() if name == "E" else theirs[name]
        assert gradients[name].shape == parameters[name].shape
        np.testing.assert_allclose(gradients[name], theirs_dense, rtol=1e-10, atol=1e-14, err_msg=name)


def near_arden(M=1):
    """The chapter's worked step: near (1, 0), an unknown capitalized word (0.5, 1), the comma (0, -1)."""
    net = WindowClassifier(V=3, C=2, D=2, H=2, M=M)
    net.E[:] = [[1, 0], [0.5, 1], [0, -1]]
    net.W[:], net.b[:] = [[1, 0, 0, 1, 0, 0], [0, -1, 1, 0, 0, 1]], [-1, 0]
    net.U[:], net.c[:] = ([[2, -1]], [-2]) if M == 1 else ([[2, -1], [0, 1], [-1, 0.5]], 0)
    return net, np.array([[0, 1, 2]])


def test_the_worked_step():
    net, windows = near_arden()
    assert net.forward(windows) == pytest.approx(0.496, abs=5e-4)
    assert net.h[0] == pytest.approx([0.762, -0.462], abs=5e-4) and net.s == pytest.approx(-0.015, abs=5e-4)
    loss, gradients = by_hand(net, np.array([[1.0]]), windows)
    assert loss == pytest.approx(0.701, abs=5e-4)
    assert gradients["c"] == pytest.approx([-0.504], abs=5e-4)
    assert gradients["U"][0] == pytest.approx([-0.384, 0.233], abs=5e-4)
    assert gradients["b"] == pytest.approx([-0.423, 0.396], abs=5e-4)  # δ itself
    assert gradients["W"][0] == pytest.approx([-0.423, 0, -0.212, -0.423, 0, 0.423], abs=5e-4)
    assert gradients["W"][1] == pytest.approx([0.396, 0, 0.198, 0.396, 0, -0.396], abs=5e-4)
    expected = [[-0.423, -0.396], [0.396, -0.423], [0, 0.396]]
    np.testing.assert_allclose(gradients["E"], expected, atol=5e-4)
    for name in PARAMETERS:
        getattr(net, name)[...] -= 0.5 * gradients[name]
    assert net.forward(windows) == pytest.approx(0.816, abs=5e-4)
    assert net.loss(np.array([[1.0]])) == pytest.approx(0.203, abs=5e-4)


def test_the_worked_step_with_three_kinds():
    net, windows = near_arden(M=3)
    p = net.forward(windows)
    assert p[0] == pytest.approx([0.879, 0.076, 0.045], abs=5e-4)
    gradients = net.gradients(p - [[1, 0, 0]])
    assert gradients["b"] == pytest.approx([-0.120, 0.172], abs=5e-4)


def test_what_begins_at_zero_stays_there_but_for_c():
    net = classifier(1)
    net.W[:], net.b[:], net.U[:] = 0, 0, 0
    _, gradients = by_hand(net, labels(1))
    assert {name for name in PARAMETERS if gradients[name].any()} == {"c"}


SENTENCES = [
    TaggedSentence(("Rain", "fell", "near", "Arden", "."), ("O", "O", "O", "B-LOC", "O")),
    TaggedSentence(("near", "."), ("O", "O")),
]


def test_windows_have_rows_for_what_is_known_unknown_and_beyond():
    rows = rows_of_words(SENTENCES)
    assert rows == {"near": 3, ".": 4}
    near, stop = 3, 4
    assert windows_of(SENTENCES, rows, 2).tolist() == [
        [PAD, CAPITALIZED, OTHER],
        [CAPITALIZED, OTHER, near],
        [OTHER, near, CAPITALIZED],
        [near, CAPITALIZED, stop],
        [CAPITALIZED, stop, PAD],
        [PAD, near, stop],
        [near, stop, PAD],
    ]
    assert windows_of(SENTENCES, rows, 0).ravel().tolist() == [CAPITALIZED, OTHER, near, CAPITALIZED, stop, near, stop]
    assert windows_of(SENTENCES, rows, 4)[5].tolist() == [PAD, PAD, near, stop, PAD]
    assert len(rows_of_words(SENTENCES, min_count=1)) == 5
    assert windows_of([], rows).shape == (0, 5)
    for C in (-2, 3, 1.0, None, True):
        with pytest.raises(InputError, match="C counts context words"):
            windows_of(SENTENCES, rows, C)


def test_labels():
    assert labels_of(SENTENCES).ravel().tolist() == [0, 0, 0, 1, 0, 0, 0]
    t = labels_of(SENTENCES, ("O", "PER", "LOC"))
    assert t.shape == (7, 3) and t.argmax(axis=1).tolist() == [0, 0, 0, 2, 0, 0, 0] and (t.sum(axis=1) == 1).all()
    assert labels_of([], ("O", "LOC")).shape == (0, 2)


def test_a_row_of_its_own_for_each_word_leaves_the_rows_of_unknown_words_as_they_began():
    train = entities()["train"][:40]
    for min_count, moved in ((1, False), (2, True)):
        rows = rows_of_words(train, min_count)
        net = WindowClassifier(len(rows) + 3)
        before = net.E.copy()
        net.fit(windows_of(train, rows), labels_of(train), epochs=1)
        assert (net.E[[CAPITALIZED, OTHER]] != before[[CAPITALIZED, OTHER]]).all() == moved
        assert (net.E[PAD] != before[PAD]).all()


def f1_of(found, sentences):
    return precision_recall_f1(found, labels_of(sentences)[:, 0] == 1)[2]


@pytest.fixture(scope="module")
def parts():
    return entities()


def test_new_names_are_found_by_the_company_they_keep(parts):
    """A list of training names finds none of them, nor does the word by itself; the context words find many."""
    names = {w for s in parts["train"] for w, kind in zip(s.words, s.kinds, strict=True) if kind == "LOC"}
    listed = np.array([word in names for sentence in parts["new"] for word in sentence.words])
    assert f1_of(listed, parts["new"]) == 0
    f1 = {}
    for C in (0, 4):
        rows = rows_of_words(parts["train"])
        net = WindowClassifier(len(rows) + 3, C)
        losses = net.fit(windows_of(parts["train"], rows, C), labels_of(parts["train"]))
        assert losses[-1] < losses[0] / 2 and losses[0] < np.log(2)
        for part, sentences in parts.items():
            f1[C, part] = f1_of(net.forward(windows_of(sentences, rows, C))[:, 0] > 0.5, sentences)
    assert f1[0, "new"] == 0 and f1[4, "new"] > 0.4
    assert f1[4, "train"] > 0.95 and f1[4, "known"] > 0.75


def test_kinds_are_learned_too(parts):
    kinds = ("O", "PER", "ORG", "LOC")
    rows = rows_of_words(parts["train"])
    net = WindowClassifier(len(rows) + 3, M=4)
    net.fit(windows_of(parts["train"], rows), labels_of(parts["train"], kinds), epochs=10)
    p = net.forward(windows_of(parts["known"], rows))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    right = labels_of(parts["known"], kinds).argmax(axis=1)
    for kind in range(4):
        assert precision_recall_f1(p.argmax(axis=1) == kind, right == kind)[2] > 0.4


def test_one_seed_gives_one_result_and_the_data_stay(parts):
    train = parts["train"][:20]
    rows = rows_of_words(train)
    windows, t = windows_of(train, rows), labels_of(train)
    before = windows.copy(), t.copy()
    nets = [WindowClassifier(len(rows) + 3, seed=seed) for seed in (0, 0, 1)]
    losses = [net.fit(windows, t, epochs=3, seed=seed) for net, seed in zip(nets, (0, 0, 1), strict=True)]
    assert losses[0] == losses[1] != losses[2]
    np.testing.assert_array_equal(nets[0].E, nets[1].E)
    np.testing.assert_array_equal(windows, before[0])
    np.testing.assert_array_equal(t, before[1])


def test_the_first_step_of_fit_is_one_of_sgd():
    net, other, t = classifier(1), classifier(1), labels(1)
    net.fit(WINDOWS, t, epochs=1, batch=3, rate=0.5)
    _, gradients = by_hand(other, t)
    for name in PARAMETERS:
        np.testing.assert_allclose(getattr(net, name), getattr(other, name) - 0.5 * gradients[name], atol=1e-14)


def test_precision_recall_and_f1():
    """Of 1,000 words 50 are in locations; 40 are found, 30 of them rightly."""
    found, right = np.zeros(1000, bool), np.zeros(1000, bool)
    right[:50], found[20:60] = True, True
    assert precision_recall_f1(found, right) == pytest.approx((0.75, 0.6, 2 / 3))
    assert np.mean(found == right) == 0.97
    nothing = np.zeros(1000, bool)
    assert precision_recall_f1(nothing, right) == precision_recall_f1(right, nothing) == (0, 0, 0)
    assert precision_recall_f1(nothing, nothing) == (0, 0, 0)
