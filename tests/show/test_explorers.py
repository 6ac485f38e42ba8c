import functools
import json
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from typing import get_type_hints

import numpy as np
import pytest
from matplotlib import pyplot as plt

from handgrad import (
    ComputationalGraph,
    Exp,
    Gate,
    Log,
    MatMul,
    Multiply,
    Node,
    Parameter,
    Power,
    SigmoidCrossEntropy,
    Softmax,
    Sum,
    numerical_jacobian,
)
from handgrad.errors import InputError
from handgrad.installing import how_to_install
from handgrad.show import draw, explore, explorers, figure, jacobian_explorer, step_through
from handgrad.show.explorers.parts import host


class Counter(host.Explorer):
    """The smallest explorer, without a module of its own."""

    module = "parts/shared"

    def still(self):
        return "<p>still</p>"


def inline(html, kind):
    return re.search(rf'<script type="{kind}">(.*?)</script>', html, flags=re.DOTALL)[1]


def product():
    return ComputationalGraph(Multiply()(Node("x"), Node("y")))


EVERY = {
    "stepper": lambda: step_through(product(), x=2.0, y=3.0),
    "viewer": lambda: jacobian_explorer(Softmax(), np.array([1.0, 2.0])),
    "frames": lambda: explore(lambda n: n**2, n=range(3)),
}
every_explorer = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


# ---- The host ----


@every_explorer
def test_a_page_holds_the_whole_explorer_and_the_same_bytes_each_time(make):
    explorer = make()
    html = explorer._repr_html_()
    assert html == make()._repr_html_()
    assert json.loads(inline(html, "application/json")) == explorer.state
    module = inline(html, "module")
    assert "import " not in module and "export " not in module and "function render(" in module
    assert not re.search(r'(src|href)="(?!#)', html) and "http" not in module.replace("http://www.w3.org/2000/svg", "")
    assert f'<div class="hg-still">{explorer.still()}</div>' in html


@every_explorer
def test_its_text_form_has_no_address_and_is_the_same_each_time(make):
    assert repr(make()) == repr(make()) and "0x" not in repr(make())


@every_explorer
def test_jupyter_gets_a_widget_and_a_page(make):
    data = make()._repr_mimebundle_()
    assert data["text/html"] == make()._repr_html_() and data["text/plain"] == repr(make())
    assert "model_id" in data["application/vnd.jupyter.widget-view+json"]


@every_explorer
def test_the_live_widget_has_the_state_as_traits_and_no_others_meaning(make):
    import anywidget

    explorer = make()
    assert not explorer.state.keys() & anywidget.AnyWidget.class_traits().keys()
    widget = explorer.live()
    assert set(explorer.state) <= set(widget.keys) and widget.title == explorer.title
    assert widget._esm.rstrip().endswith("export default startInNotebook(render);")


def test_without_anywidget_the_page_remains_and_a_live_one_says_what_to_install():
    code = """
import sys
for name in ("anywidget", "ipywidgets"):
    sys.modules[name] = None
from handgrad import ComputationalGraph, Exp, Node, show
explorer = show.step_through(ComputationalGraph(Exp()(Node("x"))), x=1.0)
print(sorted(explorer._repr_mimebundle_()))
try:
    explorer.live()
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "['text/html', 'text/plain']",
        f"A live explorer needs the package anywidget, which is not installed: {how_to_install('widgets')}.",
    ], done.stderr


def test_a_state_that_is_not_plain_json_is_refused():
    for wrong in (np.ones(2), float("nan"), object()):
        with pytest.raises(InputError, match="plain JSON with finite numbers"):
            Counter({"x": wrong}, "title")._repr_html_()


def test_every_module_says_each_name_once_and_nothing_that_ends_a_script():
    """All of an explorer's modules stand in one text, where a name that is declared twice is an error."""
    names = [path.relative_to(host.FOLDER).with_suffix("").as_posix() for path in host.FOLDER.rglob("*.js")]
    assert {"parts/host", "parts/shared", "frame"} <= set(names)
    for name in names:
        text = host.bundle(name)
        declared = re.findall(r"^(?:const|let|function|class) (\w+)", text, flags=re.MULTILINE)
        assert len(declared) == len(set(declared)), name
        assert not re.search(r"</script|<!--|^import |^export ", text, flags=re.IGNORECASE | re.MULTILINE), name
    assert "</style" not in host.style()


