"""Descent, bending, the replay of a training and the embedding map: what Python computes for the page."""

import gzip
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from handgrad import ComputationalGraph, Log, Multiply, Node, Parameter, Sum, numerical_jacobian
from handgrad.datasets import circles, moons
from handgrad.errors import InputError
from handgrad.show import bend_space, descend, embedding_map, replay_training
from handgrad.show.explorers import bending, descent
from handgrad.show.explorers.parts import packing, plane
from handgrad.word2vec import KeyedVectors, Trainer, TrainingConfig
from handgrad.word2vec.runs.snapshots import Snapshots


def some_vectors(V=40, D=6, seed=0):
    return KeyedVectors([f"word{i}" for i in range(V)], np.random.default_rng(seed).standard_normal((V, D)))


def some_frames(words=5, moments=4, D=6, seed=0):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.standard_normal((moments, words, D)), axis=0)


EVERY = {
    "descent": lambda: descend("valley"),
    "bending": lambda: bend_space("moons", steps=30),
    "bending of three": lambda: bend_space("circles", hidden=3, activation="relu", steps=30),
    "replay": lambda: replay_training(list("abcde"), some_frames(), losses=[float("nan"), 3, 2, 1], follow=["b"]),
    "map": lambda: embedding_map(some_vectors(), chosen="word3"),
}
every_explorer = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


def unpacked(text):
    """What packing.js does."""
    numbers = [packing.LETTERS.index(letter) for letter in text]
    return np.array(numbers[::2]) * len(packing.LETTERS) + numbers[1::2]


# ---- All of them ----


@every_explorer
def test_each_is_the_same_each_time_and_plain_json(make):
    explorer = make()
    assert explorer._repr_html_() == make()._repr_html_() and repr(explorer) == repr(make())
    assert json.loads(json.dumps(explorer.state, allow_nan=False)) == explorer.state
    assert "0x" not in repr(explorer)


@every_explorer
def test_each_still_is_a_drawing_with_a_description(make):
    svg = ElementTree.fromstring(make().still())
    assert svg.get("role") == "img" and len(svg.get("aria-label")) > 20 and len(list(svg)) > 1


@every_explorer
def test_each_is_a_widget_in_a_live_notebook(make):
    import anywidget

    explorer = make()
    assert not explorer.state.keys() & anywidget.AnyWidget.class_traits().keys()
    assert set(explorer.state) <= set(explorer.live().keys)


# ---- Packing ----


def test_packed_numbers_are_two_letters_each():
    numbers = np.array([[0, 1, 63], [64, 4094, 4095]])
    assert len(packing.pack(numbers)) == 12
    assert unpacked(packing.pack(numbers)).tolist() == numbers.ravel().tolist()
    for wrong in (-1, 4096):
        with pytest.raises(InputError, match="from 0 to 4095"):
            packing.pack(np.array([3, wrong]))


def test_fitted_points_keep_their_shape():
    points = np.array([[[0.0, 0.0], [2.0, 0.0]], [[2.0, 1.0], [0.0, 1.0]]])
    fitted = packing.fit(points)
    assert fitted.shape == points.shape and fitted.min() == 0 and fitted.max() == 4095
    ways = np.diff(fitted.reshape(-1, 2), axis=0)
    np.testing.assert_allclose(ways, np.diff(points.reshape(-1, 2), axis=0) * 4095 / 2, atol=1)
    assert len(np.unique(packing.fit(np.zeros((3, 2))), axis=0)) == 1  # all in one place: no division by 0


# ---- The plane ----


def test_principal_axes_are_those_of_the_covariance_with_a_sign_that_stays():
    vectors = np.random.default_rng(1).standard_normal((50, 4)) * [1, 5, 0.1, 2] + 3
    center, axes = plane.principal_axes(vectors)
    np.testing.assert_allclose(center, vectors.mean(axis=0))
    _, directions = np.linalg.eigh(np.cov(vectors.T))
    np.testing.assert_allclose(np.abs(axes @ directions[:, ::-1][:, :2]), np.eye(2), atol=1e-10)
    for given in (vectors, -vectors, vectors[::-1]):
        np.testing.assert_allclose(plane.principal_axes(given)[1], axes, atol=1e-10)
        assert all(axis[np.abs(axis).argmax()] > 0 for axis in plane.principal_axes(given)[1])


