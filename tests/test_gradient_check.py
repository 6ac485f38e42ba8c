"""The checker must catch what is wrong, and raise no alarm at what is right."""

import warnings

import numpy as np
import pytest
from mutants import mutate

import handgrad as hg
from handgrad import (
    ComputationalGraph,
    Gate,
    GradientCheckError,
    Node,
    check_gate,
    check_graph,
    sum_to_shape,
)
from handgrad.errors import InputError

X = np.array([[0.3, -1.2, 0.7], [2.0, 0.1, -0.4]])
Y = np.array([[1.1, 0.4, -0.6], [-0.3, 0.9, 1.7]])


class WrongMultiply(Gate):
    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        return self.gradients(dz)


def planted(gradients):
    gate = WrongMultiply()
    gate.gradients = lambda dz: gradients(gate, dz)
    return gate


@pytest.mark.parametrize(
    "gradients, says",
    [
        (lambda g, dz: [g.y, g.x], "gradients of x and y are wrong"),
        (lambda g, dz: [g.x * dz, g.y * dz], "gradients of x and y are wrong"),
        (lambda g, dz: [g.y * dz, -g.x * dz], "gradient of y is wrong"),
        (lambda g, dz: [g.y * dz, g.x * dz * 1.00001], "gradient of y is wrong"),
        (lambda g, dz: [g.y * dz, np.zeros_like(dz)], "gradient of y is wrong"),
        (lambda g, dz: [g.y * dz, g.x * dz * np.nan], "gradient of y is wrong"),
        (lambda g, dz: [g.y * dz, (g.x * dz).sum(axis=0)], r"shape \(3,\), but y has shape \(2, 3\)"),
        (lambda g, dz: [g.y * dz], r"returned 1 gradient \(\(2, 3\)\), and forward took 2 inputs"),
        (lambda g, dz: g.y * dz, "returned no list of gradients, and forward took 2 inputs"),
        (lambda g, dz: [g.y * dz, None], "returned None for y, which holds floats"),
    ],
)
def test_planted_mistakes_are_caught(gradients, says):
    report = check_gate(planted(gradients), X, Y)
    assert not report.ok
    with pytest.raises(GradientCheckError, match=says):
        report.raise_if_wrong()


def test_the_wrong_entry_is_pointed_at_with_both_numbers():
    def one_entry(g, dz):
        wrong = g.x * dz
        wrong[1, 2] += 5
        return [g.y * dz, wrong]

    text = check_gate(planted(one_entry), X, Y).text
    assert "entry (1, 2)" in text and "1 of 6 entries of y differ" in text


def test_a_softmax_whose_backward_is_zero_is_caught_though_ones_would_pass_it():
    class Softmax(Gate):
        def forward(self, x):
            return hg.softmax(x)

        def backward(self, dz):
            return [np.zeros_like(dz)]

    assert not check_gate(Softmax(), X).ok


class Stale(Gate):
    """Keeps what it saw first, and never again."""

    def __init__(self, gate):
        self.gate = gate

    def forward(self, *inputs):
        if "first" not in self.__dict__:
            self.first = inputs
        return self.gate.forward(*inputs)

    def backward(self, dz):
        self.gate.forward(*self.first)
        return self.gate.backward(dz)


@pytest.mark.parametrize(
    "gate, inputs",
    [
        (hg.Tanh(), (X,)),
        (hg.SoftmaxCrossEntropy(), (X, np.array([2, 0]))),  # adding one number to all scores would change nothing
        (hg.EmbeddingLookup(), (X, np.array([0, 1, 1]))),  # here it is the ids that are stale
    ],
)
def test_a_stale_cache_is_caught(gate, inputs):
    assert check_gate(gate, *inputs).ok
    assert not check_gate(Stale(gate), *inputs).ok


def test_a_cache_that_the_second_forward_spoils_is_caught():
    class OnlyOnce(Gate):
        def forward(self, x):
            if "z" not in self.__dict__:
                self.z = np.tanh(x)
            else:
                self.z = self.z * 0.5
            return np.tanh(x)

        def backward(self, dz):
            return [(1 - self.z**2) * dz]

    assert not check_gate(OnlyOnce(), X).ok


def test_accumulating_over_calls_is_caught():
    class Accumulates(hg.Tanh):
        total = 0

        def backward(self, dz):
            self.total = self.total + (1 - self.z**2) * dz
            return [self.total]

    assert "second call differed" in check_gate(Accumulates(), X).text