def test_modules_and_style_are_part_of_the_package():
    """What a wheel holds is said in pyproject.toml."""
    settings = tomllib.loads((host.FOLDER.parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    for folder in (host.FOLDER, host.FOLDER / "parts"):
        package = ".".join(folder.relative_to(host.FOLDER.parents[2]).parts)
        patterns = settings["tool"]["setuptools"]["package-data"][package]
        carried = {path for pattern in patterns for path in folder.glob(pattern)}
        others = {path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"}
        assert carried == others != set()


def test_each_explorer_is_a_class_in_a_python_file_and_a_module_of_one_name():
    """WindowExplorer in window.py and window.js; and nothing stands in the folder that is no explorer."""
    names = {path.stem for path in host.FOLDER.glob("*.py")} - {"__init__"}
    assert names == {path.stem for path in host.FOLDER.glob("*.js")}
    made = [get_type_hints(getattr(explorers, name))["return"] for name in explorers.__all__]
    assert {kind.__module__.rpartition(".")[2] for kind in made} == names and len(made) == len(names)
    for kind in made:
        name = kind.module
        assert kind.__module__ == f"handgrad.show.explorers.{name}"
        assert kind.__name__.removesuffix("Explorer").lower() == name.replace("_", "")


# ---- The graph stepper ----


def test_the_stepper_carries_the_graph_and_its_inputs():
    explorer = step_through(product(), x=2.0, y=-3.0)
    x, y, z = explorer.state["nodes"]
    assert (x["value"], y["value"]) == (2.0, -3.0) and "value" not in z
    assert z["gate"] == "Multiply" and z["inputs"] == [0, 1] and explorer.state["recorded"] is None
    assert "×     x, y  -6     1" in repr(explorer)
    assert ElementTree.fromstring(explorer.still()).get("role") == "img"


def test_its_still_picture_stays_though_the_graph_goes_on():
    graph = product()
    explorer = step_through(graph, x=2.0, y=3.0)
    svg, text = draw(graph, explorer.title).svg(), repr(explorer)
    graph.forward(x=0.0, y=0.0)
    assert explorer.still() == svg and repr(explorer) == text


def test_feeds_are_by_name_by_dict_or_those_of_the_last_forward():
    x = Node("in/x")
    graph = ComputationalGraph(Multiply()(x, Parameter("w", 4.0)))
    assert step_through(graph, {"in/x": 5.0}).state["nodes"][0]["value"] == 5.0
    graph.forward({"in/x": 7.0})
    values = [node.get("value") for node in step_through(graph).state["nodes"]]
    assert values == [7.0, 4.0, None]


class Square(Gate):
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dz):
        return [2 * self.x * dz]


class LoudMultiply(Multiply):
    """A subclass may compute anything, so the page does not compute it."""


def test_a_gate_that_the_page_does_not_know_is_recorded_with_its_local_gradient():
    x = Node("x")
    graph = ComputationalGraph(LoudMultiply()(Square()(x), Node("w")))
    recorded = step_through(graph, x=3.0, w=5.0).state["recorded"]
    assert [value["long"] for value in recorded["values"]] == ["3", "9", "5", "45"]
    assert [d["long"] for d in recorded["downstream"][1]] == ["30"]  # 5 from upstream, times 6
    assert [d["long"] for d in recorded["local"][1]] == ["6"]
    assert "value" not in step_through(graph, x=3.0, w=5.0).state["nodes"][0]  # nothing to edit


def test_recording_leaves_the_graphs_backward_as_it_was():
    graph = ComputationalGraph(Multiply()(Square()(Node("x")), Node("w")))
    step_through(graph, x=3.0, w=5.0)
    assert graph.backward() == {"x": 30.0, "w": 9.0}


def test_small_arrays_show_their_entries_and_large_ones_their_shape():
    graph = ComputationalGraph(Sum()(MatMul()(Node("x"), Node("W"))))
    recorded = step_through(graph, x=np.array([[1.0, 2.5]]), W=np.ones((2, 30))).state["recorded"]
    assert recorded["values"][0] == {"short": "(1, 2)", "long": "[[1, 2.5]]"}
    assert recorded["values"][1] == {"short": "(2, 30)", "long": "(2, 30)"}
    assert recorded["local"][2] is None  # a Jacobian


def test_labels_have_no_gradient():
    graph = ComputationalGraph(SigmoidCrossEntropy()(Node("score"), Node("label")))
    recorded = step_through(graph, score=0.5, label=1).state["recorded"]
    assert recorded["downstream"][2][1] is None and recorded["local"][2] is None


def test_what_the_stepper_cannot_show_is_said():
    x = Node("x")
    with pytest.raises(InputError, match="one output, but this one has 2"):
        step_through(ComputationalGraph(Exp()(x), Log()(x)), x=1.0)
    with pytest.raises(InputError, match=r"single number, but its shape is \(2,\): end it with Sum"):
        step_through(ComputationalGraph(Exp()(x)), x=np.ones(2))
    with pytest.raises(InputError, match="finite inputs, but x is nan"):
        step_through(ComputationalGraph(Exp()(x)), x=float("nan"))
    with pytest.raises(ValueError, match="needs a value for 'y'"):
        step_through(product(), x=1.0)


def test_power_carries_its_exponent():
    assert step_through(ComputationalGraph(Power(3)(Node("x"))), x=1.0).state["nodes"][1]["p"] == 3.0


# ---- The Jacobian viewer ----


def test_its_rows_are_outputs_and_its_columns_inputs_as_in_the_numerical_jacobian():
    x, W = np.array([[0.5, -1.0]]), np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]])
    state = jacobian_explorer(MatMul(), x, W).state
    by_x = numerical_jacobian(lambda x: x @ W, x)
    by_W = numerical_jacobian(lambda W: x @ W, W)
    np.testing.assert_allclose(state["jacobian"], np.concatenate([by_x, by_W], axis=1), atol=1e-6)
    assert [entry["name"] for entry in state["outputs"]] == ["z[0, 0]", "z[0, 1]", "z[0, 2]"]
    assert [e["name"] for e in state["inputs"]][:4] == ["x[0, 0]", "x[0, 1]", "W[0, 0]", "W[0, 1]"]


