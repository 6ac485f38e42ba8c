"""Explorers in a browser, on pages made of nothing but them: driven by keyboard, compared with Python's numbers.

Each explorer is computed twice, in Python and in the page. The tests read what a reader reads (the texts of the
drawing, the cells of the table, the sentence below) and compare it with the library's own answer.
"""

import json
import math

import numpy as np
import pytest
from in_browser import said, served, tab_to

from handgrad import ComputationalGraph, Node, Parameter, gates, numerical_jacobian, show
from handgrad.show.explorers.parts.gates import IN_THE_BROWSER
from handgrad.show.explorers.parts.host import bundle
from handgrad.word2vec import LogUniformNoise, Vocabulary

COUNTS = dict(the=900, of=400, a=300, array=60, sum=40, each=35, one=28, row=25, axis=24, shape=2, lorentzindex=1)


@pytest.fixture
def address(tmp_path):
    """Of the page that ``open_page`` writes, on a server."""
    with served(tmp_path) as folder:
        yield folder + "page.html"


def lecture_graph():
    x, y, z = Node("x"), Node("y"), Node("z")
    return ComputationalGraph(gates.Multiply()(gates.Add()(x, y), gates.Max()(y, z)))


def stepper():
    return show.step_through(lecture_graph(), x=1.0, y=2.0, z=0.0)


def viewer():
    return show.jacobian_explorer(gates.Softmax(), np.array([1.0, 2.0, 0.5]))


def power(base, exponent):
    return base**exponent


def sliders():
    return show.explore(power, base=[1.5, 2.0, -3.0], exponent=range(4), start={"base": 2.0})


def figures():
    from matplotlib import pyplot as plt

    def line(slope):
        fig, ax = plt.subplots()
        ax.plot([0, 1], [0, slope])
        return fig

    return show.explore(line, slope=[1.0, 2.0])


def window():
    return show.window_explorer("the sum of each row of the array is one".split(), Vocabulary(COUNTS))