@pytest.mark.parametrize("where", ["forward", "backward", "upstream"])
def test_changing_inputs_in_place_is_caught(where):
    class InPlace(Gate):
        def forward(self, x):
            self.x = x
            z = x**2
            if where == "forward":
                x += 1
            return z

        def backward(self, dz):
            if where == "upstream":
                dz *= 2 * self.x
                return [dz]
            gradient = 2 * self.x * dz
            if where == "backward":
                self.x *= 2
            return [gradient]

    says = {"forward": "forward changed x", "backward": "backward changed x"}
    expected = says.get(where, "backward changed the upstream gradient")
    assert f"InPlace: {expected} in place." in check_gate(InPlace(), X.copy()).text


def test_broadcasting_that_is_not_undone_is_caught():
    class Add(Gate):
        def forward(self, x, y):
            return x + y

        def backward(self, dz):
            return [dz, dz]

    assert check_gate(Add(), X, Y).ok
    assert "came back for y has shape (2, 3), but y has shape (3,)" in check_gate(Add(), X, Y[0]).text


def test_repeated_ids_that_overwrite_are_caught():
    class Lookup(Gate):
        def forward(self, table, ids):
            self.table, self.ids = table, ids
            return table[ids]

        def backward(self, dz):
            gradient = np.zeros_like(self.table)
            gradient[self.ids] += dz  # drops all but one of a repeated id
            return [gradient, None]

    assert check_gate(Lookup(), X, np.array([0, 1])).ok
    assert not check_gate(Lookup(), X, np.array([1, 1])).ok


def test_a_gradient_for_integers_is_refused():
    class Lookup(hg.EmbeddingLookup):
        def backward(self, dz):
            return [super().backward(dz)[0], np.zeros(2)]

    assert "Is it an id or a label" in check_gate(Lookup(), X, np.array([0, 1])).text


def test_kinks_are_skipped_and_named_and_only_they():
    report = check_gate(hg.ReLU(), np.array([-1.0, 0.0, 2.0, 0.0]))
    assert report.ok and report.skipped == 2 and "2 entries at a kink" in report.text

    class WrongReLU(hg.ReLU):
        def backward(self, dz):
            return [(self.x > 1) * dz]

    assert not check_gate(WrongReLU(), np.array([-1.0, 0.0, 0.5])).ok


class ScaledReLU(Gate):
    """z = scale · max(x, 0), entry by entry, and a gradient that is off by ``mistake`` times the second slope."""

    def __init__(self, scale, mistake):
        self.scale, self.mistake = np.asarray(scale, dtype=float), mistake

    def forward(self, x):
        self.x = x
        return self.scale * np.maximum(x, 0)

    def backward(self, dz):
        slope = self.scale * (self.x > 0)
        return [slope * dz + self.mistake * (np.arange(self.x.size) == 1) * slope * dz]


def test_a_steep_kink_hides_no_mistake_beside_it():
    """Tolerance is measured by the largest slope; where there is a kink there is none."""
    x = np.array([0.0, 2.0, 3.0])
    report = check_gate(ScaledReLU([1e9, 1, 1], mistake=0.01), x)
    assert not report.ok and report.skipped == 1
    assert check_gate(ScaledReLU([1e9, 1, 1], mistake=0), x).ok


def test_less_than_a_millionth_of_the_largest_slope_is_rounding():
    x = np.array([3.0, 2.0, 1.0])
    assert check_gate(ScaledReLU([1000, 1, 1], mistake=1e-6), x).ok
    assert not check_gate(ScaledReLU([1000, 1, 1], mistake=0.1), x).ok
    assert not check_gate(ScaledReLU([1, 1, 1], mistake=1e-4), x).ok


def test_nothing_but_kinks_is_not_agreement():
    class Zero(hg.ReLU):
        def backward(self, dz):
            return [0 * dz]

    assert "every entry of x is at a kink" in check_gate(Zero(), np.zeros(4)).text


def test_integers_alone_are_numbers_and_lists_are_arrays():
    assert check_gate(hg.Multiply(), 2, 3).ok
    assert not check_gate(mutate(hg.Multiply, lambda s, dz: [dz, dz])(), 2, 3).ok
    assert "written without its point" in check_gate(hg.Multiply(), 2, 3.0).text
    assert check_gate(hg.Sum(), [1.0, 2.0]).ok
    assert check_gate(hg.Reshape((2, 1)), np.array([3, 4])).ok


class PickFromOwnTable(Gate):
    """z = table[ids] * x: with x of integers, all that is fed are integers, and one of them are ids."""

    ids_at = (0,)
    table = np.array([0.5, -1.5, 2.5])

    def forward(self, ids, x):
        self.rows = self.table[ids]
        return self.rows * x

    def backward(self, dz):
        return [None, self.rows * dz]


