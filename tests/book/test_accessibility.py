"""Every page for every reader: axe-core's rules, WCAG 2.1 AA and best practice, at two widths, in light and in dark.

Each page is opened once. At each width every rule is asked, in light: what is shown, how large, and what scrolls may
differ. In dark only colors may differ, and a page that shows or hides something there is at fault itself; so the rules
about colors are asked.
"""

from contextlib import contextmanager
from functools import cache
from pathlib import Path

import axe_playwright_python
import pytest
from in_browser import opened

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
EVERY_RULE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},  # WCAG 2.1 A, but axe calls it an experiment
    "resultTypes": ["violations"],
}
OF_COLORS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}
WIDTHS = (1280, 390)

# A chapter has thousands of texts in a few dozen looks, and axe works out what is behind each text anew, which is most
# of its time. Texts of one look, with backgrounds of the same look around them, have the same contrast: once axe has
# measured one of them as good, the others are taken to be so. Any other answer of axe's is worked out each time.
MEASURE_EACH_LOOK_ONCE = """
() => {
  const rule = axe._audit.rules.find(({ id }) => id === "color-contrast");
  const check = axe._audit.checks["color-contrast"];
  const { matches } = rule, { evaluate } = check;
  const settled = new Map();
  let backgrounds;

  const has = (node) => [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
  rule.matches = (node, ...rest) => (node.matches("input, select, textarea") || has(node)) && matches(node, ...rest);

  function behind(node) {
    if (!node) return "";
    if (!backgrounds.has(node)) {
      const own = getComputedStyle(node);
      const { backgroundColor, backgroundImage, opacity, filter, mixBlendMode, position } = own;
      const look = [backgroundColor, backgroundImage, opacity, filter, mixBlendMode, position].join();
      backgrounds.set(node, `${behind(node.parentElement)}/${look}`);
    }
    return backgrounds.get(node);
  }

  check.evaluate = function (node, ...rest) {
    const { color, fontSize, fontWeight, textShadow, webkitTextStrokeColor } = getComputedStyle(node);
    const look = [behind(node), color, fontSize, fontWeight, textShadow, webkitTextStrokeColor].join(" ");
    if (settled.has(look)) return settled.get(look);
    let why;
    const { data } = this;
    this.data = (said) => { why = said.messageKey; data.call(this, said); };
    const verdict = evaluate.call(this, node, ...rest);
    const unknown = why === "bgGradient" && look.includes("gradient(");  // which axe never measures
    if ((verdict && !why) || unknown) settled.set(look, verdict);
    return verdict;
  };
  window.ask = (options) => {
    backgrounds = new Map();
    return axe.run(options);
  };
}
"""

# What is on the page, to be compared in light and in dark.
SHOWN = """
() => new Set([...document.querySelectorAll("body *")]
  .filter((part) => part.checkVisibility({ visibilityProperty: true, opacityProperty: true })))
"""


@contextmanager
def unfolded(reader, url, planted=""):
    """The page with its folds open, in light, and with ``planted`` below its title."""
    with opened(reader, url, reduced_motion="reduce", color_scheme="light") as page:
        page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        page.add_style_tag(content="* { transition: none !important }")  # at another width the sidebar is gone at once
        page.evaluate("(html) => document.querySelector('article h1')?.insertAdjacentHTML('afterend', html)", planted)
        page.evaluate(AXE)
        page.evaluate(MEASURE_EACH_LOOK_ONCE)
        yield page


def broken_rules(page, options, condition):
    """One sentence for each rule that the page breaks as it stands."""
    result = page.evaluate("(options) => ask(options)", options)
    assert len(result["passes"]) > (10 if options is EVERY_RULE else 0), "axe had nothing to look at"
    for rule in result["violations"]:
        first = rule["nodes"][0]
        yield (
            f"{rule['id']} ({condition}, {len(rule['nodes'])} places): "
            f"{first['html'][:150]} {first['failureSummary'][:300]}"
        )


def choose(page, mode):
    """As the reader's system does, and the page follows."""
    page.emulate_media(color_scheme=mode)
    page.wait_for_function("(mode) => document.documentElement.dataset.theme === mode", arg=mode)