def test_of_equal_cosines_the_smaller_ids_are_nearest():
    units = np.eye(3)[np.random.default_rng(0).integers(0, 3, 60)]  # many pairs are equal
    ids, _ = plane.nearest(units, 5)
    for i, row in enumerate(ids):
        assert row.tolist() == [j for j in range(60) if (units[j] == units[i]).all() and j != i][:5]


def test_nearest_are_those_of_the_keyed_vectors():
    vectors = some_vectors()
    ids, cosines = plane.nearest(vectors.get_normed_vectors(), 5)
    for i in (0, 7, 39):
        expected = vectors.most_similar(f"word{i}", topn=5)
        assert [f"word{j}" for j in ids[i]] == [word for word, _ in expected]
        np.testing.assert_allclose(cosines[i], [cosine for _, cosine in expected], atol=1e-12)


def test_the_layouts_pull_and_push_are_the_gradients_of_its_loss():
    rng = np.random.default_rng(2)
    points = rng.standard_normal((6, 2))
    i, j, noise = np.array([0, 1, 1, 5]), np.array([2, 3, 0, 4]), np.array([1, 4])

    def seen(points):
        return np.log1p(((points[i] - points[j]) ** 2).sum(axis=1)).sum()

    slopes = numerical_jacobian(seen, points).reshape(points.shape)
    np.testing.assert_allclose(plane._pull(points, i, j), slopes, atol=1e-6)
    for k in range(6):

        def made_up(point, k=k):
            squares = ((point - points[noise]) ** 2).sum(axis=1)[noise != k]
            return -np.log(1 - 1 / (1 + squares)).sum() / len(noise)

        slope = numerical_jacobian(made_up, points[k]).ravel()
        push = plane._push(points, noise, near=1e-12)  # it tempers the push of points that almost coincide
        np.testing.assert_allclose(push[k], slope, rtol=1e-5, atol=1e-6)


def test_the_layout_keeps_more_neighbors_than_the_principal_plane():
    rng = np.random.default_rng(3)
    centers = rng.standard_normal((60, 40))
    vectors = np.repeat(centers, 12, axis=0) + 0.3 * rng.standard_normal((720, 40))  # 60 heaps of 12
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ids, _ = plane.nearest(units, 10)

    def kept(points):
        away = ((points[:, None] - points) ** 2).sum(axis=2)
        near = np.argsort(away, axis=1)[:, 1:11]
        return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near, ids, strict=True)])

    center, axes = plane.principal_axes(units)
    layout = plane.neighbor_layout(units, ids)
    assert kept(layout) > 0.8 > 0.5 > kept((units - center) @ axes.T)
    assert (layout == plane.neighbor_layout(units, ids)).all()


# ---- Descent ----


