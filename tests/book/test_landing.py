"""The landing page: the live graph computes what the library computes, and the map tells what is there."""

import re

import pytest
import yaml

from handgrad import Add, ComputationalGraph, Max, Multiply, Node


def by_the_library(**inputs):
    """f, and for each input its gradients, one for each wire."""
    x, y, z = Node("x"), Node("y"), Node("z")
    add, largest = Add()(x, y), Max()(y, z)
    graph = ComputationalGraph(Multiply()(add, largest))
    f = graph.forward(**inputs)
    graph.backward()
    dx, dy = graph.downstream[add]
    dy_again, dz = graph.downstream[largest]
    return [float(number) for number in (f, dx, dy, dy_again, dz)]


def on_the_page(page):
    """The same numbers, as a reader reads them on the wires."""

    def number(kind, wire):
        return float(page.locator(f'[data-{kind}="{wire}"]').text_content().replace("−", "-"))

    return [number("value", "f"), *(number("gradient", wire) for wire in ("x-add", "y-add", "y-max", "z-max"))]


@pytest.fixture
def landing(browser, site):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto((site / "book/index.html").as_uri())
    yield page
    context.close()


def test_the_graph_as_it_is_written_is_right(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "book/index.html").as_uri())
    assert on_the_page(page) == by_the_library(x=1.0, y=2.0, z=0.0)
    assert not page.locator(".hg-live-controls").is_visible()
    context.close()


@pytest.mark.parametrize("inputs", [(1, 2, 0), (-4, 3, 5), (7, -2, -3), (2, 3, 3), (0, 0, 0), (999, -999, 998)])
def test_the_graph_is_driven_by_keyboard(landing, inputs):
    landing.locator(".hg-live input").first.focus()
    for number in inputs:
        landing.keyboard.press("Control+a")
        landing.keyboard.type(str(number))
        landing.keyboard.press("Tab")
    landing.keyboard.press("Enter")  # on the button
    expected = by_the_library(**dict(zip("xyz", map(float, inputs), strict=True)))
    assert on_the_page(landing) == pytest.approx(expected, rel=1e-4)
    said = landing.get_by_role("status").text_content().replace("−", "-")
    f, dx, dy, dy_again, dz = expected
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", said)]
    assert numbers == pytest.approx([f, dx, dy, dy_again, dy + dy_again, dz], rel=1e-4), said


def test_what_is_no_number_is_answered_by_a_sentence(landing):
    field = landing.locator(".hg-live input").first
    field.focus()
    landing.keyboard.press("Control+a")
    landing.keyboard.press("Delete")
    landing.keyboard.press("Tab")
    assert landing.get_by_role("status").text_content().startswith("Give each of x, y and z a whole number")
    field.fill("3")
    landing.keyboard.press("Tab")
    assert on_the_page(landing) == by_the_library(x=3.0, y=2.0, z=0.0)


def test_numbers_flow_and_come_to_rest(browser, site):
    context = browser.new_context(reduced_motion="no-preference")
    page = context.new_page()
    page.goto((site / "book/index.html").as_uri())
    page.wait_for_selector(".hg-dot")
    page.wait_for_selector(".hg-dot", state="detached")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-gradient]')].every((number) => number.style.opacity === '1')"
    )
    assert on_the_page(page) == by_the_library(x=1.0, y=2.0, z=0.0)
    context.close()


def test_the_map_has_every_chapter_and_links_those_that_are_written(landing, root):
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    written = {c["file"].split("/")[1] for part in contents["parts"] for c in part["chapters"]}
    written = {slug for slug in written if re.match(r"\d\d[a-z]?_", slug)}
    links = landing.locator(".hg-written a")
    linked = {re.search(r"(\d\d[a-z]?_\w+)\.html", links.nth(i).get_attribute("href"))[1] for i in range(links.count())}
    assert linked == written
    numbers = landing.locator(".hg-chapter .hg-number").all_text_contents()
    assert [number for number in numbers if number.isdigit()] == [str(number) for number in range(1, 25)]
    assert [number for number in numbers if not number.isdigit()] == ["10b"]  # the second page of a chapter
    to_come = landing.locator(".hg-to-come")
    assert to_come.count() == len(numbers) - len(written)
    assert to_come.filter(has_text="to come").count() == to_come.count()
    assert to_come.locator("a").count() == 0
