"""Descent, bending, the replay and the embedding map in a browser: driven by keyboard, compared with Python."""

import math
import re
from pathlib import Path

import axe_playwright_python
import numpy as np
import pytest
from in_browser import said, tab_to

from handgrad import SGD, ComputationalGraph, Momentum, Node, gates, show
from handgrad.show.explorers import bending, descent
from handgrad.show.explorers.parts.host import bundle
from handgrad.word2vec import KeyedVectors

WORDS = "row column left right sin cos tan list tuple dict min max mean sum axis".split()


def some_vectors():
    return KeyedVectors(WORDS, np.random.default_rng(0).standard_normal((len(WORDS), 6)))


def replay():
    frames = np.cumsum(np.random.default_rng(1).standard_normal((6, len(WORDS), 5)), axis=0)
    losses = [float("nan"), 3.5, 3.0, 2.75, 2.5, 2.25]
    return show.replay_training(WORDS, frames, [f"after {k} words" for k in range(6)], losses, follow=["row"]), frames


EVERY = {
    "descent": lambda: show.descend("valley"),
    "bending": lambda: show.bend_space("moons", steps=50),
    "bending of three": lambda: show.bend_space("circles", hidden=3, steps=50),
    "replay": lambda: replay()[0],
    "map": lambda: show.embedding_map(some_vectors(), chosen="sin"),
}


def press(page, key, times=1):
    for _ in range(times):
        page.keyboard.press(key)


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?", text)]


# ---- All of them ----


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_nothing_scrolls_sideways_and_letters_are_large(open_page, width):
    page = open_page(*(make() for make in EVERY.values()), viewport={"width": width, "height": 844})
    assert page.locator(".hg-alive").count() == len(EVERY)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sizes = page.evaluate(
        """() => [...document.querySelectorAll(".hg-stage svg text")].filter((text) => text.textContent)
            .map((text) => text.getScreenCTM().a * parseFloat(getComputedStyle(text).fontSize))"""
    )
    assert len(sizes) > 20 and min(sizes) >= (11 if width == 390 else 8.5)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_control_has_a_name_and_shows_its_focus(open_page, theme):
    page = open_page(*(make() for make in EVERY.values()), theme=theme)
    page.locator("summary").click()
    page.get_by_role("group", name="Words to follow").wait_for()
    controls = page.locator(".hg-stage :is(button, input, select, summary, [tabindex='0'])")
    assert controls.count() > 50
    for control in controls.all():
        page.keyboard.press("Tab")  # so that :focus-visible holds
        control.focus()
        assert control.evaluate("(element) => getComputedStyle(element).outlineStyle") == "solid"
        label = control.evaluate("(c) => c.labels?.[0]?.textContent || c.getAttribute('aria-label') || c.textContent")
        assert label.strip()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 390])
def test_axe_finds_no_fault(open_page, theme, width):
    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = open_page(*(make() for make in EVERY.values()), theme=theme, viewport={"width": width, "height": 900})
    page.locator("summary").click()
    page.get_by_role("group", name="Words to follow").wait_for()
    page.get_by_role("searchbox").fill("s")
    page.evaluate(axe)
    result = page.evaluate("axe.run(document.querySelector('main'))")
    assert len(result["passes"]) > 10
    found = [
        (rule["id"], node["html"][:120], node["failureSummary"])
        for rule in result["violations"]
        for node in rule["nodes"]
    ]
    assert found == []


@pytest.mark.parametrize("name", EVERY)
def test_without_javascript_and_in_print_the_still_picture_stands(open_page, name):
    page = open_page(EVERY[name](), java_script_enabled=False)
    assert page.locator(".hg-still svg").bounding_box()["height"] > 150
    printed = open_page(EVERY[name]())
    printed.emulate_media(media="print")
    assert printed.locator(".hg-still svg").is_visible() and not printed.locator(".hg-stage").is_visible()


# ---- Descent ----