def as_written(surface, point):
    x, y = point
    written = {
        "bowl": x**2 + y**2,
        "valley": 0.1 * x**2 + 2 * y**2,
        "saddle": x**2 - y**2 + y**4 / 4,
        "Rosenbrock": (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    }
    return written[surface]


@pytest.mark.parametrize("name", descent.SURFACES)
def test_each_surface_is_what_its_formula_says(name):
    graph = ComputationalGraph(descent.SURFACES[name][0](Node("x"), Node("y")))
    for point in np.random.default_rng(0).uniform(-2, 2, (5, 2)):
        assert graph.forward(x=point[0], y=point[1]) == pytest.approx(as_written(name, point))
    formula = descend(name).state["surfaces"][list(descent.SURFACES).index(name)]["formula"]
    x, y = 1.3, -0.7
    for mathematics, python in (
        ("²", "**2"),
        ("⁴", "**4"),
        ("−", "-"),
        ("0.1 x", "0.1*x"),
        ("2 y", "2*y"),
        ("100 (", "100*("),
    ):
        formula = formula.replace(mathematics, python)
    assert eval(formula.removeprefix("f = ")) == pytest.approx(as_written(name, (x, y)))


def test_the_path_is_gradient_descent_with_momentum():
    explorer = descend("valley", start=(2.0, 1.0), learning_rate=0.1, momentum=0.5, steps=3)
    point, m = np.array([2.0, 1.0]), np.zeros(2)
    for x, y, f in explorer.path:
        assert (x, y) == pytest.approx(point) and f == pytest.approx(as_written("valley", point))
        m = 0.5 * m + [0.2 * point[0], 4 * point[1]]
        point = point - 0.1 * m
    assert len(explorer.path) == 4


def test_a_diverging_path_ends_where_numbers_are_finite_and_still_draws():
    explorer = descend("Rosenbrock", learning_rate=1.0)
    assert len(explorer.path) < 61 and np.isfinite(explorer.path).all()
    ElementTree.fromstring(explorer.still())


def test_contours_go_where_the_surface_has_one_height():
    state = descend("bowl").state["surfaces"][0]
    for contour in state["contours"][:3]:
        start, ways = contour.removesuffix("z").removeprefix("M").split("l")
        numbers = [int(n) for n in ways.replace("-", " -").split()]
        steps = np.array([[int(n) for n in start.split()], *np.reshape(numbers, (-1, 2))])
        points = np.cumsum(steps, axis=0) / [descent.WIDTH, descent.HEIGHT] * [8, -6] + [-4, 3]
        radii = np.hypot(*points.T)
        assert len(points) > 15 and radii.max() - radii.min() < 0.05


def test_any_graph_of_two_numbers_and_known_gates_will_do():
    p, q = Node("p"), Node("q")
    graph = ComputationalGraph(Multiply()(Multiply()(p, Parameter("two", 2.0)), q))
    state = descend(graph, start=(1, 2), learning_rate=0.07, view=(0, 4, 0, 3)).state
    (surface,) = state["surfaces"]
    assert surface["inputs"] == ["p", "q"] and {"value": 2.0} in surface["nodes"]
    assert state["rates"][state["rates"].index(0.07)] == 0.07 and state["start"] == [1.0, 2.0]
    undefined_on_half = descend(lambda x, y: Multiply()(Log()(x), y), start=(1, 1)).state
    assert undefined_on_half["surfaces"][0]["contours"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"surface": "hill"}, "knows the surfaces bowl, valley, saddle, Rosenbrock, but got 'hill'"),
        ({"surface": lambda x, y: Sum()(Multiply()(x, y))}, "the gates Multiply, Sum"),
        ({"surface": lambda x, y: Log()(x)}, "the leaves x"),
        ({"start": (1.0,)}, "2 finite numbers as start"),
        ({"start": (1.0, float("nan"))}, "2 finite numbers as start"),
        ({"view": (1, 0, 0, 1)}, r"view \(left, right, bottom, top\)"),
        ({"learning_rate": 0}, "a learning_rate above 0"),
        ({"momentum": 1.0}, "momentum from 0 to below 1"),
        ({"steps": 0}, "1 to 1000 steps"),
        ({"surface": lambda x, y: Log()(Multiply()(x, y)), "start": (-1, 1)}, "not finite at the start"),
    ],
)
def test_what_descend_cannot_show_is_said(arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        descend(arguments.pop("surface", "bowl"), **arguments)


# ---- Bending ----


@pytest.mark.parametrize(("data", "hidden"), [("moons", 2), ("moons", 3), ("circles", 3)])
def test_the_layer_learns_to_part_the_classes(data, hidden):
    explorer = bend_space(data, hidden=hidden)
    right = [explorer.right(snapshot) for snapshot in explorer.state["snapshots"]]
    losses = [snapshot["loss"] for snapshot in explorer.state["snapshots"]]
    assert right[0] < 130 and right[-1] >= 155 and losses[-1] < 0.2 < 0.6 < losses[0]
    assert f"step  500: {right[-1]} of 160 right" in repr(explorer)


def test_two_units_cannot_open_a_ring_and_three_can():
    two, three = (bend_space("circles", hidden=hidden) for hidden in (2, 3))
    assert two.right(two.state["snapshots"][-1]) < 150 < three.right(three.state["snapshots"][-1])


def test_the_loss_is_that_of_the_weights_beside_it():
    explorer = bend_space("moons", activation="sigmoid", steps=40)
    for snapshot in explorer.state["snapshots"]:
        logits = explorer.logits(snapshot, explorer.points)
        losses = np.logaddexp(0, np.where(explorer.labels == 1, -logits, logits))
        assert losses.mean() == pytest.approx(snapshot["loss"], rel=1e-2)
    assert [s["step"] for s in explorer.state["snapshots"]] == [0, 5, 10, 20, 30, 40]


def test_own_points_can_be_bent():
    points, labels = circles(n=20, seed=4)
    state = bend_space((points, labels), steps=1).state
    assert state["points"] == np.round(points, 2).tolist() and state["labels"] == labels.tolist()


def test_its_still_has_a_cell_wherever_the_network_says_class_1():
    assert bending._runs(np.array([[0, 1, 1], [1, 0, 1]], dtype=bool), 5) == "M5 0h10v5H5zM0 5h5v5H0zM10 5h5v5H10z"


def test_the_still_of_two_units_has_the_bent_plane_beside_the_flat_one():
    for hidden, planes in ((2, 2), (3, 1)):
        explorer = bend_space("circles", hidden=hidden, steps=1)
        svg = ElementTree.fromstring(explorer.still())
        assert len(svg.findall(".//path[@class='hg-grid']")) == planes
        assert len(svg.findall(".//circle")) == planes * 160 and ("bent" in svg.get("aria-label")) == (planes == 2)


@pytest.mark.parametrize(("hidden", "activation"), [(2, "tanh"), (3, "relu")])
def test_networks_side_by_side_end_as_each_does_alone(hidden, activation):
    data, settings = moons(n=30, seed=1), {"hidden": hidden, "activation": activation, "steps": 40}
    right = bending.right_by_start(data, starts=4, **settings)
    alone = [bend_space(data, seed=seed, **settings) for seed in range(4)]
    assert right.tolist() == [explorer.right(explorer.state["snapshots"][-1]) for explorer in alone]


def test_one_unit_is_a_line_and_a_fourth_may_be_had():
    assert bending.right_by_start("moons", hidden=1, steps=300, starts=10).max() <= 141  # no line is better
    assert bending.right_by_start("moons", hidden=4, steps=300, starts=10).max() > 141


def test_starts_may_have_points_of_more_coordinates():
    corners = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), axis=-1).reshape(-1, 3)
    assert bending.right_by_start((corners, corners.sum(axis=1) % 2), hidden=4, steps=300, starts=5).max() == 8
    with pytest.raises(InputError, match=r"got shapes \(8, 3\)"):
        bend_space((corners, corners.sum(axis=1) % 2))