def violations(page):
    """One sentence for each rule that the page breaks, at any width, in any mode."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        choose(page, "light")
        found += broken_rules(page, EVERY_RULE, f"light, {width} pixels")
        in_light = page.evaluate_handle(SHOWN)
        choose(page, "dark")
        found += broken_rules(page, OF_COLORS, f"dark, {width} pixels")
        found += page.evaluate(
            f"""([inLight, width]) => [...inLight.symmetricDifference(({SHOWN})())]
                .map((part) => `shown in one mode alone (${{width}} pixels): ${{part.outerHTML.slice(0, 150)}}`)""",
            [in_light, width],
        )
    return found


# Letters in drawings, as large as they are seen. An exponent is smaller, as it is in print.
LETTERS = """
() => [...document.querySelectorAll("article svg text")]
  .filter((text) => text.textContent.trim() && text.checkVisibility())
  .map((text) => [text, text.getScreenCTM()])
  .map(([text, { a, b }]) => ({
    said: text.textContent, size: parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b),
  }))
"""


def letters_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(
        "for (const box of document.querySelectorAll('.toggle-hidden')) box.classList.remove('toggle-hidden')"
    )
    return page.evaluate(LETTERS)


@pytest.fixture(scope="module")
def visit(reader, server):
    """What is found on a page, looked up once: the rules that it breaks, and the letters in its drawings."""

    @cache
    def visit(page):
        with unfolded(reader, f"{server}{page}.html") as opened_page:
            return violations(opened_page), letters_on_a_phone(opened_page)

    return visit


def test_no_rule_is_broken(visit, page):
    broken, _ = visit(page)
    assert broken == []


def test_letters_in_drawings_are_legible_on_a_phone(visit, page):
    _, letters = visit(page)
    assert [letter for letter in letters if letter["size"] < 10.9] == []
    assert len(letters) > 10 or page not in ("book/index", "book/01_one_hot", "book/08_graphs")


PALE = '<p class="planted" style="color: #999; background: #fff">pale</p>'
DIM = '<p class="planted" style="color: #444; background: #111">dim</p>'
LINK = '<p>A sentence, and <a href="#" style="color: {}; text-decoration: none">a link</a> in it.</p>'


def only(width, planted):
    """Hidden at the other width."""
    others = "<" if width > 800 else ">"
    return f"<style>@media (width {others} 800px) {{ .planted {{ display: none }} }}</style>{planted}"


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        *((only(width, PALE), f"color-contrast (light, {width}") for width in WIDTHS),
        *((only(width, DIM), f"color-contrast (dark, {width}") for width in WIDTHS),
        *((only(width, '<input type="range" class="planted">'), f"label (light, {width}") for width in WIDTHS),
        (LINK.format("#345"), "link-in-text-block (light"),
        (LINK.format("#bcd"), "link-in-text-block (dark"),
        ("<h5>a jump</h5>", "heading-order"),
        ('<button aria-label="Go">Search</button>', "label-content-name-mismatch"),
        ('<p class="only-dark">by night</p>', "shown in one mode alone (1280"),
    ],
)
def test_a_planted_fault_is_found(reader, site, planted, rule):
    with unfolded(reader, (site / "book/bibliography.html").as_uri(), planted) as page:
        found = violations(page)
    assert any(rule in sentence for sentence in found), found


def test_measuring_each_look_once_finds_what_measuring_every_text_finds(reader, site):
    """Where numbers and names in code, and links, are pale: axe itself, as it comes, names the same texts."""
    pale = "<style>.highlight .mi, .highlight .nn, article a { color: #bbb !important }</style>"
    with unfolded(reader, (site / "book/10b_matrix_gates.html").as_uri(), pale) as page:
        by_looks = page.evaluate("(options) => ask(options)", OF_COLORS)["violations"]
        page.evaluate(AXE)
        by_texts = page.evaluate("(options) => axe.run(options)", OF_COLORS)["violations"]
    found = [
        {rule["id"]: [node["target"] for node in rule["nodes"]] for rule in rules} for rules in (by_looks, by_texts)
    ]
    assert found[0] == found[1] and len(found[0]["color-contrast"]) > 20