@pytest.mark.parametrize("name", descent.SURFACES)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_pages_path_is_that_of_the_librarys_optimizer(open_page, name, momentum):
    explorer = show.descend(name, momentum=momentum, steps=40)
    page = open_page(f'<script type="module">{bundle("descent")}window.descent = descent;</script>')
    surface = explorer.state["surfaces"][explorer.state["surface"]]
    path = page.evaluate(
        "([surface, start, rate, momentum]) => descent(surface, start, rate, momentum, 40)",
        [surface, surface["start"], surface["rate"], momentum],
    )
    graph = ComputationalGraph(descent.SURFACES[name][0](Node("x"), Node("y")))
    point = np.array(surface["start"])
    optimizer = Momentum(surface["rate"], momentum) if momentum else SGD(surface["rate"])
    compared = 0
    for step in path:
        f = graph.forward(x=point[0], y=point[1])
        gradients = graph.backward()
        gradient = np.array([gradients["x"], gradients["y"]])
        np.testing.assert_allclose([*step["point"], step["f"], *step["gradient"]], [*point, f, *gradient], rtol=1e-6)
        optimizer.update(point, gradient, "point")
        compared += 1
    assert compared == 41 or "leadsTo" in path[-1]


def test_descent_is_stepped_and_its_rate_is_turned_by_keyboard(open_page):
    page = open_page(show.descend("bowl", start=(2.0, 1.0), learning_rate=0.1, steps=20))
    tab_to(page, "First")
    page.locator(".hg-start").focus()
    press(page, "ArrowRight")
    press(page, "Shift+ArrowUp")
    assert page.get_by_label("x", exact=True).input_value() == "2.08"  # a hundredth of the picture's width
    assert page.get_by_label("y", exact=True).input_value() == "1.6"  # a tenth of its height
    tab_to(page, "Step")
    press(page, "Home")
    assert numbers(said(page))[:4] == [0, 2.08, 1.6, float(f"{2.08**2 + 1.6**2:.4g}")]
    press(page, "ArrowRight", 3)
    assert numbers(said(page))[:4] == [3, *(float(f"{x:.4g}") for x in (2.08 * 0.8**3, 1.6 * 0.8**3, 6.8864 * 0.64**3))]
    tab_to(page, "Learning rate")
    press(page, "End")  # η = 2: every step is thrice as far out, on the other side
    tab_to(page, "Surface")
    page.get_by_role("slider", name="Step").press("End")
    assert "It diverges" in said(page) and "learning rate below 2" in said(page)


def test_a_step_out_of_the_picture_is_told_with_what_f_is_there(open_page):
    explorer = show.descend("Rosenbrock", start=(-1.2, 1.0), learning_rate=2.0)
    page = open_page(explorer)
    page.get_by_role("slider", name="Step").press("Home")
    assert said(page).startswith("Step 0:")
    page.get_by_role("slider", name="Step").press("ArrowRight")
    x, y = -1.2, 1.0
    slope = np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
    x, y = np.array([x, y]) - 2 * slope
    f = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    assert said(page).startswith("Step 1 leads out of the picture")
    assert f"; f is {f:.4g} there. It diverges" in said(page)


def test_a_step_to_where_f_is_undefined_is_told(open_page):
    page = open_page(
        show.descend(lambda x, y: gates.Add()(gates.Log()(x), gates.Power(2.0)(y)), (1.0, 0.5), view=(0.1, 4, -3, 3))
    )
    page.get_by_role("slider", name="Step").press("End")
    assert "leads to where f is undefined, and the path ends." in said(page)


def test_a_typed_start_and_another_surface(open_page):
    page = open_page(show.descend("bowl", steps=10))
    page.get_by_role("slider", name="Step").press("Home")
    tab_to(page, "Surface")
    press(page, "ArrowDown", 2)
    assert page.locator(".hg-formula").text_content() == "f = x² − y² + y⁴ / 4"
    page.get_by_label("x", exact=True).fill("1")
    page.get_by_label("y", exact=True).fill("0")
    page.get_by_role("slider", name="Step").press("End")
    assert "y = 0," in said(page)  # from y = 0 it ends in the saddle
    page.get_by_label("x", exact=True).fill("")  # no number yet: the last one stays
    assert "y = 0," in said(page)
    page.keyboard.press("Tab")  # whoever leaves the field finds there what counts
    assert page.get_by_label("x", exact=True).input_value() == "1"


def test_a_start_is_dragged_and_clicked(open_page):
    page = open_page(show.descend("bowl", start=(0.0, 0.0)))
    box = page.locator(".hg-contours").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert float(page.get_by_label("x", exact=True).input_value()) == pytest.approx(2, abs=0.05)
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    assert float(page.get_by_label("x", exact=True).input_value()) == pytest.approx(-2, abs=0.05)
    assert float(page.get_by_label("y", exact=True).input_value()) == pytest.approx(1.5, abs=0.05)


