"""Planted mistakes: every one is caught, most are named, and none is called something else."""

import copy

import numpy as np
import pytest
from gate_cases import GATE_CASES
from mutants import MUTANTS, mutate, r
from mutants_of_layers import MUTANTS_OF_LAYERS
from mutants_of_new_gates import MUTANTS_OF_NEW_GATES
from mutants_of_the_library import MUTANTS_OF_THE_LIBRARY
from unusual_gates import UNUSUAL_GATES

import handgrad as hg
from handgrad import ComputationalGraph, Node, Parameter, check_gate, check_graph

# A gradient where the output does not move: what all mutants have of this kind, and had no name for.
INDICATOR_IGNORED = {
    "relu: leaks",
    "max: to both",
    "clip |z| ≤ ½",
    "hinge beyond the margin",
    "cross-entropy: clipped",
    "max pool: to all",
    "clip: passes all",
}


# What had no name, and now has one, or a clue, that is true of it.
CLUES = {
    "log-softmax: dz alone": "ROW_SUM",
    "softmax cross-entropy: softmax alone": "ROW_SUM",
    "cross entropy without observed": "ROW_SUM",
    "negative sampling: label forgotten": "PART_RIGHT",
    "NCE: no bias of the noise": "ZEROED",
    "tanh: 1 - z": "SPECIAL_PLACE_RIGHT",
    "sigmoid: z": "FUNCTION_FOR_SLOPE",
    "divide: y not squared": "FUNCTION_FOR_SLOPE",
    "divide: no square": "FUNCTION_FOR_SLOPE",
    "softmax: zeros": "ALL_ZERO",
    "tanh: nan": "OVERFLOW",
    "√x, 1 / 2x": "FACTOR",
    "power: exponent stays": "FACTOR",
    "unit length, x (x · dz)": "TERM_WRONG",
    "layer norm, mean and std held fixed": "TERM_WRONG",
    "layer norm: constant moments": "TERM_WRONG",
    "cosine, lengths held fixed": "TERM_WRONG",
    "cosine: constant norms": "TERM_WRONG",
    "normalize: no projection": "TERM_WRONG",
    "swish, σ held fixed": "TERM_MISSING",
    "GELU: half of the product rule": "TERM_MISSING",
    "GELU: another approximation": "SPECIAL_PLACE_RIGHT",
    "pad, taken from the left end": "EQUAL_UPSTREAM_RIGHT",
    "kernel the wrong way round": "INPUT_TAKEN_AS",
    "hierarchical softmax: codes as labels": "INPUT_TAKEN_AS",
    "add: first copy only": "UPSTREAM_MIXED",
    "multiply: summed over the wrong axis": "UPSTREAM_MIXED",
    "softmax: summed over the batch": "UPSTREAM_MIXED",
    "cumulative sum: from the front": "UPSTREAM_MIXED",
    "outer: upstream transposed": "UPSTREAM_MIXED",
    "reshape: by columns": "PARTS_EXCHANGED",
    "relu: cuts the gradient": "INDICATOR_WRONG",
    "CBOW: word2vec.c": "OUTPUT_FACTOR",
    "attention: weights not transposed": "SPECIAL_PLACE_RIGHT",
    "log-sum-exp: spread the wrong way": "WRONG_AXIS",
    "exp: three digits": "INEXACT",
}


def fair_names(mutant, *names):
    if mutant.name in CLUES:
        return (CLUES[mutant.name],)
    return ("INDICATOR_IGNORED",) if mutant.name in INDICATOR_IGNORED else names


def report_on(mutant):
    return check_gate(mutant.make_gate(), *[np.copy(x) if isinstance(x, np.ndarray) else x for x in mutant.inputs])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught_and_given_its_own_name(mutant):
    report = report_on(mutant)
    assert not report.ok
    assert report.mistake in fair_names(mutant, mutant.code), report.text