def noise():
    return show.noise_explorer(Vocabulary({f"word{rank}": 1000 // rank for rank in range(1, 501)}))


def nce():
    rng, labels = np.random.default_rng(4), np.array([[6, 1], [0, 4], [1, 2]])
    sampled = LogUniformNoise(8).sample(np.random.default_rng(8), 5, labels)
    return show.nce_explorer(rng.normal(size=(8, 4)), rng.normal(size=8), labels, rng.normal(size=(3, 4)), sampled)


def huffman():
    rng = np.random.default_rng(2)
    counts = np.array(list(COUNTS.values()))
    return show.huffman_explorer(list(COUNTS), counts, rng.normal(size=3), rng.normal(size=(len(COUNTS) - 1, 3)))


EVERY = [stepper, viewer, sliders, figures, window, noise, nce, huffman]
every_explorer = pytest.mark.parametrize("make", EVERY)


def texts(page, kind):
    return sorted(text for text in page.locator(f".hg-stage svg text.hg-{kind}").all_text_contents() if text)


def drawn(graph, kind):
    """The texts that the library's drawing of the graph has, by the library's number format."""
    values = [graph.values[i] for n in graph.nodes for i in n.inputs]
    values.append(graph.values[graph.outputs[0]])
    gradients = [d for n in graph.nodes for d in graph.downstream.get(n, [])] + [graph.gradients[graph.outputs[0]]]
    return sorted(f"{v:.4g}" for v in (values if kind == "value" else gradients))


# ---- The host ----


@every_explorer
@pytest.mark.parametrize("where", ["disk", "server"])
def test_it_comes_alive_from_the_disk_and_from_a_server(open_page, address, make, where):
    page = open_page(make(), url=address if where == "server" else None)
    assert page.locator(".hg-stage > *").count() > 0
    assert page.locator(".hg-stage").is_visible() and not page.locator(".hg-still").is_visible()


@every_explorer
def test_without_javascript_and_in_print_the_still_picture_stands(open_page, make):
    page = open_page(make(), java_script_enabled=False)
    assert page.locator(".hg-still").is_visible() and not page.locator(".hg-stage").is_visible()
    printed = open_page(make())
    printed.emulate_media(media="print")
    assert printed.locator(".hg-still").is_visible() and not printed.locator(".hg-stage").is_visible()
    assert printed.locator(".hg-still :is(svg, table, pre)").first.bounding_box()["height"] > 20


@pytest.mark.parametrize("fault", ["throw Error('planted')", "}"], ids=["at work", "in its text"])
def test_a_module_that_fails_leaves_the_still_picture(open_page, fault):
    html = stepper()._repr_html_()
    assert "const drawing = draw(" in html
    page = open_page(html.replace("const drawing = draw(", f"{fault}; const drawing = draw("))
    assert page.locator(".hg-still svg").is_visible() and page.locator(".hg-stage > *").count() == 0
    assert len(page.faults) == 1 and ("planted" in page.faults[0] or "Illegal" in page.faults[0])
    page.faults.clear()


def test_two_of_the_same_on_one_page_do_not_disturb_each_other(open_page):
    page = open_page(stepper(), viewer(), stepper())
    page.locator("figure").nth(2).get_by_role("button", name="Last").click()
    assert [page.locator(".hg-count").nth(i).text_content() for i in (0, 1)] == ["step 0 of 7", "step 7 of 7"]
    assert page.locator(".hg-alive").count() == 3


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_the_page_does_not_scroll_sideways(open_page, width):
    big = show.jacobian_explorer(gates.Softmax(), np.linspace(-1, 1, 9))
    page = open_page(*(make() for make in EVERY), big, wide_graph(), viewport={"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    small = page.evaluate(
        """() => [...document.querySelectorAll(".hg-stage svg text")].filter((text) => text.textContent)
            .map((text) => text.getScreenCTM().a * parseFloat(getComputedStyle(text).fontSize))"""
    )
    assert min(small) >= 9
    page.evaluate("() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen)))")  # resized
    unreachable = page.evaluate(
        """() => [...document.querySelectorAll(".hg-stage, .hg-stage *")].filter((box) =>
            ["auto", "scroll"].includes(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth
            && box.tabIndex < 0 && !box.querySelector("[tabindex='0'], input, button")).map((box) => box.className)"""
    )
    assert unreachable == []


def wide_graph():
    node = Node("x")
    for i in range(9):
        node = gates.Tanh()(gates.Add()(node, Node(f"bias{i}")))
    return show.step_through(ComputationalGraph(node), {"x": 1.0, **{f"bias{i}": 0.1 for i in range(9)}})


# Of every text on the page: its color against the backgrounds behind it, painted one over the other.
CONTRASTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const luminance = (colors) => {
    for (const color of colors) {
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll(".hg-stage *, figcaption")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const behind = ["white"];
    for (let box = element; box; box = box.parentElement) behind.splice(1, 0, getComputedStyle(box).backgroundColor);
    const style = getComputedStyle(element);
    const paper = luminance(behind);
    const ink = luminance([...behind, element instanceof SVGElement ? style.fill : style.color]);
    found.push([(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), element.outerHTML.slice(0, 80)]);
  }
  return found;
}
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("system", ["light", "dark"])
def test_every_text_has_contrast_in_both_modes(open_page, theme, system):
    page = open_page(*(make() for make in EVERY), theme=theme, color_scheme=system)
    page.get_by_role("button", name="Last").first.click()
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 60
    assert [found for found in contrasts if found[0] < 4.5] == []
    paper = page.locator("figure").first.evaluate("(figure) => getComputedStyle(figure).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[theme]  # the page's theme decides


@every_explorer
def test_every_control_has_a_name_and_shows_its_focus(open_page, make):
    page = open_page(make())
    controls = page.locator(".hg-stage :is(button, input, [tabindex='0'])")
    assert controls.count() > 0
    for control in controls.all():
        page.keyboard.press("Tab")  # so that :focus-visible holds
        control.focus()
        assert control.evaluate("(element) => getComputedStyle(element).outlineStyle") == "solid"
        label = control.evaluate("(c) => c.labels?.[0]?.textContent || c.getAttribute('aria-label') || c.textContent")
        assert label.strip()


def test_a_live_notebooks_module_works_with_another_model(open_page):
    """anywidget imports the module and calls its default export; in its model, Python answers in its own time."""
    explorer = sliders()
    page = open_page()
    page.evaluate(
        """async ([module, state]) => {
          const url = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
          const listeners = {};
          window.model = {
            get: (name) => state[name],
            set: (name, value) => { state[name] = value; },
            on: (event, listener) => { listeners[event] = listener; },
            off: () => {},
            save_changes: () => { window.asked = state.place; },
            answer: (frame) => { state.frame = frame; listeners["change:frame"](); },
          };
          const el = document.querySelector("main").appendChild(document.createElement("div"));
          (await import(url)).default.render({ model: window.model, el });
        }""",
        [explorer.live()._esm, {**explorer.state, "frames": [], "frame": "<pre>1</pre>"}],
    )
    page.faults.clear()  # the module itself was asked for
    assert page.locator(".hg-caption").text_content() == explorer.title
    page.get_by_label("exponent").press("End")
    assert page.evaluate("window.asked") == [1, 3]
    assert page.get_by_label("exponent").get_attribute("data-lm-suppress-shortcuts")  # or JupyterLab takes arrow keys
    widget = explorer.live()
    widget.place = [1, 3]
    page.evaluate("(frame) => window.model.answer(frame)", widget.frame)
    assert page.locator(".hg-frame").text_content() == "8"


# ---- The graph stepper ----


def test_the_stepper_walks_by_keyboard_through_values_then_gradients(open_page):
    graph = lecture_graph()
    page = open_page(show.step_through(graph, x=1.0, y=2.0, z=0.0))
    assert texts(page, "gradient") == [] and len(texts(page, "value")) == 4  # x, y on two wires, z
    tab_to(page, "Next")
    page.keyboard.press("Enter")
    assert said(page) == "Forward, +: 1 + 2 = 3."
    page.keyboard.press("Space")
    assert said(page) == "Forward, max: max(2, 0) = 2."
    page.keyboard.press("ArrowRight")
    assert "3 × 2 = 6" in said(page) and texts(page, "value") == drawn(graph, "value")
    page.keyboard.press("ArrowRight")
    assert texts(page, "gradient") == ["1"]
    page.keyboard.press("ArrowRight")
    rows = [row.all_text_contents() for row in map(lambda r: r.locator("th, td"), page.locator("tbody tr").all())]
    assert rows == [["+", "1", "×", "2", "=", "2"], ["max", "1", "×", "3", "=", "3"]]
    page.keyboard.press("End")
    assert texts(page, "gradient") == drawn(graph, "gradient")
    assert "y feeds 2 wires, and what comes back adds: 2 + 3 = 5." in said(page)
    page.keyboard.press("ArrowLeft")
    assert len(texts(page, "gradient")) == 5
    page.keyboard.press("Home")
    assert page.locator(".hg-count").text_content() == "step 0 of 7"


def test_gates_with_names_are_called_by_them(open_page):
    graph = ComputationalGraph(gates.Multiply()(gates.Multiply()(Node("x"), Node("y"), name="a"), Node("z")))
    page = open_page(show.step_through(graph, x=2.0, y=3.0, z=4.0))
    tab_to(page, "Next")
    page.keyboard.press("Enter")
    assert said(page) == "Forward, a (×): 2 × 3 = 6."
    page.keyboard.press("ArrowRight")
    assert said(page) == "Forward, ×: 6 × 4 = 24."
    page.keyboard.press("End")
    assert said(page) == "Backward, a (×): 4 comes from upstream. It hands on 12 toward x and 8 toward y."


def test_an_edited_input_recomputes_what_the_library_computes(open_page):
    graph = lecture_graph()
    page = open_page(show.step_through(graph, x=1.0, y=2.0, z=0.0))
    tab_to(page, "Last")
    page.keyboard.press("Enter")
    tab_to(page, "z")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("4.25")
    graph.forward(x=1.0, y=2.0, z=4.25)
    graph.backward()
    assert texts(page, "value") == drawn(graph, "value")
    assert texts(page, "gradient") == drawn(graph, "gradient")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")  # no number yet: the last one stays
    assert texts(page, "value") == drawn(graph, "value")


def test_play_goes_to_the_end_and_stops_there(open_page):
    page = open_page(stepper())
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # from here on nothing happens by itself
    tab_to(page, "Play")
    page.keyboard.press("Enter")
    assert page.get_by_role("button", name="Pause").is_visible()
    page.clock.run_for(60_000)
    assert page.locator(".hg-count").text_content() == "step 7 of 7"
    assert page.get_by_role("button", name="Play").is_visible()


def random_graph(rng):
    """Twelve gates of every kind on four numbers, each fed by what came before it, so that values fan out."""
    nodes = [Node(name) for name in "abcd"]
    for gate in (*IN_THE_BROWSER, gates.Add):
        made = gate(float(rng.choice([-1.5, 0, 2, 3]))) if gate is gates.Power else gate()
        arity = made.forward.__code__.co_argcount - 1
        nodes.append(made(*(nodes[i] for i in rng.integers(0, len(nodes), arity))))
    unused = [n for n in nodes if not any(n in m.inputs for m in nodes)]
    total = unused[0]
    for node in unused[1:]:
        total = gates.Add()(total, node)
    return ComputationalGraph(total)


def test_whole_graphs_agree_with_the_library(open_page):
    page = open_page(f'<script type="module">{bundle("parts/graph_pass")}window.bothPasses = bothPasses;</script>')
    rng = np.random.default_rng(7)
    compared = 0
    for _ in range(30):
        graph = random_graph(rng)
        feeds = {name: float(rng.uniform(0.3, 1.5)) for name in graph.leaves}
        with np.errstate(all="ignore"):
            state = show.step_through(graph, feeds).state
            inputs = [feeds.get(node.name) for node in graph.nodes]
            passes = page.evaluate("([nodes, fed]) => bothPasses(nodes, fed)", [state["nodes"], inputs])
        expected = [graph.values[n] for n in graph.nodes], [graph.gradients[n] for n in graph.nodes]
        for found, right in zip((passes["values"], passes["gradients"]), expected, strict=True):
            np.testing.assert_allclose(np.array(found, dtype=np.float64), right, rtol=1e-10, atol=1e-12)
        compared += bool(np.isfinite(expected[0] + expected[1]).all())
    assert compared > 10  # the others leave the domain of Log or Power, and both say nan


def points(gate, rng):
    """Inputs for a gate of one or two numbers: random ones, and those where something happens."""
    arity = gate().forward.__code__.co_argcount - 1 if gate is not gates.Power else 1
    special = [0.0, 1.0, -1.0, 2.0, -800.0, 800.0, 1e-9]
    return [*rng.normal(size=(40, arity)).tolist(), *(list(rng.permutation(special)[:arity]) for _ in range(20)),
            *([x] * arity for x in special)]  # fmt: skip


@pytest.mark.parametrize("gate", IN_THE_BROWSER, ids=lambda gate: gate.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # division by 0 and its like: the same in both
def test_each_gate_agrees_with_the_librarys(open_page, gate):
    page = open_page(f'<script type="module">{bundle("parts/gates")}window.GATES = GATES;</script>')
    script = """([name, points]) => points.map((x) => {
      const z = GATES[name].forward(...x);
      return [z, ...GATES[name].local(z, ...x)];
    })"""
    for exponent in [-1.5, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0] if gate is gates.Power else [None]:
        inputs = points(gate, np.random.default_rng(3))
        made = gate() if exponent is None else gate(exponent)
        expected = [[made.forward(*map(np.float64, x)), *made.backward(np.float64(1.0))] for x in inputs]
        given = [[*x, exponent] if gate is gates.Power else list(x) for x in inputs]
        found = np.array(page.evaluate(script, [gate.__name__, given]), dtype=np.float64)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300, err_msg=str(exponent))


def test_the_page_has_a_rule_for_exactly_the_gates_that_python_names(open_page):
    page = open_page(f'<script type="module">{bundle("parts/gates")}window.GATES = GATES;</script>')
    assert page.evaluate("Object.keys(GATES)") == [gate.__name__ for gate in IN_THE_BROWSER]


def test_numbers_are_written_as_in_the_librarys_drawings(open_page):
    page = open_page(f'<script type="module">{bundle("parts/shared")}window.format = format;</script>')
    rng = np.random.default_rng(5)
    numbers = [float(m * 10.0**e) for m, e in zip(rng.normal(size=300), rng.integers(-9, 9, 300), strict=True)]
    numbers += [0.0, 1.0, -2.5, 1e-4, 9.9999e-5, 9999.4, 9999.6, 123456.0, 1e100, math.inf, -math.inf, math.nan]
    numbers += [1.5625, 1.0625, -3.0625, 0.15625, 12345.0, 12355.0, 5e-324, 2.0**70]  # most lie in the middle
    assert page.evaluate("(numbers) => numbers.map((x) => format(x))", numbers) == [f"{x:.4g}" for x in numbers]


def test_a_graph_of_arrays_is_stepped_as_python_recorded_it(open_page):
    x, W = Node("x"), Parameter("layer/W", np.array([[1.0, 2.0], [3.0, -4.0]]))
    graph = ComputationalGraph(gates.Sum()(gates.MatMul()(x, W)))
    page = open_page(show.step_through(graph, x=np.array([[1.0, 10.0]])))
    assert page.locator("input").count() == 0
    assert "inputs stay as they are" in page.locator(".hg-note").first.text_content()
    page.get_by_role("button", name="Last").press("Enter")
    assert "[[3, -1]]" in said(page) and "[[1, 1], [10, 10]]" in said(page)  # 1 · Wᵀ, and xᵀ · 1
    assert texts(page, "gradient") == sorted(["(1, 2)", "(2, 2)", "(1, 2)", "1"])


# ---- The Jacobian viewer ----


def test_the_viewer_walks_by_keyboard_and_says_what_moves_with_what(open_page):
    x = np.array([1.0, 2.0, 0.5])
    page = open_page(show.jacobian_explorer(gates.Softmax(), x))
    jacobian = numerical_jacobian(gates.Softmax().forward, x)
    cells = page.locator(".hg-stage tbody td")
    assert cells.all_text_contents() == [f"{slope:.4g}" for slope in jacobian.flat]
    tab_to(page, cells.first.text_content())
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):  # the last one stays at the edge
        page.keyboard.press(key)
    slope = jacobian[1, 2]
    assert f"When x[2] rises by 0.01, z[1] falls by about {-0.01 * slope:.4g}: the slope is {slope:.4g}." in said(page)
    assert page.locator("th.hg-on").all_text_contents() == ["x[2]0.5", "z[1]0.6285"]
    tab_to(page, "Move x[2] by")
    page.keyboard.press("End")
    moved = gates.Softmax().forward(x + np.array([0, 0, 1.0]))[1] - gates.Softmax().forward(x)[1]
    assert f"predicted change of z[1] {slope:.4g}, true change {moved:.4g}" in said(page)
    page.keyboard.press("Home")
    moved = gates.Softmax().forward(x - np.array([0, 0, 1.0]))[1] - gates.Softmax().forward(x)[1]
    assert f"predicted change of z[1] +{-slope:.4g}, true change +{moved:.4g}" in said(page)


def test_the_viewer_follows_the_mouse(open_page):
    page = open_page(viewer())
    page.locator(".hg-stage tbody td").nth(5).hover()
    assert said(page).startswith("When x[2] rises by 0.01, z[1] falls")


def test_the_viewer_says_where_the_function_is_undefined(open_page):
    page = open_page(show.jacobian_explorer(gates.Log(), 0.5))
    tab_to(page, "Move x by")
    page.keyboard.press("Home")
    assert said(page).endswith("With x moved by -1, z is undefined.")


# ---- Sliders over a Python function ----


def test_sliders_choose_what_the_function_returns(open_page):
    page = open_page(sliders())
    assert page.locator(".hg-stage .hg-frame").text_content() == "1"  # 2 to the power 0
    tab_to(page, "exponent")
    page.keyboard.press("End")
    assert page.locator(".hg-stage .hg-frame").text_content() == "8"
    tab_to(page, "base")  # round the page
    page.keyboard.press("ArrowRight")
    assert page.locator(".hg-stage .hg-frame").text_content() == "-27"
    assert said(page) == "base = -3, exponent = 3: -27"
    assert page.get_by_label("base").get_attribute("aria-valuetext") == "-3"


def test_frames_of_a_figure_are_all_there_and_no_id_is_there_twice(open_page):
    page = open_page(figures())
    before = page.locator(".hg-stage svg").inner_html()
    assert page.locator(".hg-stage svg").get_attribute("aria-label") == "slope = 1"
    tab_to(page, "slope")
    page.keyboard.press("ArrowRight")
    assert page.locator(".hg-stage svg").inner_html() != before
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids)) > 0
    references = page.evaluate("document.querySelector('.hg-stage').innerHTML.match(/(?<=(url\\(|href=\")#)[^\")]+/g)")
    assert references and set(references) <= set(ids)


def test_what_a_state_says_cannot_end_its_script(open_page):
    hostile = "</script><script>document.title = 'hijacked'</script><!-- <b>&amp;\u2028"
    page = open_page(show.explore(lambda n: hostile, n=[1, 2], title=hostile))
    assert page.title() == "Explorers"
    assert page.locator(".hg-stage pre").text_content() == hostile
    assert page.locator("figcaption").text_content() == hostile
    html = show.explore(lambda n: hostile, n=[1, 2])._repr_html_()
    state = html.split('<script type="application/json">')[1].split("</script>")[0]
    assert hostile not in state and json.loads(state)["frames"][0].startswith("<pre>&lt;/script")
