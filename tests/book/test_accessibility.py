"""Every page for every reader: axe-core's rules, WCAG 2.1 AA and best practice, at two widths, in light and in dark."""

from pathlib import Path

import axe_playwright_python
import pytest
from in_browser import wait_for_formulas

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},  # WCAG 2.1 A, but axe calls it an experiment
    "resultTypes": ["violations"],
}
WIDTHS = (1280, 390)
MODES = ("light", "dark")


def violations(browser, url, planted=""):
    """One sentence for each rule that the page breaks, at any width, in any mode; with ``planted`` below its title."""
    found = []
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    for mode in MODES:
        page.emulate_media(color_scheme=mode)
        page.goto(url)
        wait_for_formulas(page)
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        if planted:
            page.evaluate(
                "(html) => document.querySelector('article h1').insertAdjacentHTML('afterend', html)", planted
            )
        page.evaluate(AXE)
        assert page.evaluate("document.documentElement.dataset.theme") == mode
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            result = page.evaluate("(options) => axe.run(options)", OPTIONS)
            assert len(result["passes"]) > 10, "axe had nothing to look at"
            for rule in result["violations"]:
                first = rule["nodes"][0]
                found.append(
                    f"{rule['id']} ({mode}, {width} pixels, {len(rule['nodes'])} places): "
                    f"{first['html'][:150]} {first['failureSummary'][:300]}"
                )
    context.close()
    return found


def test_no_rule_is_broken(browser, server, page):
    assert violations(browser, f"{server}{page}.html") == []


# Letters in drawings, as large as they are seen. An exponent is smaller, as it is in print.
LETTERS = """
() => [...document.querySelectorAll("article svg text")]
  .filter((text) => text.textContent.trim() && text.checkVisibility())
  .map((text) => [text, text.getScreenCTM()])
  .map(([text, { a, b }]) => ({
    said: text.textContent, size: parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b),
  }))
"""


def test_letters_in_drawings_are_legible_on_a_phone(browser, site, page):
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto((site / f"{page}.html").as_uri())
    phone.evaluate(
        "for (const box of document.querySelectorAll('.toggle-hidden')) box.classList.remove('toggle-hidden')"
    )
    letters = phone.evaluate(LETTERS)
    phone.close()
    assert [letter for letter in letters if letter["size"] < 10.9] == []
    assert len(letters) > 10 or page not in ("book/index", "book/01_one_hot", "book/08_graphs")


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ('<p style="color: #999; background: #fff">pale</p>', "color-contrast (light"),
        ('<p style="color: #444; background: #111">dim</p>', "color-contrast (dark"),
        ('<input type="range">', "label (light, 390"),
        ("<h5>a jump</h5>", "heading-order"),
        ('<button aria-label="Go">Search</button>', "label-content-name-mismatch"),
    ],
)
def test_a_planted_fault_is_found(browser, site, planted, rule):
    found = violations(browser, (site / "book/bibliography.html").as_uri(), planted)
    assert any(rule in sentence for sentence in found), found