def test_there_are_enough_of_them():
    assert len(MUTANTS) >= 60
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    named = sum(report_on(mutant).mistake is not None for mutant in MUTANTS)
    assert named / len(MUTANTS) >= 0.8


@pytest.mark.parametrize("case", GATE_CASES, ids=lambda case: case.name)
def test_fifty_upstreams_raise_no_false_alarm(case):
    for seed in range(50):
        check_gate(case.make_gate(), *case.inputs(seed % 3), seed=seed).raise_if_wrong()


@pytest.mark.parametrize("case", GATE_CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("scale", [1e-3, 10.0, 30.0, 1000.0])
def test_small_and_large_inputs_raise_no_false_alarm(case, scale):
    for seed in range(3):
        inputs = case.inputs(seed, scale=min(scale, case.largest))
        report = check_gate(case.make_gate(), *inputs, seed=seed)
        saturated = scale >= 30 and report.mistake == "NOTHING_TESTED"  # all slopes are 0: no alarm, but no proof
        assert report.ok or saturated, report.text


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.code], ids=lambda mutant: mutant.name)
def test_the_sentence_asks_and_does_not_tell(mutant):
    text = report_on(mutant).text
    assert text.endswith("?"), text
    for spoiler in ("np.", "self.", ".T", "+=", "axis=", "instead", "should be"):
        assert spoiler not in text


class OverwritingGraph(ComputationalGraph):
    def _add(self, node, gradient):
        if gradient is not None:
            self.gradients[node] = gradient


class FirstOnlyGraph(ComputationalGraph):
    def _add(self, node, gradient):
        if gradient is not None and node not in self.gradients:
            self.gradients[node] = gradient


class AccumulatingGraph(ComputationalGraph):
    def backward(self, dz=None):
        before = dict(self.gradients)
        result = super().backward(dz)
        for leaf, gradient in before.items():
            self.gradients[leaf] = self.gradients[leaf] + gradient
        return {n: self.gradients[leaf] for n, leaf in self.leaves.items() if n in result}


def lecture(graph_class, add=hg.Add):
    x, y, z = Node("x"), Node("y"), Node("z")
    return graph_class(hg.Multiply()(add()(x, y), hg.Max()(y, z)))


@pytest.mark.parametrize("graph_class", [OverwritingGraph, FirstOnlyGraph])
def test_a_graph_that_overwrites_at_fan_out(graph_class):
    report = check_graph(lecture(graph_class), x=1.0, y=2.0, z=0.0)
    assert not report.ok and report.mistake == "OVERWRITES_AT_FAN_OUT"
    assert "Node('y') goes into 2 places" in report.text and report.text.endswith("?")


def test_fan_out_in_the_middle_of_a_graph():
    middle = hg.Tanh()(Node("x"), name="middle")
    graph = OverwritingGraph(hg.Sum()(hg.Multiply()(middle, hg.Exp()(middle))))
    report = check_graph(graph, x=np.array([0.3, -0.7]))
    assert report.mistake == "OVERWRITES_AT_FAN_OUT" and "Node('middle')" in report.text


def test_a_graph_that_accumulates_over_calls():
    assert check_graph(lecture(AccumulatingGraph), x=1.0, y=2.0, z=0.0).mistake == "ACCUMULATES_OVER_CALLS"


def test_a_wrong_gate_in_a_graph_is_found_by_its_node():
    class WrongAdd(hg.Add):
        def backward(self, dz):
            return [dz, -dz]

    report = check_graph(lecture(ComputationalGraph, WrongAdd), x=1.0, y=2.0, z=0.0)
    assert report.mistake == "WRONG_SIGN" and report.text.startswith("In the graph, at Node(WrongAdd()): WrongAdd: the")