def test_declared_ids_stay_integers_where_nothing_but_integers_is_fed():
    ids, x = np.array([2, 0]), np.array([3, 4])
    assert check_gate(PickFromOwnTable(), ids, x).ok
    assert check_graph(ComputationalGraph(PickFromOwnTable()(Node("ids"), Node("x"))), ids=ids, x=x).ok


def test_a_strong_curve_is_not_taken_for_a_kink():
    class Cube(Gate):
        def forward(self, x):
            self.x = x
            return 1e4 * x**3

        def backward(self, dz):
            return [3e4 * self.x**2 * dz]

    report = check_gate(Cube(), np.array([0.0, 1e-3, 1.0, 30.0]))
    assert report.ok and report.skipped == 0


def test_a_curve_that_bends_a_thousand_times_as_much_as_it_rises_is_no_kink():
    """At the bottom of a parabola the left and the right slope differ too, but less for a smaller step."""

    class Parabola(Gate):
        def forward(self, x):
            self.x = x
            return 1e4 * x**2

        def backward(self, dz):
            return [2e4 * self.x * dz]

    report = check_gate(Parabola(), np.array([0.0, 1e-9, 3e-6]))
    assert report.ok and report.skipped == 0


def test_a_kink_in_a_curve_is_a_kink():
    """Part of the bend shrinks with the step, the kink's part stays."""

    class BentKink(Gate):
        def forward(self, x):
            self.x = x
            return np.abs(x) + 5e4 * x**2

        def backward(self, dz):
            return [(np.sign(self.x) + 1e5 * self.x) * dz]

    report = check_gate(BentKink(), np.array([0.0, 0.5]))
    assert report.ok and report.skipped == 1


class Scaled(Gate):
    """z = scale · f(x), elementwise, for one of two f."""

    def __init__(self, scale, function=np.tanh, slope=lambda x: 1 - np.tanh(x) ** 2):
        self.scale, self.function, self.slope = scale, function, slope

    def forward(self, x):
        self.x = x
        return self.scale * self.function(x)

    def backward(self, dz):
        return [self.scale * self.slope(self.x) * dz]


@pytest.mark.parametrize("scale", [1e-3, 1e-6, 1e-8, 1e-12, 1e-100, 1e8])
def test_a_wrong_gate_is_caught_at_every_scale(scale):
    right = Scaled(scale)
    assert check_gate(right, X).ok and check_gate(right, X[:1, :1]).ok
    zero = Scaled(scale, slope=np.zeros_like)
    almost = Scaled(scale, slope=lambda x: 1.00001 * (1 - np.tanh(x) ** 2))
    shifted = Scaled(scale, slope=lambda x: 1 - np.tanh(x))
    for wrong in (zero, almost, shifted):
        assert not check_gate(wrong, X).ok
        graph = ComputationalGraph(hg.Sum()(wrong(Node("x"))))
        assert not check_graph(graph, x=X).ok


@pytest.mark.parametrize("scale", [1e-3, 1e-8, 1e-12, 1e8])
def test_a_kink_is_one_at_every_scale(scale):
    relu = Scaled(scale, lambda x: np.maximum(x, 0), lambda x: x > 0)
    report = check_gate(relu, np.array([-1.0, 0.0, 2.0]))
    assert report.ok and report.skipped == 1
    if scale > 1e-9:  # below, a slope of 0 can no longer be told from one that rounding has hidden
        assert not check_gate(Scaled(scale, relu.function, np.ones_like), np.array([-1.0, 0.0, 2.0])).ok


@pytest.mark.parametrize("margin", [10.0, 20.0, 25.0, 30.0, 33.0, 36.0, 40.0, 700.0, 1e4])
def test_what_rounding_hides_is_no_mistake(margin):
    """A sure answer has a loss near 0, made of numbers near 1: its slope is smaller than their rounding."""
    scores = np.array([[margin, 0.0, 1.0], [0.0, 2.0, margin]])
    for seed in range(20):
        for gate, inputs in (
            (hg.SoftmaxCrossEntropy(), (scores, np.array([0, 2]))),
            (hg.LogSoftmax(), (scores[:1],)),
            (hg.Sigmoid(), (scores,)),
        ):
            report = check_gate(gate, *inputs, seed=seed)
            assert report.ok or report.mistake == "NOTHING_TESTED", report.text