def test_each_move_is_what_the_function_gives():
    x = np.array([1.0, -0.5])
    state = jacobian_explorer(Softmax(), x, reach=2.0).state
    assert (state["moves"][0], state["moves"][20], state["moves"][-1]) == (-2.0, 0.0, 2.0)
    expected = [[Softmax().forward(x + move * np.eye(2)[j]) for move in state["moves"]] for j in range(2)]
    np.testing.assert_allclose(state["moved"], expected, rtol=1e-5)


def test_a_function_is_measured_and_rounding_is_no_slope():
    def two_outputs(x, y):
        return np.stack([x * y, x + 0 * y])

    explorer = jacobian_explorer(two_outputs, 3.0, 4.0, output=["p", "q"])
    assert explorer.state["jacobian"] == [[4.0, 3.0], [1.0, 0.0]]
    assert repr(explorer).splitlines()[1:] == ["        x = 3  y = 4", "p = 12      4      3", " q = 3      1      0"]


def test_it_opens_at_the_entry_that_is_asked_for():
    assert jacobian_explorer(Softmax(), np.zeros(3), entry=(2, 1)).state["entry"] == [2, 1]
    assert jacobian_explorer(Softmax(), np.zeros(3)).state["entry"] == [0, 0]
    for entry in ((3, 0), (0, 3), (-1, 0)):
        with pytest.raises(InputError, match=rf"is \(3 × 3\), and has no entry \({entry[0]}, {entry[1]}\): both count"):
            jacobian_explorer(Softmax(), np.zeros(3), entry=entry)


def test_ids_and_labels_stay_where_they_are():
    state = jacobian_explorer(SigmoidCrossEntropy(), np.array([0.2, -1.0]), np.array([1, 0])).state
    assert len(state["inputs"]) == 2


def test_where_the_function_is_undefined_there_is_no_number():
    state = jacobian_explorer(Log(), 0.5).state
    assert state["moved"][0][0] == [None] and state["moved"][0][-1] == [pytest.approx(np.log(1.5), rel=1e-5)]


def test_its_still_picture_is_a_table_of_the_same_numbers():
    root = ElementTree.fromstring(jacobian_explorer(Softmax(), np.array([0.0, 0.0])).still())
    assert [cell.text for cell in root.findall(".//tbody//td")] == ["0.25", "-0.25", "-0.25", "0.25"]
    assert [head.text for head in root.iter("th")] == ["x[0] = 0", "x[1] = 0", "z[0] = 0.5", "z[1] = 0.5"]


