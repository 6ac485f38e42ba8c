"""The rendered book in a browser: every page, from a server and from the disk.

The exit status of a build proves little. So each page is opened in Chromium and asked what went wrong: a
request that left the site or failed, an error in the console, mathematics that was not typeset, a
picture that a blind reader does not get, text wider than a phone. `see` asks it, and the last
tests show that it finds each of these faults when there is one.
"""

import io
import re
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from in_browser import in_tab, opened, wait_for_formulas
from PIL import Image

# Runs in the page, once MathJax is done, with every fold open. Returns sentences.
INSPECT = r"""
async () => {
  const faults = [];
  const math = [...document.querySelectorAll("span.math, div.math")];
  if (window.MathJax?.startup) await window.MathJax.startup.promise;
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  document.querySelectorAll(".toggle-hidden").forEach((fold) => fold.classList.remove("toggle-hidden"));

  for (const formula of math) {
    if (formula.querySelector("mjx-container")) continue;
    faults.push(`not typeset: ${formula.textContent.slice(0, 60)}`);
  }
  for (const error of document.querySelectorAll("mjx-merror, [data-mjx-error]")) {
    faults.push(`MathJax error: ${error.getAttribute("data-mjx-error") ?? error.textContent}`);
  }
  for (const picture of document.querySelectorAll("img, svg[role=img]:not([aria-hidden=true])")) {
    const name = picture.getAttribute("alt") || picture.getAttribute("aria-label");
    if (!name && !picture.hasAttribute("aria-labelledby")) {
      faults.push(`no text for ${picture.outerHTML.slice(0, 60)}`);
    }
  }

  for (const icon of document.querySelectorAll(".fa-solid")) {
    if (!getComputedStyle(icon).maskImage.startsWith("url")) faults.push(`nobody draws the icon ${icon.className}`);
  }

  const article = document.querySelector("article")?.cloneNode(true) ?? document.createElement("p");
  if (/Traceback \(most recent call last\)/.test(article.textContent)) faults.push("a traceback");
  article.querySelectorAll("pre, code, script, style, mjx-container").forEach((part) => part.remove());
  const raw = article.textContent.match(/\\\(|\\\[|\$\$/);
  if (raw) faults.push(`raw ${raw[0]} in the text`);
  return faults;
}
"""

# The parts of the page that must not scroll sideways; what is wide scrolls in a box of its own inside them.
SIDEWAYS = """
() => ["html", "body", "main", ".bd-content", ".bd-article-container", "article"]
  .filter((part) => {
    const element = document.querySelector(part);
    return element && element.scrollWidth > element.clientWidth + 1;
  })
  .map((part) => `${part} is wider than ${innerWidth} pixels`)
"""


# Lines of code that would have to be scrolled, outside of folds.
WIDE_CODE = r"""
() => [...document.querySelectorAll(".hg-source pre, .cell_input pre")]
  .filter((block) => !block.closest("details") && block.scrollWidth > block.clientWidth)
  .map((block) => block.textContent.split("\n").sort((a, b) => b.length - a.length)[0])
"""

# Formulas whose punctuation begins the next line.
TORN = """
() => [...document.querySelectorAll(".hg-whole")].filter((whole) => {
  const end = document.createRange();
  end.setStart(whole.lastChild, 0);
  end.setEndAfter(whole.lastChild);
  const formula = whole.querySelector(".math").getBoundingClientRect(), rest = end.getBoundingClientRect();
  return whole.lastChild.nodeType === Node.TEXT_NODE && rest.width > 0 && rest.left < formula.left;
}).map((whole) => whole.textContent)
"""


@dataclass
class Seen:
    """What is seen on a visit: faults as sentences, code too wide for a desktop, formulas torn on a phone."""

    faults: list
    wide_code: list
    torn: list


def see(reader, url, origin):
    """Visit the page at `url`, whose site begins with `origin`, first as wide as on a desktop, then as on a phone."""
    faults = []

    def refuse(route):
        faults.append(f"a request to another origin: {route.request.url}")
        route.abort()

    listeners = [
        ("requestfailed", lambda request: faults.append(f"failed: {request.url}")),
        ("response", lambda answer: answer.ok or faults.append(f"{answer.status}: {answer.url}")),
        ("console", lambda line: line.type == "error" and faults.append(f"console: {line.text}")),
        ("pageerror", lambda error: faults.append(f"script error: {error}")),
    ]
    reader.route(re.compile(f"^(?!{re.escape(origin)}|data:|blob:)"), refuse)
    with in_tab(reader, url, listeners=listeners) as page:
        wide_code = page.evaluate(WIDE_CODE)
        faults += page.evaluate(INSPECT)
        page.set_viewport_size({"width": 390, "height": 844})
        faults += page.evaluate(SIDEWAYS)
        torn = page.evaluate(TORN)
        page.wait_for_load_state("networkidle")
    return Seen(faults, wide_code, torn)