def test_a_slope_of_zero_between_curves_raises_no_alarm():
    """The slope of a cube at 0 is 0, and a central difference says h²."""
    cube = Scaled(1e4, lambda x: x**3, lambda x: 3 * x**2)
    for x in (0.0, np.zeros(3)):  # and as zeros would pass there for any gate, it proves nothing
        assert check_gate(cube, x).mistake == "NOTHING_TESTED"
    assert check_gate(cube, np.array([0.0, 1.0])).ok


def test_correct_gates_under_many_upstreams_raise_no_alarm():
    for seed in range(50):
        assert check_gate(hg.Multiply(), X, Y[0], seed=seed).ok
        assert check_gate(hg.SoftmaxCrossEntropy(), X, np.array([2, 0]), seed=seed).ok


def test_a_right_gate_is_one_line_and_returned_as_text():
    report = check_gate(hg.Sigmoid(), 0.5)
    assert report.raise_if_wrong() is None
    assert repr(report) == "Sigmoid: backward agrees with the measured slopes."


def test_sum_to_shape_serves_a_gate_of_the_readers():
    class Divide(Gate):
        def forward(self, x, y):
            self.x, self.y = x, y
            return x / y

        def backward(self, dz):
            return [sum_to_shape(dz / self.y, self.x), sum_to_shape(-dz * self.x / self.y**2, self.y)]

    check_gate(Divide(), X, np.array([[2.0], [-3.0]])).raise_if_wrong()


class Square(Gate):
    def __init__(self, slope=lambda x, dz: 2 * x * dz):
        self.slope = slope

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dz):
        return [self.slope(self.x, dz)]


WRONG_SQUARE = Square(lambda x, dz: x * dz)


def test_a_report_is_true_if_the_gradients_are_right():
    assert check_gate(Square(), X)
    with pytest.raises(AssertionError):
        assert check_gate(WRONG_SQUARE, X)


def test_a_failed_report_that_is_dropped_unread_warns_and_one_that_was_read_does_not():
    with pytest.warns(hg.GradientCheckWarning, match="gradient of x is wrong"):
        check_gate(WRONG_SQUARE, X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_gate(Square(), X)
        repr(check_gate(WRONG_SQUARE, X))
        assert not check_gate(WRONG_SQUARE, X)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (4, 4)])
def test_an_upstream_does_not_coincide_with_what_the_caller_drew(seed, shape):
    for key in (seed, [seed, 7919], [0, 7919]):
        x = np.random.default_rng(key).standard_normal(shape)
        assert not check_gate(Square(lambda x, dz: 2 * dz * dz), x).ok
        assert not check_gate(planted(lambda g, dz: [g.y * dz, dz * dz]), x, x + 1).ok


class LayerNorm(Gate):
    def forward(self, x, g):
        self.s = x.std(axis=1, keepdims=True)
        self.n, self.g = (x - x.mean(axis=1, keepdims=True)) / self.s, g
        return self.n * g

    def backward(self, dz):
        dn = self.g * dz
        dx = dn - dn.mean(axis=1, keepdims=True) - self.n * (dn * self.n).mean(axis=1, keepdims=True)
        return [dx / self.s, (dz * self.n).sum(axis=0)]


@pytest.mark.parametrize(
    "gate, inputs",
    [
        (Square(), (np.zeros((0, 3)),)),
        (hg.Sigmoid(), (np.full(3, -800.0),)),
        (hg.ReLU(), (np.array([-1.0, -2.0]),)),
        (hg.ReLU(), (np.zeros(3),)),
        (LayerNorm(), (X[:, :2], np.array([1.5, -0.5]))),
        (hg.Softmax(), (X[:, :1],)),
    ],
)
def test_where_zeros_would_pass_nothing_was_tested(gate, inputs):
    report = check_gate(gate, *inputs)
    assert not report and report.mistake == "NOTHING_TESTED" and report.text.endswith(("?", "elsewhere."))


def test_one_input_that_does_not_matter_here_is_no_fault():
    assert check_gate(hg.Max(), 1.0, 2.0)
    assert check_gate(LayerNorm(), X, np.array([1.5, -0.5, 1.0]))
    assert check_graph(ComputationalGraph(hg.Max()(hg.ReLU()(Node("x")), Node("y"))), x=-1.0, y=2.0)


@pytest.mark.parametrize("x", [1e4, 1e6, 1e8, 1e-8, [1e6, 1.0], [1e-8, 1e8], [1e8, 3.0, -2e5]])
def test_large_and_small_inputs_are_checked_as_closely_as_rounding_allows(x):
    sine = Scaled(1.0, np.sin, np.cos)
    report = check_gate(sine, np.array(x))
    assert report and report.skipped == 0
    for slope in (lambda x: -np.cos(x), lambda x: 1.001 * np.cos(x), np.zeros_like, np.sin):
        assert not check_gate(Scaled(1.0, np.sin, slope), np.array(x))