def test_a_surface_without_a_minimum_is_run_down_without_end(open_page):
    page = open_page(show.descend(lambda x, y: gates.Subtract()(gates.Power(2.0)(x), gates.Power(2.0)(y)), steps=60))
    page.get_by_role("slider", name="Step").press("End")
    assert said(page).endswith("It runs downhill without end.")


def test_play_takes_every_step_and_stops(open_page):
    page = open_page(show.descend("bowl", steps=12))
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # from here on nothing happens by itself
    tab_to(page, "Play")
    press(page, "Enter")
    page.get_by_role("button", name="Pause").wait_for()
    page.clock.run_for(30_000)
    assert said(page).startswith("Step 12:") and page.get_by_role("button", name="Play").is_visible()
    press(page, "Shift+Tab", 2)  # Back
    press(page, "Enter")
    page.get_by_role("button", name="Play").press("Enter")  # one step, and there is no other
    assert said(page).startswith("Step 12:") and page.get_by_role("button", name="Play").is_visible()


# ---- Bending ----


@pytest.mark.parametrize("activation", bending.ACTIVATIONS)
@pytest.mark.parametrize("hidden", [2, 3])
def test_the_page_bends_as_the_librarys_layer_does(open_page, activation, hidden):
    explorer = show.bend_space("moons", hidden=hidden, activation=activation, steps=60)
    page = open_page(f'<script type="module">{bundle("bending")}Object.assign(window, '
                     "{ bent, logitOf, partedBy, ACTIVATIONS });</script>")  # fmt: skip
    snapshot = explorer.state["snapshots"][-1]
    W, b = np.array(snapshot["W"]), np.array(snapshot["b"])
    gate = bending.ACTIVATIONS[activation]()
    z = explorer.points @ W + b
    flat = np.hstack([explorer.points, np.zeros((len(z), hidden - 2))])
    script = "([s, f, points, share]) => points.map((x) => bent(s, ACTIVATIONS[f], x, share))"
    for share, expected in ((0, flat), (0.5, (flat + z) / 2), (1, z), (2, gate.forward(z))):
        found = page.evaluate(script, [snapshot, activation, explorer.state["points"], share])
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    script = "([s, f, points]) => points.map((x) => logitOf(s, ACTIVATIONS[f], x))"
    found = page.evaluate(script, [snapshot, activation, explorer.state["points"]])
    np.testing.assert_allclose(found, explorer.logits(snapshot, explorer.points), rtol=1e-9, atol=1e-12)


def test_the_line_is_curved_in_the_plane_and_straight_when_bent(open_page):
    explorer = show.bend_space("moons")
    page = open_page(f'<script type="module">{bundle("bending")}Object.assign(window, '
                     "{ logitOf, partedBy, ACTIVATIONS });</script>")  # fmt: skip
    snapshot = explorer.state["snapshots"][-1]
    script = "([s, reach]) => partedBy((x) => logitOf(s, ACTIVATIONS.tanh, x), reach)"
    regions, line = page.evaluate(script, [snapshot, 2.0])
    points = np.reshape(line, (-1, 2))
    assert len(points) > 100 and np.abs(explorer.logits(snapshot, points)).max() < 0.02
    hidden = np.tanh(points @ np.array(snapshot["W"]) + snapshot["b"])

    def thickness(points):
        """The least spread that a straight line would leave, against the greatest."""
        spreads = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        return spreads[1] / spreads[0]

    assert thickness(hidden) < 0.01 < 0.1 < thickness(points)

    def area(polygon):
        x, y = np.transpose(polygon)
        return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2

    areas = [sum(map(area, polygons)) for polygons in regions]
    assert sum(areas) == pytest.approx(16)  # the pieces cover the square, none twice
    grid = np.random.default_rng(0).uniform(-2, 2, (20_000, 2))
    assert areas[1] / 16 == pytest.approx((explorer.logits(snapshot, grid) > 0).mean(), abs=0.02)


def test_a_units_fold_is_where_its_sum_is_0_within_the_square(open_page):
    page = open_page(f'<script type="module">{bundle("bending")}Object.assign(window, {{ foldOf }});</script>')
    units = [
        [1, 2, 0.5],
        [1, 0, 0.5],
        [0, -3, 1],
        [1, 1, 0],
        [1, 1, 9],
        [0, 0, 1],
        [1, 0, 9],
    ]  # two weights and the bias
    for *w, bias in units:
        found = page.evaluate("([W, b]) => foldOf({ W, b }, 0, 2)", [[[weight] for weight in w], [bias]])
        if bias == 9 or not any(w):
            assert found is None
            continue
        np.testing.assert_allclose(np.array(found) @ w + bias, 0, atol=1e-12)
        np.testing.assert_allclose(np.abs(found).max(axis=1), 2)  # from edge to edge
        assert np.ptp(found, axis=0).max() > 1