@pytest.mark.parametrize("settings", [{"activation": "step"}, {"hidden": 0}, {"steps": 0}, {"starts": 0}])
def test_starts_that_cannot_be_trained_are_said(settings):
    with pytest.raises(InputError, match="right_by_start expects units of tanh"):
        bending.right_by_start("moons", **settings)


@pytest.mark.parametrize(
    ("data", "settings", "sentence"),
    [
        ("spirals", {}, "knows the data moons, circles, but got 'spirals'"),
        ((np.zeros((3, 3)), np.zeros(3)), {}, r"got shapes \(3, 3\) and \(3,\)"),
        ((np.zeros((3, 2)), np.zeros(3)), {}, "some of both"),
        ((np.full((2, 2), np.nan), np.array([0, 1])), {}, "finite points"),
        (3, {}, r"expects \(points, labels\)"),
        ("moons", {"hidden": 4}, "2 or 3 hidden units .* but got 4"),
        ("moons", {"activation": "step"}, "tanh, relu, sigmoid .* 'step'"),
        ("moons", {"steps": 0}, "at least one step"),
    ],
)
def test_what_cannot_be_bent_is_said(data, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        bend_space(data, **settings)


# ---- The replay ----


def test_all_moments_are_in_the_plane_of_the_last_one():
    frames = some_frames(words=8, moments=3)
    explorer = replay_training([f"w{i}" for i in range(8)], frames)
    center, axes = plane.principal_axes(frames[-1])
    flat = (frames - center) @ axes.T
    numbers = unpacked(explorer.state["packed"])
    points, closest = numbers[: flat.size].reshape(flat.shape), numbers[flat.size :].reshape(3, 8, 2)
    scale = 4095 / np.ptp(flat, axis=(0, 1)).max()
    np.testing.assert_allclose(points - points[0, 0], (flat - flat[0, 0]) * scale, atol=1.01)
    for frame, found in zip(frames, closest, strict=True):
        vectors = KeyedVectors(range(8), frame)
        for i, (other, hundredths) in enumerate(found):
            ((word, cosine),) = vectors.most_similar(i, topn=1)
            assert other == word and (hundredths - 100) / 100 == pytest.approx(cosine, abs=0.0051)


def test_snapshots_are_taken_while_the_trainer_trains():
    rng = np.random.default_rng(0)
    sentences = [rng.choice(list("abcdefghij"), 8).tolist() for _ in range(400)]
    snapshots = Snapshots(["a", "b", "c"], every=4)
    trainer = Trainer(
        TrainingConfig(min_count=1, epochs=2, dimension=8, subsample=0, batch_size=8, seed=1, engine="numpy"),
        [snapshots],
    )
    vectors = trainer.fit(sentences)
    assert len(snapshots.vectors) == len(snapshots.raw_words) == len(snapshots.losses) > 8
    assert snapshots.raw_words[0] == 0 and np.isnan(snapshots.losses[0])
    reports = {entry.raw_words: entry.loss for entry in trainer.losses}
    assert all(
        reports[words] == loss for words, loss in zip(snapshots.raw_words[1:], snapshots.losses[1:], strict=True)
    )
    assert [entry.raw_words for entry in trainer.losses[:4]] == snapshots.raw_words[1:5]
    assert not np.array_equal(snapshots.vectors[0], snapshots.vectors[1])  # copies, not the vectors that go on moving
    assert np.shape(snapshots.vectors[-1]) == np.shape(vectors[["a", "b", "c"]])
    moments = [f"{words:,} words" for words in snapshots.raw_words]
    state = replay_training(snapshots.words, snapshots.vectors, moments, snapshots.losses).state
    assert state["moments"][0] == "0 words" and state["packedLosses"].startswith("nan ")


def test_snapshots_of_an_unknown_word_or_too_often_are_refused():
    with pytest.raises(InputError, match="every = 0"):
        Snapshots(["a"], every=0)
    with pytest.raises(InputError, match="'zebra' is not among"):
        Trainer(TrainingConfig(min_count=1, engine="numpy"), [Snapshots(["zebra"])]).fit([["a", "b"] * 9])


@pytest.mark.parametrize(
    ("words", "settings", "sentence"),
    [
        ("abcd", {}, "a row for each of the 4 words, but got 4, of shapes"),
        ("abcda", {}, "different words"),
        ("abcde", {"moments": ["now"]}, "for each of the 4 snapshots, but got 1"),
        ("abcde", {"losses": [1.0]}, "for each of the 4 snapshots"),
        ("abcde", {"follow": ["z"]}, "up to 4 of its own words, but got z"),
        ("abcde", {"follow": list("abcde")}, "up to 4 of its own words"),
    ],
)
def test_what_cannot_be_replayed_is_said(words, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        replay_training(list(words), some_frames(), **settings)


def test_a_single_or_infinite_snapshot_is_refused():
    with pytest.raises(InputError, match="at least two snapshots"):
        replay_training(list("abcde"), some_frames()[:1])
    with pytest.raises(InputError, match="finite vectors"):
        replay_training(list("abcde"), some_frames() * np.inf)


# ---- The embedding map ----


def test_the_map_has_the_neighbors_of_the_full_space():
    vectors = some_vectors()
    state = embedding_map(vectors, neighbors=4).state
    numbers = unpacked(state["packed"])
    ids, hundredths = numbers[80:240].reshape(40, 4), numbers[240:].reshape(40, 4)
    for i in range(40):
        expected = vectors.most_similar(i, topn=4)
        assert [f"word{j}" for j in ids[i]] == [word for word, _ in expected]
        assert ((hundredths[i] - 100) / 100).tolist() == pytest.approx([cosine for _, cosine in expected], abs=0.0051)


def test_pca_is_a_layout_too():
    vectors = some_vectors()
    units = vectors.get_normed_vectors()
    center, axes = plane.principal_axes(units)
    points = embedding_map(vectors, layout="pca").points
    np.testing.assert_array_equal(points, packing.fit((units - center) @ axes.T))


def test_a_map_of_3000_words_is_light():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 7)) for _ in range(3000)]
    html = (
        embedding_map(KeyedVectors(words, rng.standard_normal((3000, 100)).astype(np.float32)))._repr_html_().encode()
    )
    assert len(html) < 200_000 and len(gzip.compress(html)) < 90_000