def test_where_no_step_is_short_enough_the_check_says_so():
    assert check_gate(Scaled(1.0, np.sin, np.cos), 1e16).mistake == "NO_STEP_CAN_TELL"


def test_what_goes_wrong_in_forward_is_a_sentence():
    class Forgetful(Square):
        def forward(self, x):
            self.x = x

    assert check_gate(Forgetful(), X).mistake == "FORWARD_RETURNED_NOTHING"
    report = check_gate(hg.Affine(), X, Y, Y)
    assert report.mistake == "FORWARD_FAILED" and report.text.endswith("Which shapes meet there?")
    with pytest.raises(ValueError, match="got the class Multiply"):
        check_gate(hg.Multiply, X, Y)


@pytest.mark.parametrize("other", [np.sin, None, "Multiply", hg.Node("x"), hg.Tanh()(hg.Node("x")), lambda x: x, 3.0])
def test_what_is_no_gate_is_refused_in_a_sentence(other):
    with pytest.raises(InputError, match=f"expects a gate, .* but got .* of type {type(other).__name__}"):
        check_gate(other, X)


@pytest.mark.parametrize("returned", ["a", [1.0, 2.0], (X, X), {"z": X}], ids=lambda returned: type(returned).__name__)
def test_a_forward_that_returns_no_array_is_told_by_the_check_and_by_the_graph(returned):
    class Wrapped(Square):
        def forward(self, x):
            self.x = x
            return returned

    report = check_gate(Wrapped(), X)
    assert report.mistake == "FORWARD_RETURNED_NOTHING"
    assert f"no number and no array: a {type(returned).__name__} came out" in report.text
    graph = hg.ComputationalGraph(Wrapped()(hg.Node("x")))
    with pytest.raises(
        InputError, match=rf"At the node Wrapped\(.*forward returned a {type(returned).__name__}: end it"
    ):
        graph.forward(x=X)


@pytest.mark.parametrize(
    "error, question",
    [
        (NotImplementedError("no backward rule"), "Is that method written"),
        (ZeroDivisionError("division by zero"), "Which numbers meet there?"),
        (TypeError("f() takes 1 positional argument but 2 were given"), "What does that take, self among it"),
        (TypeError("f() missing 1 required positional argument: 'y'"), "What does that take, self among it"),
        (TypeError("can't multiply sequence by non-int of type 'float'"), "Of which type is what meets there?"),
    ],
)
def test_the_question_after_an_exception_is_about_that(error, question):
    def fail(x, dz):
        raise error

    assert question in check_gate(Square(fail), X).text


@pytest.mark.parametrize("returned", [{"x": X}, (g for g in [X])], ids=["dict", "generator"])
def test_what_is_no_list_is_called_by_its_type(returned):
    class Other(Square):
        def backward(self, dz):
            return returned

    report = check_gate(Other(), X)
    assert report.mistake == "NOT_A_LIST" and f"a {type(returned).__name__} came back" in report.text


def test_only_a_shape_error_is_asked_for_shapes():
    report = check_gate(Square(lambda x, dz: -(x > 0) * dz), X)
    assert report.mistake == "BACKWARD_FAILED" and "shapes" not in report.text


def test_one_array_in_place_of_a_list():
    class Bare(Square):
        def backward(self, dz):
            return 2 * self.x * dz

    report = check_gate(Bare(), X)
    assert report.mistake == "NOT_A_LIST" and "of shape (2, 3), which is that of x" in report.text


def test_the_columns_that_are_wrong_and_the_gradients_that_are_right_are_named():
    text = check_gate(planted(lambda g, dz: [g.y * dz, g.x * dz * [1, 5, 1]]), X, Y).text
    assert "2 of 6 entries of y differ: column 1." in text and "The gradient of x is right." in text


@pytest.mark.parametrize("seed", [None, -1, 2.5, "a", True])
def test_a_seed_that_is_none_is_a_sentence(seed):
    graph = ComputationalGraph(hg.Tanh()(Node("x")))
    for check in (lambda: check_gate(hg.Tanh(), 0.5, seed=seed), lambda: check_graph(graph, x=0.5, seed=seed)):
        with pytest.raises(ValueError, match="A check's seed is a whole number of at least 0, but got"):
            check()
