import re
import xml.etree.ElementTree as ElementTree

from matplotlib import pyplot as plt

from handgrad.show import figure, use_book_style


def make():
    use_book_style()
    fig, ax = plt.subplots()
    ax.plot([0, 1, 2], [3, 1, 2], label="loss")
    ax.set(xlabel="words read", ylabel="loss in nats")
    ax.legend()
    return figure(fig, alt='A line that falls from 3 to 1 & "rises" \\sigma', caption="Notice the minimum.")


def test_a_figure_is_an_image_with_a_description_in_the_pages_colors():
    html = make()._repr_html_()
    root = ElementTree.fromstring(html)
    svg = root.find("{http://www.w3.org/2000/svg}svg")
    assert svg.get("role") == "img" and svg.get("aria-label") == 'A line that falls from 3 to 1 & "rises" \\sigma'
    assert root.find("figcaption").text == "Notice the minimum."
    assert "currentColor" in html and "var(--hg-blue, #0072b2)" in html and "#010203" not in html
    assert "words read" in html  # text stays text


def test_the_same_figure_has_the_same_bytes_each_time():
    assert make().svg == make().svg


def test_nothing_is_left_open():
    make()
    assert plt.get_fignums() == []


def test_its_text_form_is_its_description():
    assert repr(make()).startswith("figure: A line that falls")


def test_a_figure_scrolls_before_its_letters_are_smaller_than_11_pixels():
    svg = make().svg
    width, smallest = (
        float(re.search(pattern, svg)[1]) for pattern in (r'viewBox="0 0 ([\d.]+)', r"min-width:(\d+)px")
    )
    assert smallest < 358  # a phone's column: there it does not scroll yet
    letters = [float(size) for size in re.findall(r"font(?:-size)?: ([\d.]+)px", svg)]
    assert letters and min(letters) * smallest / width > 10.9