@pytest.fixture(scope="module")
def from_the_disk(reader, site):
    """What is seen on a page, visited once."""
    return cache(lambda page: see(reader, (site / f"{page}.html").as_uri(), site.as_uri()))


@pytest.fixture(scope="module")
def stick(site, tmp_path_factory):
    """A copy of the site in another folder."""
    return shutil.copytree(site, tmp_path_factory.mktemp("copy") / "a stick" / "the book")


def test_the_build_has_the_pages_of_the_contents(site, pages):
    extra = {"index", "search", "genindex"}  # Sphinx makes these
    built = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    assert {page for page in built if not page.startswith("_static/")} == {*pages, *extra}


def test_chapters_are_numbered_by_their_files(site, pages):
    for page in pages:
        number = Path(page).name.split("_")[0]
        if number[:2].isdigit():  # 08, or 10b: the second page of chapter 10
            number = number.lstrip("0")
            html = (site / f"{page}.html").read_text(encoding="utf-8")
            assert f'<h1><span class="section-number">{number}. </span>' in html
            assert all(f">({number}." in part for part in html.split('class="eqno"')[1:])


def test_a_copy_on_a_stick_is_the_whole_course(browser, stick):
    """From the first file on, over file:// and in another folder: reading on, and finding a word."""
    page = browser.new_page()
    errors = []
    page.on("console", lambda line: line.type == "error" and errors.append(line.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((stick / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/book/01_one_hot.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("downstream")
    page.keyboard.press("Enter")
    found = page.locator("#search-results li a", has_text="Computational graphs and gates").first
    found.click()
    page.wait_for_url("**/book/08_graphs.html*")
    page.close()
    assert errors == []


@pytest.mark.parametrize("word", ["gradient", "log"])  # a class of the explorers' style sheet, and a command of TeX
def test_the_words_of_a_search_are_marked_in_prose_alone(browser, site, word):
    page = browser.new_page()
    page.goto(f"{(site / 'search.html').as_uri()}?q={word}")
    page.locator("#search-results a", has_text="Negative sampling").first.click()
    page.wait_for_url("**/book/15_negative_sampling.html*")
    page.locator(".highlighted").first.wait_for(state="attached")  # Sphinx marks them a moment after the page is there
    wait_for_formulas(page)
    marked = page.evaluate(
        """() => [...document.querySelectorAll(".highlighted")]
            .map((mark) => mark.closest("style, script, svg, .math, .hg-explorer")?.tagName ?? "prose")"""
    )
    assert "prose" in marked and set(marked) == {"prose"}
    assert page.locator("mjx-merror, .math:not(:has(mjx-container))").count() == 0
    page.close()


def test_no_line_begins_with_the_punctuation_after_a_formula(from_the_disk, site, page):
    html = re.sub(r'<span class="hg-whole">.*?</span>', "", (site / f"{page}.html").read_text(encoding="utf-8"))
    assert re.findall(r'class="math [^>]*>[^<]*</span>[.,:;!?)]', html) == []
    assert from_the_disk(page).torn == []


def test_on_a_phone_a_shadow_tells_that_a_line_of_code_goes_on(reader, site):
    with opened(reader, (site / "book/15_negative_sampling.html").as_uri(), width=390) as page:
        blocks = page.locator(".cell_input pre, .hg-source pre")
        wide = blocks.evaluate_all("(all) => all.map((e) => e.scrollWidth > e.clientWidth + 40)")
        wide = [blocks.nth(number) for number in np.flatnonzero(wide)]
        assert len(wide) > 5
        for block in wide[:3]:
            assert shadows(block) == (False, True)
            block.evaluate("e => { e.scrollLeft = 20 }")
            assert shadows(block) == (True, True)
            block.evaluate("e => { e.scrollLeft = e.scrollWidth }")
            assert shadows(block) == (True, False)


def test_on_a_phone_an_equation_fades_out_where_it_goes_on(reader, site):
    with opened(reader, (site / "book/gradients.html").as_uri(), width=390) as page:
        equations = page.locator("table.hg-gradients mjx-container")
        hidden = equations.evaluate_all("(all) => all.map((e) => e.scrollWidth - e.clientWidth)")
        assert fades(equations) == [(0, 32 if more else 0) for more in hidden]
        wide = equations.nth(int(np.argmax(hidden)))
        wide.evaluate("e => { e.scrollLeft = (e.scrollWidth - e.clientWidth) / 2 }")
        assert fades(wide) == [(32, 32)]
        wide.evaluate("e => { e.scrollLeft = e.scrollWidth }")
        assert fades(wide) == [(32, 0)]
        wide.focus()
        page.keyboard.press("ArrowLeft")
        assert wide.evaluate("e => getComputedStyle(e).maskImage") == "none"  # the ring is around it
        assert 0 in hidden and max(hidden) > 100


def fades(boxes):
    """Over how many pixels on the left, and on the right. Scrolling moves it with the next picture of the page."""
    boxes.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    found = boxes.evaluate_all(
        """(all) => all.map((box) => ["left", "right"]
            .map((side) => parseFloat(getComputedStyle(box).getPropertyValue(`--hg-fade-${side}`))))"""
    )
    return [tuple(sides) for sides in found]


def test_on_a_desktop_no_code_needs_to_be_scrolled(from_the_disk, page):
    assert from_the_disk(page).wide_code == []


def shadows(block):
    """Whether there is one on the left, and on the right, above the first line."""
    image = Image.open(io.BytesIO(block.screenshot())).convert("L")
    left, middle, right = (image.getpixel((x, 7)) for x in (1, image.width // 2, image.width - 2))
    return abs(left - middle) > 20, abs(right - middle) > 20


def test_a_page_without_a_list_of_contents_has_no_button_for_one(browser, site, pages):
    with_list = {page for page in pages if 'id="pst-secondary-sidebar"' in (site / f"{page}.html").read_text("utf-8")}
    with_button = {page for page in pages if "secondary-toggle" in (site / f"{page}.html").read_text("utf-8")}
    assert "book/08_graphs" in with_list and "book/index" not in with_list
    assert with_button <= with_list


def test_no_two_works_are_cited_alike(site, pages):
    """Two by the same authors in the same year have a letter behind the year, in references.bib."""
    works = {}
    for name in pages:
        html = (site / f"{name}.html").read_text(encoding="utf-8")
        for citation in re.findall(r'<span class="bibtex-citation".*?</span>', html, re.DOTALL):
            for work, said in re.findall(r'href="[^"#]*#([^"]+)"[^>]*>(.*?)</a>', citation, re.DOTALL):
                works.setdefault(said, set()).add(work)
    assert len(works) > 5 and all(len(cited) == 1 for cited in works.values()), works


def test_the_root_leads_to_the_first_page(browser, server, pages):
    page = browser.new_page()
    page.goto(server)
    page.wait_for_url(f"{server}{pages[0]}.html")
    page.close()


def test_page_from_a_server(reader, server, page):
    assert see(reader, f"{server}{page}.html", server).faults == []


def test_page_from_the_disk(from_the_disk, page):
    assert from_the_disk(page).faults == []


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        (
            '<img src="http://example.org/a.png" alt="a">',
            "a request to another origin: http://example.org/a.png",
        ),
        ('<link rel="stylesheet" href="https://example.org/a.css">', "a request to another origin"),
        ('<img src="missing.png" alt="a">', "failed: "),
        ("<script>console.error('planted')</script>", "console: planted"),
        ("<script>throw Error('planted')</script>", "script error: planted"),
        (r'<span class="math">\(\frac{1\)</span>', "not typeset"),
        (r'<span class="math">\(\nosuchcommand{1}}\)</span>', "MathJax error"),
        ('<svg role="img"></svg>', "no text for <svg"),
        ('<i class="fa-solid fa-rocket"></i>', "nobody draws the icon"),
        ("<p>$$ x $$</p>", "raw $$ in the text"),
        ("<pre>Traceback (most recent call last)</pre>", "a traceback"),
        ('<div style="width: 900px">wide</div>', "is wider than 390 pixels"),
    ],
)
def test_a_planted_fault_is_found(reader, stick, planted, fault):
    before, title_end, after = (stick / "book/notation.html").read_text(encoding="utf-8").rpartition("</h1>")
    page = stick / "book/planted.html"
    page.write_text(before + title_end + planted + after, encoding="utf-8")
    faults = see(reader, page.as_uri(), stick.as_uri()).faults
    assert any(fault in found for found in faults), faults