def test_right_graphs_pass_with_parameters_lookups_several_outputs_and_float32():
    rng = np.random.default_rng(0)
    table, W = (
        Parameter("embed/table", rng.standard_normal((5, 3)).astype(np.float32)),
        Parameter("W", rng.standard_normal((3, 2))),
    )
    hidden = hg.Tanh()(hg.MatMul()(hg.EmbeddingLookup()(table, Node("ids")), W))
    graph = ComputationalGraph(hidden, hg.Sum()(hg.Multiply()(hidden, hidden)))
    report = check_graph(graph, ids=np.array([1, 1, 4]))
    assert report.ok and repr(report) == "The graph's gradients agree with the measured slopes."
    at_kink = check_graph(lecture(ComputationalGraph), {"x": 1.0}, y=2.0, z=2.0)
    assert not at_kink.ok and "is at a kink" in at_kink.text and "Node(Max())" in at_kink.text


def test_reports_have_a_form_for_notebooks():
    right, wrong = check_gate(hg.Tanh(), 0.5), report_on(MUTANTS[0])
    assert "hg-verified" in right._repr_html_() and "hg-failed" in wrong._repr_html_()
    assert "<code>FORGOT_UPSTREAM</code>" in wrong._repr_html_()


@pytest.mark.parametrize("mutant", MUTANTS_OF_LAYERS, ids=lambda mutant: mutant.name)
def test_layers_with_another_backward_are_caught_and_not_misnamed(mutant):
    report = check_gate(mutant.make_gate(), *copy.deepcopy(mutant.inputs))
    assert not report.ok
    assert report.mistake in fair_names(mutant, mutant.code, None, "BACKWARD_FAILED"), report.text


@pytest.mark.parametrize("mutant", [*MUTANTS_OF_THE_LIBRARY, *MUTANTS_OF_NEW_GATES], ids=lambda mutant: mutant.name)
def test_gates_got_wrong_in_a_subclass_are_caught_and_not_misnamed(mutant):
    report = check_gate(mutant.gate(), *copy.deepcopy(mutant.inputs))
    assert not report.ok
    assert report.mistake in fair_names(mutant, *(mutant.codes or (None,))), report.text


@pytest.mark.parametrize("correct", UNUSUAL_GATES, ids=lambda correct: correct.name)
def test_right_gates_of_unusual_kinds_raise_no_false_alarm(correct):
    for seed in range(10):
        check_gate(correct.gate(), *copy.deepcopy(correct.inputs), seed=seed).raise_if_wrong()


@pytest.mark.parametrize(
    "grow, code, says",
    [
        (lambda g: 2 * g, None, "differed from the first."),
        (lambda g: g + 1, "ACCUMULATES_OVER_CALLS", "Each further call adds the same again to the gradient of x."),
        (lambda g: np.append(g, 0), None, "differed from the first."),
        (lambda g: None, None, "differed from the first."),
    ],
)
def test_only_a_gradient_that_grows_evenly_accumulates(grow, code, says):
    class Growing(hg.Tanh):
        slope = None

        def backward(self, dz):
            self.slope = (1 - self.z**2) * dz if self.slope is None else grow(self.slope)
            return [self.slope]

        def forward(self, x):
            self.slope = None
            return super().forward(x)

    report = check_gate(Growing(), np.array([0.3, -0.8]))
    assert not report.ok and report.mistake == code and says in report.text


@pytest.mark.parametrize("later_calls", [None, [], ["one", "two"]])
def test_a_later_call_that_returns_more_or_fewer_gradients_is_reported(later_calls):
    class OnceOnly(hg.Tanh):
        def forward(self, x):
            self.first = True
            return super().forward(x)

        def backward(self, dz):
            if not self.first:
                return later_calls and [dz for _ in later_calls]
            self.first = False
            return super().backward(dz)

    report = check_gate(OnceOnly(), np.array([0.3, -0.8]))
    assert not report.ok and report.mistake is None and "a second call differed" in report.text