def test_what_the_viewer_cannot_show_is_said():
    with pytest.raises(InputError, match=r"input of floats, which can move, but got int64: write 3\.0"):
        jacobian_explorer(Exp(), 3)
    with pytest.raises(InputError, match=r"up to 100 entries, but this Jacobian has 20 × 20 = 400: give smaller"):
        jacobian_explorer(Exp(), np.zeros(20))
    with pytest.raises(InputError, match="not finite"), np.errstate(all="ignore"):
        jacobian_explorer(Log(), 0.0)
    with pytest.raises(InputError, match="reach, a positive number, but got 0"):
        jacobian_explorer(Exp(), 1.0, reach=0)
    with pytest.raises(InputError, match="2 entries, but got 1 names"):
        jacobian_explorer(Exp(), np.zeros(2), output=["p"])


# ---- Sliders over a Python function ----


def test_there_is_a_frame_for_each_combination_the_last_parameter_fastest():
    explorer = explore(lambda a, b, c: f"{a}{b}{c}", a=[1, 2], b="xy", c=[0.1, 0.25, 0.5], start={"b": "y"})
    assert explorer.state["frames"][:4] == [f"<pre>1{text}</pre>" for text in ("x0.1", "x0.25", "x0.5", "y0.1")]
    assert len(explorer.state["frames"]) == 12 and explorer.state["place"] == [0, 1, 0]
    assert explorer.still() == (
        '<div class="hg-frame"><pre>1y0.1</pre></div><p class="hg-note">a = 1, b = y, c = 0.1</p>'
    )


def test_its_text_form_names_every_value():
    lines = repr(explore(lambda a, b: a, a=[1, 2], b=[0.125, 3.0], title="Two sliders.")).splitlines()
    assert lines == ["FrameExplorer: Two sliders.", "a: 1, 2", "b: 0.125, 3"]


def test_a_function_without_a_name_will_do():
    assert explore(functools.partial(pow, exp=2), base=[1, 2]).state["frames"] == ["<pre>1</pre>", "<pre>4</pre>"]


def test_figures_and_whatever_draws_itself_become_frames():
    class Drawn:
        def _repr_svg_(self):
            return "<svg></svg>"

    def plotted(slope):
        fig, ax = plt.subplots()
        ax.plot([0, slope])
        return figure(fig, alt=f"A line up to {slope}.") if slope > 1 else fig

    first, second = explore(plotted, slope=[1.0, 2.5]).state["frames"]
    assert 'aria-label="slope = 1"' in first and 'aria-label="A line up to 2.5."' in second
    assert plt.get_fignums() == []
    assert explore(lambda n: Drawn(), n=[1, 2]).state["frames"][0] == "<svg></svg>"
    assert explore(lambda n: draw(product()), n=[1, 2]).state["frames"][0].startswith("<figure")
    assert explore(lambda n: np.float64(1) / n, n=[1, 3]).state["frames"] == ["<pre>1</pre>", "<pre>0.3333</pre>"]


def test_a_live_slider_calls_the_function_again():
    calls = []

    def double(n):
        calls.append(n)
        return 2 * n

    widget = explore(double, n=[1, 2, 4]).live()
    calls.clear()
    assert widget.frames == [] and widget.frame == "<pre>2</pre>"
    widget.place = [2]
    assert widget.frame == "<pre>8</pre>" and calls == [4]


def test_frames_that_are_too_heavy_are_refused_with_their_bytes():
    with pytest.raises(InputError, match=r"4 frames of 4,044 bytes together, but a page takes 2,500: .* \(about 2 "):
        explore(lambda n: "x" * 1000, n=range(4), max_bytes=2500)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "one to three parameters, but got values for none"),
        ({"n": 3}, r"at least two different values for n, as a list or a range, but got \[\]"),
        ({"n": [3]}, r"but got \[3\]"),
        ({"n": [1, 1]}, r"but got \[1, 1\]"),
        ({"m": [1, 2]}, "does not fit: missing a required argument: 'n'"),
        ({"n": [1, 2], "start": {"n": 5}}, "cannot start at n = 5: choose one of 1, 2"),
        ({"n": [1, 2], "start": {"m": 5}}, "cannot start at m = 5: choose one of n"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, sentence):
    with pytest.raises(InputError, match=sentence):
        explore(lambda n: n, **values)


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(InputError, match="for n = 1 the function returned list: return one of these"):
        explore(lambda n: [n], n=[1, 2])