def test_bending_and_training_by_keyboard(open_page):
    explorer = show.bend_space("circles", hidden=3, steps=200)
    page = open_page(explorer)
    snapshots = explorer.state["snapshots"]
    tab_to(page, "Bend")
    press(page, "End")
    assert f"{explorer.right(snapshots[-1])} of 160 points" in said(page) and "one flat plane" in said(page)
    press(page, "ArrowLeft", 10)
    assert "50% of the way to h = tanh(z)" in said(page) and "curved" in said(page)
    press(page, "Home")
    places = page.locator(".hg-stage circle").first.get_attribute("cx")
    tab_to(page, "Turn")
    press(page, "ArrowRight", 6)
    assert page.locator(".hg-stage circle").first.get_attribute("cx") != places
    tab_to(page, "Training")
    press(page, "Home")
    for snapshot in snapshots:
        assert f"after {snapshot['step']} steps" in said(page)
        assert f"{explorer.right(snapshot)} of 160 points" in said(page)
        assert f"the loss is {snapshot['loss']:.4g}." in said(page)
        press(page, "ArrowRight")


# ---- The replay ----


def test_the_replay_says_who_is_nearest_at_each_moment(open_page):
    explorer, frames = replay()
    page = open_page(explorer)
    tab_to(page, "Training")
    press(page, "Home")
    for k, frame in enumerate(frames):
        ((word, cosine),) = KeyedVectors(WORDS, frame).most_similar("row", topn=1)
        loss = "" if k == 0 else f", loss {[3.5, 3.0, 2.75, 2.5, 2.25][k - 1]:.2f}"
        assert (
            said(page) == f"After {k} words{loss}. Nearest among these words, by cosine: row to {word} ({cosine:.2f})."
        )
        points = explorer.points[k]  # the dots are those points, moved and scaled
        dots = page.evaluate(
            """[...document.querySelectorAll(".hg-words circle")]
                .map((dot) => [Number(dot.getAttribute("cx")), Number(dot.getAttribute("cy"))])"""
        )
        scales = [np.polyfit(points[:, axis], np.array(dots)[:, axis], 1, full=True)[:2] for axis in (0, 1)]
        (x, x_rest), (y, y_rest) = scales
        assert x[0] == pytest.approx(-y[0], rel=0.01) and max(*x_rest, *y_rest) < 0.1
        press(page, "ArrowRight")


def test_words_are_followed_by_keyboard_and_leave_a_trail(open_page):
    page = open_page(replay()[0])
    tab_to(page, "Follow")
    press(page, "Enter")
    for word in ("column", "left", "right", "sin"):
        tab_to(page, word)
        press(page, "Space")
    pressed = page.locator("button[aria-pressed='true']").all_text_contents()
    assert pressed == ["column", "left", "right", "sin"]  # row was the first of five, and gave way
    trails = [trail.get_attribute("d") for trail in page.locator(".hg-stage .hg-trail").all()]
    assert all(trail.count("L") == 5 for trail in trails) and len(set(trails)) == 4
    assert said(page).count("(") == 4 and "row to" not in said(page)


# ---- The embedding map ----


def nearest_in_words(vectors, word):
    nearest = vectors.most_similar(word, topn=8)
    place = vectors.get_index(word) + 1
    names = ", ".join(f"{other} {cosine:.2f}" for other, cosine in nearest)
    return f"{word} is number {place} of the most frequent words. Nearest to it, by cosine: {names}."


def test_the_map_is_searched_by_keyboard(open_page):
    vectors = some_vectors()
    page = open_page(show.embedding_map(vectors))
    assert said(page) == "15 words, the most frequent ones. None is chosen."
    tab_to(page, "Search")
    page.keyboard.type("m")
    assert said(page) == "Suggestions: min, max, mean, column, sum. Enter takes the first."
    page.keyboard.type("ea")
    press(page, "Enter")
    assert said(page) == nearest_in_words(vectors, "mean")
    page.keyboard.type("zz")
    assert said(page) == "No word of this map contains “meazz”."