def test_a_gradient_of_another_size_is_called_a_wrong_shape_and_asks():
    report = check_gate(mutate(hg.Tanh, lambda s, dz: [dz[:1]])(), r(3, 2))
    assert report.mistake == "WRONG_SHAPE" and report.text.endswith("does it become another one?")


def test_a_slope_that_backward_computes_once_is_stale_too():
    class Cached(hg.Tanh):
        def backward(self, dz):
            if "slope" not in vars(self):
                self.slope = 1 - self.z**2
            return [self.slope * dz]

    assert check_gate(Cached(), np.array([0.3, -0.8])).mistake == "STALE_CACHE"


def test_a_backward_that_fails_is_reported():
    class Failing(hg.MatMul):
        def backward(self, dz):
            return [dz @ self.W, self.x.T @ dz]

    report = check_gate(Failing(), np.ones((3, 4)), np.ones((4, 5)))
    assert report.mistake == "BACKWARD_FAILED" and "ValueError" in report.text


@pytest.mark.parametrize(
    "make_gate, inputs, code",
    [
        (mutate(hg.Exp, lambda s, dz: [dz * s.z + 1]), (1.5,), "NOT_LINEAR"),
        (mutate(hg.Multiply, lambda s, dz: [dz * s.y + 1, dz * s.x]), (1.5, 2.0), "NOT_LINEAR"),
        (mutate(hg.Tanh, lambda s, dz: [dz * s.z]), (0.7,), None),
        (mutate(hg.Sigmoid, lambda s, dz: [dz * s.z]), (np.array([0.7]),), None),
    ],
)
def test_a_single_number_is_not_called_a_wrong_factor(make_gate, inputs, code):
    report = check_gate(make_gate(), *inputs)
    assert not report.ok and report.mistake == code


def sum_of_three_rows(self, x):
    if x.shape != (3, 5):
        raise ValueError("three rows of five")
    self.x = x
    return x.sum(axis=0)


@pytest.mark.parametrize(
    "make_gate, inputs",
    [
        (mutate(hg.Sum, lambda s, dz: [np.broadcast_to(3 * dz, s.x.shape)], axis=0), (r(3, 5),)),
        (mutate(hg.Sum, lambda s, dz: [np.full(s.x.shape, dz / 15)]), (r(3, 5),)),
        (mutate(hg.Mean, lambda s, dz: [np.full(s.x.shape, dz / s.x.size / 7)]), (r(7),)),
        (mutate(hg.MatMul, lambda s, dz: [dz @ s.W.T, s.x.T @ dz / 3]), (r(3, 4), r(4, 5))),
        (mutate(hg.Sum, lambda s, dz: [np.broadcast_to(2 * dz, s.x.shape)], axis=0), (r(2, 5),)),
        (mutate(hg.Sum, lambda s, dz: [np.broadcast_to(5 * dz[:, None], s.x.shape)], axis=1), (r(3, 5),)),
        (mutate(hg.Sum, lambda s, dz: [np.broadcast_to(dz / 3, s.x.shape)], sum_of_three_rows, axis=0), (r(3, 5),)),
        (mutate(hg.Sum, lambda s, dz: [np.broadcast_to(dz / 3, (3, 5))], axis=0), (r(3, 5),)),
    ],
)
def test_a_constant_that_equals_the_size_of_an_axis_is_a_wrong_factor(make_gate, inputs):
    assert check_gate(make_gate(), *inputs).mistake == "WRONG_FACTOR"