def test_labels_of_the_still_do_not_overlap():
    svg = ElementTree.fromstring(embedding_map(some_vectors(V=300)).still())
    places = [(float(t.get("x")), float(t.get("y")), 3.6 * len(t.text)) for t in svg.findall("text")]
    assert len(places) > 20
    for k, (x, y, half) in enumerate(places):
        assert all(abs(x - a) > half + other or abs(y - b) > 13 for a, b, other in places[:k])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"limit": 5}, "11 to 4096 words, .* but got 5 words"),
        ({"neighbors": 40}, "40 words and 40 neighbors"),
        ({"layout": "tsne"}, '"neighbors" or "pca", but got \'tsne\''),
        ({"chosen": "zebra"}, "'zebra' is not among the first 40"),
    ],
)
def test_what_cannot_be_mapped_is_said(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        embedding_map(some_vectors(), **settings)


def test_words_with_line_breaks_and_vectors_of_zeros_are_refused():
    vectors = some_vectors()
    vectors.vectors[7] = 0
    with pytest.raises(InputError, match="'word7' has no direction"):
        embedding_map(vectors)
    with pytest.raises(InputError, match="without line breaks"):
        embedding_map(KeyedVectors([f"a\n{i}" for i in range(20)], np.eye(20)))


# ---- Another processor ----


def test_what_training_measured_stands_only_where_the_books_test_looks_away():
    """Last digits differ by processor. All of them are in texts whose key begins with ``packed``, and in drawings."""
    rng = np.random.default_rng(5)
    vectors, frames = some_vectors(), some_frames()
    shaken = KeyedVectors(vectors.index_to_key, vectors.vectors + 1e-2 * rng.standard_normal(vectors.vectors.shape))
    moved = frames + 1e-2 * rng.standard_normal(frames.shape)
    losses = np.array([3.0, 2.5, 2.25, 2.0])
    for here, there in (
        (embedding_map(vectors), embedding_map(shaken)),
        (
            replay_training(list("abcde"), frames, None, losses),
            replay_training(list("abcde"), moved, None, losses + 0.01),
        ),
    ):
        assert here.state != there.state and repr(here) == repr(there)
        differing = {name for name in here.state if here.state[name] != there.state[name]}
        assert all(name.startswith("packed") for name in differing)