def test_a_neighbor_is_chosen_by_keyboard_and_keeps_the_focus_near(open_page):
    vectors = some_vectors()
    page = open_page(show.embedding_map(vectors, chosen="sin"))
    assert said(page) == nearest_in_words(vectors, "sin")
    first = vectors.most_similar("sin", topn=1)[0][0]
    tab_to(page, first)
    press(page, "Enter")
    assert said(page) == nearest_in_words(vectors, first)
    assert page.evaluate("document.activeElement.closest('.hg-said') !== null")


def test_keys_move_and_zoom_the_map_and_enter_chooses_the_middle(open_page):
    vectors = some_vectors()
    explorer = show.embedding_map(vectors, chosen="cos")
    page = open_page(explorer)
    tab_to(page, "Map of 15 words")
    press(page, "Escape")
    assert "None is chosen" in said(page)
    press(page, "Enter")  # it is still in the middle
    assert said(page) == nearest_in_words(vectors, "cos")
    press(page, "0")
    press(page, "Enter")
    middle = np.abs(explorer.points - 2048).astype(float)
    assert said(page) == nearest_in_words(vectors, WORDS[int(np.hypot(*middle.T).argmin())])
    picture = "document.querySelector('canvas').toDataURL()"
    for key in ("ArrowLeft", "ArrowUp", "+", "-"):
        before = page.evaluate(picture)
        press(page, key)
        assert page.evaluate(picture) != before
    press(page, "ArrowRight", 40)
    press(page, "Enter")
    assert said(page) == nearest_in_words(vectors, WORDS[int(np.hypot(*(explorer.points - [4096, 2458]).T).argmin())])


def places_on_map(page, explorer):
    """Where each word stands in the window, before the map is moved or zoomed."""
    box = page.locator("canvas").bounding_box()
    scale = 0.94 * min(box["width"], box["height"]) / 4096
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    places = middle + (explorer.points - 2048) * (scale, -scale)
    return dict(zip(WORDS, places.tolist(), strict=True))


def test_the_map_is_clicked_dragged_and_zoomed_by_the_pointer(open_page):
    vectors = some_vectors()
    explorer = show.embedding_map(vectors)
    page = open_page(explorer)
    at = places_on_map(page, explorer)
    page.mouse.click(*at["tuple"])
    assert said(page) == nearest_in_words(vectors, "tuple")
    x, y = at["axis"]
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)  # what is under the pointer stays there
    page.mouse.click(x, y)
    assert said(page) == nearest_in_words(vectors, "axis")
    page.mouse.down()
    page.mouse.move(x + 30, y - 20, steps=4)
    page.mouse.up()
    page.keyboard.press("Escape")
    page.mouse.click(x + 30, y - 20)
    assert said(page) == nearest_in_words(vectors, "axis")


def test_two_fingers_pinch_the_map_and_move_it(open_page):
    """What is between them stays between them."""
    vectors = some_vectors()
    explorer = show.embedding_map(vectors)
    page = open_page(explorer)
    at, touch = places_on_map(page, explorer), page.context.new_cdp_session(page)

    def fingers(kind, *places):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def tap(x, y):
        fingers("touchStart", (x, y))
        fingers("touchEnd")

    x, y = at["axis"]
    near = min(set(WORDS) - {"axis"}, key=lambda word: math.dist((x, y), at[word]))
    other_x, other_y = at[near]
    tap(x, y)
    assert said(page) == nearest_in_words(vectors, "axis")
    fingers("touchStart", (x - 30, y), (x + 30, y))
    for apart in (40, 50, 60):  # twice as far apart as they were
        fingers("touchMove", (x - apart, y), (x + apart, y))
    for moved in (10, 20):
        fingers("touchMove", (x - 60, y - moved), (x + 60, y - moved))
    fingers("touchEnd")
    page.keyboard.press("Escape")
    tap(x, y - 20)
    assert said(page) == nearest_in_words(vectors, "axis")
    tap(x + 2 * (other_x - x), y - 20 + 2 * (other_y - y))
    assert said(page) == nearest_in_words(vectors, near)


def test_the_wheel_is_the_pages_until_the_map_has_the_focus(open_page):
    page = open_page(show.embedding_map(some_vectors()), '<div style="height: 3000px"></div>')
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 0")


def test_the_map_follows_the_pages_colors(open_page):
    page = open_page(show.embedding_map(some_vectors(), chosen="sin"))
    before = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function("(before) => document.querySelector('canvas').toDataURL() !== before", arg=before)