@pytest.mark.parametrize(
    "make_gate, inputs, named",
    [
        (
            mutate(hg.Mean, lambda s, dz: [np.broadcast_to(dz, s.x.shape)], axis=0),
            (r(2, 5),),
            "times 2, the size of ax",
        ),
        (mutate(hg.Mean, lambda s, dz: [np.broadcast_to(dz, s.x.shape)], axis=0), (r(3, 3),), "size of an axis of x"),
        (mutate(hg.Sum, lambda s, dz: [np.full(s.x.shape, dz / s.x.size)]), (r(3, 5),), "divided by 15, the number of"),
        (mutate(hg.Exp, lambda s, dz: [s.z * dz / len(dz)]), (r(3, 5),), "divided by 3, the size of axis 0 of x"),
        (
            mutate(hg.MatMul, lambda s, dz: [dz @ s.W.T / dz.shape[1], s.x.T @ dz]),
            (r(3, 4), r(4, 5)),
            "divided by 5, the size of axis 1 of the output",
        ),
    ],
)
def test_a_sum_taken_for_a_mean_is_named_with_its_axis_however_short(make_gate, inputs, named):
    report = check_gate(make_gate(), *inputs)
    assert report.mistake == "MEAN_OR_SUM" and named in report.text


def test_one_place_away_is_named_along_three_entries_and_not_along_two():
    """Along two, the next place is also the place before: they are merely exchanged."""
    three, two = r(4, 3), r(4, 2)
    rolled = mutate(hg.Tanh, lambda s, dz: [np.roll((1 - s.z**2) * dz, 1, axis=1)])
    assert check_gate(rolled(), three).mistake == "OFF_BY_ONE"
    assert check_gate(rolled(), two).mistake == "PARTS_EXCHANGED"
    last_missing = mutate(hg.Tanh, lambda s, dz: [(1 - s.z**2) * dz * [1, 0]])
    assert check_gate(last_missing(), two).mistake == "OFF_BY_ONE"
    assert check_gate(last_missing(), two[:1]).mistake == "OFF_BY_ONE"


def test_a_name_needs_a_match_to_a_millionth():
    almost = mutate(hg.Tanh, lambda s, dz: [-(1 + 1e-5) * (1 - s.z**2) * dz])
    report = check_gate(almost(), np.array([0.3, -0.7, 1.1]))
    assert report.mistake == "WRONG_FACTOR" and "-1.00001 times" in report.text


@pytest.mark.parametrize("name", ["tanh: keeps its first output", "relu: clips its input", "multiply: one gradient"])
def test_what_the_gate_check_catches_the_graph_check_catches_by_the_same_name(name):
    mutant = next(m for m in MUTANTS if m.name == name)
    nodes = [Node(f"x{i}") for i in range(len(mutant.inputs))]
    graph = ComputationalGraph(hg.Sum()(mutant.make_gate()(*nodes)))
    feeds = {f"x{i}": np.copy(x) for i, x in enumerate(mutant.inputs)}
    report = check_graph(graph, feeds)
    assert not report.ok and report.mistake == mutant.code


def test_the_graph_check_measures_integers_and_says_what_is_missing():
    graph = ComputationalGraph(hg.Multiply()(Node("x"), Node("y")))
    assert check_graph(graph, x=3, y=4).ok
    with pytest.raises(ValueError, match="needs a value for 'y'"):
        check_graph(graph, x=3.0)


def test_a_random_forward_is_impure():
    class Dropout(hg.Gate):
        rng = np.random.default_rng(0)

        def forward(self, x):
            self.mask = self.rng.random(np.shape(x)) < 0.5
            return x * self.mask

        def backward(self, dz):
            return [dz * self.mask]

    assert check_gate(Dropout(), np.ones(20)).mistake == "IMPURE_FORWARD"


class Length(hg.Gate):
    """z = |x|, the length of a vector: a turn at 0, as sharp as the vector is short."""

    def forward(self, x):
        self.x, self.z = x, np.linalg.norm(x)
        return self.z

    def backward(self, dz):
        return [self.x / self.z * dz]


@pytest.mark.parametrize(
    "gate, inputs",
    [
        (hg.Power(-1), (np.array([1e-2, 1e-3, 1.0]),)),
        (hg.Log(), (np.array([2e-5, 1e-6, 3.0]),)),
        (hg.Power(0.5), (np.array([1e-4, 2.0]),)),
        (hg.ReLU(), (np.array([3e-6, -3e-6, 1.0]),)),
        (hg.ReLU(), (np.array([1e-7, 3e-8]),)),
        (Length(), (np.array([1e-7, -2e-7, 3e-8]),)),
        (hg.Exp(), (np.array([20.0, 21.0]),)),
    ],
)
def test_steep_places_raise_no_false_alarm_and_are_not_taken_for_kinks(gate, inputs):
    report = check_gate(gate, *inputs)
    assert report.ok and report.skipped == 0, report.text


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_a_forward_that_rounds_to_float32_is_told_that_its_slopes_cannot_be_measured(factor):
    gate = mutate(hg.Tanh, lambda s, dz: [factor * (1 - s.z**2) * dz], coarse_tanh)()
    report = check_gate(gate, r(3, 2))
    assert (
        not report.ok
        and report.mistake is None
        and report.text.endswith("too few to measure slopes. Where does it round?")
    )


def coarse_tanh(self, x):
    self.z = np.tanh(np.asarray(x, dtype=np.float32))
    return self.z


def test_a_forward_of_zeros_and_ones_may_have_any_precision():
    step = mutate(hg.Tanh, lambda s, dz: [0 * dz], lambda s, x: np.float32(x > 0))
    assert check_gate(step(), np.array([0.3, -0.7])).ok


def test_a_stale_cache_is_caught_where_the_domain_is_narrow_and_where_ids_are_equal():
    class CachedLogit(hg.Gate):
        def forward(self, x):
            if not ((x > 0) & (x < 1)).all():
                raise ValueError("logit expects numbers between 0 and 1")
            self.x = vars(self).get("x", x)
            return np.log(x / (1 - x))

        def backward(self, dz):
            return [dz / (self.x * (1 - self.x))]

    assert check_gate(CachedLogit(), np.array([0.3, 0.6, 0.8])).mistake == "STALE_CACHE"
    caching_lookup = next(m for m in MUTANTS if m.name == "lookup: keeps its first ids").make_gate
    assert check_gate(caching_lookup(), np.ones((4, 2)), np.array([2, 2])).mistake == "STALE_CACHE"


def test_the_graph_check_refuses_a_name_that_no_leaf_has():
    with pytest.raises(ValueError, match="was fed 'w', but the graph's leaves are 'x', 'y', 'z'"):
        check_graph(lecture(ComputationalGraph), x=1.0, y=2.0, z=0.0, w=3.0)


class Hinge(hg.Gate):
    """z = max(0, 1 - s + t), wrong as planted."""

    def forward(self, s, t):
        self.on = (1 - s + t > 0) * 1.0
        return np.maximum(0, 1 - s + t)

    def backward(self, dz):
        return [-self.on * dz, self.on * dz]


S, T = np.array([2.0, 0.5, -1.0, 3.0]), np.array([0.3, 0.2, -1.5, 0.1])


def test_a_hinge_without_its_indicator_and_one_with_both_signs_reversed():
    silent = check_gate(mutate(Hinge, lambda g, dz: [-dz, dz])(), S, T)
    assert silent.mistake == "INDICATOR_IGNORED" and "The gradients of s and t are right wherever" in silent.text
    reversed_ = check_gate(mutate(Hinge, lambda g, dz: [g.on * dz, -g.on * dz])(), S, T)
    assert reversed_.mistake == "WRONG_SIGN"


def tanh_with(change):
    """A tanh whose right gradient is changed: ``change`` gets the gradient and the gate."""
    return mutate(hg.Tanh, lambda s, dz: [change((1 - s.z**2) * dz, s)], tanh_that_keeps_x)()


def tanh_that_keeps_x(self, x):
    self.x, self.z = x, np.tanh(x)
    return self.z


def at_rows(factors):
    """Row k times its factor, with the factors repeated where there are more rows."""
    return lambda g, s: g * np.resize(factors, len(g))[:, None]


def softmax_rows(self, x):
    self.x, self.z = x, hg.softmax(x)
    return self.z


@pytest.mark.parametrize(
    "gate, inputs, code, says",
    [
        (tanh_with(lambda g, s: np.where(s.z > 0, g, 0.0)), (r(3, 4),), "ZEROED", "12 entries are 0 though"),
        (
            tanh_with(at_rows([1.0, 2.0, 3.0])),
            (r(3, 4),),
            "ROW_FACTOR",
            "(rows 1–2) is a multiple of the right one, and not the same in each: 2, 3.",
        ),
        (tanh_with(lambda g, s: np.sort(g, axis=1)), (r(3, 4),), "PARTS_EXCHANGED", "in other places"),
        (
            tanh_with(lambda g, s: np.where(np.arange(len(g))[:, None] % 3 == 1, s.x + 5, g)),
            (r(3, 4),),
            "NOT_LINEAR",
            "rows 0, 2 are right. The gradient of x (row 1) is not 0 where dz is 0",
        ),
        (
            mutate(hg.Multiply, lambda s, dz: [dz * s.y, dz * s.x**2], lambda s, x, y: _kept(s, x, y, x * y))(),
            (r(3, 4), r(3, 4)),
            "FACTOR",
            "The gradient of x is right.",
        ),
        (
            mutate(hg.Multiply, lambda s, dz: [2 * s.x * dz, dz * s.x**2], lambda s, x, y: _kept(s, x, y, x**2 * y))(),
            (r(3, 4), r(3, 4)),
            "ONE_INPUT_AS_ONES",
            "every entry of y is 1",
        ),
        (
            mutate(hg.Tanh, lambda s, dz: [s.z * (dz - 0.5 * (s.z * dz).sum(-1, keepdims=True))], softmax_rows)(),
            (r(3, 4),),
            "TERM_WRONG",
            "a multiple of the output, another in each row",
        ),
    ],
)
def test_a_clue_is_given_where_it_holds(gate, inputs, code, says):
    report = check_gate(gate, *inputs)
    assert report.mistake == code and says in report.text, report.text


def _kept(gate, x, y, z):
    gate.x, gate.y = x, y
    return z


@pytest.mark.parametrize(
    "change, code",
    [
        (lambda g, s: np.where(s.z > 0, 1.001 * g, 0.0) + 1e-3 * s.x, "NOT_LINEAR"),  # x alone, without dz
        (lambda g, s: np.where(s.z > 0, 1.001 * g, 0.0) + 1e-3 * g * s.x, None),  # zeros filled, and nothing else right
        (lambda g, s: g * np.resize([1.0, 2.0, 3.0], len(g))[:, None] + 1e-4 * s.x, "NOT_LINEAR"),
        (lambda g, s: g * np.resize([1.5, 2.0, 3.0], len(g))[:, None] + 1e-4 * g * s.x, None),  # nearly by rows
        (lambda g, s: np.sort(g, axis=1) * (1 + 1e-4 * s.x), "NOT_LINEAR"),  # nearly the same numbers
        (lambda g, s: g + s.x - s.x.mean(axis=-1, keepdims=True), "NOT_LINEAR"),
    ],
)
def test_what_only_comes_near_gets_no_clue_that_is_not_true(change, code):
    assert check_gate(tanh_with(change), r(3, 4)).mistake == code


def test_a_clue_that_larger_inputs_do_not_confirm_is_not_given():
    """Here the numbers are exchanged; with twice the entries they are others."""
    x = r(3, 4)
    assert check_gate(tanh_with(lambda g, s: np.sort(g, axis=1)), x).mistake == "PARTS_EXCHANGED"
    only_here = tanh_with(lambda g, s: np.sort(g, axis=1) if g.shape == (3, 4) else g + s.x)
    assert check_gate(only_here, x).mistake == "NOT_LINEAR"
